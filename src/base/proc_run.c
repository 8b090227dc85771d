/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input lies in a file without a name, not in a pipe: nobody has to write while we read, and a
 * program that does not read it cannot stop us. Its output comes through a pipe of which we wait
 * for the end, or for the end of the program: what it left running may keep the pipe for ever.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/proc.h"

#define PIECE_BYTES 4096

/* The program, and the end of the pipe that it writes to. */
static int start(const struct proc_run *run, int in_fd, int *ret_out_fd, int *ret_pidfd,
		 struct error *err)
{
	cleanup_fd int read_fd = -EBADF, write_fd = -EBADF;
	struct proc_fd fds[3] = { { 0 } };
	struct proc_spawn spawn = { .argv = run->argv, .fds = fds, .flags = PROC_SEARCH_PATH };
	int pair[2], r;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return error_sys(err, "cannot make a pipe");
	read_fd = pair[0];
	write_fd = pair[1];
	r = fd_set_nonblock(read_fd, true); /* our end alone */
	if (r < 0)
		return error_num(err, -r, "cannot read a pipe without waiting");
	fds[spawn.n_fds++] = (struct proc_fd){ write_fd, STDOUT_FILENO };
	if (in_fd >= 0)
		fds[spawn.n_fds++] = (struct proc_fd){ in_fd, STDIN_FILENO };
	if (run->keep_stderr)
		fds[spawn.n_fds++] = (struct proc_fd){ STDERR_FILENO, STDERR_FILENO };
	r = proc_spawn(&spawn, ret_pidfd, NULL, err);
	if (r == 0)
		*ret_out_fd = take_fd(&read_fd);
	return r;
}

/* What is in the pipe now. 1: there may be more later; 0: that was the end. */
static int take_output(const struct proc_run *run, int fd, struct buf *output, struct error *err)
{
	for (;;) {
		ssize_t n;

		buf_reserve(output, PIECE_BYTES);
		n = read(fd, output->data + output->len, output->size - output->len - 1);
		if (n == 0)
			return 0;
		if (n < 0 && errno == EAGAIN)
			return 1;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_sys(err, "cannot read what '%s' says", run->argv[0]);
		output->len += (size_t)n;
		output->data[output->len] = '\0';
		if (output->len > run->output_max)
			return error_num(err, EFBIG, "'%s' says more than %zu bytes", run->argv[0],
					 run->output_max);
	}
}

/* Milliseconds for poll(2); 0: the time is over. */
static int time_left(int64_t deadline_ns)
{
	int64_t left = deadline_ns ? deadline_ns - clock_monotonic_ns() : 0;

	if (deadline_ns == 0)
		return -1;
	return left <= 0 ? 0 : (int)MIN(left / 1000000 + 1, (int64_t)60000);
}

/* Until the program has ended: all that it said. */
static int follow(const struct proc_run *run, int out_fd, int pidfd, struct buf *output,
		  struct error *err)
{
	int64_t deadline =
		run->timeout_ms ? clock_monotonic_ns() + (int64_t)run->timeout_ms * 1000000 : 0;
	struct pollfd fds[] = { { .fd = pidfd, .events = POLLIN },
				{ .fd = out_fd, .events = POLLIN } };
	int r;

	for (;;) {
		int left = time_left(deadline);

		if (left == 0)
			return error_num(err, ETIMEDOUT, "'%s' did not end within %u ms",
					 run->argv[0], run->timeout_ms);
		if (poll(fds, 2, left) < 0) {
			if (errno == EINTR)
				continue;
			return error_sys(err, "cannot wait for '%s'", run->argv[0]);
		}
		/* after its end nothing of its own can come any more: what is there is all */
		r = fds[1].fd < 0 ? 0 : take_output(run, out_fd, output, err);
		if (r < 0 || fds[0].revents)
			return r < 0 ? r : 0;
		if (r == 0)
			fds[1].fd = -1; /* it closed it and goes on */
	}
}

int proc_run(const struct proc_run *run, struct buf *output, struct proc_status *ret_status,
	     struct error *err)
{
	cleanup_fd int in_fd = -EBADF, out_fd = -EBADF, pidfd = -EBADF;
	struct proc_status status;
	struct error ignored; /* the first failure is the one that counts */
	int r = run->input ? file_in_memory(run->input, run->input_len, &in_fd, err) : 0;

	buf_clear(output);
	if (r == 0)
		r = start(run, in_fd, &out_fd, &pidfd, err);
	if (r < 0)
		return r;
	r = follow(run, out_fd, pidfd, output, err);
	if (r < 0) {
		(void)proc_kill(pidfd, SIGKILL); /* or it has just ended */
		(void)proc_wait(pidfd, &status, &ignored);
		return r;
	}
	r = proc_wait(pidfd, &status, err);
	if (r == 0)
		*ret_status = status;
	return r;
}
