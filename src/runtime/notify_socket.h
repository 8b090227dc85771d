/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * sd_notify(3) from a container to the service manager that started the runtime, as runc does it:
 * a directory of the container's state is mounted on /run/notify, $NOTIFY_SOCKET inside names a
 * socket there, and whoever starts the container passes READY=1 on to the manager's socket.
 */

#include <sys/types.h>
#include "base/error.h"

struct container;
struct oci_spec;
struct process_setup;

/* Parent side of create: the directory, its mount in spec, the variable in process (or NULL). */
int notify_socket_prepare(const struct container *c, struct oci_spec *spec,
			  struct process_setup *process, struct error *err);

/*
 * The socket of a container that is created and not started.
 * Returns  0; 1: its creator had no $NOTIFY_SOCKET, there is nothing to bind
 */
int notify_socket_bind(const char *root_path, const char *id, int *ret_fd, struct error *err);

/*
 * Take one message. With READY=1 in it, the manager at host is told, with main_pid as MAINPID, and
 * has dealt with it on return (BARRIER, at most 30 s); other messages end here.
 *
 * host     value of the own $NOTIFY_SOCKET: a path, or "@" and an abstract name
 * Returns  0; 1: it was READY=1
 */
int notify_socket_receive(int fd, const char *host, pid_t main_pid, struct error *err);

/* Until READY=1 has been passed on, or init (host pid) has ended. */
int notify_socket_wait(int fd, const char *host, int init_pidfd, pid_t init_pid, struct error *err);
