/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"

#define SOCK_BACKLOG 64

int sock_pair(int type, int *ret_a, int *ret_b, struct error *err)
{
	int fds[2];

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) < 0)
		return error_sys(err, "cannot create a socket pair");
	*ret_a = fds[0];
	*ret_b = fds[1];
	return 0;
}

/*
 * The address of path. One that does not fit into sun_path (108 bytes) is named through a
 * descriptor of its directory, which the caller keeps open until bind or connect are done.
 */
static int fill_address(const char *path, struct sockaddr_un *addr, socklen_t *ret_len,
			int *ret_dir_fd, struct error *err)
{
	const char *base = path_base(path);
	cleanup_fd int dir_fd = -EBADF;
	int n;

	addr->sun_family = AF_UNIX;
	if (strlen(path) < sizeof(addr->sun_path)) {
		n = snprintf(addr->sun_path, sizeof(addr->sun_path), "%s", path);
	} else {
		cleanup_free char *dir = strndup(path, (size_t)(base - path));

		if (!dir)
			return error_oom(err);
		dir_fd = open(*dir ? dir : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (dir_fd < 0)
			return error_sys(err, "cannot open directory '%s'", dir);
		n = snprintf(addr->sun_path, sizeof(addr->sun_path), "%s/%s",
			     fd_proc_path(dir_fd).s, base);
	}
	if (n < 0 || (size_t)n >= sizeof(addr->sun_path))
		return error_num(err, ENAMETOOLONG, "cannot name socket '%s'", path);
	*ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n + 1);
	*ret_dir_fd = take_fd(&dir_fd);
	return 0;
}

/* A new socket with the address path: its own, or its peer's. */
static int socket_at(const char *path, int type, bool own, int *ret_fd, struct error *err)
{
	cleanup_fd int dir_fd = -EBADF, fd = -EBADF;
	struct sockaddr_un addr;
	const struct sockaddr *generic = (const struct sockaddr *)&addr;
	socklen_t len = 0;
	int r = fill_address(path, &addr, &len, &dir_fd, err);

	if (r < 0)
		return r;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_sys(err, "cannot create a socket");
	r = own ? bind(fd, generic, len) : connect(fd, generic, len);
	if (r < 0)
		return error_sys(err, "cannot %s socket '%s'", own ? "create" : "connect to", path);
	*ret_fd = take_fd(&fd);
	return 0;
}

int sock_listen(const char *path, int type, mode_t mode, int *ret_fd, struct error *err)
{
	const bool datagrams = (type & ~SOCK_NONBLOCK) == SOCK_DGRAM;
	cleanup_fd int fd = -EBADF;
	int r;

	(void)unlink(path); /* left by a crash, or not there */
	r = socket_at(path, type, true, &fd, err);
	if (r < 0)
		return r;
	/* the umask had its say in bind; nobody can connect before listen */
	if (chmod(path, mode) < 0 || (!datagrams && listen(fd, SOCK_BACKLOG) < 0)) {
		r = error_sys(err, "cannot listen on socket '%s'", path);
		(void)unlink(path); /* we made it */
		return r;
	}
	*ret_fd = take_fd(&fd);
	return 0;
}

int sock_connect(const char *path, int type, int *ret_fd, struct error *err)
{
	return socket_at(path, type, false, ret_fd, err);
}

int sock_peer(int fd, struct ucred *ret, struct error *err)
{
	socklen_t len = sizeof(*ret);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret, &len) < 0)
		return error_sys(err, "cannot read the credentials of a socket's peer");
	return 0;
}

static int send_message(int fd, const struct msghdr *msg)
{
	ssize_t n;

	do {
		n = sendmsg(fd, msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(SOCK_FDS_MAX * sizeof(int))];
};

int sock_send(int fd, const void *data, size_t n, const int *fds, size_t n_fds)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control;
	struct cmsghdr *c;

	if (n_fds > SOCK_FDS_MAX)
		return -E2BIG;
	if (n_fds > 0) {
		memset(&control, 0, sizeof(control));
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	return send_message(fd, &msg);
}

int sock_send_parts(int fd, const void *head, size_t head_n, const void *body, size_t body_n)
{
	struct iovec iov[] = {
		{ .iov_base = (void *)(uintptr_t)head, .iov_len = head_n },
		{ .iov_base = (void *)(uintptr_t)body, .iov_len = body_n },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	return send_message(fd, &msg);
}

/* Hands the received descriptors over, or closes them if the caller wants none. */
static void take_fds(struct msghdr *msg, int *ret_fds, size_t *ret_n_fds)
{
	size_t got = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (ret_fds && got < SOCK_FDS_MAX)
				ret_fds[got++] = fd;
			else
				close(fd);
		}
	}
	if (ret_n_fds)
		*ret_n_fds = got;
}

ssize_t sock_recv(int fd, void *data, size_t size, int *ret_fds, size_t *ret_n_fds)
{
	struct iovec iov = { .iov_base = data, .iov_len = size };
	union control control;
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = sizeof(control.bytes) };
	ssize_t n;

	/* ECONNRESET says, once, that the peer closed before it had read everything; what it sent
	 * before that is still here, and then the end of file */
	do {
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n < 0)
		return -errno;
	if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		take_fds(&msg, NULL, NULL);
		return -EMSGSIZE;
	}
	take_fds(&msg, ret_fds, ret_n_fds);
	return n;
}
