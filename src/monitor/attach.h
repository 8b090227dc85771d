/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The attach socket: several clients see the container's output and may write its input
 * (docs/formats/attach.md, monitor/protocol.h). The server keeps no output of its own. It is
 * offered one chunk of a stream at a time and says when every client has taken it, so a client that
 * reads slowly holds the stream back as a full pipe would; one that stops reading is dropped,
 * unless it is the one that started the container: for it the stream is its own stdout.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/event.h"
#include "monitor/protocol.h"

struct attach_server;
struct attach_peer;

/* What the server tells its owner. None may free the server. */
struct attach_events {
	/* Every client has taken the chunk of this stream (0 stdout, 1 stderr): offer the next. */
	void (*taken)(struct attach_server *s, int stream);
	/* Input for the container. false: it is kept, and attach_input_done() follows. */
	bool (*input)(struct attach_server *s, const char *data, size_t n);
	void (*input_eof)(struct attach_server *s);
	void (*resize)(struct attach_server *s, const struct attach_size *size);
	void (*recorded)(struct attach_server *s);
	/* A client has gone or has been told the exit: maybe the last that somebody waits for. */
	void (*settled)(struct attach_server *s);
};

#define ATTACH_STREAMS	 2
#define ATTACH_PEERS_MAX 64
#define ATTACH_STALL_MS	 10000 /* a client that takes nothing for so long is dropped */
#define ATTACH_HELLO_MS	 10000 /* or one that does not say what it wants */

struct attach_server {
	struct event_loop *loop;
	const struct attach_events *events;
	struct event_source listener;
	struct attach_peer *peers;
	size_t n_peers;
	unsigned busy; /* > 0: the list of peers is being walked */
	struct {
		const char *data; /* borrowed until taken() */
		size_t len;
		size_t waiting; /* clients that have not taken it */
	} chunk[ATTACH_STREAMS];
	bool input_busy; /* input() kept something */
	bool ended;
	struct attach_welcome welcome; /* kept up to date by the owner */
	struct monitor_exit exit;
};

/* loop and events are borrowed for its life; nothing is open yet. */
void attach_server_init(struct attach_server *s, struct event_loop *loop,
			const struct attach_events *events);
/* At path, which others of the user and root reach; clients come through the loop. */
int attach_server_listen(struct attach_server *s, const char *path, struct error *err);
/* A client that is connected already, whose HELLO comes as from any other; fd is taken over. */
int attach_server_adopt(struct attach_server *s, int fd, struct error *err);
/* Closes listener and clients; the socket file is the owner's. */
void attach_server_done(struct attach_server *s);

/* Send a chunk of at most ATTACH_DATA_MAX bytes to all who want it. true: done; false: data must
 * stay until taken(). Only one chunk of a stream at a time. */
bool attach_offer(struct attach_server *s, int stream, const char *data, size_t n);
/* The input that was kept has been written. */
void attach_input_done(struct attach_server *s);
/* The container has ended and all its output was offered: ATTACH_EXIT to everybody. */
void attach_end(struct attach_server *s, const struct monitor_exit *status);
/* Does any client promise to record the exit? */
bool attach_has_recorder(const struct attach_server *s);
/* After attach_end(): has everybody been told? */
bool attach_is_flushed(const struct attach_server *s);
