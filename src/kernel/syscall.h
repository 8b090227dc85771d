/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * System calls that glibc has no wrapper for, as thin as they are: the result or -1 and errno.
 * The kernel version behind each is the first that has it.
 */

#include <linux/sched.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* 2.6.x; pivot_root(2) */
static inline int sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

/*
 * 5.3; clone3(2), fork-like: the child returns 0 here on a copy of the caller's stack. For flags
 * without CLONE_VM.
 */
static inline pid_t sys_clone3(struct clone_args *args)
{
	return (pid_t)syscall(SYS_clone3, args, sizeof(*args));
}

/*
 * clone3 for flags with CLONE_VM: the child runs fn(arg) on args->stack and ends with what fn
 * returns as its exit status. -1 and errno ENOSYS on architectures that have no trampoline here.
 */
pid_t clone3_call(struct clone_args *args, int (*fn)(void *arg), void *arg);

/*
 * clone3_call() on a stack that is made for the call, for flags with both CLONE_VM and CLONE_VFORK, or
 * neither. The child begins with all signals blocked: a handler must not run in one that shares our
 * memory. -1 and errno.
 */
pid_t clone3_on_stack(struct clone_args *args, int (*fn)(void *arg), void *arg);
