/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Making init: one clone3 with all new namespaces, born in the container's v2 cgroup.
 *
 *	plain     creator ──clone3(new namespaces)──▶ init, with a copy of our memory
 *	shared    the same with CLONE_VM | CLONE_VFORK: no page tables are copied, no page is
 *	          written twice; we sleep until init executes
 *	stage     creator ──clone3(VM, VFORK, FILES)──▶ stage: setns(...)
 *	             ╰────────── child of ours ◀── clone3(new namespaces, CLONE_PARENT)
 *	          born in the v2 cgroup in init's place if a cgroup namespace is joined, from
 *	          where that cannot be seen: ENOENT with "nsdelegate"
 *	          without VM if a time namespace is joined: setns(2) wants who does it alone in its
 *	          memory, EUSERS; so struct spawn, which brings the pid back, is in shared memory then
 *
 * All signals are blocked meanwhile, by clone3_on_stack() or here.
 */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/syscall.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/creation.h"

struct spawn {
	struct creation *creation;
	struct clone_args args;
	pid_t pid; /* written by the kernel before init runs */
	int pidfd;
	struct error error; /* of the stage */
};

static void fill_args(struct spawn *s, struct creation *c)
{
	int cgroup_fd = cgroup_clone_fd(c->cgroup);

	s->creation = c;
	s->pid = 0;
	s->pidfd = -EBADF;
	error_clear(&s->error);
	s->args = (struct clone_args){
		.flags = c->namespaces.make | CLONE_PIDFD | CLONE_PARENT_SETTID |
			 CLONE_CLEAR_SIGHAND,
		.pidfd = (uint64_t)(uintptr_t)&s->pidfd,
		.parent_tid = (uint64_t)(uintptr_t)&s->pid,
		.exit_signal = SIGCHLD,
	};
	if (cgroup_fd >= 0) {
		s->args.flags |= CLONE_INTO_CGROUP;
		s->args.cgroup = (uint64_t)cgroup_fd;
	}
}

int spawn_helper(uint64_t flags, int (*fn)(void *), void *arg, struct error *err)
{
	struct clone_args args = { .flags = CLONE_VM | CLONE_VFORK | CLONE_CLEAR_SIGHAND | flags,
				   .exit_signal = SIGCHLD };
	pid_t pid = clone3_on_stack(&args, fn, arg);
	int status = 0;

	if (pid < 0)
		return error_sys(err, "cannot make a process");
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	return error_kind(err, ERROR_INTERNAL, "a process of the runtime was killed by signal %d",
			  WTERMSIG(status));
}

static int clone_error(struct error *err)
{
	if (errno == EPERM)
		return error_sys(err, "cannot make the container's namespaces (root, or a user "
				      "namespace, is needed)");
	return error_sys(err, "cannot make the container's init");
}

static int spawn_plain(struct spawn *s, struct error *err)
{
	sigset_t all, before;
	pid_t pid;
	int saved;

	sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &before); /* only fails on a wrong argument */
	pid = sys_clone3(&s->args);
	if (pid == 0)
		_exit(init_main(&s->creation->init));
	saved = errno;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	errno = saved;
	return pid < 0 ? clone_error(err) : 0;
}

/* The process in between. Its error lies in our memory; its exit status says if there is one. */
static int stage_main(void *arg)
{
	struct spawn *s = arg;
	pid_t pid;

	if (namespaces_enter(&s->creation->namespaces, &s->error) < 0)
		return EXIT_FAILURE;
	s->args.flags |= CLONE_PARENT;
	s->args.exit_signal = 0; /* clone(2): that of our own parent's child */
	pid = sys_clone3(&s->args);
	if (pid == 0)
		_exit(init_main(&s->creation->init));
	if (pid > 0)
		return EXIT_SUCCESS;
	clone_error(&s->error);
	return EXIT_FAILURE;
}

static int spawn_through_stage(struct spawn *s, struct error *err)
{
	bool time = s->creation->namespaces.join_fd[OCI_NS_TIME] >= 0;
	struct clone_args args = {
		.flags = (time ? 0 : CLONE_VM | CLONE_VFORK) | CLONE_FILES | CLONE_CLEAR_SIGHAND,
		.exit_signal = SIGCHLD,
	};
	int status = 0;
	pid_t stage;

	if (s->creation->namespaces.join_fd[OCI_NS_CGROUP] >= 0) {
		args.flags |= s->args.flags & CLONE_INTO_CGROUP;
		args.cgroup = s->args.cgroup;
		s->args.flags &= ~(uint64_t)CLONE_INTO_CGROUP;
	}
	stage = clone3_on_stack(&args, stage_main, s);
	if (stage < 0)
		return clone_error(err);
	while (waitpid(stage, &status, 0) < 0 && errno == EINTR)
		;
	if (s->pid > 0)
		return 0;
	if (!WIFEXITED(status))
		return error_kind(err, ERROR_INTERNAL, "joining namespaces: killed by signal %d",
				  WTERMSIG(status));
	*err = s->error;
	error_set_step(err, "namespaces");
	return error_number(err);
}

int spawn_init(struct creation *c, struct error *err)
{
	bool copied = c->namespaces.join_fd[OCI_NS_TIME] >= 0; /* the stage has not our memory */
	struct spawn own, *s = &own;
	int r;

	if (copied)
		s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
			 0);
	if (s == MAP_FAILED)
		return error_sys(err, "cannot map memory for the container's init");
	fill_args(s, c);
	/* others are in that pid namespace already, and see init from its birth */
	if (c->namespaces.join_fd[OCI_NS_PID] >= 0)
		(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* only a wrong word can fail */
	r = c->namespaces.stage ? spawn_through_stage(s, err) : spawn_plain(s, err);
	if (r >= 0) {
		c->pid = s->pid;
		c->pidfd = s->pidfd;
	}
	if (copied)
		(void)munmap(s, sizeof(*s)); /* address space only */
	return r;
}

int spawn_init_shared(struct creation *c, struct error *err)
{
	struct spawn s = { 0 };
	pid_t pid;

	fill_args(&s, c);
	s.args.flags |= CLONE_VM | CLONE_VFORK;
	pid = clone3_on_stack(&s.args, init_main, &c->init);
	if (pid < 0)
		return errno == ENOSYS ? 1 : clone_error(err);
	c->pid = pid;
	c->pidfd = s.pidfd;
	return 0;
}
