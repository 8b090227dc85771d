/* SPDX-License-Identifier: Apache-2.0 */

/*
 *	container                     start, run                      service manager
 *	READY=1 ──▶ /run/notify/notify.sock ──▶ READY=1 ───────────▶ $NOTIFY_SOCKET
 *	                              MAINPID=n ───────────────────▶
 *	                              BARRIER=1 with a pipe ───────▶ closes it: all has been read
 *
 * The barrier keeps us alive until the manager has looked who we are (sd_notify(3), "NOTES").
 */

#include "runtime/notify_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/sock.h"
#include "base/str.h"
#include "oci/spec.h"
#include "runtime/process.h"
#include "runtime/runtime.h"
#include "runtime/statedir.h"

#define DIR_NAME	   "notify"
#define SOCKET_NAME	   "notify.sock"
#define DIR_IN_CONTAINER   "/run/notify"
#define MESSAGE_MAX	   4096
#define BARRIER_TIMEOUT_MS 30000

static void add_mount(struct oci_spec *spec, const char *source)
{
	static const char *const options[] = { "bind", "nosuid", "noexec", "nodev", "ro" };
	size_t n = spec->n_mounts;
	struct oci_mount *mounts = arena_alloc(spec->arena, (n + 1) * sizeof(*mounts));

	for (size_t i = 0; i < n; i++)
		mounts[i] = spec->mounts[i];
	mounts[n] = (struct oci_mount){ .destination = DIR_IN_CONTAINER,
					.source = source,
					.options = options,
					.n_options = ARRAY_SIZE(options) };
	spec->mounts = mounts;
	spec->n_mounts = n + 1;
}

int notify_socket_prepare(const struct container *c, struct oci_spec *spec,
			  struct process_setup *process, struct error *err)
{
	cleanup_free char *joined = path_join(c->root_path, c->id);
	cleanup_free char *dir = realpath(joined, NULL); /* --root may be relative */
	const char *source;

	if (!dir)
		return error_sys(err, "cannot find '%s'", joined);
	/* every user of the container may enter, whatever our umask */
	if (mkdirat(c->dir_fd, DIR_NAME, 0755) < 0 || fchmodat(c->dir_fd, DIR_NAME, 0755, 0) < 0)
		return error_sys(err, "cannot make directory '%s/" DIR_NAME "'", dir);
	source = arena_printf(spec->arena, "%s/" DIR_NAME, dir);
	add_mount(spec, source);
	if (process)
		process_add_env(process, "NOTIFY_SOCKET=" DIR_IN_CONTAINER "/" SOCKET_NAME);
	return 0;
}

int notify_socket_bind(const char *root_path, const char *id, int *ret_fd, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/%s/" DIR_NAME "/" SOCKET_NAME,
					    root_path ? root_path : RUNTIME_ROOT_DEFAULT, id);
	int r = sock_listen(path, SOCK_DGRAM, 0777, ret_fd, err);

	return r == -ENOENT ? 1 : r;
}

static int connect_host(const char *host, int *ret_fd, struct error *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t n = strlen(host);
	cleanup_fd int fd = -EBADF;

	if (host[0] != '@')
		return sock_connect(host, SOCK_DGRAM, ret_fd, err);
	if (n > sizeof(addr.sun_path))
		return error_num(err, ENAMETOOLONG, "cannot name socket '%s'", host);
	memcpy(addr.sun_path, host, n);
	addr.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_sys(err, "cannot create a socket");
	if (connect(fd, (const struct sockaddr *)&addr,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		return error_sys(err, "cannot connect to socket '%s'", host);
	*ret_fd = take_fd(&fd);
	return 0;
}

static int send_text(int host_fd, const char *text, struct error *err)
{
	int r = sock_send(host_fd, text, strlen(text), NULL, 0);

	return r < 0 ? error_num(err, -r, "cannot tell the service manager '%s'", text) : 0;
}

static int barrier(int host_fd, struct error *err)
{
	cleanup_fd int read_fd = -EBADF, write_fd = -EBADF;
	static const char text[] = "BARRIER=1";
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_sys(err, "cannot make a pipe");
	read_fd = fds[0];
	write_fd = fds[1];
	r = sock_send(host_fd, text, strlen(text), &write_fd, 1);
	if (r < 0)
		return error_num(err, -r, "cannot tell the service manager '%s'", text);
	cleanup_close_fd(&write_fd);
	write_fd = -EBADF;
	r = fd_wait_readable(read_fd, BARRIER_TIMEOUT_MS); /* end of file is readable, too */
	if (r < 0)
		return error_num(err, -r, "cannot wait for the service manager");
	if (r == 0)
		return error_num(err, ETIMEDOUT, "the service manager does not read its socket");
	return 0;
}

static int tell_host(const char *host, const char *ready, pid_t main_pid, struct error *err)
{
	cleanup_fd int host_fd = -EBADF;
	char text[MESSAGE_MAX + 2];
	int r = connect_host(host, &host_fd, err);

	if (r < 0)
		return r;
	(void)snprintf(text, sizeof(text), "%s\n", ready);
	r = send_text(host_fd, text, err);
	if (r < 0)
		return r;
	(void)snprintf(text, sizeof(text), "MAINPID=%d\n", (int)main_pid);
	r = send_text(host_fd, text, err);
	return r < 0 ? r : barrier(host_fd, err);
}

/* The line that begins with READY=, cut off in place; or NULL. */
static char *find_ready(char *text)
{
	for (char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (str_after(line, "READY=")) {
			line[strcspn(line, "\n")] = '\0';
			return line;
		}
	}
	return NULL;
}

int notify_socket_receive(int fd, const char *host, pid_t main_pid, struct error *err)
{
	char text[MESSAGE_MAX + 1], *ready;
	/* descriptors are closed: that is how a barrier of the container's own ends */
	ssize_t n = sock_recv(fd, text, MESSAGE_MAX, NULL, NULL);
	int r;

	if (n == -EMSGSIZE) /* too long for sd_notify: the container's fault alone */
		return 0;
	if (n < 0)
		return error_num(err, (int)-n, "cannot read the container's notify socket");
	text[n] = '\0';
	ready = find_ready(text);
	if (!ready)
		return 0;
	r = tell_host(host, ready, main_pid, err);
	return r < 0 ? r : 1;
}

int notify_socket_wait(int fd, const char *host, int init_pidfd, pid_t init_pid, struct error *err)
{
	for (;;) {
		struct pollfd fds[] = { { .fd = fd, .events = POLLIN },
					{ .fd = init_pidfd, .events = POLLIN } };
		int r = 0;

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return error_sys(err, "cannot wait for the container");
		if (fds[0].revents) /* first: what it said before its end counts */
			r = notify_socket_receive(fd, host, init_pid, err);
		else if (fds[1].revents)
			return 0;
		if (r != 0)
			return r < 0 ? r : 0;
	}
}
