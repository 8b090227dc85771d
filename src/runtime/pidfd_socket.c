/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/pidfd_socket.h"

#include <string.h>
#include <sys/socket.h>

#include "base/sock.h"

int pidfd_socket_connect(const char *path, int *ret_fd, struct error *err)
{
	int r = path ? sock_connect(path, SOCK_STREAM, ret_fd, err) : 0;

	return r < 0 ? error_prefix(err, r, "pidfd socket") : 0;
}

int pidfd_socket_send(int socket_fd, const char *word, int pidfd, struct error *err)
{
	int r = socket_fd < 0 ? 0 : sock_send(socket_fd, word, strlen(word), &pidfd, 1);

	return r < 0 ? error_num(err, -r, "cannot send the pidfd over the pidfd socket") : 0;
}
