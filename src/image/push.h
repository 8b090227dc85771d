/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Images to a registry: layers several at a time, what the registry has is not sent, then the config
 * and the manifest. Blobs go as they came, so that what was pulled keeps its digests. A plain layer
 * that no registry has seen (of `import`, of an archive of `docker save`) is compressed for the way;
 * the image's id stays, its manifest becomes another. docs/decisions/0042-push-compresses.md.
 */

#include <stdbool.h>
#include "base/digest.h"
#include "base/error.h"
#include "codec/inflate.h"
#include "image/progress.h"
#include "image/sign.h"
#include "registry/registry.h"

struct image_store;
struct reference;

struct image_push_options {
	const char *source; /* what image_lookup() finds goes under the reference; NULL: its own */
	bool all_tags;	    /* every tag of the repository; the reference has none then */
	const char *platform; /* what the image must be for, "linux/arm64"; NULL: anything */
	/* Of plain layers. COMPRESSION_NONE: gzip for those that no registry has seen, else all. */
	enum compression compression;
	enum push_format {
		PUSH_FORMAT_KEEP, /* as the image came */
		PUSH_FORMAT_OCI,
		PUSH_FORMAT_DOCKER, /* manifest schema 2 */
	} format;
	struct registry_access access;
	struct sign_options sign; /* what goes under the reference, a member of a list, too */
	unsigned jobs;		  /* layers at once; 0: 5, as docker */
	int stop_fd;		  /* readable: it ends, with -ECANCELED; <= 0: never */
	struct progress_sink progress;
	struct digest *pushed; /* gets the digest of the (last) manifest; or NULL */
};

/*
 * Push name and tag of ref, and remember in the index which digest the registry has for it.
 *
 * Errors   ERROR_NOT_FOUND "An image does not exist locally with the tag: x"; the registry's own
 */
int image_push(struct image_store *store, const struct reference *ref,
	       const struct image_push_options *options, struct error *err);

struct buf;
/*
 * Push one image to the repository of ref under its digest alone, for a manifest list. It is signed under the
 * name of ref.
 *
 * ret_json   appended: its manifest as the registry has it now
 * Errors     ERROR_NOT_FOUND: no image here has this manifest
 */
int image_push_member(struct image_store *store, const struct reference *ref,
		      const struct digest *manifest_id, const struct image_push_options *options,
		      struct buf *ret_json, struct error *err);
