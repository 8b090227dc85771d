/* SPDX-License-Identifier: Apache-2.0 */
/*
 * berth-init -- COMMAND [ARG...]: the optional pid 1 of a container (berth run --init).
 *
 * A container's first process has two duties that few programs know of: it must reap every orphan
 * of the container, and it gets no default action for signals. berth-init does both for COMMAND: it
 * starts it as its child, in a process group of its own that owns the terminal, forwards every
 * signal that can be forwarded, reaps whatever ends, and exits as COMMAND did: with its exit code,
 * or 128 + n if signal n killed it. The kernel then kills what is left.
 *
 * All signals are blocked and taken one by one from sigwaitinfo(), so there is no handler, no race
 * and no allocation. The program is static and uses nothing of berth: it runs inside images that
 * have no libraries.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* as a shell: the command was not found, or could not be executed */
#define EXIT_NOT_FOUND	  127
#define EXIT_NOT_RUNNABLE 126
#define EXIT_OWN_FAULT	  125

static void complain(const char *what, const char *object)
{
	(void)dprintf(STDERR_FILENO, "berth-init: %s '%s': %s\n", what, object, strerror(errno));
}

/* Faults of the program itself stay deadly; blocking them would make them endless loops. */
static void blocked_signals(sigset_t *set)
{
	static const int own[] = { SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS };

	(void)sigfillset(set);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		(void)sigdelset(set, own[i]);
}

/*
 * Makes the child's process group the foreground one, so that ctrl-c and job control of the command
 * work. Called by the child: the terminal may be somebody else's or none at all, and then nothing
 * is to be done.
 */
static void take_terminal(void)
{
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);

	if (tty < 0)
		return;
	/* a background group that calls it is sent SIGTTOU, which is still blocked here */
	(void)tcsetpgrp(tty, getpgrp());
	(void)close(tty);
}

static _Noreturn void run_command(char **argv, const sigset_t *old_mask)
{
	(void)setpgid(0, 0); /* fails only for a session leader, which a fresh child is not */
	take_terminal();
	(void)sigprocmask(SIG_SETMASK, old_mask, NULL);
	(void)execvp(argv[0], argv);
	complain("cannot run", argv[0]);
	_exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUNNABLE);
}

/* Reaps all that ended. True when the command was among them; *ret_code is then what we exit with.
 */
static bool reap(pid_t command, int *ret_code)
{
	bool ended = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != command)
			continue;
		ended = true;
		*ret_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
	return ended;
}

/* A signal for pid 1 is meant for the command; the group gets what the terminal would have sent to
 * it. */
static void forward(pid_t command, const siginfo_t *info, bool to_group)
{
	int sig = info->si_signo;

	/* about our own writes to the terminal, from a group that is not in the foreground */
	if (info->si_code == SI_KERNEL && (sig == SIGTTIN || sig == SIGTTOU))
		return;
	if (kill(to_group ? -command : command, sig) < 0 && errno != ESRCH)
		complain("cannot forward", strsignal(sig));
}

static int supervise(pid_t command, const sigset_t *set, bool to_group)
{
	int code = 0;

	for (;;) {
		siginfo_t info;
		int sig = sigwaitinfo(set, &info);

		if (sig < 0) /* EINTR: stopped and continued */
			continue;
		if (sig != SIGCHLD)
			forward(command, &info, to_group);
		else if (reap(command, &code))
			return code;
	}
}

static int usage(void)
{
	(void)dprintf(STDERR_FILENO, "usage: berth-init [-g] [-s] [--] COMMAND [ARG...]\n"
				     "  -g  forward signals to the command's whole process group\n"
				     "  -s  not pid 1: become the reaper of all descendants\n");
	return EXIT_OWN_FAULT;
}

int main(int argc, char **argv)
{
	bool subreaper = false, to_group = false;
	sigset_t set, old_mask;
	pid_t command;
	int option;

	while ((option = getopt(argc, argv, "+gsV")) >= 0) {
		if (option == 'V')
			return dprintf(STDOUT_FILENO, "berth-init %s\n", BERTH_VERSION) < 0;
		if (option == '?')
			return usage();
		subreaper |= option == 's';
		to_group |= option == 'g';
	}
	if (optind == argc)
		return usage();
	if (getpid() != 1 && !subreaper) {
		(void)dprintf(STDERR_FILENO,
			      "berth-init: not pid 1, so orphans would go elsewhere: "
			      "use -s to become their reaper\n");
		return EXIT_OWN_FAULT;
	}
	if (subreaper && prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL) < 0) {
		complain("cannot become", "subreaper");
		return EXIT_OWN_FAULT;
	}

	blocked_signals(&set);
	(void)sigprocmask(SIG_SETMASK, &set, &old_mask); /* before fork: no signal may be lost */
	command = fork();
	if (command < 0) {
		complain("cannot start", argv[optind]);
		return EXIT_OWN_FAULT;
	}
	if (command == 0)
		run_command(argv + optind, &old_mask);
	(void)setpgid(command, command); /* by both: whoever comes first, the group is there */
	return supervise(command, &set, to_group);
}
