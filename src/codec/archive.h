/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * tar archives, member by member: ustar, GNU, pax, with long names, sparse files and extended
 * attributes. Names come as the bytes that were written; nothing here judges them. Formats are
 * libarchive's work, limits on what is unpacked are the caller's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include "base/error.h"
#include "base/macro.h"

/* Reading */

enum archive_type {
	ARCHIVE_FILE,
	ARCHIVE_HARDLINK,
	ARCHIVE_SYMLINK,
	ARCHIVE_DIR,
	ARCHIVE_CHAR,
	ARCHIVE_BLOCK,
	ARCHIVE_FIFO,
	ARCHIVE_OTHER, /* sockets and what else no layer can hold */
};

/* Where the bytes come from. */
struct archive_source {
	/* The next bytes, valid until the next call; 0 at the end, -errno with *err filled. */
	ssize_t (*next)(void *ctx, const void **ret_data, struct error *err);
	/* Passes over up to n bytes; returns how many. NULL: everything is read. */
	int64_t (*skip)(void *ctx, int64_t n);
	void *ctx;
};

/* One member; strings are borrowed until the next one. */
struct archive_member {
	enum archive_type type;
	const char *path; /* as written: may be absolute, hold "..", be empty */
	const char *link; /* target of a hard link or symlink, else NULL */
	uint64_t size;	  /* of a file, holes included */
	mode_t mode;	  /* the 07777 bits */
	uint64_t uid, gid;
	unsigned major, minor;
	struct timespec mtime, atime; /* atime = mtime where the archive does not say */
	size_t n_xattrs;
};

struct archive_reader;

/* source is copied, its ctx borrowed. */
struct archive_reader *archive_reader_open(const struct archive_source *source);
struct archive_reader *archive_reader_close(struct archive_reader *a);
DEFINE_CLEANUP(struct archive_reader *, archive_reader_close)

/*
 * The next member; what was not read of the last one is skipped.
 * Returns     0; ARCHIVE_END behind the last one; -errno
 * Errors      ERROR_INVALID for what is no tar or a damaged one; the source's own error otherwise
 */
#define ARCHIVE_END 1
int archive_reader_next(struct archive_reader *a, struct archive_member *ret, struct error *err);

/* The next piece of the member's content, at *ret_offset of the file (holes are left out).
 * 0, ARCHIVE_END, or -errno. The piece is valid until the next call and ends within the size. */
int archive_reader_data(struct archive_reader *a, const void **ret_data, size_t *ret_len,
			uint64_t *ret_offset, struct error *err);

/* Where in the source the piece lies that archive_reader_data() returned last. */
uint64_t archive_reader_data_offset(const struct archive_reader *a);

/* The member's next extended attribute; false when there is none left. */
bool archive_reader_xattr(struct archive_reader *a, const char **ret_name, const void **ret_value,
			  size_t *ret_len);

/* Where in the source the member's first header is. A reader opened there finds it first. */
uint64_t archive_reader_offset(const struct archive_reader *a);

/* Writing: ustar, with pax records for what ustar cannot say */

struct archive_writer;

/* fd is borrowed. */
struct archive_writer *archive_writer_open(int fd);
/* Ends the archive. 0 or -errno; frees it in any case. */
int archive_writer_finish(struct archive_writer *w, struct error *err);
struct archive_writer *archive_writer_abandon(struct archive_writer *w);
DEFINE_CLEANUP(struct archive_writer *, archive_writer_abandon)

/* Begins a member (type FILE, DIR or SYMLINK; owner, mode and mtime are taken). Exactly size bytes
 * of content must follow for a file. */
int archive_writer_add(struct archive_writer *w, const struct archive_member *member,
		       struct error *err);
int archive_writer_data(struct archive_writer *w, const void *data, size_t n, struct error *err);
