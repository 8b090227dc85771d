/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a process does between the clone of exec and its execve. It shares the parent's memory
 * (CLONE_VM | CLONE_VFORK), so nothing here allocates, and the parent sleeps until the execve or
 * the end. The pid and time namespace were set by the parent for its children: a process cannot
 * change its own.
 */
#include "runtime/join.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/inject.h"
#include "base/macro.h"
#include "base/sig.h"
#include "base/sock.h"
#include "kernel/keyring.h"
#include "kernel/pty.h"
#include "oci/spec.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/lsm.h"
#include "runtime/mempolicy.h"
#include "runtime/personality.h"
#include "runtime/schedule.h"
#include "runtime/seccomp_notify.h"

/* The name by which console sockets announce a master, as runc has it. */
#define PTMX_NAME "/dev/ptmx"

static int join_signals(struct join_context *ctx, struct error *err)
{
	sig_reset_dispositions();
	sig_unblock_all();
	return 0;
}

/*
 * The caller's terminal is not the process's, even if its descriptors are: with it as controlling
 * terminal TIOCSTI would type into the caller's shell (CVE-2017-5226, CVE-2016-10124).
 */
static int join_session(struct join_context *ctx, struct error *err)
{
	if (setsid() < 0)
		return error_sys(err, "cannot start a session");
	return 0;
}

static int join_cgroup(struct join_context *ctx, struct error *err)
{
	int r = cgroup_enter(ctx->cgroup, err);

	if (r >= 0)
		r = rdt_enter(&ctx->rdt, err);
	/* not before: entering a cpuset sets the affinity to it */
	if (r >= 0)
		r = schedule_set_affinity(ctx->setup.process->cpu_affinity_final, "final", err);
	return r;
}

static int join_keyring(struct join_context *ctx, struct error *err)
{
	char name[256];
	int r;

	(void)snprintf(name, sizeof(name), "_ses.%.200s", ctx->id); /* as init named it */
	r = lsm_label_keys(ctx->proc_fd, ctx->setup.process->selinux_label, err);
	if (r >= 0)
		r = keyring_join_new(name, err);
	return r < 0 ? r : 0; /* 1: this kernel has no keys */
}

/*
 * The user namespace comes last: joining the others takes rights in the namespaces that own them,
 * and these need not be the container's user namespace (a network made by an engine).
 */
static int join_namespaces(struct join_context *ctx, struct error *err)
{
	unsigned others = ctx->namespaces & ~(unsigned)CLONE_NEWUSER;

	if (others && setns(ctx->init_pidfd, (int)others) < 0)
		return error_sys(err, "cannot join the container's namespaces");
	if ((ctx->namespaces & CLONE_NEWUSER) && setns(ctx->init_pidfd, CLONE_NEWUSER) < 0)
		return error_sys(err, "cannot join the container's user namespace");
	return 0;
}

static int join_root(struct join_context *ctx, struct error *err)
{
	if (ctx->root_fd >= 0 && (fchdir(ctx->root_fd) < 0 || chroot(".") < 0))
		return error_sys(err, "cannot change into the container's root");
	ctx->child_root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (ctx->child_root_fd < 0 || chdir("/") < 0)
		return error_sys(err, "cannot open the container's root");
	return 0;
}

static int join_terminal(struct join_context *ctx, struct error *err)
{
	const struct oci_process *p = ctx->setup.process;
	cleanup_fd int master_fd = -EBADF;
	cleanup_fd int slave_fd = -EBADF;
	int r;

	if (!p->terminal)
		return 0;
	r = pty_open(ctx->child_root_fd, "/dev/pts", &master_fd, &slave_fd, err);
	if (r < 0)
		return r;
	if (p->console_height)
		(void)pty_set_size(slave_fd, p->console_height, p->console_width);
	if (ctx->plain_newlines)
		(void)pty_keep_newlines(slave_fd); /* only looks are lost */
	if (fchown(slave_fd, p->user.uid, (gid_t)-1) < 0 && errno != EPERM && errno != EINVAL)
		return error_sys(err, "cannot give the terminal to user %u", p->user.uid);
	r = sock_send(ctx->console_fd, PTMX_NAME, strlen(PTMX_NAME), &master_fd, 1);
	if (r < 0)
		return error_num(err, -r, "cannot send the terminal to the console socket");
	return pty_make_controlling(slave_fd, err);
}

static int join_limits(struct join_context *ctx, struct error *err)
{
	int r = personality_apply(ctx->config, err);

	if (r >= 0)
		r = mempolicy_apply(ctx->config, err);
	return r < 0 ? r : process_apply_limits(&ctx->setup, ctx->proc_fd, err);
}

/* CVE-2024-21626: before names are looked up that may lead to /proc/self/fd/N, as in init. */
static int join_descriptors(struct join_context *ctx, struct error *err)
{
	const struct seccomp_notify *notify = ctx->setup.notify;
	int keep[] = { ctx->child_root_fd, notify ? seccomp_notify_agent(notify) : -EBADF };
	int r = fd_close_others(3 + ctx->preserve_fds, keep, ARRAY_SIZE(keep));

	return r < 0 ? error_num(err, -r, "cannot close descriptors") : 0;
}

static int join_user(struct join_context *ctx, struct error *err)
{
	return process_set_user(&ctx->setup, err);
}

static int join_cwd(struct join_context *ctx, struct error *err)
{
	return process_set_cwd(&ctx->setup, ctx->child_root_fd, err);
}

static int join_executable(struct join_context *ctx, struct error *err)
{
	return process_find_executable(&ctx->setup, err);
}

static int join_confine(struct join_context *ctx, struct error *err)
{
	return process_confine(&ctx->setup, err);
}

static int join_exec(struct join_context *ctx, struct error *err)
{
	return process_exec(&ctx->setup, err);
}

static const struct join_step {
	const char *name;
	int (*run)(struct join_context *ctx, struct error *err);
} join_steps[] = {
	{ "signals", join_signals },
	{ "session", join_session },
	{ "cgroup", join_cgroup }, /* with the host's rights and paths */
	{ "keyring", join_keyring },
	{ "limits", join_limits }, /* needs privileges that the user namespace ends */
	{ "namespaces", join_namespaces },
	{ "root", join_root },
	{ "terminal", join_terminal }, /* out of the container's devpts, before the user changes */
	/* what is of the host, before names that the container chooses are looked up */
	{ "descriptors", join_descriptors },
	{ "user", join_user },
	{ "cwd", join_cwd }, /* as the user: his rights decide */
	{ "executable", join_executable },
	{ "confine", join_confine }, /* may forbid all of the above */
	{ "exec", join_exec },
};

bool join_reached_exec(const struct join_context *ctx)
{
	return ctx->step == join_steps[ARRAY_SIZE(join_steps) - 1].name;
}

int join_main(void *arg)
{
	struct join_context *ctx = arg;

	for (size_t i = 0; i < ARRAY_SIZE(join_steps); i++) {
		const struct join_step *step = &join_steps[i];

		if (inject_failure("exec", step->name, &ctx->err) >= 0) {
			ctx->step = step->name;
			if (step->run(ctx, &ctx->err) >= 0)
				continue;
		}
		error_set_step(&ctx->err, step->name);
		return 1;
	}
	return 1; /* not reached: the last step execs or fails */
}
