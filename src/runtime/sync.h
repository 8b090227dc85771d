/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the creator of a container and its init say to each other: one SOCK_SEQPACKET pair, one
 * typed packet a message (docs/formats/sync.md).
 *
 *	creator                                   init
 *	clone3 ─────────────────────────────────▶ (waits, with a new user namespace, netDevices or a scope)
 *	id maps     ── SYNC_MAPPED ─────────────▶ mounts, devices, terminal, cgroup
 *	            ◀───────────── SYNC_MOUNTED ─ (only if there are hooks)
 *	hooks       ── SYNC_HOOKED ─────────────▶ createContainer hooks, pivot_root, user
 *	            ◀─────────────── SYNC_READY ─ argv[0] found
 *	            ── SYNC_START ──────────────▶ startContainer hooks, confinement
 *	            ◀──────────────── end of file execve: the socket is close-on-exec
 *
 * At any time init may say SYNC_FAILED with its struct error and be gone. End of file before
 * SYNC_START means that it died; waitid() knows of what.
 *
 * After `create` the pair is closed; `start` connects to start.sock of the state directory, where
 * init listens, and says SYNC_START over that connection with the same rules.
 */

#include <stdint.h>
#include <sys/types.h>
#include "base/error.h"

enum sync_type {
	SYNC_FAILED = 1, /* init: error */
	SYNC_MAPPED,	 /* creator: id maps are written, devices moved in, the cgroup entered */
	SYNC_MOUNTED,	 /* init: the file system is complete, run the hooks */
	SYNC_HOOKED,	 /* creator: prestart and createRuntime hooks have run */
	SYNC_READY,	 /* init: everything is made, waiting for the start */
	SYNC_START,	 /* creator or `start` */
};

struct sync_packet {
	uint32_t type;
	int32_t pid;	    /* of init as the creator sees it, in the creator's packets; else 0 */
	struct error error; /* SYNC_FAILED */
};

/* 0, or -errno without text: -EPIPE the other side is gone. */
int sync_send(int fd, enum sync_type type, pid_t pid);
/* With a descriptor (START: the connection to the seccomp agent); borrowed. */
int sync_send_fd(int fd, enum sync_type type, pid_t pid, int passed_fd);
int sync_send_error(int fd, const struct error *e);

/*
 * Wait for one packet of this type.
 * Returns  0; 1: end of file; < 0: *err is the other side's own error, or says what came instead
 */
int sync_expect(int fd, enum sync_type type, pid_t *ret_pid, struct error *err);
/* The same; *ret_fd is the caller's: the descriptor that came with it, or -EBADF. */
int sync_expect_fd(int fd, enum sync_type type, pid_t *ret_pid, int *ret_fd, struct error *err);

/* Check and copy a received packet; for sync_expect() and its tests. 0 or as sync_expect(). */
int sync_check(const void *data, size_t n, enum sync_type type, pid_t *ret_pid, struct error *err);
