/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Blobs on their way from a registry, in one place for all processes: each is fetched once, whoever
 * wants it at the same time, and who comes after one that died goes on where it stopped.
 *
 *     images/parts/<hex>         as far as it came. Its lock, on the file itself, is held by who
 *                                fetches it, for so long as he lives
 *     images/parts/<hex>.whole   all of it and verified, until somebody publishes it; never written
 *
 * What lies there is a hint: whoever takes it verifies it again, from its first byte.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/digest.h"
#include "base/error.h"
#include "base/fd.h"

struct image_store;
struct layer_job;
struct stream;

/* One that is ours to fetch. */
struct part {
	struct image_store *store;
	struct digest id;
	int fd;
	uint64_t bytes; /* what it had when it was opened */
};
#define PART_NONE ((struct part){ .fd = -EBADF })

enum part_outcome {
	PART_OURS = 0,
	PART_WHOLE,  /* another process has all of it: part_link_whole() */
	PART_STORED, /* another process has published it */
	PART_STUCK,  /* who fetches it makes no progress: not to be waited for */
};

struct part_waiter {
	bool (*is_stopped)(const void *ctx);
	const void *ctx;
};

/*
 * Waits for another process that fetches the blob, as long as it gets on.
 *
 * bytes      of the blob; a part that is longer is none
 * waiter     asked now and then; stopped: -ECANCELED
 * anew       what is in the store is of no use
 * ret        filled with PART_OURS
 */
int part_open(struct image_store *store, const struct digest *id, uint64_t bytes,
	      const struct part_waiter *waiter, bool anew, struct part *ret, struct error *err);
/* Lets others have it, as far as it is. */
void part_close(struct part *p);
#define cleanup_part __attribute__((cleanup(part_close)))

/* All of the blob: what is there already, then what job's open_at() brings, which is appended. p and job
 * are borrowed. */
struct stream *part_stream(struct part *p, const struct layer_job *job);

/* It is whole and verified: also as dir_fd/name, a link, and others need not wait any more. */
int part_finish(struct part *p, int dir_fd, const char *name, struct error *err);
/* It is of no use: removed, and closed. */
void part_discard(struct part *p);

/* A whole one as dir_fd/name, a link. > 0: it has gone meanwhile. */
int part_link_whole(struct image_store *store, const struct digest *id, int dir_fd,
		    const char *name, struct error *err);
/* Published, or not what it should be. */
void part_unlink_whole(struct image_store *store, const char *hex);
/* Whatever there is of the blob, unless somebody fetches it. */
void part_drop(struct image_store *store, const struct digest *id);

/* What nobody fetches now. */
struct part_survey {
	size_t n;
	uint64_t bytes; /* on the disk */
};
/* Nobody comes back for one that is older: the next writer removes it. */
#define PART_KEEP_S (24 * 3600)
/* min_age_s: only those that nobody wrote to for so long. removes: they are gone afterwards. */
void part_look(struct image_store *store, int64_t min_age_s, bool removes, struct part_survey *ret);
