/* SPDX-License-Identifier: Apache-2.0 */
#include "image/manifest.h"

#include "base/buf.h"
#include "base/mem.h"
#include "image/index.h"
#include "image/layer.h"
#include "image/work.h"
#include "oci/image.h"

static const char *const layer_types[] = {
	[COMPRESSION_NONE] = OCI_MEDIA_TYPE_LAYER,
	[COMPRESSION_GZIP] = OCI_MEDIA_TYPE_LAYER_GZIP,
	[COMPRESSION_ZSTD] = OCI_MEDIA_TYPE_LAYER_ZSTD,
};

static void format(const struct digest *config_id, uint64_t config_bytes,
		   const struct layer_job *layers, size_t n_layers, struct buf *out)
{
	cleanup_free struct oci_descriptor *list = xcalloc(n_layers, sizeof(*list));

	for (size_t i = 0; i < n_layers; i++) {
		list[i].media_type = layer_types[layers[i].compression];
		list[i].digest = layers[i].blob_id.text;
		list[i].size = layers[i].blob_bytes;
	}
	oci_manifest_format(
		&(struct oci_manifest){
			.media_type = OCI_MEDIA_TYPE_MANIFEST,
			.config = {
				.media_type = OCI_MEDIA_TYPE_CONFIG,
				.digest = config_id->text,
				.size = config_bytes,
			},
			.layers = list,
			.n_layers = n_layers,
		},
		out);
}

int manifest_put(struct store_work *work, const char *json, size_t len,
		 const struct digest *config_id, uint64_t config_bytes,
		 const struct layer_job *layers, size_t n_layers, struct index_entry *entry,
		 struct error *err)
{
	cleanup_buf struct buf written = { 0 };

	if (!json) {
		format(config_id, config_bytes, layers, n_layers, &written);
		json = buf_str(&written);
		len = written.len;
	}
	entry->manifest_bytes = len;
	return work_put_blob(work, json, len, &entry->manifest_id, err);
}
