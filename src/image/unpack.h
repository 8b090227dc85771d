/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A layer's archive as a directory that overlayfs can use: whiteouts become overlay's own marks.
 * The archive is hostile until proven otherwise; nothing in it leads out of the directory.
 * docs/formats/image-store.md says what is refused and what is bent.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

struct archive_reader;

#define UNPACK_DEPTH_MAX   1024	   /* directories above a file; PATH_MAX binds earlier as a rule */
#define UNPACK_ENTRIES_MAX 4000000 /* of one layer; the largest images have some 500,000 */
#define UNPACK_XATTRS_MAX  256	   /* of one entry */
/* Kept until the end of a layer; 300,000 directories of usual names. Names repeat at no cost in an
 * archive that is compressed. */
#define UNPACK_DIRS_MAX_BYTES (32 << 20)

struct unpack_limits {
	uint64_t max_bytes; /* of all files' contents, holes left out */
	uint64_t max_entries;
	bool is_space; /* max_bytes is what the disk has room for: more is ENOSPC */
	/* Of several layers at a time, the one that takes much memory has it. May be NULL. */
	pthread_mutex_t *large;
};

enum unpack_flag {
	UNPACK_USERNS = 1 << 0,	   /* marks are user.overlay.*, devices are left out */
	UNPACK_ONE_OWNER = 1 << 1, /* we may not chown: everything is ours */
	UNPACK_ROOTLESS = UNPACK_USERNS | UNPACK_ONE_OWNER,
};

/* What the caller's user namespace asks for. */
unsigned unpack_own_flags(void);

struct unpack_result {
	uint64_t bytes; /* sum of the sizes of files and symlinks, as docker adds them up */
	uint64_t entries;
};

/*
 * root_fd     borrowed; an empty directory of ours, which gets the mode and owner of the archive's
 *             "./" entry if there is one
 * Errors      ERROR_INVALID naming the entry that is refused; a limit that is exceeded is named
 * Leaves      what was unpacked so far; the caller removes the directory
 */
int unpack_archive(struct archive_reader *a, int root_fd, const struct unpack_limits *limits,
		   unsigned flags, struct unpack_result *ret, struct error *err);

/*
 * A name from an archive as a path below the root: no leading slash, no "." and "..", no empty
 * parts; "" is the root. out holds PATH_MAX.
 * Returns     the number of components; -EXDEV it climbs out, -ENAMETOOLONG, -ELOOP too deep
 */
int unpack_clean_path(const char *name, char *out);
