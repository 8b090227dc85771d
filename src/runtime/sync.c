/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/sync.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/sock.h"

static const char *const type_names[] = {
	[SYNC_FAILED] = "failed", [SYNC_MAPPED] = "mapped", [SYNC_MOUNTED] = "mounted",
	[SYNC_HOOKED] = "hooked", [SYNC_READY] = "ready",   [SYNC_START] = "start",
};

static const char *type_name(uint32_t type)
{
	return type < ARRAY_SIZE(type_names) && type_names[type] ? type_names[type] : "unknown";
}

int sync_send(int fd, enum sync_type type, pid_t pid)
{
	struct sync_packet p = { .type = type, .pid = pid };
	int r = sock_send(fd, &p, sizeof(p), NULL, 0);

	return r < 0 ? r : 0;
}

int sync_send_fd(int fd, enum sync_type type, pid_t pid, int passed_fd)
{
	struct sync_packet p = { .type = type, .pid = pid };
	int r = sock_send(fd, &p, sizeof(p), &passed_fd, 1);

	return r < 0 ? r : 0;
}

int sync_send_error(int fd, const struct error *e)
{
	struct sync_packet p = { .type = SYNC_FAILED, .error = *e };
	int r = sock_send(fd, &p, sizeof(p), NULL, 0);

	return r < 0 ? r : 0;
}

int sync_check(const void *data, size_t n, enum sync_type type, pid_t *ret_pid, struct error *err)
{
	struct sync_packet p;

	if (n != sizeof(p))
		return error_kind(err, ERROR_INTERNAL,
				  "a packet of %zu bytes came from the container's init", n);
	memcpy(&p, data, sizeof(p));
	if (p.type == SYNC_FAILED) {
		*err = p.error;
		err->msg[sizeof(err->msg) - 1] = '\0';
		err->step[sizeof(err->step) - 1] = '\0';
		if ((unsigned)err->kind >= ERROR_KIND_COUNT)
			err->kind = ERROR_INTERNAL;
		err->sys = MAX(err->sys, 0);
		return error_number(err);
	}
	if (p.type != type)
		return error_kind(err, ERROR_INTERNAL, "expected '%s' on the sync socket, got '%s'",
				  type_name(type), type_name(p.type));
	if (ret_pid)
		*ret_pid = p.pid;
	return 0;
}

static int check_received(const struct sync_packet *p, ssize_t n, enum sync_type type,
			  pid_t *ret_pid, struct error *err)
{
	if (n == 0 || n == -ECONNRESET) /* reset: closed with packets of ours unread */
		return 1;
	if (n < 0)
		return error_num(err, (int)-n, "cannot read the sync socket");
	return sync_check(p, (size_t)n, type, ret_pid, err);
}

int sync_expect(int fd, enum sync_type type, pid_t *ret_pid, struct error *err)
{
	struct sync_packet p;
	ssize_t n = sock_recv(fd, &p, sizeof(p), NULL, NULL);

	return check_received(&p, n, type, ret_pid, err);
}

int sync_expect_fd(int fd, enum sync_type type, pid_t *ret_pid, int *ret_fd, struct error *err)
{
	int fds[SOCK_FDS_MAX];
	struct sync_packet p;
	size_t n_fds = 0;
	ssize_t n = sock_recv(fd, &p, sizeof(p), fds, &n_fds);
	int r = check_received(&p, n, type, ret_pid, err);

	while (n_fds > (r == 0 ? 1 : 0)) /* nobody sends more than one */
		close(fds[--n_fds]);
	*ret_fd = n_fds ? fds[0] : -EBADF;
	return r;
}
