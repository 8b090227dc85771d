/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a push does at a registry: ask for a blob, mount it from another repository, send it, name a
 * manifest. The repository must have been opened with push set. Errors and retries as registry.h
 * says.
 */

#include <stddef.h>
#include <stdint.h>
#include "base/digest.h"
#include "base/error.h"

struct registry;

/* Blobs */

/* Does the repository have the blob? 1 yes, 0 no. Source: distribution-spec, end-2. */
int registry_blob_exists(struct registry *r, const struct digest *id, struct error *err);

/*
 * Take a blob over from another repository of the same registry, without sending it.
 *
 * from_path   "library/nginx"
 * Returns     1 mounted; 0 the registry does not do it, or the blob is not there
 * Source      distribution-spec, end-11
 */
int registry_blob_mount(struct registry *r, const struct digest *id, const char *from_path,
			struct error *err);

/* Bytes that the registry has so far; from the thread that sends, a few times a second at most. */
typedef void (*registry_sent_fn)(void *ctx, uint64_t bytes);

struct registry_upload {
	const struct digest *id;
	uint64_t bytes;
	int fd;		       /* borrowed; a file, read by offset from its beginning */
	uint64_t chunk_bytes;  /* at most so many in one request; 0: all of it */
	registry_sent_fn sent; /* or NULL */
	void *ctx;
};

/*
 * Send a blob: one PUT for a small one, else PATCH requests of chunk_bytes. After a broken connection
 * the registry is asked how far it got, and it goes on from there; a registry that does not tell
 * gets it again from the beginning.
 *
 * Errors   ERROR_INVALID if the registry's digest differs from id: the file has changed
 * Source   distribution-spec, "Pushing blobs"
 */
int registry_blob_send(struct registry *r, const struct registry_upload *upload, struct error *err);

/* registry_blob_send() of a whole file without anybody watching. */
int registry_blob_upload(struct registry *r, const struct digest *id, uint64_t bytes, int fd,
			 struct error *err);

/* Manifests */

/*
 * Put a manifest or an index under a tag or its own digest.
 *
 * Errors   ERROR_INVALID if the registry says that it stored something else than was sent
 * Source   distribution-spec, end-7
 */
int registry_manifest_put(struct registry *r, const char *reference, const char *media_type,
			  const char *json, size_t len, struct error *err);
