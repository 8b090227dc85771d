/* SPDX-License-Identifier: Apache-2.0 */
#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"

/*
 * F_OFD_GETLK cannot tell the holder (l_pid is -1), so the holder writes "PROGRAM PID" into the
 * file. The text is only for messages: a reader may see the last holder's, never trusts it.
 *
 * A wait polls: a timed F_OFD_SETLKW would need a signal, which a library must not take, and nothing
 * else could end it.
 */
#define LOCK_POLL_MS	20
#define LOCK_NOTICE_MS	1000
#define LOCK_HOLDER_MAX 80

static int try_lock(int fd, short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET };

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	return errno == EACCES ? -EAGAIN : -errno; /* fcntl(2): either of them */
}

static void write_holder(int fd)
{
	char text[LOCK_HOLDER_MAX];
	int n = snprintf(text, sizeof(text), "%s (pid %d)\n", program_invocation_short_name,
			 (int)getpid());

	/* for messages only: a full disk must not keep anybody from the lock */
	if (ftruncate(fd, 0) == 0)
		(void)!pwrite(fd, text, MIN((size_t)n, sizeof(text) - 1), 0);
}

/* Who has the lock: the file's first line, if that is a process which lives. */
static void read_holder(int fd, char text[static LOCK_HOLDER_MAX])
{
	ssize_t n = pread(fd, text, LOCK_HOLDER_MAX - 1, 0);
	const char *pid;
	int number;

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	pid = strstr(text, " (pid ");
	if (!pid || sscanf(pid, " (pid %d)", &number) != 1 || number <= 0 ||
	    (kill(number, 0) < 0 && errno == ESRCH))
		(void)snprintf(text, LOCK_HOLDER_MAX, "another program");
}

static int report_holder(int fd, const char *name, struct error *err)
{
	char holder[LOCK_HOLDER_MAX];

	read_holder(fd, holder);
	return error_kind(err, ERROR_CONFLICT, "'%s' is in use by %s", name, holder);
}

static void tell_holder(int fd, const char *name, const struct lock_wait *wait)
{
	cleanup_free char *sentence = NULL;
	char holder[LOCK_HOLDER_MAX];

	read_holder(fd, holder);
	sentence = xasprintf("waiting for %s, which uses '%s'", holder, name);
	wait->notice(sentence);
}

static int wait_for_lock(int fd, const char *name, short type, const struct lock_wait *wait,
			 struct error *err)
{
	int64_t begin = clock_monotonic_ns();
	bool told = !wait->notice;

	for (;;) {
		struct pollfd stop = { .fd = wait->stop_fd > 0 ? wait->stop_fd : -1,
				       .events = POLLIN };
		int64_t waited_ms = (clock_monotonic_ns() - begin) / 1000000;
		int r = try_lock(fd, type);

		if (r != -EAGAIN || waited_ms >= wait->timeout_ms)
			return r;
		if (!told && waited_ms >= LOCK_NOTICE_MS) {
			tell_holder(fd, name, wait);
			told = true;
		}
		if (poll(&stop, 1, LOCK_POLL_MS) > 0) /* woken early, we only ask sooner */
			return error_num(err, ECANCELED, "stopped");
	}
}

static int take_lock(int dir_fd, const char *name, int create, short type,
		     const struct lock_wait *wait, int *ret_fd, struct error *err)
{
	cleanup_fd int fd =
		openat(dir_fd, name, O_RDWR | create | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	int r;

	if (fd < 0)
		return error_sys(err, "cannot open lock '%s'", name);
	r = wait ? wait_for_lock(fd, name, type, wait, err) : try_lock(fd, type);
	if (r == -EAGAIN)
		return report_holder(fd, name, err);
	if (r == -ECANCELED)
		return r;
	if (r < 0)
		return error_num(err, -r, "cannot lock '%s'", name);
	*ret_fd = take_fd(&fd);
	return 0;
}

int lock_acquire(int dir_fd, const char *name, const struct lock_wait *wait, int *ret_fd,
		 struct error *err)
{
	int r = take_lock(dir_fd, name, O_CREAT, F_WRLCK, wait, ret_fd, err);

	if (r == 0)
		write_holder(*ret_fd);
	return r;
}

int lock_acquire_existing(int dir_fd, const char *name, const struct lock_wait *wait, int *ret_fd,
			  struct error *err)
{
	int r = take_lock(dir_fd, name, 0, F_WRLCK, wait, ret_fd, err);

	if (r == 0)
		write_holder(*ret_fd);
	return r;
}

int lock_share(int dir_fd, const char *name, const struct lock_wait *wait, int *ret_fd,
	       struct error *err)
{
	return take_lock(dir_fd, name, O_CREAT, F_RDLCK, wait, ret_fd, err);
}

int lock_try_fd(int fd)
{
	return try_lock(fd, F_WRLCK);
}

int lock_holder(int dir_fd, const char *name, pid_t *ret_pid, struct error *err)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	cleanup_fd int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	*ret_pid = 0;
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return error_sys(err, "cannot open '%s'", name);
	if (fcntl(fd, F_GETLK, &lock) < 0)
		return error_sys(err, "cannot read the lock of '%s'", name);
	if (lock.l_type != F_UNLCK)
		*ret_pid = lock.l_pid;
	return 0;
}
