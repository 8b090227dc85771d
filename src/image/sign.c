/* SPDX-License-Identifier: Apache-2.0 */
#include "image/sign.h"

#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "codec/json.h"
#include "image/gpg.h"
#include "image/reference.h"

static void format_payload(const char *name, const struct digest *id, struct buf *out)
{
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
	json_add_string(&w, "type", "atomic container signature");
	json_end(&w);
	json_begin_object(&w, "optional");
	json_add_string(&w, "creator", "berth " BERTH_VERSION);
	json_add_u64(&w, "timestamp", (uint64_t)time(NULL));
	json_end(&w);
	json_end(&w);
}

int sign_manifest(const struct sign_options *o, const struct reference *ref,
		  const struct digest *id, struct buf *ret_message, struct error *err)
{
	cleanup_free char *name = reference_format(ref);
	cleanup_buf struct buf payload = { 0 };

	format_payload(name, id, &payload);
	return gpg_sign(o->key, o->passphrase_file, payload.data, payload.len, ret_message, err);
}
