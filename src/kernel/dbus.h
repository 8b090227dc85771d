/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A client's connection over D-Bus, to a bus or straight to a service that listens for itself, as
 * systemd does: method calls, and waiting for a signal. One call at a time, no descriptors, no threads.
 * Source: the D-Bus specification, "Message Protocol" and "Authentication Protocol".
 */

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/error.h"
#include "base/macro.h"
#include "kernel/dbus_message.h"

struct dbus;

enum dbus_kind {
	DBUS_PEER, /* nobody in between */
	DBUS_BUS,  /* a message bus: says hello */
};

#define DBUS_TIMEOUT_MS 30000

/*
 * path     of the unix socket
 * Errors   -ENOENT, -ECONNREFUSED, -EACCES: nobody there for us; ERROR_DENIED: the other side does
 *          not accept us
 */
int dbus_connect(const char *path, enum dbus_kind kind, struct dbus **ret, struct error *err);

struct dbus *dbus_close(struct dbus *d);
DEFINE_CLEANUP(struct dbus *, dbus_close)

struct dbus_call {
	const char *destination, *path, *interface, *member;
	const char *types;	/* of the body; NULL without one */
	const struct buf *body; /* borrowed */
};

/* A received message. Strings are borrowed from bytes. */
struct dbus_message {
	struct buf bytes;
	uint8_t type;
	uint32_t reply_serial;
	const char *path, *interface, *member, *error_name, *types;
	struct dbus_reader body;
};
void dbus_message_done(struct dbus_message *m);
#define cleanup_dbus_message __attribute__((cleanup(dbus_message_done)))

/*
 * Calls and waits for the answer, at most DBUS_TIMEOUT_MS.
 *
 * ret      NULL: the answer does not matter, only whether it is an error
 * Errors   the other side's own text; its name decides the kind (NoSuchUnit: ERROR_NOT_FOUND,
 *          UnitExists: ERROR_CONFLICT, AccessDenied: ERROR_DENIED, others ERROR_INVALID)
 */
int dbus_call(struct dbus *d, const struct dbus_call *call, struct dbus_message *ret,
	      struct error *err);

/*
 * Waits until a signal is accepted (also one that came during the calls before).
 *
 * accept   gets each signal in turn; true ends the waiting
 * Errors   -ETIMEDOUT
 */
int dbus_wait_signal(struct dbus *d, bool (*accept)(const struct dbus_message *m, void *arg),
		     void *arg, int timeout_ms, struct error *err);

/* Takes a message apart; m->bytes is filled. 0 or -EBADMSG. Pure, for tests and fuzzing. */
int dbus_message_parse(struct dbus_message *m);

/* The whole length of the message that begins with these DBUS_HEAD_BYTES, or -EBADMSG. */
#define DBUS_HEAD_BYTES	       16
#define DBUS_MESSAGE_MAX_BYTES (1u << 20)
ssize_t dbus_message_length(const char *head);

#define DBUS_TYPE_CALL	 1
#define DBUS_TYPE_REPLY	 2
#define DBUS_TYPE_ERROR	 3
#define DBUS_TYPE_SIGNAL 4
