/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * --pidfd-socket: whoever listens there gets a descriptor of the new process, with one word beside
 * it: "standard" for the init of a container, "setns" for a process of exec (as from runc).
 */

#include "base/error.h"

/* Before anything is made, so that a wrong path costs nothing. path NULL: *ret_fd stays as it is. */
int pidfd_socket_connect(const char *path, int *ret_fd, struct error *err);

/* socket_fd < 0: nobody asked, 0. */
int pidfd_socket_send(int socket_fd, const char *word, int pidfd, struct error *err);
