/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sig.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIGNALS 64 /* of the kernel, whatever NSIG says */

/* The kernel's struct sigaction: all zero is SIG_DFL on every architecture. */
struct kernel_sigaction {
	uint64_t words[4];
};

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Adds a line's mask of /proc/PID/status to *set: bit n - 1 is signal n. */
static bool add_mask(const char *status, const char *line, uint64_t *set)
{
	const char *p = strstr(status, line);
	uint64_t mask = 0;
	int digits = 0;

	if (!p)
		return false;
	for (p += strlen(line); hex_digit(*p) >= 0; p++, digits++)
		mask = mask << 4 | (uint64_t)hex_digit(*p);
	*set |= mask;
	return digits == SIGNALS / 4 && *p == '\n';
}

/*
 * The signals that are ignored or caught. One read tells, which is half the time of asking for each;
 * all of them where there is no /proc to read. Non-blocking: it may be a container's /proc by now,
 * and whatever is there in its place.
 */
static uint64_t not_default(void)
{
	int fd = open("/proc/self/status", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	uint64_t set = 0;
	char status[4096];
	ssize_t n;

	if (fd < 0)
		return UINT64_MAX;
	n = read(fd, status, sizeof(status) - 1);
	close(fd);
	if (n <= 0)
		return UINT64_MAX;
	status[n] = '\0';
	return add_mask(status, "\nSigIgn:\t", &set) && add_mask(status, "\nSigCgt:\t", &set)
		       ? set
		       : UINT64_MAX;
}

void sig_reset_dispositions(void)
{
	static const struct kernel_sigaction by_default;
	uint64_t set = not_default();

	for (int sig = 1; sig <= SIGNALS; sig++) {
		if ((set >> (sig - 1) & 1) && sig != SIGKILL && sig != SIGSTOP)
			(void)syscall(SYS_rt_sigaction, sig, &by_default, NULL, SIGNALS / 8);
	}
}

void sig_unblock_all(void)
{
	sigset_t none;

	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL); /* only fails on a wrong argument */
}

void sig_expect_children(void)
{
	(void)signal(SIGCHLD, SIG_DFL); /* only fails on a wrong signal */
}
