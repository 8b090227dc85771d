/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Work that a user may end before it is done: a thread waits for his word and passes it on. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include "base/error.h"

struct registry;
struct stream;

struct stop {
	int asked_fd; /* readable: the user wants it; borrowed */
	int end_fd;   /* readable: the thread shall end */
	pthread_t thread;
	struct registry *registry; /* whose calls end then, too; borrowed; or NULL */
	atomic_bool stopped;
};
#define STOP_NONE ((struct stop){ .end_fd = -EBADF })

/* fd <= 0: nobody will ask. s must stay where it is until stop_done(). */
int stop_watch(struct stop *s, int fd, struct registry *registry, struct error *err);
void stop_done(struct stop *s);

/* Without a thread, for who looks now and then: -ECANCELED if he wants it. fd as above. */
int stop_check(int fd, struct error *err);

/*
 * The bytes of below, which are those of the file descriptor source_fd: a read that would wait, for a
 * pipe or a terminal, ends with -ECANCELED when stop_fd is readable. Takes below.
 */
struct stream *stop_stream_open(struct stream *below, int source_fd, int stop_fd);
