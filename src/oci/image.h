/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Image documents as structs: OCI image-spec 1.1 and Docker's image manifest schema 2, which differ
 * in media types only, and the manifest.json of `docker save`. Parsed structs live in the caller's
 * arena and are const from then on; the same structs are filled to write documents.
 *
 * Absent values: NULL and 0. Every digest in a parsed struct is "sha256:" and 64 lower-case hex
 * digits, so it is safe as a file name.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "oci/spec.h"

struct arena;
struct buf;

/* Digests */

#define OCI_DIGEST_HEX 64

/* The 64 hex digits behind "sha256:", or NULL if text is not a digest we accept. */
const char *oci_digest_hex(const char *text);

/* Media types */

enum oci_media_kind {
	OCI_MEDIA_OTHER, /* not in the table: artifacts, attestations */
	OCI_MEDIA_INDEX,
	OCI_MEDIA_MANIFEST,
	OCI_MEDIA_CONFIG,
	OCI_MEDIA_LAYER,
	OCI_MEDIA_MANIFEST_V1, /* docker's signed schema 1: known, not supported */
};

enum oci_compression {
	OCI_COMPRESSION_NONE,
	OCI_COMPRESSION_GZIP,
	OCI_COMPRESSION_ZSTD,
};

struct oci_media_type {
	const char *name;
	enum oci_media_kind kind;
	enum oci_compression compression; /* of a layer */
	bool docker;			  /* of docker's family */
	bool foreign;			  /* layer that registries do not store */
};

/* The row of a media type; never NULL: unknown names give a row of kind OCI_MEDIA_OTHER. */
const struct oci_media_type *oci_media_type(const char *name);

/* What says the same in docker's family, or in OCI's. NULL: that one has no word for it. */
const struct oci_media_type *oci_media_twin(const struct oci_media_type *type, bool docker);

#define OCI_MEDIA_TYPE_INDEX	  "application/vnd.oci.image.index.v1+json"
#define OCI_MEDIA_TYPE_MANIFEST	  "application/vnd.oci.image.manifest.v1+json"
#define OCI_MEDIA_TYPE_CONFIG	  "application/vnd.oci.image.config.v1+json"
#define OCI_MEDIA_TYPE_LAYER	  "application/vnd.oci.image.layer.v1.tar"
#define OCI_MEDIA_TYPE_LAYER_GZIP "application/vnd.oci.image.layer.v1.tar+gzip"
#define OCI_MEDIA_TYPE_LAYER_ZSTD "application/vnd.oci.image.layer.v1.tar+zstd"

#define DOCKER_MEDIA_TYPE_INDEX	     "application/vnd.docker.distribution.manifest.list.v2+json"
#define DOCKER_MEDIA_TYPE_MANIFEST   "application/vnd.docker.distribution.manifest.v2+json"
#define DOCKER_MEDIA_TYPE_CONFIG     "application/vnd.docker.container.image.v1+json"
#define DOCKER_MEDIA_TYPE_LAYER	     "application/vnd.docker.image.rootfs.diff.tar"
#define DOCKER_MEDIA_TYPE_LAYER_GZIP "application/vnd.docker.image.rootfs.diff.tar.gzip"

/* Descriptor */

struct oci_platform {
	const char *architecture, *os; /* GOARCH and GOOS words; NULL in descriptors without one */
	const char *variant, *os_version;
	const char *const *os_features;
	size_t n_os_features;
	const char *const *features; /* of the processor: docker's lists */
	size_t n_features;
};

struct oci_descriptor {
	const char *media_type; /* NULL in the index.json of some old writers */
	const char *digest;
	uint64_t size; /* bytes */
	const char *const *urls;
	size_t n_urls;
	const struct oci_pair *annotations;
	size_t n_annotations;
	const char *data; /* base64, or NULL */
	const char *artifact_type;
	bool has_platform;
	struct oci_platform platform;
};

const char *oci_descriptor_annotation(const struct oci_descriptor *d, const char *key);

#define OCI_ANNOTATION_REF_NAME	  "org.opencontainers.image.ref.name"
#define OCI_ANNOTATION_IMAGE_NAME "io.containerd.image.name" /* docker save's full name */

/* Index, docker's manifest list, index.json of a layout */

struct oci_index {
	const char *media_type; /* or NULL */
	const char *artifact_type;
	const struct oci_descriptor *manifests;
	size_t n_manifests;
	const struct oci_descriptor *subject; /* or NULL */
	const struct oci_pair *annotations;
	size_t n_annotations;
};

/* What a document may be at most, here and in what is read from a registry. */
#define OCI_MANIFEST_MAX_BYTES	   (4u << 20)
#define OCI_IMAGE_CONFIG_MAX_BYTES (8u << 20)

/*
 * Errors (all oci_*_parse here)   ERROR_INVALID naming the field; ERROR_UNSUPPORTED for a
 *          schemaVersion or digest algorithm we do not know. A document that has the members of an
 *          index and of a manifest is refused: two programs could read it differently
 */
int oci_index_parse(const char *json, size_t len, struct arena *arena, struct oci_index *ret_index,
		    struct error *err);
void oci_index_format(const struct oci_index *index, struct buf *out);

/* Manifest */

struct oci_manifest {
	const char *media_type; /* or NULL */
	const char *artifact_type;
	struct oci_descriptor config;
	const struct oci_descriptor *layers; /* base first; may be empty */
	size_t n_layers;
	const struct oci_descriptor *subject; /* or NULL */
	const struct oci_pair *annotations;
	size_t n_annotations;
};

/* Strings live in arena. ERROR_INVALID: the field and what is wrong with it. */
int oci_manifest_parse(const char *json, size_t len, struct arena *arena,
		       struct oci_manifest *ret_manifest, struct error *err);
void oci_manifest_format(const struct oci_manifest *manifest, struct buf *out);

/*
 * What a document that came without a media type is: by its mediaType, else by "manifests" or
 * "layers" in it. OCI_MEDIA_INDEX, OCI_MEDIA_MANIFEST, OCI_MEDIA_MANIFEST_V1 or OCI_MEDIA_OTHER.
 */
int oci_document_kind(const char *json, size_t len, enum oci_media_kind *ret_kind,
		      struct error *err);

/* Image config */

struct oci_healthcheck {
	const char *const *test; /* "NONE"; "CMD", argv...; "CMD-SHELL", line; empty: inherit */
	size_t n_test;
	int64_t interval_ns, timeout_ns, start_period_ns, start_interval_ns; /* 0: inherit */
	int32_t retries;						     /* 0: inherit */
};

struct oci_history {
	const char *created, *author, *created_by, *comment;
	bool empty_layer;
};

/* The members of "config". String lists are NULL-terminated. */
struct oci_image_run {
	const char *user, *working_dir, *stop_signal;
	const char *const *env, *const *entrypoint, *const *cmd, *const *shell, *const *on_build;
	size_t n_env, n_entrypoint, n_cmd, n_shell, n_on_build;
	const char *const *exposed_ports, *const *volumes; /* the keys: "80/tcp", "/data" */
	size_t n_exposed_ports, n_volumes;
	const struct oci_pair *labels;
	size_t n_labels;
	const struct oci_healthcheck *healthcheck; /* or NULL */
	bool args_escaped;
	struct opt_i64 stop_timeout_s;
};

struct oci_image_config {
	const char *created, *author; /* created as written: RFC 3339, or NULL */
	const char *docker_version;   /* of the docker that made it, or NULL */
	struct oci_platform platform;
	struct oci_image_run config;
	const char *const *diff_ids; /* base first */
	size_t n_diff_ids;
	const struct oci_history *history;
	size_t n_history;
};

int oci_image_config_parse(const char *json, size_t len, struct arena *arena,
			   struct oci_image_config *ret_config, struct error *err);
void oci_image_config_format(const struct oci_image_config *config, struct buf *out);

/* docker save */

struct oci_docker_archive_image {
	const char *config;	      /* path in the archive; relative, without ".." */
	const char *const *repo_tags; /* "debian:12" */
	const char *const *layers;    /* paths in the archive, base first */
	size_t n_repo_tags, n_layers;
};

struct oci_docker_archive {
	const struct oci_docker_archive_image *images;
	size_t n_images;
};

/* manifest.json of `docker save`. */
int oci_docker_archive_parse(const char *json, size_t len, struct arena *arena,
			     struct oci_docker_archive *ret_archive, struct error *err);
void oci_docker_archive_format(const struct oci_docker_archive *archive, struct buf *out);

/* Layout */

#define OCI_LAYOUT_FILE "oci-layout"
#define OCI_LAYOUT_TEXT "{\"imageLayoutVersion\":\"1.0.0\"}"

/* The oci-layout file: 0, or ERROR_UNSUPPORTED for a version other than 1.x. */
int oci_layout_parse(const char *json, size_t len, struct error *err);
