/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A store for one test. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/macro.h"
#include "base/mem.h"
#include "image/store.h"
#include "image/store_private.h"

struct store_fixture {
	char dir[32];
	struct image_store *store;
	struct error err;
};

static inline int store_begin(struct store_fixture *f)
{
	/* memory if there is some: every load flushes its file system */
	(void)snprintf(f->dir, sizeof(f->dir), "%s/test-store-XXXXXX",
		       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	return mkdtemp(f->dir) ? image_store_open(f->dir, &f->store, &f->err) : -1;
}

static inline int store_end(struct store_fixture *f)
{
	f->store = image_store_close(f->store);
	return dir_remove_tree(AT_FDCWD, f->dir, &f->err);
}

/* As cmocka's, with the fixture alone as state. */
static inline int store_setup(void **state)
{
	struct store_fixture *f = xcalloc(1, sizeof(*f));

	*state = f;
	return store_begin(f);
}

static inline int store_teardown(void **state)
{
	int r = store_end(*state);

	free(*state);
	return r;
}

/* Bytes of a file below the store's root; -1: it is not there. */
static inline off_t store_file_bytes(const struct store_fixture *f, const char *path)
{
	struct stat st;

	return fstatat(f->store->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ? -1 : st.st_size;
}
