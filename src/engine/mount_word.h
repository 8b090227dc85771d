/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The words of -v, --mount and --tmpfs as mounts. */

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"

struct arena;

enum mount_word_type { MOUNT_WORD_BIND, MOUNT_WORD_TMPFS };

struct mount_word {
	enum mount_word_type type;
	const char *source;	    /* of a bind: absolute, cleaned */
	const char *destination;    /* absolute, cleaned */
	const char *mode;	    /* as the user wrote it: docker's Mode */
	const char *propagation;    /* "rprivate", ... */
	const char *const *options; /* of a tmpfs: mount option words, NULL-terminated */
	bool read_only, recursive;
	bool read_only_below; /* also what is mounted below the source: the default, if read_only */
	char relabel;	      /* 'z', 'Z': its SELinux labels are changed; or 0 */
	bool create_source;   /* -v: a missing directory is made; --mount: an error */
};

/*
 * "src:dst[:ro,z,...]". Errors: ERROR_INVALID with docker's "invalid volume specification: 'X'";
 * ERROR_UNSUPPORTED for named and anonymous volumes.
 */
int mount_word_parse_volume(const char *text, struct arena *arena, struct mount_word *ret,
			    struct error *err);
/* "type=bind,source=/a,target=/b,readonly", in CSV. */
int mount_word_parse_mount(const char *text, struct arena *arena, struct mount_word *ret,
			   struct error *err);
/* "/dst[:size=64m,mode=1777,...]". */
int mount_word_parse_tmpfs(const char *text, struct arena *arena, struct mount_word *ret,
			   struct error *err);

/* All of a user's, sorted so that none hides another; two on one place are an error. */
int mount_words_parse(char *const *volumes, char *const *mounts, char *const *tmpfs,
		      struct arena *arena, struct mount_word **ret, size_t *ret_n,
		      struct error *err);
