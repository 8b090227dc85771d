/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vfork(2), not posix_spawn(3): the child needs close_range(2), setsid(2) and a death signal in an
 * order of its own, and glibc before 2.39 gives no pidfd. Until it executes, the child shares our
 * memory and we sleep; it therefore calls nothing but plain system calls, and tells a failure by
 * writing it into the shared struct child. Signals are blocked meanwhile: a handler of ours would
 * run in the child, on our data.
 */
#include "base/proc.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sig.h"
#include "base/str.h"

extern char **environ;

struct child {
	const struct proc_spawn *spawn;
	const char *path_var; /* $PATH of the search, or NULL */
	pid_t parent;
	const char *volatile failed; /* what failed, once failed_errno is set */
	volatile int failed_errno;
};

static int child_fail(struct child *c, const char *what)
{
	c->failed = what;
	c->failed_errno = errno ? errno : EIO;
	return -1;
}

static bool has_row(const struct proc_spawn *s, int to)
{
	for (size_t i = 0; i < s->n_fds; i++) {
		if (s->fds[i].to == to)
			return true;
	}
	return false;
}

/* All sources move above all targets first, so that no dup2 overwrites one that is still needed. */
static int child_map_fds(struct child *c)
{
	const struct proc_spawn *s = c->spawn;
	int moved[PROC_FDS_MAX];
	int above = 2;

	for (size_t i = 0; i < s->n_fds; i++)
		above = MAX(above, s->fds[i].to);
	for (size_t i = 0; i < s->n_fds; i++) {
		moved[i] = fcntl(s->fds[i].from, F_DUPFD_CLOEXEC, above + 1);
		if (moved[i] < 0)
			return child_fail(c, "duplicate a descriptor for");
	}
	if (syscall(SYS_close_range, 3, UINT_MAX, CLOSE_RANGE_CLOEXEC) < 0)
		return child_fail(c, "close descriptors for");
	for (size_t i = 0; i < s->n_fds; i++) {
		if (dup2(moved[i], s->fds[i].to) < 0)
			return child_fail(c, "duplicate a descriptor for");
	}
	for (int fd = 0; fd <= 2 && !(s->flags & PROC_INHERIT_STDIO); fd++) {
		int null_fd;

		if (has_row(s, fd))
			continue;
		null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (null_fd < 0 || dup2(null_fd, fd) < 0)
			return child_fail(c, "open '/dev/null' for");
		if (null_fd == fd)
			(void)fcntl(fd, F_SETFD, 0); /* dup2 onto itself keeps close-on-exec */
	}
	return 0;
}

static void child_search(struct child *c, char *const *argv, char *const *envp)
{
	const char *dir = c->path_var;
	char path[PATH_MAX];
	int denied = 0;

	while (dir) {
		const char *end = strchrnul(dir, ':');
		int n = snprintf(path, sizeof(path), "%.*s%s%s", (int)(end - dir), dir,
				 end > dir ? "/" : "", argv[0]);

		if (n > 0 && (size_t)n < sizeof(path))
			execve(path, argv, envp);
		if (errno == EACCES)
			denied = EACCES; /* what the user should hear if no other is found */
		else if (errno != ENOENT && errno != ENOTDIR)
			return;
		dir = *end ? end + 1 : NULL;
	}
	errno = denied ? denied : ENOENT;
}

/* Returns on failure only. */
static void execute(struct child *c)
{
	const struct proc_spawn *s = c->spawn;
	/* execve(2) does not write to the strings; its prototype is older than const */
	char *const *argv = (char *const *)(uintptr_t)s->argv;
	char *const *envp = s->envp ? (char *const *)(uintptr_t)s->envp : environ;

	if (c->path_var)
		child_search(c, argv, envp);
	else
		execve(s->path ? s->path : argv[0], argv, envp);
	child_fail(c, NULL);
}

static void NORETURN child_main(struct child *c)
{
	const struct proc_spawn *s = c->spawn;

	sig_reset_dispositions();
	sig_unblock_all();
	if ((s->flags & PROC_SETSID) && setsid() < 0) {
		child_fail(c, "make a session for");
		_exit(127);
	}
	if (child_map_fds(c) < 0)
		_exit(127);
	if (s->flags & PROC_DIE_WITH_US) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* cannot fail with a valid signal */
		if (getppid() != c->parent)
			_exit(127); /* we were told too late */
	}
	if (s->cwd && chdir(s->cwd) < 0) {
		child_fail(c, "change the directory for");
		_exit(127);
	}
	execute(c);
	_exit(127);
}

static int spawn_error(const struct child *c, const char *program, struct error *err)
{
	enum error_kind kind = ERROR_CMD_NOT_RUNNABLE;

	if (c->failed)
		return error_num(err, c->failed_errno, "cannot %s '%s'", c->failed, program);
	if (c->failed_errno == ENOENT || c->failed_errno == ENOTDIR)
		kind = ERROR_CMD_NOT_FOUND;
	error_num(err, c->failed_errno, "cannot execute '%s'", program);
	if (c->failed_errno != ENOMEM && c->failed_errno != EAGAIN)
		err->kind = kind;
	return -c->failed_errno;
}

static const char *program_of(const struct proc_spawn *spawn)
{
	return spawn->path ? spawn->path : spawn->argv[0];
}

static int prepare(struct child *c, const struct proc_spawn *spawn, struct error *err)
{
	const char *program = program_of(spawn);

	*c = (struct child){ .spawn = spawn, .parent = getpid() };
	if (spawn->n_fds > PROC_FDS_MAX)
		return error_kind(err, ERROR_INVALID, "too many descriptors for '%s'", program);
	if ((spawn->flags & PROC_SEARCH_PATH) && !spawn->path && !strchr(program, '/')) {
		c->path_var = getenv("PATH");
		if (str_empty(c->path_var))
			c->path_var =
				"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	}
	return 0;
}

int proc_become(const struct proc_spawn *spawn, struct error *err)
{
	struct child child;
	int r = prepare(&child, spawn, err);

	if (r < 0)
		return r;
	assert(spawn->flags == PROC_INHERIT_STDIO && !spawn->cwd);
	if (child_map_fds(&child) == 0)
		execute(&child);
	return spawn_error(&child, program_of(spawn), err);
}

int proc_spawn(const struct proc_spawn *spawn, int *ret_pidfd, pid_t *ret_pid, struct error *err)
{
	const char *program = program_of(spawn);
	struct child child;
	sigset_t all, old;
	int pidfd, r = prepare(&child, spawn, err);
	pid_t pid;

	if (r < 0)
		return r;

	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old); /* cannot fail with valid arguments */
	pid = vfork();
	if (pid == 0)
		child_main(&child);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);

	if (pid < 0)
		return error_sys(err, "cannot start a process for '%s'", program);
	if (child.failed_errno) {
		(void)waitpid(pid, NULL, 0); /* it called _exit: the answer is known */
		return spawn_error(&child, program, err);
	}
	pidfd = proc_open(pid);
	if (pidfd < 0)
		return error_num(err, -pidfd, "cannot open the process of '%s'", program);
	*ret_pidfd = pidfd;
	if (ret_pid)
		*ret_pid = pid;
	return 0;
}

struct proc_status proc_status_from(int cld_code, int value)
{
	if (cld_code == CLD_EXITED)
		return (struct proc_status){ .code = value };
	return (struct proc_status){ .code = 128 + value,
				     .signal = value,
				     .core_dumped = cld_code == CLD_DUMPED };
}

static int wait_for(int pidfd, int flags, struct proc_status *ret, struct error *err)
{
	siginfo_t info = { .si_pid = 0 };

	while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | flags) < 0) {
		if (errno != EINTR)
			return error_sys(err, "cannot wait for a process");
	}
	if (info.si_pid == 0)
		return 0;
	*ret = proc_status_from(info.si_code, info.si_status);
	return 1;
}

int proc_wait(int pidfd, struct proc_status *ret, struct error *err)
{
	int r = wait_for(pidfd, 0, ret, err);

	return r < 0 ? r : 0;
}

int proc_poll(int pidfd, struct proc_status *ret, struct error *err)
{
	return wait_for(pidfd, WNOHANG, ret, err);
}

const char *proc_status_text(const struct proc_status *status, char *buf)
{
	const char *name;

	if (!status->signal) {
		(void)snprintf(buf, PROC_STATUS_TEXT_MAX, "exit status %d", status->code);
		return buf;
	}
	name = sigabbrev_np(status->signal);
	if (name)
		(void)snprintf(buf, PROC_STATUS_TEXT_MAX, "killed by signal %d (SIG%s)",
			       status->signal, name);
	else
		(void)snprintf(buf, PROC_STATUS_TEXT_MAX, "killed by signal %d", status->signal);
	return buf;
}

int proc_open(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd; /* close-on-exec by itself */
}

int proc_kill(int pidfd, int signal)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}
