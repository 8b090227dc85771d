/* SPDX-License-Identifier: Apache-2.0 */
#include "image/layer_info.h"

#include <errno.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/inject.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "image/store_private.h"

#define INFO_NAME      "layer.json"
#define INFO_MAX_BYTES 4096

static const char *const compressions[] = {
	[COMPRESSION_NONE] = "none",
	[COMPRESSION_GZIP] = "gzip",
	[COMPRESSION_ZSTD] = "zstd",
};

static int parse(const struct json *doc, struct layer_info *info, struct error *err)
{
	const char *blob = "", *compression = "";
	int r = json_get_string(doc, "blob", &blob, err);
	int kind;

	if (r == 0)
		r = json_get_string(doc, "compression", &compression, err);
	if (r == 0)
		r = json_get_u64(doc, "blobBytes", &info->blob_bytes, err);
	if (r == 0)
		r = json_get_u64(doc, "unpackedBytes", &info->unpacked_bytes, err);
	if (r == 0)
		r = json_get_u64(doc, "entries", &info->entries, err);
	if (r < 0)
		return r;
	kind = str_index(compressions, ARRAY_SIZE(compressions), compression);
	if (digest_parse(blob, &info->blob_id) < 0 || kind < 0)
		return error_kind(err, ERROR_INVALID,
				  "blob or compression is not what berth wrote");
	info->compression = (enum compression)kind;
	return 0;
}

int layer_info_load_from(int fd, const char *dir, struct layer_info *ret, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = NULL;
	cleanup_free char *text = NULL;
	struct layer_info info = { 0 };
	const struct json *doc;
	char path[160];
	size_t len;
	int r;

	(void)snprintf(path, sizeof(path), "%.128s/" INFO_NAME, dir);
	r = file_read(fd, path, INFO_MAX_BYTES, &text, &len, err);
	if (r < 0)
		return r;
	arena = arena_new();
	r = json_parse(text, len, arena, &doc, err);
	if (r == 0)
		r = parse(doc, &info, err);
	if (r < 0)
		return error_prefix(err, r, "'%s'", path);
	*ret = info;
	return 0;
}

int layer_info_load(int root_fd, const struct digest *diff_id, struct layer_info *ret,
		    struct error *err)
{
	return layer_info_load_from(root_fd, layer_path(diff_id).s, ret, err);
}

int layer_info_save(int dir_fd, const struct layer_info *info, struct error *err)
{
	cleanup_buf struct buf json = { 0 };
	struct json_writer w;
	int r = inject_failure("image", "layer-info", err);

	if (r < 0)
		return r;
	json_writer_init(&w, &json, NULL);
	json_begin_object(&w, NULL);
	json_add_string(&w, "blob", info->blob_id.text);
	json_add_u64(&w, "blobBytes", info->blob_bytes);
	json_add_string(&w, "compression", compressions[info->compression]);
	json_add_u64(&w, "unpackedBytes", info->unpacked_bytes);
	json_add_u64(&w, "entries", info->entries);
	json_end(&w);
	return file_write_atomic(dir_fd, INFO_NAME, json.data, json.len, 0600, 0, err);
}
