/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Shared by unpack.c (the way to an entry), unpack_entry.c (making it) and whiteout.c. */

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>
#include "codec/archive.h"
#include "image/unpack.h"

/* A directory's attributes, set when nothing is made in it any more. */
struct pending_dir {
	char *path;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	struct timespec times[2];
};

struct unpack {
	struct archive_reader *archive;
	int root_fd;
	const struct unpack_limits *limits;
	unsigned flags;
	struct unpack_result done;
	uint64_t written; /* bytes, against max_bytes */

	mode_t umask;
	uid_t euid;
	gid_t egid;

	char parent_path[PATH_MAX]; /* of parent_fd; valid if parent_fd >= 0 */
	int parent_fd;
	bool parent_stale; /* a directory or symlink was removed: parent_path may mean another */

	struct pending_dir *dirs;
	size_t n_dirs, dirs_capacity;
	size_t dirs_bytes; /* of all rows and their paths */
};

/* The entry in work: cleaned path, its last component, the directory that holds it. */
struct unpack_entry {
	const struct archive_member *member;
	const char *path; /* cleaned; "" is the root */
	const char *name; /* in path */
	int parent_fd;	  /* borrowed, O_PATH */
};

/* Makes one entry that is no whiteout. */
int unpack_make_entry(struct unpack *u, const struct unpack_entry *e, struct error *err);
/* Sets a directory's attributes now. */
int unpack_finish_dir(struct unpack *u, const struct pending_dir *dir, struct error *err);

/* Rules that hold however a layer is kept */

/* Says what is wrong with a name; r as of unpack_clean_path(), < 0. */
int unpack_refuse_path(int r, struct error *err);
int unpack_too_big(const struct unpack_limits *limits, struct error *err);
/* Notes that aufs left in a layer's root. */
bool unpack_is_aufs_note(const char *path);
/* One more directory against UNPACK_DIRS_MAX_BYTES. */
int unpack_count_dir(const char *path, size_t *bytes, struct error *err);
/* Attributes that no archive may set. */
bool unpack_refuses_xattr(const char *name);

/* Whiteouts */

enum whiteout_kind {
	WHITEOUT_NONE,
	WHITEOUT_FILE,	 /* .wh.NAME */
	WHITEOUT_OPAQUE, /* .wh..wh..opq */
	WHITEOUT_IGNORED /* .wh..wh.*: notes that aufs left for itself */
};
enum whiteout_kind whiteout_kind(const char *name);
/* Marks the file below e->parent_fd as absent from the layers under this one. */
int whiteout_make(struct unpack *u, const struct unpack_entry *e, struct error *err);
/* Marks a directory as hiding the one under it. */
int whiteout_make_opaque(struct unpack *u, int dir_fd, const char *name, struct error *err);
/* Is there a whiteout of this name? */
bool whiteout_is(const struct stat *st);
