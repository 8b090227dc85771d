/* SPDX-License-Identifier: Apache-2.0 */
/* docker save's manifest.json: configs and layers by path, no manifests and no blob digests. */
#include <errno.h>

#include "base/mem.h"
#include "base/str.h"
#include "image/load_private.h"
#include "image/reference.h"

static int add_names(struct load_image *image, const struct oci_docker_archive_image *entry,
		     struct error *err)
{
	for (size_t i = 0; i < entry->n_repo_tags; i++) {
		char *name = reference_normalise(entry->repo_tags[i]);

		if (!name)
			return error_kind(err, ERROR_INVALID,
					  "manifest.json: '%.200s' is no image name",
					  entry->repo_tags[i]);
		image->names = strv_push_owned(image->names, name);
	}
	return 0;
}

static int add_image(struct load *load, const struct oci_docker_archive_image *entry,
		     struct error *err)
{
	struct load_image *image = load_add_image(load, err);
	const char *json;
	size_t len;
	int r;

	if (!image)
		return -EINVAL;
	r = load_document(load, entry->config, &json, &len, err);
	if (r == 0)
		r = load_config(load, image, json, len, err);
	if (r == 0)
		r = add_names(image, entry, err);
	if (r < 0)
		return r;
	if (entry->n_layers != image->config->n_diff_ids)
		return error_kind(err, ERROR_INVALID,
				  "manifest.json names %zu layers, the config has %zu diff ids",
				  entry->n_layers, image->config->n_diff_ids);
	for (size_t i = 0; i < entry->n_layers; i++) {
		struct layer_job *job = load_add_layer(load, entry->layers[i], err);

		if (!job)
			return -EINVAL;
		if (digest_parse(image->config->diff_ids[i], &job->diff_id) < 0)
			return error_kind(err, ERROR_INVALID, "config: diff id %zu is no digest",
					  i);
		r = input_size(load->input, entry->layers[i], &job->blob_bytes, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int load_docker_plan(struct load *load, struct error *err)
{
	struct oci_docker_archive archive;
	const char *json;
	size_t len;
	int r = load_document(load, "manifest.json", &json, &len, err);

	if (r == 0)
		r = oci_docker_archive_parse(json, len, load->arena, &archive, err);
	if (r < 0)
		return error_prefix(err, r, "manifest.json");
	for (size_t i = 0; i < archive.n_images && r == 0; i++)
		r = add_image(load, &archive.images[i], err);
	return r;
}
