/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/image.h"

#include <string.h>

#include "base/macro.h"
#include "base/str.h"

#define OCI    "application/vnd.oci.image."
#define DOCKER "application/vnd.docker."

#define LAYER(c) .kind = OCI_MEDIA_LAYER, .compression = OCI_COMPRESSION_##c

/* image-spec media-types.md; distribution's image manifest schema 2. */
static const struct oci_media_type types[] = {
	{ OCI_MEDIA_TYPE_INDEX, OCI_MEDIA_INDEX },
	{ OCI_MEDIA_TYPE_MANIFEST, OCI_MEDIA_MANIFEST },
	{ OCI_MEDIA_TYPE_CONFIG, OCI_MEDIA_CONFIG },
	{ OCI_MEDIA_TYPE_LAYER, LAYER(NONE) },
	{ OCI_MEDIA_TYPE_LAYER_GZIP, LAYER(GZIP) },
	{ OCI_MEDIA_TYPE_LAYER_ZSTD, LAYER(ZSTD) },
	{ OCI "layer.nondistributable.v1.tar", LAYER(NONE), .foreign = true },
	{ OCI "layer.nondistributable.v1.tar+gzip", LAYER(GZIP), .foreign = true },
	{ OCI "layer.nondistributable.v1.tar+zstd", LAYER(ZSTD), .foreign = true },
	{ DOCKER_MEDIA_TYPE_INDEX, OCI_MEDIA_INDEX, .docker = true },
	{ DOCKER_MEDIA_TYPE_MANIFEST, OCI_MEDIA_MANIFEST, .docker = true },
	{ DOCKER_MEDIA_TYPE_CONFIG, OCI_MEDIA_CONFIG, .docker = true },
	{ DOCKER_MEDIA_TYPE_LAYER, LAYER(NONE), .docker = true },
	{ DOCKER_MEDIA_TYPE_LAYER_GZIP, LAYER(GZIP), .docker = true },
	{ DOCKER "image.rootfs.diff.tar.zstd", LAYER(ZSTD), .docker = true },
	{ DOCKER "image.rootfs.foreign.diff.tar", LAYER(NONE), .docker = true, .foreign = true },
	{ DOCKER "image.rootfs.foreign.diff.tar.gzip", LAYER(GZIP), .docker = true,
	  .foreign = true },
	{ DOCKER "distribution.manifest.v1+json", OCI_MEDIA_MANIFEST_V1, .docker = true },
	{ DOCKER "distribution.manifest.v1+prettyjws", OCI_MEDIA_MANIFEST_V1, .docker = true },
};

const struct oci_media_type *oci_media_type(const char *name)
{
	static const struct oci_media_type other = { "", OCI_MEDIA_OTHER };

	for (size_t i = 0; name && i < ARRAY_SIZE(types); i++)
		if (str_eq(types[i].name, name))
			return &types[i];
	return &other;
}

const struct oci_media_type *oci_media_twin(const struct oci_media_type *type, bool docker)
{
	if (type->kind == OCI_MEDIA_OTHER || type->kind == OCI_MEDIA_MANIFEST_V1 ||
	    (docker && type->compression == OCI_COMPRESSION_ZSTD))
		return NULL; /* docker's zstd was written by some, and is specified nowhere */
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].kind == type->kind && types[i].compression == type->compression &&
		    types[i].foreign == type->foreign && types[i].docker == docker)
			return &types[i];
	return NULL;
}

const char *oci_digest_hex(const char *text)
{
	const char *hex = str_after(text, "sha256:");

	if (!hex || strspn(hex, "0123456789abcdef") != OCI_DIGEST_HEX || hex[OCI_DIGEST_HEX])
		return NULL;
	return hex;
}
