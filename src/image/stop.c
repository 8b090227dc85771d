/* SPDX-License-Identifier: Apache-2.0 */
#include "image/stop.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/macro.h"
#include "base/mem.h"
#include "codec/stream.h"
#include "registry/registry.h"

static void *watch(void *arg)
{
	struct stop *s = arg;
	struct pollfd fds[] = { { .fd = s->asked_fd, .events = POLLIN },
				{ .fd = s->end_fd, .events = POLLIN } };

	while (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno == EINTR)
		;
	if (!fds[0].revents)
		return NULL;
	atomic_store(&s->stopped, true);
	if (s->registry)
		registry_cancel(s->registry);
	return NULL;
}

int stop_watch(struct stop *s, int fd, struct registry *registry, struct error *err)
{
	cleanup_fd int end_fd = -EBADF;
	int r;

	if (fd <= 0)
		return 0;
	end_fd = eventfd(0, EFD_CLOEXEC);
	if (end_fd < 0)
		return error_sys(err, "cannot make an eventfd");
	s->asked_fd = fd;
	s->registry = registry;
	s->end_fd = end_fd;
	r = pthread_create(&s->thread, NULL, watch, s);
	if (r != 0) {
		s->end_fd = -EBADF;
		return error_num(err, r, "cannot start a thread");
	}
	(void)take_fd(&end_fd); /* the thread's, until stop_done() */
	return 0;
}

void stop_done(struct stop *s)
{
	const uint64_t one = 1;

	if (s->end_fd < 0)
		return;
	(void)fd_write_all(s->end_fd, &one, sizeof(one)); /* cannot fail: it was 0 */
	(void)pthread_join(s->thread, NULL);		  /* ours, joined once */
	cleanup_close_fd(&s->end_fd);
}

static int stopped(struct error *err)
{
	return error_num(err, ECANCELED, "stopped");
}

int stop_check(int fd, struct error *err)
{
	struct pollfd asked = { .fd = fd, .events = POLLIN };

	return fd > 0 && poll(&asked, 1, 0) > 0 ? stopped(err) : 0;
}

struct stop_stream {
	struct stream base;
	struct stream *below;
	int source_fd, stop_fd;
};

static ssize_t stop_stream_read(struct stream *s, void *buf, size_t n, struct error *err)
{
	struct stop_stream *t = container_of(s, struct stop_stream, base);
	struct pollfd fds[] = { { .fd = t->stop_fd, .events = POLLIN },
				{ .fd = t->source_fd, .events = POLLIN } };

	while (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno == EINTR)
		;
	return fds[0].revents ? stopped(err) : stream_read(t->below, buf, n, err);
}

static void stop_stream_close(struct stream *s)
{
	struct stop_stream *t = container_of(s, struct stop_stream, base);

	stream_close(t->below);
	free(t);
}

struct stream *stop_stream_open(struct stream *below, int source_fd, int stop_fd)
{
	static const struct stream_ops ops = { .read = stop_stream_read,
					       .close = stop_stream_close };
	struct stop_stream *t;

	if (stop_fd <= 0)
		return below;
	t = xmalloc(sizeof(*t));
	*t = (struct stop_stream){ { &ops }, below, source_fd, stop_fd };
	return &t->base;
}
