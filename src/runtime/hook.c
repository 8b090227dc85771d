/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/macro.h"
#include "base/proc.h"
#include "base/sig.h"
#include "base/sock.h"
#include "kernel/syscall.h"
#include "runtime/annotation.h"

static const char *const kind_names[OCI_HOOK_KIND_COUNT] = {
	[OCI_HOOK_PRESTART] = "prestart",
	[OCI_HOOK_CREATE_RUNTIME] = "createRuntime",
	[OCI_HOOK_CREATE_CONTAINER] = "createContainer",
	[OCI_HOOK_START_CONTAINER] = "startContainer",
	[OCI_HOOK_POSTSTART] = "poststart",
	[OCI_HOOK_POSTSTOP] = "poststop",
};

struct hook_run {
	const struct oci_hook *hook;
	const struct hook_how *how;
};

/* Where the hooks' output goes */

static int open_output(const struct oci_spec *spec, const char *key, int *ret_fd, struct error *err)
{
	const char *path = annotations_value(spec, key);

	if (!path)
		return 0;
	if (path[0] != '/') /* start and delete are called from anywhere */
		return error_kind(err, ERROR_INVALID, "annotation %s: '%s' is not absolute", key,
				  path);
	*ret_fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_CLOEXEC, 0600);
	if (*ret_fd < 0)
		return error_sys(err, "annotation %s: cannot open '%s'", key, path);
	return 0;
}

int hook_output_open(const struct oci_spec *spec, struct hook_output *ret_output, struct error *err)
{
	cleanup_hook_output struct hook_output output = HOOK_OUTPUT_CALLER;
	size_t hooks = 0;
	int r = 0;

	for (size_t i = 0; i < OCI_HOOK_KIND_COUNT; i++)
		hooks += spec->hooks.n[i];
	if (hooks > 0)
		r = open_output(spec, "run.oci.hooks.stdout", &output.out_fd, err);
	if (hooks > 0 && r == 0)
		r = open_output(spec, "run.oci.hooks.stderr", &output.err_fd, err);
	if (r < 0)
		return r;
	ret_output->out_fd = take_fd(&output.out_fd);
	ret_output->err_fd = take_fd(&output.err_fd);
	return 0;
}

void hook_output_close(struct hook_output *output)
{
	cleanup_close_fd(&output->out_fd);
	cleanup_close_fd(&output->err_fd);
	*output = HOOK_OUTPUT_CALLER;
}

/* Running */

/* In the hook's process: its fds 0, 1 and 2. */
static int give_stdio(const struct hook_how *how, int state_fd, struct error *err)
{
	const struct hook_output *o = how->output;

	if (dup2(state_fd, STDIN_FILENO) < 0)
		return error_sys(err, "cannot give the state to the hook");
	if (o && ((o->out_fd >= 0 && dup2(o->out_fd, STDOUT_FILENO) < 0) ||
		  (o->err_fd >= 0 && dup2(o->err_fd, STDERR_FILENO) < 0)))
		return error_sys(err, "cannot give the hook its output");
	return 0;
}

static char *const *hook_env(const struct oci_hook *h, const struct hook_how *how)
{
	const char *const *env = h->env && (h->env[0] || !how->env) ? h->env : how->env;

	return env ? (char *const *)(uintptr_t)env : environ;
}

/* In the hook's process: never returns. An error goes to the parent, success closes report_fd. */
static NORETURN void exec_hook(const struct hook_run *run, int state_fd, int report_fd)
{
	const struct oci_hook *h = run->hook;
	const struct hook_how *how = run->how;
	char *const alone[] = { (char *)(uintptr_t)h->path, NULL };
	char *const *argv = h->args ? (char *const *)(uintptr_t)h->args : alone;
	struct error err;

	if (give_stdio(how, state_fd, &err) == 0 &&
	    (!how->confine || how->confine(how->confine_arg, &err) == 0)) {
		sig_reset_dispositions();
		sig_unblock_all();
		if (how->dir)
			(void)!chdir(how->dir); /* poststop: the bundle may be gone */
		execve(h->path, argv, hook_env(h, how));
		error_sys(&err, "cannot execute it");
	}
	(void)sock_send(report_fd, &err, sizeof(err), NULL, 0); /* nobody else to tell */
	_exit(EXIT_FAILURE);
}

/* 0 ended, 1 time is up */
static int wait_until(int pidfd, int timeout_s, struct error *err)
{
	int64_t end = clock_monotonic_ns() + (int64_t)timeout_s * 1000000000;

	for (;;) {
		struct pollfd p = { .fd = pidfd, .events = POLLIN };
		int64_t left_ms = timeout_s ? (end - clock_monotonic_ns() + 999999) / 1000000 : -1;
		int r;

		if (timeout_s && left_ms <= 0)
			return 1;
		r = poll(&p, 1, (int)MIN(left_ms, (int64_t)3600000));
		if (r > 0)
			return 0;
		if (r < 0 && errno != EINTR)
			return error_sys(err, "cannot wait for it");
	}
}

static int wait_hook(const struct oci_hook *h, int pidfd, int report_fd, struct error *err)
{
	char text[PROC_STATUS_TEXT_MAX];
	struct proc_status status;
	struct error own;
	int r = wait_until(pidfd, h->timeout_s, err);
	int late = r;

	if (r != 0)
		(void)proc_kill(pidfd, SIGKILL); /* it may have ended meanwhile */
	r = proc_wait(pidfd, &status, late < 0 ? &own : err);
	if (late < 0 || r < 0)
		return late < 0 ? late : r;
	if (late > 0)
		return error_kind(err, ERROR_INTERNAL, "it ran longer than its timeout of %d s",
				  h->timeout_s);
	if (sock_recv(report_fd, &own, sizeof(own), NULL, NULL) == sizeof(own)) {
		*err = own;
		return error_number(err);
	}
	if (status.code != 0)
		return error_kind(err, ERROR_INTERNAL, "%s", proc_status_text(&status, text));
	return 0;
}

static int run_one(const struct hook_run *run, struct error *err)
{
	cleanup_fd int state_fd = -EBADF;
	cleanup_fd int ours_fd = -EBADF;
	cleanup_fd int theirs_fd = -EBADF;
	cleanup_fd int pidfd = -EBADF;
	int new_pidfd = -EBADF;
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
		.pidfd = (uint64_t)(uintptr_t)&new_pidfd,
		.exit_signal = SIGCHLD,
	};
	pid_t pid;
	int r;

	/* on fd 0; a file, so that no hook that reads late or never can block us */
	r = file_in_memory(run->how->state, strlen(run->how->state), &state_fd, err);
	if (r == 0)
		r = sock_pair(SOCK_SEQPACKET, &ours_fd, &theirs_fd, err);
	if (r < 0)
		return r;
	pid = sys_clone3(&args);
	if (pid < 0 && errno == ENOSYS) /* a filter says so, as many profiles do */
		pid = (pid_t)syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &new_pidfd, NULL,
				     NULL);
	if (pid < 0)
		return error_sys(err, "cannot make a process");
	if (pid == 0)
		exec_hook(run, state_fd, theirs_fd);
	pidfd = new_pidfd;
	cleanup_close_fd(&theirs_fd);
	theirs_fd = -EBADF;
	return wait_hook(run->hook, pidfd, ours_fd, err);
}

int hooks_run(const struct oci_hooks *hooks, enum oci_hook_kind kind, const struct hook_how *how,
	      struct error *err)
{
	for (size_t i = 0; i < hooks->n[kind]; i++) {
		struct hook_run run = { .hook = &hooks->list[kind][i], .how = how };
		char text[ERROR_TEXT_MAX];
		int r = run_one(&run, err);

		if (r < 0)
			r = error_prefix(err, r, "hooks.%s[%zu]: '%s'", kind_names[kind], i,
					 run.hook->path);
		if (r < 0 && kind != OCI_HOOK_POSTSTOP)
			return r;
		if (r < 0)
			log_warning("%s", error_text(err, text, sizeof(text)));
	}
	return 0;
}
