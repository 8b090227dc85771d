/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sig.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIGNALS 64 /* of the kernel, whatever NSIG says */

/* The kernel's struct sigaction: all zero is SIG_DFL on every architecture. */
struct kernel_sigaction {
	uint64_t words[4];
};

void sig_reset_dispositions(void)
{
	static const struct kernel_sigaction by_default;

	for (int sig = 1; sig <= SIGNALS; sig++) {
		if (sig != SIGKILL && sig != SIGSTOP)
			(void)syscall(SYS_rt_sigaction, sig, &by_default, NULL, SIGNALS / 8);
	}
}

void sig_unblock_all(void)
{
	sigset_t none;

	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL); /* only fails on a wrong argument */
}
