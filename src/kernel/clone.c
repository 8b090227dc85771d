/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A child that shares our memory cannot return through our stack: the first frame it pops would be
 * gone. So the switch to fn happens here, in a few instructions that touch no stack of the parent.
 */

#include "kernel/syscall.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>

/* Pages are touched only as deep as fn goes. */
#define STACK_BYTES (512u << 10)

#if defined(__x86_64__)

pid_t clone3_call(struct clone_args *args, int (*fn)(void *arg), void *arg)
{
	register void *child_arg __asm__("r8") = arg;
	register void *child_fn __asm__("r9") = (void *)(uintptr_t)fn;
	long r;

	/* clang-format off */
	__asm__ volatile("syscall\n\t"
			 "testq %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xorl %%ebp, %%ebp\n\t" /* the outermost frame, for debuggers */
			 "movq %%r8, %%rdi\n\t"
			 "call *%%r9\n\t"
			 "movl %%eax, %%edi\n\t"
			 "movl %[exit], %%eax\n\t"
			 "syscall\n\t"
			 "1:"
			 : "=a"(r)
			 : "0"((long)SYS_clone3), "D"(args), "S"(sizeof(*args)), "r"(child_arg),
			   "r"(child_fn), [exit] "i"(SYS_exit_group)
			 : "rcx", "r11", "memory", "cc");
	/* clang-format on */
	if (r >= 0)
		return (pid_t)r;
	errno = (int)-r;
	return -1;
}

#elif defined(__aarch64__)

pid_t clone3_call(struct clone_args *args, int (*fn)(void *arg), void *arg)
{
	register long nr __asm__("x8") = SYS_clone3;
	register long x0 __asm__("x0") = (long)(uintptr_t)args;
	register long x1 __asm__("x1") = sizeof(*args);
	register void *child_fn __asm__("x10") = (void *)(uintptr_t)fn;
	register void *child_arg __asm__("x11") = arg;

	/* clang-format off */
	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, #0\n\t" /* the outermost frame, for debuggers */
			 "mov x0, x11\n\t"
			 "blr x10\n\t"
			 "mov x8, %[exit]\n\t"
			 "svc #0\n\t"
			 "1:"
			 : "+r"(x0)
			 : "r"(nr), "r"(x1), "r"(child_fn), "r"(child_arg), [exit] "i"(SYS_exit_group)
			 : "memory", "cc");
	/* clang-format on */
	if (x0 >= 0)
		return (pid_t)x0;
	errno = (int)-x0;
	return -1;
}

#else

pid_t clone3_call(struct clone_args *args, int (*fn)(void *arg), void *arg)
{
	(void)args;
	(void)fn;
	(void)arg;
	errno = ENOSYS; /* callers take the fork-like way */
	return -1;
}

#endif

pid_t clone3_on_stack(struct clone_args *args, int (*fn)(void *arg), void *arg)
{
	void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	sigset_t all, before;
	int saved;
	pid_t pid;

	if (stack == MAP_FAILED)
		return -1;
	args->stack = (uint64_t)(uintptr_t)stack;
	args->stack_size = STACK_BYTES;
	sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &before); /* only fails on a wrong argument */
	pid = clone3_call(args, fn, arg);
	saved = errno;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	(void)munmap(stack, STACK_BYTES); /* address space only */
	errno = saved;
	return pid;
}
