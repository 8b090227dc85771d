/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/criu.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/sig.h"
#include "base/sock.h"
#include "base/str.h"
#include "kernel/syscall.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/runtime.h"

#define LOG_MAX_BYTES (256u << 20)

void criu_add(struct criu_call *call, const char *word)
{
	call->argv = strv_push(call->argv, word);
}

void criu_add_value(struct criu_call *call, const char *option, const char *value)
{
	criu_add(call, option);
	criu_add(call, value);
}

static int make_directory(const char *path, char **ret_path, struct error *err)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_sys(err, "cannot make directory '%s'", path);
	*ret_path = realpath(path, NULL);
	return *ret_path ? 0 : error_sys(err, "cannot find '%s'", path);
}

static void add_flags(struct criu_call *call, const struct runtime_criu_options *o)
{
	const struct {
		bool on;
		const char *word;
	} flags[] = {
		{ o->tcp_established, "--tcp-established" },
		{ o->ext_unix_sk, "--ext-unix-sk" },
		{ o->shell_job, "--shell-job" },
		{ o->file_locks, "--file-locks" },
		{ o->auto_dedup, "--auto-dedup" },
		{ o->lazy_pages, "--lazy-pages" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (flags[i].on)
			criu_add(call, flags[i].word);
}

int criu_call_init(struct criu_call *call, const char *verb, const struct runtime_criu_options *o,
		   struct error *err)
{
	static const char *const modes[] = { "soft", "full", "strict", "ignore" };
	const char *mode = o->manage_cgroups_mode ? o->manage_cgroups_mode : modes[0];
	const char *image_path = o->image_path ? o->image_path : "checkpoint"; /* runc's */
	cleanup_free char *images = NULL, *manage = xasprintf("--manage-cgroups=%s", mode);
	int r;

	if (str_index(modes, ARRAY_SIZE(modes), mode) < 0)
		return error_kind(err, ERROR_INVALID,
				  "invalid cgroups mode '%s': not soft, full, strict or ignore",
				  mode);
	if (o->empty_ns && !str_eq(o->empty_ns, "network"))
		return error_kind(err, ERROR_INVALID, "empty namespace '%s': only network can be",
				  o->empty_ns);
	r = make_directory(image_path, &images, err);
	if (r >= 0)
		r = make_directory(o->work_path ? o->work_path : images, &call->work_path, err);
	if (r < 0)
		return r;
	criu_add(call, str_empty(o->program) ? "criu" : o->program);
	criu_add(call, verb);
	criu_add_value(call, "--images-dir", images);
	criu_add_value(call, "--work-dir", call->work_path);
	criu_add(call, "-v4");
	criu_add(call, manage);
	if (o->empty_ns)
		criu_add_value(call, "--empty-ns", "net");
	add_flags(call, o);
	return 0;
}

void criu_call_done(struct criu_call *call)
{
	call->argv = strv_free(call->argv);
	free(call->work_path);
	call->work_path = NULL;
}

/* In criu's process: what it cannot be told by words. */
static int set_up(const struct criu_call *call, struct error *err)
{
	if (call->cgroup && cgroup_enter(call->cgroup, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(call->keep_fds); i++)
		if (call->keep_fds[i] > 0 && fd_set_cloexec(call->keep_fds[i], false) < 0)
			return error_sys(err, "cannot pass a namespace to criu");
	if (!call->rootfs_path)
		return 0;
	/* criu wants a mount to make the root of; the host is not to see it */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return error_sys(err, "cannot make a mount namespace for criu");
	if (mount(call->rootfs_path, call->root_mount_path, NULL, MS_BIND | MS_REC, NULL) < 0)
		return error_sys(err, "cannot mount rootfs '%s'", call->rootfs_path);
	return 0;
}

static NORETURN void exec_criu(const struct criu_call *call, int report_fd)
{
	struct error err;

	if (set_up(call, &err) >= 0) {
		sig_reset_dispositions();
		sig_unblock_all();
		execvp(call->argv[0], call->argv);
		if (errno == ENOENT && str_eq(call->argv[0], "criu"))
			error_kind(&err, ERROR_UNSUPPORTED,
				   "criu is not installed: apt-get install criu");
		else
			error_sys(&err, "cannot execute criu '%s'", call->argv[0]);
	}
	(void)sock_send(report_fd, &err, sizeof(err), NULL, 0); /* nobody else to tell */
	_exit(EXIT_FAILURE);
}

/* The last line of the log that says "Error", or NULL; into text. */
static const char *last_error(char *text)
{
	const char *found = NULL;

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (strstr(line, "Error ("))
			found = strstr(line, "Error (");
	return found;
}

static int criu_failed(const struct criu_call *call, const struct proc_status *status,
		       struct error *err)
{
	cleanup_free char *path = path_join(call->work_path, call->log_name);
	cleanup_free char *text = NULL;
	char how[PROC_STATUS_TEXT_MAX];
	const char *word = NULL;
	struct error ignored;

	if (file_read(AT_FDCWD, path, LOG_MAX_BYTES, &text, NULL, &ignored) == 0)
		word = last_error(text);
	return error_kind(err, ERROR_INTERNAL, "criu %s: %s%s%.200s (see '%.150s')", call->argv[1],
			  proc_status_text(status, how), word ? ": " : "", word ? word : "", path);
}

int criu_run(const struct criu_call *call, struct error *err)
{
	cleanup_fd int ours_fd = -EBADF, theirs_fd = -EBADF, pidfd = -EBADF;
	int new_pidfd = -EBADF, cgroup_fd = call->cgroup ? cgroup_clone_fd(call->cgroup) : -1;
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
		.pidfd = (uint64_t)(uintptr_t)&new_pidfd,
		.exit_signal = SIGCHLD,
	};
	struct proc_status status;
	struct error own;
	pid_t pid;
	int r = sock_pair(SOCK_SEQPACKET, &ours_fd, &theirs_fd, err);

	if (r < 0)
		return r;
	if (cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup_fd;
	}
	pid = sys_clone3(&args);
	if (pid < 0)
		return error_sys(err, "cannot make a process for criu");
	if (pid == 0)
		exec_criu(call, theirs_fd);
	pidfd = new_pidfd;
	cleanup_close_fd(&theirs_fd);
	theirs_fd = -EBADF;
	r = proc_wait(pidfd, &status, err);
	if (r < 0)
		return r;
	if (sock_recv(ours_fd, &own, sizeof(own), NULL, NULL) == sizeof(own)) {
		*err = own;
		return own.sys > 0 ? -own.sys : -EIO;
	}
	return status.code ? criu_failed(call, &status, err) : 0;
}
