/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures beside an image in its registry, as cosign puts them and policy_sigstore.c finds them: the
 * image with the tag sha256-HEX.sig has a layer a signed text, with the signature as annotation.
 * Whoever signs the same manifest at the same moment may lose: registries have no compare-and-swap.
 */
#include <string.h>

#include "base/base64.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/mem.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "image/sign.h"
#include "oci/image.h"
#include "registry/registry.h"
#include "registry/upload.h"

#define PAYLOAD_TYPE  "application/vnd.dev.cosign.simplesigning.v1+json"
#define SIGNATURE_KEY "dev.cosignproject.cosign/signature"

/* Sends a small blob, unless it is there. ret: its descriptor; the digest is in arena */
static int put_blob(struct registry *registry, const struct buf *data, const char *type,
		    struct arena *arena, struct oci_descriptor *ret, struct error *err)
{
	struct digest id = sha256_digest(data->data, data->len);
	cleanup_fd int fd = -EBADF;
	int r = registry_blob_exists(registry, &id, err);

	*ret = (struct oci_descriptor){ .media_type = type,
					.digest = arena_strdup(arena, id.text),
					.size = data->len };
	if (r != 0)
		return r < 0 ? r : 0;
	r = file_in_memory(data->data, data->len, &fd, err);
	return r < 0 ? r : registry_blob_upload(registry, &id, data->len, fd, err);
}

/* What is attached already; no layers: nothing. */
static int read_attached(struct registry *registry, const char *tag, struct arena *arena,
			 struct oci_manifest *ret, struct error *err)
{
	struct registry_manifest m = { 0 };
	int r = registry_manifest_get(registry, tag, &m, err);

	if (r < 0 && err->kind == ERROR_NOT_FOUND)
		return 0;
	if (r == 0)
		r = oci_manifest_parse(m.json, m.len, arena, ret, err);
	registry_manifest_done(&m);
	return r;
}

/* Nobody runs it: it says of which layers the image is, as every image's does. */
static void format_config(const struct oci_manifest *m, struct buf *out)
{
	struct json_writer w;

	json_writer_init(&w, out, NULL);
	json_begin_object(&w, NULL);
	json_add_string(&w, "architecture", "");
	json_add_string(&w, "os", "");
	json_begin_object(&w, "config");
	json_end(&w);
	json_begin_object(&w, "rootfs");
	json_add_string(&w, "type", "layers");
	json_begin_array(&w, "diff_ids");
	for (size_t i = 0; i < m->n_layers; i++)
		json_add_string(&w, NULL, m->layers[i].digest); /* they are not compressed */
	json_end(&w);
	json_end(&w);
	json_end(&w);
}

static int put_image(struct registry *registry, const char *tag, struct oci_manifest *m,
		     struct arena *arena, struct error *err)
{
	cleanup_buf struct buf config = { 0 }, json = { 0 };
	int r;

	format_config(m, &config);
	r = put_blob(registry, &config, OCI_MEDIA_TYPE_CONFIG, arena, &m->config, err);
	if (r < 0)
		return r;
	m->media_type = OCI_MEDIA_TYPE_MANIFEST;
	oci_manifest_format(m, &json);
	return registry_manifest_put(registry, tag, m->media_type, json.data, json.len, err);
}

int sign_attach(struct registry *registry, const struct digest *id, const struct buf *payload,
		const struct buf *signature, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	cleanup_free char *tag = xasprintf("sha256-%s.sig", digest_hex(id));
	cleanup_free char *encoded = base64_format(signature->data, signature->len);
	cleanup_free struct oci_descriptor *layers = NULL;
	const struct oci_pair annotation = { SIGNATURE_KEY, encoded };
	struct oci_manifest m = { 0 };
	int r = read_attached(registry, tag, arena, &m, err);

	if (r < 0)
		return r;
	layers = xcalloc(m.n_layers + 1, sizeof(*layers));
	if (m.n_layers > 0)
		memcpy(layers, m.layers, m.n_layers * sizeof(*layers));
	r = put_blob(registry, payload, PAYLOAD_TYPE, arena, &layers[m.n_layers], err);
	if (r < 0)
		return r;
	layers[m.n_layers].annotations = &annotation;
	layers[m.n_layers].n_annotations = 1;
	m.layers = layers;
	m.n_layers++;
	return put_image(registry, tag, &m, arena, err);
}
