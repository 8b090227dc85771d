/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Signal dispositions of a process that is about to become somebody else's program. */

/*
 * Every signal does what it does by default. execve(2) resets handlers, but an ignored signal stays
 * ignored, and our callers ignore many: even the two that the C library keeps for itself, which
 * sigaction(3) refuses to touch. Async-signal-safe; cannot fail.
 */
void sig_reset_dispositions(void);

/* No signal is blocked. Async-signal-safe; cannot fail. */
void sig_unblock_all(void);

/*
 * To be called first by a program that waits for children: with SIGCHLD ignored, as some callers
 * leave it, the kernel throws their exit codes away.
 */
void sig_expect_children(void);
