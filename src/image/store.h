/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Images on disk: ROOT/images is an OCI image layout (skopeo and umoci can read it), ROOT/layers
 * holds every layer unpacked once, by diff ID. docs/formats/image-store.md has the details.
 *
 * Readers take no lock: index.json and blobs are replaced by rename and read whole. Writers (load,
 * tag, remove) hold ROOT/images/lock. A crash leaves the old or the new state, and files nobody
 * refers to, which the next removal collects.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/digest.h"
#include "base/error.h"
#include "base/macro.h"

struct oci_image_config;
struct image_store;

/*
 * root is the engine's root ("/var/lib/berth"); it must exist. What is missing below it is created
 * by the first writer, so opening costs a few opens at most.
 */
int image_store_open(const char *root, struct image_store **ret, struct error *err);
/*
 * How layers that come from now on are kept: "overlay2" ("overlay"), unpacked, or "erofs". Layers that
 * are there stay as they are, and either kind can be used.
 */
int image_store_set_driver(struct image_store *store, const char *name, struct error *err);
/*
 * How to wait for other writers, as of struct lock_wait: stop_fd readable (<= 0: never) ends what waits
 * with -ECANCELED; notice, if it is not NULL, is told whom it waits for if that takes long.
 */
void image_store_set_wait(struct image_store *store, int stop_fd,
			  void (*notice)(const char *sentence));
const char *image_store_driver(const struct image_store *store);
struct image_store *image_store_close(struct image_store *store);
DEFINE_CLEANUP(struct image_store *, image_store_close)

struct image_layer {
	struct digest diff_id;
	struct digest blob_id;	/* of the blob in the layout, compressed or not */
	const char *media_type; /* of that blob */
	uint64_t blob_bytes;
};

/* One image with everything a container needs; const once looked up. Freed by image_free(). */
struct image {
	struct digest id;	   /* digest of the config: docker's image ID */
	struct digest manifest_id; /* digest of the manifest: docker's "RepoDigests" */
	char **names;		   /* strv of normalised references ("docker.io/library/x:1") */
	char **repo_digests;	   /* strv: each repository with its digest, normalised */
	int64_t tagged_ns;	   /* when it got its last name; 0: not known */
	int64_t created_ns;	   /* 0: the image does not say */
	uint64_t size_bytes;	   /* sum of the sizes of all layers' files */
	const struct oci_image_config *config; /* parsed; oci/image.h */
	const char *config_json;	       /* the bytes it was parsed from */
	const char *manifest_json;
	const char *manifest_type; /* its media type */
	uint64_t manifest_bytes;
	size_t n_layers;
	const struct image_layer *layers; /* lowest first, as in the manifest */
	struct arena *arena;
};

struct image *image_free(struct image *image);
DEFINE_CLEANUP(struct image *, image_free)

/*
 * Find one image by name ("nginx", "nginx:1.27", "nginx@sha256:…"), by id ("sha256:…") or by a
 * prefix of its id ("4f9e1a"). Names win over prefixes. Three small files are read.
 *
 * Errors      ERROR_NOT_FOUND "no such image: TEXT"; ERROR_CONFLICT for an ambiguous prefix;
 *             ERROR_INVALID when TEXT is neither a name nor an id
 */
int image_lookup(struct image_store *store, const char *text, struct image **ret,
		 struct error *err);

/* Rows for `images`: everything index.json knows, one file read. Newest first. */
struct image_row {
	struct digest id;
	struct digest manifest_id;
	char **names; /* empty: a dangling image */
	char **repo_digests;
	int64_t created_ns;
	uint64_t size_bytes;
};
struct image_list {
	struct image_row *rows;
	size_t n;
};
int image_list(struct image_store *store, struct image_list *ret, struct error *err);
void image_list_done(struct image_list *list);

/* Give the image found by source the name target as well; the name leaves an image that had it. */
int image_tag(struct image_store *store, const char *source, const char *target, struct error *err);

/* Take names (a strv; NULL or empty: all it has) from the image found by source. It stays, dangling
 * if they were its last. ERROR_NOT_FOUND "NAME: tag not known" for one that is not its: podman's. */
int image_untag(struct image_store *store, const char *source, char *const *names,
		struct error *err);

/* What happened in a removal, in docker's order: "Untagged: nginx:latest", "Deleted: sha256:…". */
struct image_removal {
	struct image_removal_row {
		bool deleted; /* else untagged */
		char *what;   /* familiar name or digest */
	} * rows;
	size_t n;
	uint64_t freed_bytes; /* of blobs and unpacked layers that nobody else has */
};
void image_removal_done(struct image_removal *removal);

enum image_remove_flag {
	IMAGE_REMOVE_FORCE = 1 << 0,   /* remove all names of an id; remove although in use */
	IMAGE_REMOVE_UNNAMED = 1 << 1, /* only if it has no name: ERROR_CONFLICT */
};

/*
 * The engine's answer to "does a container use the image id?": 0 no, 1 yes (stopped), 2 yes and it
 * runs, 3 no, but it is mounted on the host. who gets the container's short id for the message.
 */
typedef int (*image_in_use_fn)(void *ctx, const struct digest *id, char *who, size_t who_size);

/*
 * Remove a name, and the image itself when it was the last one: `rmi`. By id, all names go if there
 * is one or FORCE is given. What is large lies in the trash afterwards (base/trash.h).
 *
 * Errors      as image_lookup(); ERROR_CONFLICT with docker's words when names or containers are in
 *             the way
 */
int image_remove(struct image_store *store, const char *text, unsigned flags,
		 image_in_use_fn in_use, void *ctx, struct image_removal *ret, struct error *err);

/*
 * A large load or pull returns before the disk has all of it; a mark in the store says so, with the
 * boot in which it is whole (docs/formats/image-store.md, "pending.json").
 */

/* Is there such a mark of this boot, and nobody at work on it? Of what was marked through this store
 * or before image_store_settle(); usually no system call. */
bool image_store_is_pending(struct image_store *store);
/* Flushes to the disk and removes the mark. 0 also if another process does it. */
int image_store_flush(struct image_store *store, struct error *err);
/*
 * To be called before anything of the store is used. If the machine stopped before the flush, what
 * the mark names is verified: mended as image_check() does, or removed. Usually one access(2).
 *
 * report     grows by one sentence for each fault, as of image_check()
 */
int image_store_settle(struct image_store *store, image_in_use_fn in_use, void *ctx, char ***report,
		       struct error *err);

/* Collect blobs and layers that no image refers to, and what crashes left. keep: strv of diff ids
 * (hex) that containers still use although their image is gone; may be NULL. Returns bytes freed.
 */
int image_gc(struct image_store *store, char *const *keep, uint64_t *ret_bytes, struct error *err);

/*
 * Before a new user of an image is recorded: nobody removes it until *ret_fd is closed, and a removal
 * that comes later sees the user. Any number of holders at once; they wait for writers only.
 *
 * Errors   ERROR_NOT_FOUND: it was removed since image_lookup()
 */
int image_hold(struct image_store *store, const struct image *image, int *ret_fd,
	       struct error *err);

/*
 * The image's layers as absolute paths for overlay's lowerdir, top layer first, each once: a strv, heap.
 * Each is a directory, or a file that is an EROFS image (mount_open_layer()).
 * Checks that each one is there; the error names the missing one, and what brings it again.
 */
int image_lowerdirs(struct image_store *store, const struct image *image, char ***ret,
		    struct error *err);
/* The same, whether they are there or not. */
void image_layer_paths(const struct image_store *store, const struct image *image, char ***ret);
