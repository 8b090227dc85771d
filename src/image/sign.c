/* SPDX-License-Identifier: Apache-2.0 */
#include "image/sign.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/mem.h"
#include "codec/json.h"
#include "codec/pubkey.h"
#include "codec/sealed_key.h"
#include "image/gpg.h"
#include "image/reference.h"

int signer_open(const struct sign_options *o, struct signer *ret, struct error *err)
{
	cleanup_free char *pem = NULL;
	size_t len;
	int r;

	*ret = (struct signer){ .options = o };
	if (!o->sealed_key)
		return 0;
	r = file_read(AT_FDCWD, o->sealed_key, SEALED_KEY_MAX_BYTES, &pem, &len, err);
	if (r == 0)
		r = sealed_key_open(pem, len, o->sealed_passphrase ? o->sealed_passphrase : "",
				    &ret->der, err);
	return r < 0 ? error_prefix(err, r, "key '%s'", o->sealed_key) : 0;
}

void signer_close(struct signer *s)
{
	if (s->der.data)
		explicit_bzero(s->der.data, s->der.size);
	buf_done(&s->der);
}

void signing_done(struct signing *s)
{
	lookaside_done(&s->place);
	buf_done(&s->message);
}

static void format_payload(const char *type, const struct reference *ref, const struct digest *id,
			   struct buf *out)
{
	cleanup_free char *name = reference_format(ref);
	struct json_writer w;

	json_writer_init(&w, out, NULL);
	json_begin_object(&w, NULL);
	json_begin_object(&w, "critical");
	json_begin_object(&w, "identity");
	json_add_string(&w, "docker-reference", name);
	json_end(&w);
	json_begin_object(&w, "image");
	json_add_string(&w, "docker-manifest-digest", id->text);
	json_end(&w);
	json_add_string(&w, "type", type);
	json_end(&w);
	json_begin_object(&w, "optional");
	json_add_string(&w, "creator", "berth " BERTH_VERSION);
	json_add_u64(&w, "timestamp", (uint64_t)time(NULL));
	json_end(&w);
	json_end(&w);
}

static int make_simple(const struct sign_options *o, const struct reference *ref,
		       const struct digest *id, struct signing *ret, struct error *err)
{
	cleanup_buf struct buf payload = { 0 };
	int r = lookaside_find_staging(ref->domain, ref->path, &ret->place, err);

	if (r < 0)
		return r;
	format_payload("atomic container signature", ref, id, &payload);
	return gpg_sign(o->key, o->passphrase_file, payload.data, payload.len, &ret->message, err);
}

int sign_manifest(const struct signer *s, struct registry *registry, const struct reference *ref,
		  const struct digest *id, struct signing *ret, struct error *err)
{
	cleanup_buf struct buf payload = { 0 }, signature = { 0 };
	int r = s->options->key ? make_simple(s->options, ref, id, ret, err) : 0;

	if (r < 0 || !s->options->sealed_key)
		return r;
	format_payload("cosign container image signature", ref, id, &payload);
	r = pubkey_sign(s->der.data, s->der.len, payload.data, payload.len, &signature, err);
	if (r < 0)
		return error_prefix(err, r, "key '%s'", s->options->sealed_key);
	r = sign_attach(registry, id, &payload, &signature, err);
	return r < 0 ? error_prefix(err, r, "attaching a signature") : 0;
}

int sign_keep(const struct signing *s, const struct digest *id, struct error *err)
{
	return s->place.url ? lookaside_write(&s->place, id, s->message.data, s->message.len, err)
			    : 0;
}
