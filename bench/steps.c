/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steps COMMAND...: runs COMMAND silently and prints how many instructions it and all its children executed in user mode,
 * counted one by one with ptrace(2): for machines without counters. A repeated string instruction is one, as the
 * processor's own counter has it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRACEES_MAX 64
#define OPTIONS	    (PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL)

#if defined(__x86_64__)
static long program_counter(pid_t pid)
{
	return ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user_regs_struct, rip), NULL);
}
#else
static long program_counter(pid_t pid)
{
	static long n;

	return ++n; /* no string instructions: every stop is one */
}
#endif

struct tracee {
	pid_t pid;
	long at;
};

static struct tracee *find(struct tracee *all, pid_t pid)
{
	struct tracee *unused = NULL;

	for (size_t i = 0; i < TRACEES_MAX; i++) {
		if (all[i].pid == pid)
			return &all[i];
		if (all[i].pid == 0 && !unused)
			unused = &all[i];
	}
	if (unused)
		*unused = (struct tracee){ .pid = pid, .at = -1 };
	return unused;
}

static pid_t start(char **argv)
{
	pid_t pid = fork();

	if (pid == 0) {
		int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

		(void)dup2(null_fd, STDIN_FILENO);
		(void)dup2(null_fd, STDOUT_FILENO);
		(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		(void)execvp(argv[0], argv);
		_exit(127);
	}
	return pid;
}

/* The signal to hand on: none that tracing itself made. */
static int signal_of(const struct tracee *t, int status)
{
	int signal = WSTOPSIG(status);

	return status >> 16 || signal == SIGTRAP || (signal == SIGSTOP && t->at == -1) ? 0 : signal;
}

int main(int argc, char **argv)
{
	struct tracee all[TRACEES_MAX] = { { 0 } };
	unsigned long long n = 0;
	int status, code = 1;
	pid_t pid, first;

	if (argc < 2)
		return 2;
	first = start(argv + 1);
	if (first < 0 || waitpid(first, &status, 0) < 0 || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, first, NULL, OPTIONS) < 0 ||
	    ptrace(PTRACE_SINGLESTEP, first, NULL, NULL) < 0)
		return 1;
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		struct tracee *t = find(all, pid);
		int signal;

		if (!t)
			return 1;
		if (!WIFSTOPPED(status)) {
			if (pid == first)
				code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
			t->pid = 0;
			continue;
		}
		signal = signal_of(t, status);
		if (WSTOPSIG(status) == SIGTRAP && !(status >> 16)) {
			long at = program_counter(pid);

			n += at != t->at;
			t->at = at;
		}
		if (ptrace(PTRACE_SINGLESTEP, pid, NULL, (void *)(long)signal) < 0 &&
		    errno != ESRCH)
			return 1;
	}
	return code != 0 || printf("%llu\n", n) < 0;
}
