/* SPDX-License-Identifier: Apache-2.0 */
#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

/*
 * F_OFD_GETLK cannot tell the holder (l_pid is -1), so the holder writes "PROGRAM PID" into the
 * file. The text is only for messages: a reader may see the last holder's, never trusts it.
 *
 * A bounded wait polls: a timed F_OFD_SETLKW would need a signal, which a library must not take.
 */
#define LOCK_POLL_MS	20
#define LOCK_HOLDER_MAX 80

static int try_lock(int fd, short type, int command)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET };
	int r;

	do
		r = fcntl(fd, command, &lock);
	while (r < 0 && errno == EINTR && command == F_OFD_SETLKW);
	return r < 0 ? -errno : 0;
}

static int lock_within(int fd, short type, int wait_ms)
{
	int64_t deadline = clock_monotonic_ns() + wait_ms * INT64_C(1000000);

	if (wait_ms < 0)
		return try_lock(fd, type, F_OFD_SETLKW);
	for (;;) {
		const struct timespec pause = { .tv_nsec = LOCK_POLL_MS * 1000000L };
		int r = try_lock(fd, type, F_OFD_SETLK);

		if (r != -EAGAIN && r != -EACCES)
			return r;
		if (clock_monotonic_ns() >= deadline)
			return -EAGAIN;
		(void)nanosleep(&pause, NULL); /* woken early, we only ask sooner */
	}
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

static int report_holder(int fd, const char *name, struct error *err)
{
	char text[LOCK_HOLDER_MAX] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return error_kind(err, ERROR_CONFLICT, "'%s' is in use by %s", name,
			  *text ? text : "another program");
}

static int take_lock(int dir_fd, const char *name, int create, short type, int wait_ms, int *ret_fd,
		     struct error *err)
{
	cleanup_fd int fd =
		openat(dir_fd, name, O_RDWR | create | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	int r;

	if (fd < 0)
		return error_sys(err, "cannot open lock '%s'", name);
	r = lock_within(fd, type, wait_ms);
	if (r == -EAGAIN || r == -EACCES)
		return report_holder(fd, name, err);
	if (r < 0)
		return error_num(err, -r, "cannot lock '%s'", name);
	*ret_fd = take_fd(&fd);
	return 0;
}

int lock_acquire(int dir_fd, const char *name, int wait_ms, int *ret_fd, struct error *err)
{
	int r = take_lock(dir_fd, name, O_CREAT, F_WRLCK, wait_ms, ret_fd, err);

	if (r == 0)
		write_holder(*ret_fd);
	return r;
}

int lock_acquire_existing(int dir_fd, const char *name, int wait_ms, int *ret_fd, struct error *err)
{
	int r = take_lock(dir_fd, name, 0, F_WRLCK, wait_ms, ret_fd, err);

	if (r == 0)
		write_holder(*ret_fd);
	return r;
}

int lock_share(int dir_fd, const char *name, int wait_ms, int *ret_fd, struct error *err)
{
	return take_lock(dir_fd, name, O_CREAT, F_RDLCK, wait_ms, ret_fd, err);
}

int lock_try_fd(int fd)
{
	int r = try_lock(fd, F_WRLCK, F_OFD_SETLK);

	return r == -EACCES ? -EAGAIN : r; /* fcntl(2): either of them */
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
