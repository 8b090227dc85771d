/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The engine's end of a monitor's attach socket: the stdio of a running container, and its end
 * (docs/formats/attach.md). */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/error.h"
#include "monitor/protocol.h"

struct attach_client {
	int fd;
	struct attach_welcome welcome;
};

/* Connect and exchange HELLO and WELCOME. -ENOENT, -ECONNREFUSED: not running. */
int attach_open(const char *run_dir, unsigned want, struct attach_client *ret, struct error *err);
/*
 * The same in two halves, for a monitor that is about to be spawned: a pair of sockets of which the
 * monitor gets *ret_theirs, with HELLO sent; later attach_open_fd() takes *ret_ours over, also on
 * failure, and waits for WELCOME.
 */
int attach_open_pair(unsigned want, int *ret_ours, int *ret_theirs, struct error *err);
int attach_open_fd(int fd, struct attach_client *ret, struct error *err);
void attach_close(struct attach_client *c);
/* Wait for the end of the container, skipping its output; timeout_ms -1: for ever. 1: time is up.
 * -ENOTCONN: the monitor went away. */
int attach_wait_exit(struct attach_client *c, int timeout_ms, struct monitor_exit *ret,
		     struct error *err);
/* After ATTACH_WANT_EXIT: the database has the exit status. */
void attach_recorded(struct attach_client *c);
/* Tell the size of the user's terminal; ignored without one in the container. */
int attach_resize(struct attach_client *c, unsigned rows, unsigned cols, struct error *err);

#define ATTACH_INPUT_MAX (ATTACH_DATA_MAX / 2)

enum attach_outcome {
	ATTACH_ENDED = 0,    /* the container ended: *ret_exit */
	ATTACH_DETACHED = 1, /* a hook asked for it */
	ATTACH_LOST = 2,     /* the monitor went away without a word */
};

/* Where the bytes come from and go to. A hook may be NULL. Return values < 0 end the pump with that
 * error, except -ECANCELED, which means ATTACH_DETACHED. */
struct attach_io {
	int stdin_fd;  /* -1: none. Not changed to non-blocking. */
	int stdout_fd; /* -1: thrown away */
	int stderr_fd;
	void *arg;
	/* Bytes read from stdin_fd, at most ATTACH_INPUT_MAX, before they are sent: may take some
	 * out or put some in (detach keys), up to ATTACH_DATA_MAX. Returns how many there are. */
	ssize_t (*input)(void *arg, char *data, size_t n);
	/* More to wait for, a signalfd for SIGWINCH say: called when extra_fd is readable. */
	int extra_fd; /* -1: none */
	int (*extra)(void *arg, struct attach_client *c);
};

/*
 * Copy between the user's descriptors and the container's until it ends. The end of stdin_fd is
 * passed on as ATTACH_STDIN_EOF. A closed stdout_fd does not end it; the output is dropped.
 * Returns enum attach_outcome or -errno.
 */
int attach_pump(struct attach_client *c, const struct attach_io *io, struct monitor_exit *ret_exit,
		struct error *err);
