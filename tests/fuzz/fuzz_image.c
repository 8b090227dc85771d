/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents of images: the same bytes are tried as each kind. They are refused, or survive being
 * written and read again; digests are then safe file names.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "oci/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef int (*rewrite_fn)(const char *text, size_t len, struct arena *arena, struct buf *out);

static int rewrite_index(const char *text, size_t len, struct arena *arena, struct buf *out)
{
	struct oci_index index;
	struct error err;

	if (oci_index_parse(text, len, arena, &index, &err) < 0)
		return -1;
	for (size_t i = 0; i < index.n_manifests; i++)
		assert(oci_digest_hex(index.manifests[i].digest));
	oci_index_format(&index, out);
	return 0;
}

static int rewrite_manifest(const char *text, size_t len, struct arena *arena, struct buf *out)
{
	struct oci_manifest manifest;
	struct error err;

	if (oci_manifest_parse(text, len, arena, &manifest, &err) < 0)
		return -1;
	assert(oci_digest_hex(manifest.config.digest));
	for (size_t i = 0; i < manifest.n_layers; i++)
		assert(oci_digest_hex(manifest.layers[i].digest));
	oci_manifest_format(&manifest, out);
	return 0;
}

static int rewrite_config(const char *text, size_t len, struct arena *arena, struct buf *out)
{
	struct oci_image_config config;
	struct error err;

	if (oci_image_config_parse(text, len, arena, &config, &err) < 0)
		return -1;
	for (size_t i = 0; i < config.n_diff_ids; i++)
		assert(oci_digest_hex(config.diff_ids[i]));
	oci_image_config_format(&config, out);
	return 0;
}

static int rewrite_archive(const char *text, size_t len, struct arena *arena, struct buf *out)
{
	struct oci_docker_archive archive;
	struct error err;

	if (oci_docker_archive_parse(text, len, arena, &archive, &err) < 0)
		return -1;
	for (size_t i = 0; i < archive.n_images; i++)
		assert(archive.images[i].config[0] != '/');
	oci_docker_archive_format(&archive, out);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const rewrite_fn kinds[] = {
		rewrite_index,
		rewrite_manifest,
		rewrite_config,
		rewrite_archive,
	};
	const char *text = (const char *)data;
	enum oci_media_kind kind;
	struct error err;

	(void)oci_document_kind(text, size, &kind, &err); /* any answer, but no fault */
	(void)oci_layout_parse(text, size, &err);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct arena *arena cleanup_with(arena_free) = arena_new();
		cleanup_buf struct buf once = { 0 }, twice = { 0 };

		if (kinds[i](text, size, arena, &once) < 0)
			continue;
		assert(kinds[i](once.data, once.len, arena, &twice) == 0);
		assert(strcmp(buf_str(&once), buf_str(&twice)) == 0);
	}
	return 0;
}
