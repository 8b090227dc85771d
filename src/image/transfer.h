/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Images in and out of the store as files: `load`, `import`, `save`. Everything that comes in is
 * verified: blobs against their digests, unpacked layers against the diff IDs of the config.
 */

#include <stddef.h>
#include <stdint.h>
#include "base/digest.h"
#include "base/error.h"
#include "image/progress.h"

struct image_store;

/* Bounds on what an archive may make us write. Zero means the default of image/transfer.c. */
struct image_limits {
	uint64_t max_unpacked_bytes; /* of one layer; default: what is free on the file system */
	uint64_t max_entries;	     /* of one layer; default 4 million */
	unsigned max_ratio;	     /* unpacked bytes per compressed byte; default 1200 */
};

struct image_load_options {
	const char *platform; /* "linux/amd64": which of a multi-platform index; NULL: the host's */
	const char *signature_policy; /* another policy.json; or NULL */
	struct image_limits limits;
	unsigned jobs;		       /* layers at once; 0: 2 */
	int stop_fd;		       /* readable: it ends, with -ECANCELED; <= 0: never */
	struct progress_sink progress; /* "Loading layer", by diff ID; or none */
};

/* What was loaded, in the order of the archive. */
struct image_loaded {
	struct image_loaded_row {
		struct digest id;
		char **names; /* familiar; empty: "Loaded image ID: …" */
	} * rows;
	size_t n;
};
void image_loaded_done(struct image_loaded *loaded);

/*
 * Load every image of a docker-save or OCI archive, or of an OCI layout directory.
 *
 * fd          borrowed: a directory, a regular file (read by offset, nothing is copied aside) or a
 *             pipe (spooled to an unlinked file first). The archive may be compressed as a whole.
 * name        for messages: the file's name or "stdin"
 * Leaves      nothing in the store's index on failure; layers that were complete stay until gc
 * Errors      ERROR_INVALID names the entry that is refused and why; ERROR_DENIED: policy.json does
 *             not allow archives of this kind and place
 */
int image_load(struct image_store *store, int fd, const char *name,
	       const struct image_load_options *options, struct image_loaded *ret,
	       struct error *err);

/*
 * Make an image of one layer from a root file system archive: `import`.
 *
 * fd          borrowed; -1: name is an http or https URL, from where it comes
 * target      reference, or NULL for an image without a name
 * message     for the history, or NULL
 * changes     strv of Dockerfile instructions (`-c`), or NULL: CMD ENTRYPOINT ENV EXPOSE LABEL
 *             ONBUILD STOPSIGNAL USER VOLUME WORKDIR
 */
struct image_import_options {
	const char *target;
	const char *message;
	const char *platform;
	char *const *changes;
	struct image_limits limits;
	int stop_fd; /* as of image_load_options */
};
int image_import(struct image_store *store, int fd, const char *name,
		 const struct image_import_options *options, struct digest *ret_id,
		 struct error *err);

enum image_save_format {
	IMAGE_SAVE_DOCKER_ARCHIVE, /* an OCI layout, and docker's manifest.json as well */
	IMAGE_SAVE_OCI_ARCHIVE,
	IMAGE_SAVE_OCI_DIR,
	IMAGE_SAVE_DOCKER_DIR, /* skopeo's "dir:": one image; the manifest as it is */
};

struct image_save_options {
	enum image_save_format format;
	bool compress;	      /* of a docker-dir: its plain layers by gzip */
	const char *platform; /* which the images must be for, or NULL */
	int stop_fd;	      /* as of image_load_options */
};

/*
 * Write the images named by texts (a strv) as they came: the bytes of manifests, configs and layers
 * are those that were loaded or pulled. The same images give the same bytes every time. A text
 * without a tag means all tags of a repository. Every blob is checked against its digest.
 *
 * fd      borrowed: a file or a pipe for archives, an empty directory for the others
 * Errors  as image_lookup(); ERROR_NOT_FOUND for another platform; ERROR_INVALID for a damaged blob
 */
int image_save(struct image_store *store, char *const *texts,
	       const struct image_save_options *options, int fd, struct error *err);
