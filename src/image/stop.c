/* SPDX-License-Identifier: Apache-2.0 */
#include "image/stop.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/macro.h"
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
