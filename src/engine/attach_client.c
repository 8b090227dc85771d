/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pump keeps input that the monitor has no room for while output goes on: a container that waits
 * for its output to be read, with us waiting for it to read its input, would stop both for ever.
 */
#include "engine/attach_client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/sock.h"

static int send_packet(int fd, uint32_t type, const void *body, size_t n)
{
	const uint32_t head[] = { type, 0 };

	_Static_assert(sizeof(head) == ATTACH_HEAD_SIZE, "the head of a packet");
	return sock_send_parts(fd, head, sizeof(head), body, n);
}

/* Opening */

static int send_hello(int fd, unsigned want, struct error *err)
{
	struct attach_hello hello = { .version = ATTACH_VERSION, .want = want };
	int r = send_packet(fd, ATTACH_HELLO, &hello, sizeof(hello));

	return r < 0 ? error_num(err, -r, "cannot talk to the container's monitor") : 0;
}

static int wait_welcome(int fd, struct attach_welcome *ret, struct error *err)
{
	struct attach_packet packet;
	ssize_t n = sock_recv(fd, &packet, sizeof(packet), NULL, NULL);

	if (n <= 0)
		return error_num(err, n < 0 ? (int)-n : ECONNREFUSED,
				 "the container's monitor went away");
	if (packet.type == ATTACH_REFUSED) {
		packet.error.msg[sizeof(packet.error.msg) - 1] = '\0';
		*err = packet.error;
		return error_number(err);
	}
	if (packet.type != ATTACH_WELCOME || (size_t)n < ATTACH_HEAD_SIZE + sizeof(packet.welcome))
		return error_num(err, EPROTO, "cannot understand the container's monitor");
	*ret = packet.welcome;
	return 0;
}

int attach_open(const char *run_dir, unsigned want, struct attach_client *ret, struct error *err)
{
	cleanup_free char *path = path_join(run_dir, MONITOR_ATTACH_SOCKET);
	cleanup_fd int fd = -EBADF;
	int r = sock_connect(path, SOCK_SEQPACKET, &fd, err);

	if (r == 0)
		r = send_hello(fd, want, err);
	return r < 0 ? r : attach_open_fd(take_fd(&fd), ret, err);
}

int attach_open_pair(unsigned want, int *ret_ours, int *ret_theirs, struct error *err)
{
	cleanup_fd int ours = -EBADF, theirs = -EBADF;
	int r = sock_pair(SOCK_SEQPACKET, &ours, &theirs, err);

	/* waits in the socket until the monitor looks: no output can be earlier */
	if (r == 0)
		r = send_hello(ours, want, err);
	if (r < 0)
		return r;
	*ret_ours = take_fd(&ours);
	*ret_theirs = take_fd(&theirs);
	return 0;
}

int attach_open_fd(int fd, struct attach_client *ret, struct error *err)
{
	int r = wait_welcome(fd, &ret->welcome, err);

	if (r < 0) {
		close(fd);
		return r;
	}
	ret->fd = fd;
	return 0;
}

void attach_close(struct attach_client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -EBADF;
}

int attach_resize(struct attach_client *c, unsigned rows, unsigned cols, struct error *err)
{
	struct attach_size size = { .rows = (uint16_t)rows, .cols = (uint16_t)cols };
	int r = send_packet(c->fd, ATTACH_RESIZE, &size, sizeof(size));

	return r < 0 ? error_num(err, -r, "cannot resize the container's terminal") : 0;
}

void attach_recorded(struct attach_client *c)
{
	if (c->fd >= 0)
		(void)send_packet(c->fd, ATTACH_RECORDED, NULL, 0); /* gone: nobody needs it */
}

int attach_wait_exit(struct attach_client *c, int timeout_ms, struct monitor_exit *ret,
		     struct error *err)
{
	struct attach_packet packet;

	for (;;) {
		ssize_t n;
		int r = fd_wait_readable(c->fd, timeout_ms);

		if (r < 0)
			return error_num(err, -r, "cannot wait for the container's monitor");
		if (r == 0)
			return 1;
		n = sock_recv(c->fd, &packet, sizeof(packet), NULL, NULL);
		if (n <= 0)
			return error_num(err, ENOTCONN, "the container's monitor went away");
		if (packet.type == ATTACH_EXIT &&
		    (size_t)n >= ATTACH_HEAD_SIZE + sizeof(packet.exit))
			break;
	}
	*ret = packet.exit;
	return 0;
}

/* The pump */

struct pump {
	struct attach_client *client;
	const struct attach_io *io;
	struct error *err;
	bool input_open;
	bool stdout_closed, stderr_closed;
	size_t kept;	  /* bytes in input that wait for room */
	bool eof_pending; /* and then the end */
	char input[ATTACH_DATA_MAX];
	struct attach_packet packet;
};

/* What is kept goes on its way as far as there is room. */
static void send_input(struct pump *p)
{
	int r;

	if (p->kept > 0) {
		r = send_packet(p->client->fd, ATTACH_STDIN, p->input, p->kept);
		if (r == -EAGAIN)
			return;
		p->kept = 0; /* sent, or the monitor is gone, which reading from it tells */
	}
	if (p->eof_pending) {
		r = send_packet(p->client->fd, ATTACH_STDIN_EOF, NULL, 0);
		if (r != -EAGAIN)
			p->eof_pending = false;
	}
}

static int read_input(struct pump *p)
{
	const struct attach_io *io = p->io;
	ssize_t n = read(io->stdin_fd, p->input, ATTACH_INPUT_MAX);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0) { /* EIO: a terminal that is no longer ours */
		p->input_open = false;
		p->eof_pending = true;
		send_input(p);
		return 0;
	}
	if (io->input) {
		n = io->input(io->arg, p->input, (size_t)n);
		if (n < 0)
			return (int)n;
	}
	p->kept = (size_t)n;
	send_input(p);
	return 0;
}

/* Everything, also to a descriptor that somebody made non-blocking. 0 or -errno. */
static int write_out(int fd, const char *data, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, data, n);

		if (done < 0 && errno == EAGAIN) {
			struct pollfd wait = { .fd = fd, .events = POLLOUT };

			(void)poll(&wait, 1, -1); /* the next write tells what is wrong */
			continue;
		}
		if (done < 0 && errno != EINTR)
			return -errno;
		if (done > 0) {
			data += done;
			n -= (size_t)done;
		}
	}
	return 0;
}

/* Where nobody reads any more we go on without; what does not fit is the user's loss, and said. */
static int put_output(struct pump *p, int fd, bool *closed, const char *data, size_t n)
{
	int r = fd >= 0 && !*closed ? write_out(fd, data, n) : 0;

	if (r == -ENOSPC || r == -EDQUOT || r == -EFBIG)
		return error_num(p->err, -r, "cannot write the container's output");
	*closed |= r < 0;
	return 0;
}

/* One packet of the monitor. 0: go on; 1: *ret_exit is filled; 2: it went away; or -errno. */
static int read_output(struct pump *p, struct monitor_exit *ret_exit)
{
	ssize_t n = sock_recv(p->client->fd, &p->packet, sizeof(p->packet), NULL, NULL);
	size_t len;

	if (n == -EAGAIN)
		return 0;
	if (n < (ssize_t)ATTACH_HEAD_SIZE)
		return 2;
	len = (size_t)n - ATTACH_HEAD_SIZE;
	switch (p->packet.type) {
	case ATTACH_STDOUT:
		return put_output(p, p->io->stdout_fd, &p->stdout_closed, p->packet.data, len);
	case ATTACH_STDERR:
		return put_output(p, p->io->stderr_fd, &p->stderr_closed, p->packet.data, len);
	case ATTACH_EXIT:
		if (len < sizeof(p->packet.exit))
			return 2;
		*ret_exit = p->packet.exit;
		return 1;
	default:
		return 0; /* of a newer monitor */
	}
}

enum { WAIT_MONITOR, WAIT_INPUT, WAIT_EXTRA, WAIT_COUNT };

static void prepare_wait(const struct pump *p, struct pollfd *wait)
{
	bool blocked = p->kept > 0 || p->eof_pending;

	wait[WAIT_MONITOR] =
		(struct pollfd){ .fd = p->client->fd, .events = POLLIN | (blocked ? POLLOUT : 0) };
	wait[WAIT_INPUT] = (struct pollfd){ .fd = p->input_open && !blocked ? p->io->stdin_fd : -1,
					    .events = POLLIN };
	wait[WAIT_EXTRA] =
		(struct pollfd){ .fd = p->io->extra ? p->io->extra_fd : -1, .events = POLLIN };
}

/* One round of waiting and copying: the same results as read_output(), or -errno. */
static int pump_once(struct pump *p, struct monitor_exit *ret_exit)
{
	struct pollfd wait[WAIT_COUNT];
	int r = 0;

	prepare_wait(p, wait);
	if (poll(wait, WAIT_COUNT, -1) < 0)
		return errno == EINTR ? 0 : error_sys(p->err, "cannot wait for input and output");
	if (wait[WAIT_EXTRA].revents)
		r = p->io->extra(p->io->arg, p->client);
	if (r >= 0 && (wait[WAIT_MONITOR].revents & POLLOUT))
		send_input(p);
	if (r >= 0 && wait[WAIT_INPUT].revents)
		r = read_input(p);
	if (r < 0)
		return r;
	if (wait[WAIT_MONITOR].revents & (POLLIN | POLLHUP | POLLERR))
		return read_output(p, ret_exit);
	return 0;
}

int attach_pump(struct attach_client *c, const struct attach_io *io, struct monitor_exit *ret_exit,
		struct error *err)
{
	struct pump p = { .client = c, .io = io, .err = err, .input_open = io->stdin_fd >= 0 };
	int r = fd_set_nonblock(c->fd, true);

	if (r < 0)
		return error_num(err, -r, "cannot use the container's attach socket");
	do {
		r = pump_once(&p, ret_exit);
	} while (r == 0);
	if (r == -ECANCELED)
		return ATTACH_DETACHED;
	if (r == 1)
		return ATTACH_ENDED;
	return r == 2 ? ATTACH_LOST : r;
}
