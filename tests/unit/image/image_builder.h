/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Small images as archives, with what a test wants to know of them. After cmocka.h. */

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/fd.h"
#include "codec/sha256.h"
#include "image/transfer.h"
#include "oci/image.h"
#include "store_fixture.h"
#include "tar_builder.h"

static inline void add_gzip(struct buf *out, const struct buf *data)
{
	z_stream z = { 0 };
	size_t bound;

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	bound = deflateBound(&z, data->len);
	buf_reserve(out, bound);
	z.next_in = (Bytef *)data->data;
	z.avail_in = (uInt)data->len;
	z.next_out = (Bytef *)out->data + out->len;
	z.avail_out = (uInt)bound;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	out->len += z.total_out;
	deflateEnd(&z);
}

/* A layer with one file NAME of content TEXT. */
static inline struct buf make_layer(const char *name, const char *text)
{
	struct buf tar = { 0 };

	tar_add_file(&tar, name, text);
	tar_end(&tar);
	return tar;
}

static inline struct buf make_config(const struct buf *layers, size_t n, const char *comment)
{
	struct buf json = { 0 };

	buf_printf(&json,
		   "{\"architecture\":\"amd64\",\"os\":\"linux\",\"author\":\"%s\","
		   "\"created\":\"2026-01-02T03:04:05Z\",\"config\":{\"Cmd\":[\"/a\"]},"
		   "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[",
		   comment);
	for (size_t i = 0; i < n; i++)
		buf_printf(&json, "%s\"%s\"", i ? "," : "",
			   sha256_digest(layers[i].data, layers[i].len).text);
	buf_puts(&json, "]}}");
	return json;
}

/* docker save, as it was before it was an OCI layout: one layer a directory. */
static inline void docker_archive(struct buf *out, const char *name, const struct buf *layers,
				  size_t n)
{
	cleanup_buf struct buf config = make_config(layers, n, name);
	cleanup_buf struct buf manifest = { 0 };

	tar_add_bytes(out, "config.json", &config);
	buf_printf(&manifest, "[{\"Config\":\"config.json\",\"RepoTags\":[\"%s\"],\"Layers\":[",
		   name);
	for (size_t i = 0; i < n; i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "l%zu/layer.tar", i);
		tar_add_bytes(out, path, &layers[i]);
		buf_printf(&manifest, "%s\"%s\"", i ? "," : "", path);
	}
	buf_puts(&manifest, "]}]");
	tar_add_bytes(out, "manifest.json", &manifest);
	tar_end(out);
}

static inline void add_blob(struct buf *out, const struct buf *data)
{
	struct digest id = sha256_digest(data->data, data->len);
	char path[128];

	(void)snprintf(path, sizeof(path), "blobs/sha256/%s", digest_hex(&id));
	tar_add_bytes(out, path, data);
}

/* An OCI archive with one gzip layer; broken: its bytes are not those of its digest. */
#define GZIP_OS_BYTE 9 /* RFC 1952: which file system it was made on */

static inline void oci_archive(struct buf *out, const char *name, const struct buf *layer,
			       bool broken)
{
	cleanup_buf struct buf config = make_config(layer, 1, "oci");
	cleanup_buf struct buf blob = { 0 }, manifest = { 0 }, index = { 0 };

	add_gzip(&blob, layer);
	buf_printf(&manifest,
		   "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"" OCI_MEDIA_TYPE_CONFIG
		   "\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":"
		   "\"" OCI_MEDIA_TYPE_LAYER_GZIP "\",\"digest\":\"%s\",\"size\":%zu}]}",
		   sha256_digest(config.data, config.len).text, config.len,
		   sha256_digest(blob.data, blob.len).text, blob.len);
	buf_printf(&index,
		   "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" OCI_MEDIA_TYPE_MANIFEST
		   "\",\"digest\":\"%s\",\"size\":%zu,\"annotations\":{\"" OCI_ANNOTATION_REF_NAME
		   "\":\"%s\"}}]}",
		   sha256_digest(manifest.data, manifest.len).text, manifest.len, name);
	tar_add_file(out, OCI_LAYOUT_FILE, OCI_LAYOUT_TEXT);
	tar_add_bytes(out, "index.json", &index);
	add_blob(out, &config);
	add_blob(out, &manifest);
	if (broken) { /* of the same size and content: only the digest tells */
		struct digest id = sha256_digest(blob.data, blob.len);
		char path[128];

		blob.data[GZIP_OS_BYTE] ^= 1;
		(void)snprintf(path, sizeof(path), "blobs/sha256/%s", digest_hex(&id));
		tar_add_bytes(out, path, &blob);
	} else {
		add_blob(out, &blob);
	}
	tar_end(out);
}

static inline int file_of(const struct buf *data)
{
	int fd = memfd_create("archive", MFD_CLOEXEC);

	assert_int_equal(fd_write_all(fd, data->data, data->len), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* As `berth load` without options. */
static inline int load_archive(struct store_fixture *f, const struct buf *archive,
			       struct image_loaded *ret)
{
	const struct image_load_options options = { 0 };
	cleanup_fd int fd = file_of(archive);

	return image_load(f->store, fd, "test.tar", &options, ret, &f->err);
}
