/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Unix sockets: pairs, listening, connecting (paths longer than sun_path go through
 * /proc/self/fd), packets with descriptors, the peer's credentials. Everything is close-on-exec,
 * never raises SIGPIPE, and fills no error text where it says so.
 */

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include "base/error.h"

/* Set-up. type is SOCK_STREAM, SOCK_SEQPACKET or SOCK_DGRAM, SOCK_NONBLOCK may be or-ed in. */

/* Two connected ones, owned, close-on-exec. */
int sock_pair(int type, int *ret_a, int *ret_b, struct error *err);

/* Bind, and listen unless it is SOCK_DGRAM; the socket file gets exactly mode. An old file at path is replaced. */
int sock_listen(const char *path, int type, mode_t mode, int *ret_fd, struct error *err);

/* -ENOENT: no such file; -ECONNREFUSED: nobody listens there any more. */
int sock_connect(const char *path, int type, int *ret_fd, struct error *err);

/* Who is at the other end: uid, gid, pid at the time of connecting. */
int sock_peer(int fd, struct ucred *ret, struct error *err);

/* Packets: no error text, 0 or more is success, < 0 is -errno. */

#define SOCK_FDS_MAX 8

/* Send n bytes (and n_fds descriptors) as one packet or message. Over EINTR; -EAGAIN if it does not
 * fit now and the socket is non-blocking, -EPIPE if nobody reads. */
int sock_send(int fd, const void *data, size_t n, const int *fds, size_t n_fds);

/* The same, from a header and a body. */
int sock_send_parts(int fd, const void *head, size_t head_n, const void *body, size_t body_n);

/*
 * Receive one packet. Bytes, 0 at end of file, -EMSGSIZE if it did not fit into size.
 * ret_fds may be NULL (descriptors sent are then closed); *ret_n_fds of them are the caller's,
 * close-on-exec; capacity is SOCK_FDS_MAX.
 */
ssize_t sock_recv(int fd, void *data, size_t size, int *ret_fds, size_t *ret_n_fds);
