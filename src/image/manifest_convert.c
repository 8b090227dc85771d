/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker's manifest schema 2 and OCI's manifest differ in media types and in what docker's has no place
 * for: annotations, which are left out, and artifacts, which are refused.
 */
#include "base/mem.h"
#include "image/manifest.h"
#include "oci/image.h"

static int convert(struct oci_descriptor *d, bool docker, struct error *err)
{
	const struct oci_media_type *twin = oci_media_twin(oci_media_type(d->media_type), docker);

	if (!twin)
		return error_kind(err, ERROR_UNSUPPORTED,
				  "%s format has nothing like '%.100s'; the image has that in it",
				  docker ? "docker's manifest" : "OCI's", d->media_type);
	d->media_type = twin->name;
	if (docker)
		d->n_annotations = 0;
	return 0;
}

int manifest_convert(struct oci_manifest *m, bool docker, struct arena *arena, struct error *err)
{
	struct oci_descriptor *layers = arena_alloc(arena, MAX(m->n_layers, 1u) * sizeof(*layers));
	int r = convert(&m->config, docker, err);

	if (r == 0 && docker && (m->subject || m->artifact_type))
		return error_kind(err, ERROR_UNSUPPORTED,
				  "docker's manifest format has no place for artifacts");
	for (size_t i = 0; i < m->n_layers && r == 0; i++) {
		layers[i] = m->layers[i];
		r = convert(&layers[i], docker, err);
	}
	if (r < 0)
		return r;
	m->layers = layers;
	m->media_type = docker ? DOCKER_MEDIA_TYPE_MANIFEST : OCI_MEDIA_TYPE_MANIFEST;
	if (docker)
		m->n_annotations = 0;
	return 0;
}
