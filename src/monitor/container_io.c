/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/container_io.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pages.h"

#define PAGES_SIZE ((LOG_STREAMS + 1) * ATTACH_DATA_MAX)

/* A pipe holds at most this much for unprivileged users: /proc/sys/fs/pipe-max-size. What comes
 * after it comes from a process that outlived the container. */
#define DRAIN_MAX 1048576

/* How long a terminal that nobody has open is left alone: somebody in the container may open
 * /dev/console again, and no event tells. */
#define REOPEN_MS 1000

static void out_ready(struct event_loop *loop, struct event_source *source, uint32_t events);

static int stream_index(const struct io_stream *s)
{
	return (int)(s - s->io->out);
}

/* Both ends of a pipe, ours non-blocking. */
static int open_pipe(int *ret_read, int *ret_write, bool we_read, struct error *err)
{
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_sys(err, "cannot create a pipe");
	r = fd_set_nonblock(fds[we_read ? 0 : 1], true);
	if (r < 0) {
		close(fds[0]);
		close(fds[1]);
		return error_num(err, -r, "cannot set up a pipe");
	}
	*ret_read = fds[0];
	*ret_write = fds[1];
	return 0;
}

static int open_pipes(struct container_io *io, bool stdin_open, struct error *err)
{
	int fd = -EBADF, r;

	for (int i = 0; i < LOG_STREAMS; i++) {
		r = open_pipe(&fd, &io->child_fd[i + 1], true, err);
		if (r < 0)
			return r;
		io->out[i].source.fd = fd;
		r = event_add(io->loop, &io->out[i].source, fd, EPOLLIN, out_ready, err);
		if (r < 0)
			return r;
	}
	if (!stdin_open)
		return 0;
	r = open_pipe(&io->child_fd[0], &fd, false, err);
	if (r == 0)
		io->in.fd = fd;
	return r;
}

int container_io_open(struct container_io *io, struct event_loop *loop, struct container_log *log,
		      struct attach_server *attach, bool tty, bool stdin_open, struct error *err)
{
	memset(io, 0, sizeof(*io));
	io->loop = loop;
	io->log = log;
	io->attach = attach;
	io->tty = tty;
	io->in.fd = -EBADF;
	io->pages = pages_new(PAGES_SIZE);
	io->input = io->pages + (size_t)LOG_STREAMS * ATTACH_DATA_MAX;
	for (int i = 0; i < LOG_STREAMS; i++) {
		io->out[i].io = io;
		io->out[i].source.fd = -EBADF;
		io->out[i].chunk = io->pages + (size_t)i * ATTACH_DATA_MAX;
	}
	for (int i = 0; i < 3; i++)
		io->child_fd[i] = -EBADF;
	return tty ? 0 : open_pipes(io, stdin_open, err);
}

static void close_source(struct container_io *io, struct event_source *source)
{
	int fd = source->fd;

	if (fd < 0)
		return;
	event_remove(io->loop, source);
	close(fd);
}

static void close_input(struct container_io *io)
{
	close_source(io, &io->in);
	io->input_len = io->input_at = 0;
}

void container_io_close_child(struct container_io *io)
{
	for (int i = 0; i < 3; i++) {
		if (io->child_fd[i] >= 0)
			close(io->child_fd[i]);
		io->child_fd[i] = -EBADF;
	}
}

void container_io_close(struct container_io *io)
{
	if (!io->pages)
		return;
	container_io_close_child(io);
	close_input(io);
	event_timer_cancel(io->loop, &io->reopen);
	for (int i = 0; i < LOG_STREAMS; i++) {
		close_source(io, &io->out[i].source);
		buf_done(&io->out[i].tail);
	}
	pages_free(io->pages, PAGES_SIZE);
	io->pages = NULL;
}

/* Terminal */

static void apply_size(struct container_io *io)
{
	struct winsize size = { .ws_row = io->size.rows, .ws_col = io->size.cols };

	if (io->tty && io->out[0].source.fd >= 0 && (size.ws_row || size.ws_col))
		(void)ioctl(io->out[0].source.fd, TIOCSWINSZ, &size); /* cosmetic */
}

int container_io_set_terminal(struct container_io *io, int master_fd, struct error *err)
{
	int input_fd, r;

	if (!io->tty || io->out[0].source.fd >= 0) {
		close(master_fd);
		return error_kind(err, ERROR_INVALID,
				  "the runtime sent a terminal nobody asked for");
	}
	io->out[0].source.fd = master_fd;
	r = fd_set_nonblock(master_fd, true);
	if (r < 0)
		return error_num(err, -r, "cannot set up the terminal");
	/* epoll knows a descriptor once; input is watched apart from output */
	input_fd = fcntl(master_fd, F_DUPFD_CLOEXEC, 0);
	if (input_fd < 0)
		return error_sys(err, "cannot set up the terminal");
	io->in.fd = input_fd;
	apply_size(io);
	return event_add(io->loop, &io->out[0].source, master_fd, io->running ? EPOLLIN : 0,
			 out_ready, err);
}

void container_io_start(struct container_io *io)
{
	io->running = true;
	if (io->tty && io->out[0].source.fd >= 0)
		event_set(io->loop, &io->out[0].source, EPOLLIN);
}

void container_io_resize(struct container_io *io, const struct attach_size *size)
{
	io->size = *size;
	apply_size(io);
}

/* Output */

static void reopen_fired(struct event_loop *loop, struct event_timer *timer)
{
	struct container_io *io = container_of(timer, struct container_io, reopen);

	if (io->out[0].source.fd >= 0 && !io->out[0].offered)
		event_set(loop, &io->out[0].source, EPOLLIN);
}

static void out_ended(struct io_stream *s)
{
	struct container_io *io = s->io;

	if (!io->tty || !io->running || io->drained) {
		close_source(io, &s->source);
		return;
	}
	event_set(io->loop, &s->source, 0);
	event_timer_set(io->loop, &io->reopen, REOPEN_MS, reopen_fired);
}

/* One chunk to the clients; if one has no room, reading stops until it has. */
static void offer(struct io_stream *s, const char *data, size_t n)
{
	s->offered = !attach_offer(s->io->attach, stream_index(s), data, n);
	if (s->source.fd >= 0)
		event_set(s->io->loop, &s->source, s->offered ? 0 : EPOLLIN);
}

static void out_ready(struct event_loop *loop, struct event_source *source, uint32_t events)
{
	struct io_stream *s = container_of(source, struct io_stream, source);
	ssize_t n = read(source->fd, s->chunk, ATTACH_DATA_MAX);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) { /* of a terminal EIO: nobody has it open */
		out_ended(s);
		return;
	}
	container_log_write(s->io->log, (enum log_stream)stream_index(s), s->chunk, (size_t)n);
	offer(s, s->chunk, (size_t)n);
}

/* The next piece of what was left when the container ended. */
static void offer_tail(struct io_stream *s)
{
	while (!s->offered && s->tail.len > 0) {
		size_t n = MIN(s->tail.len, (size_t)ATTACH_DATA_MAX);

		memcpy(s->chunk, s->tail.data, n);
		buf_skip(&s->tail, n);
		offer(s, s->chunk, n);
	}
}

void container_io_taken(struct container_io *io, int stream)
{
	struct io_stream *s = &io->out[stream];

	s->offered = false;
	if (s->source.fd >= 0 && (!io->tty || io->running))
		event_set(io->loop, &s->source, EPOLLIN);
	offer_tail(s);
}

static void drain_stream(struct io_stream *s)
{
	char piece[4096];

	while (s->source.fd >= 0 && s->tail.len < DRAIN_MAX) {
		ssize_t n = read(s->source.fd, piece, sizeof(piece));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		container_log_write(s->io->log, (enum log_stream)stream_index(s), piece, (size_t)n);
		buf_add(&s->tail, piece, (size_t)n);
	}
	close_source(s->io, &s->source);
	offer_tail(s);
}

void container_io_drain(struct container_io *io)
{
	io->drained = true;
	event_timer_cancel(io->loop, &io->reopen);
	close_input(io);
	for (int i = 0; i < LOG_STREAMS; i++)
		drain_stream(&io->out[i]);
	container_log_finish(io->log);
}

bool container_io_is_drained(const struct container_io *io)
{
	for (int i = 0; i < LOG_STREAMS; i++) {
		if (io->out[i].offered || io->out[i].tail.len > 0)
			return false;
	}
	return io->drained;
}

/* Input */

static void in_ready(struct event_loop *loop, struct event_source *source, uint32_t events);

static void stop_waiting(struct container_io *io)
{
	io->input_at = io->input_len = 0;
	event_set(io->loop, &io->in, 0);
	if (io->input_ends)
		close_input(io);
	attach_input_done(io->attach);
}

static void in_ready(struct event_loop *loop, struct event_source *source, uint32_t events)
{
	struct container_io *io = container_of(source, struct container_io, in);
	ssize_t n = write(source->fd, io->input + io->input_at, io->input_len - io->input_at);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) { /* nobody reads it any more: as for a program in a pipe */
		close_input(io);
		attach_input_done(io->attach);
		return;
	}
	io->input_at += (size_t)n;
	if (io->input_at == io->input_len)
		stop_waiting(io);
}

bool container_io_input(struct container_io *io, const char *data, size_t n)
{
	struct error err;
	ssize_t done;

	if (io->in.fd < 0)
		return true; /* thrown away */
	done = write(io->in.fd, data, n);
	if (done == (ssize_t)n)
		return true;
	if (done < 0 && errno != EAGAIN && errno != EINTR) {
		close_input(io);
		return true;
	}
	io->input_at = 0;
	io->input_len = n - (size_t)MAX(done, 0);
	memcpy(io->input, data + n - io->input_len, io->input_len);
	if (io->in.ready)
		event_set(io->loop, &io->in, EPOLLOUT);
	else if (event_add(io->loop, &io->in, io->in.fd, EPOLLOUT, in_ready, &err) < 0)
		close_input(io);
	return io->in.fd < 0;
}

void container_io_input_eof(struct container_io *io)
{
	/* a terminal has no end of file; one that is typed is a character */
	if (!io->stdin_once || io->tty)
		return;
	if (io->input_len > 0)
		io->input_ends = true;
	else
		close_input(io);
}

void container_io_trim(struct container_io *io)
{
	if (!io->out[0].offered && !io->out[1].offered && io->input_len == 0)
		pages_forget(io->pages, PAGES_SIZE);
}
