/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What `load` reads: named files in a tar archive or a directory. An archive in a regular file is
 * indexed once by seeking over the contents; files in it are then read by offset, several at a
 * time. Paths are relative and clean ("blobs/sha256/…").
 */

#include <stdbool.h>
#include <stdint.h>
#include "codec/stream.h"

#define INPUT_FILES_MAX 100000 /* in an archive of images */

struct input;

struct input_ops {
	int (*size)(struct input *in, const char *path, uint64_t *ret, struct error *err);
	int (*open)(struct input *in, const char *path, struct stream **ret, struct error *err);
	void (*close)(struct input *in);
};

struct input {
	const struct input_ops *ops;
	const char *name; /* for messages, borrowed */
};

/*
 * fd       borrowed while the input lives: a directory, a file, a pipe
 * tmp_fd   directory for the copy of a pipe or of a compressed archive; it has no name there
 * stop_fd  readable: the user wants that copy to end (stop.h)
 */
int input_open(int fd, const char *name, int tmp_fd, int stop_fd, struct input **ret,
	       struct error *err);
struct input *input_close(struct input *in);
DEFINE_CLEANUP(struct input *, input_close)

/* -ENOENT (ERROR_NOT_FOUND) for a file that is not there. */
int input_size(struct input *in, const char *path, uint64_t *ret, struct error *err);
int input_stream(struct input *in, const char *path, struct stream **ret, struct error *err);
bool input_has(struct input *in, const char *path);
/* A document as a heap string. */
int input_read(struct input *in, const char *path, size_t max_bytes, char **ret, size_t *ret_len,
	       struct error *err);

/* The two kinds */
/* offset: where the archive begins in fd. owned: the input closes fd. */
int input_tar_open(int fd, int64_t offset, bool owned, const char *name, struct input **ret,
		   struct error *err);
