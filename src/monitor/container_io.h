/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The container's standard streams, our ends of them: pipes, or the master of its terminal. Output
 * goes to the log first and to the attach clients then; input comes from the clients.
 */

#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"
#include "base/event.h"
#include "monitor/attach.h"
#include "monitor/log.h"

struct container_io;

struct io_stream {
	struct container_io *io;
	struct event_source source; /* fd < 0: at its end */
	char *chunk;		    /* ATTACH_DATA_MAX bytes; the last read */
	bool offered;		    /* some client has not taken the chunk yet */
	struct buf tail;	    /* after the end: what was left in the pipe, logged already */
};

struct container_io {
	struct event_loop *loop;
	struct container_log *log;
	struct attach_server *attach;
	bool tty, running, stdin_once, drained;
	int child_fd[3]; /* the container's ends, until container_io_close_child() */
	char *pages;
	struct io_stream out[LOG_STREAMS];
	struct event_source in; /* fd < 0: no input, or ended */
	char *input;		/* ATTACH_DATA_MAX bytes that the container has not taken */
	size_t input_at, input_len;
	bool input_ends; /* close after what is kept */
	struct event_timer reopen;
	struct attach_size size; /* last asked for, for a terminal that comes later */
};

/*
 * Makes the container's ends in child_fd: pipes, stdin only if it is open; with tty none, as its master
 * comes later. The others are borrowed for the life of io.
 */
int container_io_open(struct container_io *io, struct event_loop *loop, struct container_log *log,
		      struct attach_server *attach, bool tty, bool stdin_open, struct error *err);
void container_io_close(struct container_io *io);
/* The container has them now. */
void container_io_close_child(struct container_io *io);
/* The master of the container's terminal; taken over. */
int container_io_set_terminal(struct container_io *io, int master_fd, struct error *err);
/* The user's program runs: from now on a terminal is open at its other end. */
void container_io_start(struct container_io *io);

/* Called by the attach server's events. */
void container_io_taken(struct container_io *io, int stream);
bool container_io_input(struct container_io *io, const char *data, size_t n);
void container_io_input_eof(struct container_io *io);
void container_io_resize(struct container_io *io, const struct attach_size *size);

/* The container has ended: everything that is still in its pipes goes to the log now, and to the
 * clients as they take it. */
void container_io_drain(struct container_io *io);
/* After that: have all clients taken everything? */
bool container_io_is_drained(const struct container_io *io);
/* Give memory back that holds nothing. */
void container_io_trim(struct container_io *io);
