/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill_at count FILE COMMAND...	writes how many system calls each process of the command makes: "1 120", "2 75"
 * kill_at PROCESS CALL COMMAND...	kills that process with SIGKILL when it begins its CALLth; the others live on
 *
 * Process 1 is the command itself, the others are numbered as they appear. What they make by an execve is another
 * program, and left alone. Ends with the command, and like it: 99 if the moment never came, 98 if it hangs.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES_MAX 64
#define HANG_S	      40
#define OPTIONS                                                                                   \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | \
	 PTRACE_O_TRACEEXEC)

enum { NOT_REACHED = 99, HANGS = 98 };

struct process {
	pid_t pid;
	long calls;
};

struct tracer {
	struct process processes[PROCESSES_MAX];
	int n;
	int wanted;	  /* from 1; 0: only count */
	long wanted_call; /* from 1 */
	bool killed;
};

static struct process *find(struct tracer *t, pid_t pid)
{
	for (int i = 0; i < t->n; i++)
		if (t->processes[i].pid == pid)
			return &t->processes[i];
	if (t->n == PROCESSES_MAX)
		exit(HANGS);
	t->processes[t->n] = (struct process){ .pid = pid };
	return &t->processes[t->n++];
}

static bool begins_call(pid_t pid)
{
	struct __ptrace_syscall_info info;

	return ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0 &&
	       info.op == PTRACE_SYSCALL_INFO_ENTRY;
}

/* A stop of a process. false: it is not to be resumed. */
static bool serve(struct tracer *t, pid_t pid, int status, int *ret_signal)
{
	int signo = WSTOPSIG(status);
	struct process *p = find(t, pid);

	*ret_signal = 0;
	if (signo == (SIGTRAP | 0x80)) {
		if (!begins_call(pid))
			return true;
		p->calls++;
		if (t->killed || p != &t->processes[t->wanted - 1] || p->calls != t->wanted_call)
			return true;
		t->killed = true;
		(void)kill(pid, SIGKILL); /* a stopped process of ours: it is there */
		return false;
	}
	if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8) && p != t->processes) {
		(void)ptrace(PTRACE_DETACH, pid, NULL, NULL); /* fails if it was killed meanwhile */
		return false;
	}
	if (status >> 16 == 0) /* no event of ptrace's: a signal */
		*ret_signal = signo;
	return true;
}

static int trace(struct tracer *t)
{
	for (;;) {
		int status, signo;
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			return HANGS;
		if (WIFSTOPPED(status)) {
			if (serve(t, pid, status, &signo))
				(void)ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)signo);
			continue;
		}
		if (pid == t->processes[0].pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
}

static void hangs(int signo)
{
	(void)signo;
	_exit(HANGS);
}

static pid_t start(char **argv)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (raise(SIGSTOP) == 0)
			execvp(argv[0], argv);
		_exit(127);
	}
	return pid;
}

int main(int argc, char **argv)
{
	struct tracer t = { 0 };
	int status, r;
	pid_t pid;

	if (argc < 4) {
		fprintf(stderr, "usage: kill_at count FILE COMMAND... | PROCESS CALL COMMAND...\n");
		return 2;
	}
	if (strcmp(argv[1], "count") != 0) {
		t.wanted = atoi(argv[1]);
		t.wanted_call = atol(argv[2]);
	}
	(void)signal(SIGALRM, hangs);
	(void)alarm(HANG_S);
	pid = start(argv + 3);
	/* seized, not attached: what is new when we end would be left with a SIGSTOP */
	if (pid < 0 || waitpid(pid, &status, WUNTRACED) < 0 || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SEIZE, pid, NULL, (void *)(long)OPTIONS) < 0 || kill(pid, SIGCONT) < 0)
		return HANGS;
	(void)find(&t, pid);
	r = trace(&t);
	if (t.wanted)
		return t.killed ? r : NOT_REACHED;
	if (!freopen(argv[2], "w", stdout))
		return HANGS;
	for (int i = 0; i < t.n; i++)
		printf("%d %ld\n", i + 1, t.processes[i].calls);
	return r;
}
