/* SPDX-License-Identifier: Apache-2.0 */

/*
 * criu as a worker (criu swrk FD), one message a packet:
 *
 *	we                                            criu
 *	clone, placed in its cgroup
 *	begin()
 *	request: what to do, options ───────────────▶
 *	                             ◀─────────────── notification: a moment, perhaps a descriptor
 *	notify()
 *	done, or it failed ─────────────────────────▶ goes on, or gives up
 *	                                              ... as often as there are moments
 *	                             ◀─────────────── response: success, and the pid
 *
 * The worker is a child of ours, so what it restores can be one, too (RESTORE_SIBLING). It opens its
 * directories as /proc/<we>/fd/N, and works in them with mounts: they must be of its mount namespace.
 */
#include "runtime/criu.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
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
#include "codec/protobuf.h"
#include "kernel/syscall.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/rdt.h"
#include "runtime/runtime.h"

#define LOG_MAX_BYTES	  (256u << 20)
#define LOG_LEVEL	  4
#define MESSAGE_MAX_BYTES 65536 /* one has a script's name, or the first line of an error */

void criu_add_number(struct criu_call *call, enum criu_option option, uint64_t value)
{
	protobuf_add_number(&call->options, option, value);
}

void criu_add_string(struct criu_call *call, enum criu_option option, const char *value)
{
	if (value)
		protobuf_add_string(&call->options, option, value);
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
		enum criu_option option;
	} flags[] = {
		{ o->tcp_established, CRIU_OPTION_TCP_ESTABLISHED },
		{ o->ext_unix_sk, CRIU_OPTION_EXT_UNIX_SK },
		{ o->shell_job, CRIU_OPTION_SHELL_JOB },
		{ o->file_locks, CRIU_OPTION_FILE_LOCKS },
		{ o->auto_dedup, CRIU_OPTION_AUTO_DEDUP },
		{ o->lazy_pages, CRIU_OPTION_LAZY_PAGES },
		{ o->link_remap, CRIU_OPTION_LINK_REMAP },
		{ o->tcp_close, CRIU_OPTION_TCP_CLOSE },
		{ o->tcp_skip_in_flight, CRIU_OPTION_TCP_SKIP_IN_FLIGHT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (flags[i].on)
			criu_add_number(call, flags[i].option, true);
}

/* Words of the command line that mean something to criu only as numbers. */
static int add_modes(struct criu_call *call, const struct runtime_criu_options *o,
		     struct error *err)
{
	const char *word = o->manage_cgroups_mode ? o->manage_cgroups_mode : "soft";
	int mode = criu_cgroups_mode(word);
	int lock = o->network_lock ? criu_network_lock(o->network_lock) : 0;

	if (mode < 0)
		return error_kind(err, ERROR_INVALID,
				  "invalid cgroups mode '%s': not soft, full, strict or ignore",
				  word);
	criu_add_number(call, CRIU_OPTION_MANAGE_CGROUPS_MODE, (unsigned)mode);
	if (lock < 0)
		return error_kind(err, ERROR_INVALID,
				  "invalid network lock '%s': not iptables, nftables or skip",
				  o->network_lock);
	if (lock > 0)
		criu_add_number(call, CRIU_OPTION_NETWORK_LOCK, (unsigned)lock);
	if (!o->empty_ns)
		return 0;
	if (!str_eq(o->empty_ns, "network"))
		return error_kind(err, ERROR_INVALID, "empty namespace '%s': only network can be",
				  o->empty_ns);
	criu_add_number(call, CRIU_OPTION_EMPTY_NS, CLONE_NEWNET);
	return 0;
}

int criu_call_init(struct criu_call *call, enum criu_request request,
		   const struct runtime_criu_options *o, struct error *err)
{
	const char *image_path = o->image_path ? o->image_path : "checkpoint"; /* runc's */
	int r;

	call->request = request;
	call->log_name = request == CRIU_RESTORE ? "restore.log" : "dump.log";
	call->program = str_empty(o->program) ? "criu" : o->program;
	r = add_modes(call, o, err);
	if (r >= 0)
		r = make_directory(image_path, &call->images_path, err);
	if (r >= 0)
		r = make_directory(o->work_path ? o->work_path : call->images_path,
				   &call->work_path, err);
	if (r < 0)
		return r;
	criu_add_string(call, CRIU_OPTION_LOG_FILE, call->log_name);
	criu_add_number(call, CRIU_OPTION_LOG_LEVEL, LOG_LEVEL);
	criu_add_number(call, CRIU_OPTION_NOTIFY_SCRIPTS, true);
	add_flags(call, o);
	return 0;
}

void criu_call_done(struct criu_call *call)
{
	buf_done(&call->options);
	free(call->images_path);
	free(call->work_path);
	call->images_path = call->work_path = NULL;
}

/* In criu's process: what it cannot be told by words. */
static int set_up(const struct criu_call *call, int worker_fd, struct error *err)
{
	if (fd_set_cloexec(worker_fd, false) < 0)
		return error_sys(err, "cannot pass a socket to criu");
	if (call->cgroup && cgroup_enter(call->cgroup, err) < 0)
		return -1;
	if (call->rdt && rdt_enter(call->rdt, err) < 0)
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

static NORETURN void exec_criu(const struct criu_call *call, int worker_fd, int report_fd)
{
	char number[16];
	const char *const argv[] = { call->program, "swrk", number, NULL };
	struct error err;

	snprintf(number, sizeof(number), "%d", worker_fd);
	if (set_up(call, worker_fd, &err) >= 0) {
		sig_reset_dispositions();
		sig_unblock_all();
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		if (errno == ENOENT && str_eq(argv[0], "criu"))
			error_kind(&err, ERROR_UNSUPPORTED,
				   "criu is not installed: apt-get install criu");
		else
			error_sys(&err, "cannot execute criu '%s'", argv[0]);
	}
	(void)sock_send(report_fd, &err, sizeof(err), NULL, 0); /* nobody else to tell */
	_exit(EXIT_FAILURE);
}

/* The worker's process and our ends of its sockets. */
struct worker {
	pid_t pid;
	int pidfd;
	int fd; /* messages */
	int images_fd, work_fd;
};

#define WORKER_NONE                                                                   \
	{                                                                             \
		.pidfd = -EBADF, .fd = -EBADF, .images_fd = -EBADF, .work_fd = -EBADF \
	}

static void worker_close(struct worker *w)
{
	cleanup_close_fd(&w->pidfd);
	cleanup_close_fd(&w->fd);
	cleanup_close_fd(&w->images_fd);
	cleanup_close_fd(&w->work_fd);
	*w = (struct worker)WORKER_NONE;
}

/* Until it is criu: end of file on fd, which is closed by execve; or why it cannot be. */
static int wait_executed(int fd, struct error *err)
{
	struct error own;
	ssize_t n = sock_recv(fd, &own, sizeof(own), NULL, NULL);

	if (n == 0)
		return 0;
	if (n != sizeof(own))
		return error_num(err, n < 0 ? (int)-n : EIO, "cannot start criu");
	*err = own;
	return error_number(err);
}

static int worker_start(struct worker *w, const struct criu_call *call, struct error *err)
{
	cleanup_fd int worker_fd = -EBADF, ours_fd = -EBADF, theirs_fd = -EBADF;
	int new_pidfd = -EBADF, cgroup_fd = call->cgroup ? cgroup_clone_fd(call->cgroup) : -1;
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
		.pidfd = (uint64_t)(uintptr_t)&new_pidfd,
		.exit_signal = SIGCHLD,
	};
	int r = sock_pair(SOCK_SEQPACKET, &w->fd, &worker_fd, err);

	if (r >= 0)
		r = sock_pair(SOCK_SEQPACKET, &ours_fd, &theirs_fd, err);
	if (r < 0)
		return r;
	if (cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup_fd;
	}
	w->pid = sys_clone3(&args);
	if (w->pid < 0)
		return error_sys(err, "cannot make a process for criu");
	if (w->pid == 0)
		exec_criu(call, worker_fd, theirs_fd);
	w->pidfd = new_pidfd;
	cleanup_close_fd(&theirs_fd);
	theirs_fd = -EBADF;
	return wait_executed(ours_fd, err);
}

/* 0, or 1: criu has ended, for the directories are there. */
static int open_directory(const struct worker *w, const char *path, int *ret_fd, struct error *err)
{
	cleanup_free char *inside = xasprintf("/proc/%d/root%s", (int)w->pid, path);

	*ret_fd = open(inside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_fd < 0 && (errno == ENOENT || errno == ESRCH))
		return 1;
	return *ret_fd < 0 ? error_sys(err, "cannot open '%s'", path) : 0;
}

static int open_directories(struct worker *w, struct criu_call *call, struct error *err)
{
	int r = open_directory(w, call->images_path, &w->images_fd, err);

	if (r == 0)
		r = open_directory(w, call->work_path, &w->work_fd, err);
	if (r != 0)
		return r;
	criu_add_number(call, CRIU_OPTION_IMAGES_DIR_FD, (unsigned)w->images_fd);
	criu_add_number(call, CRIU_OPTION_WORK_DIR_FD, (unsigned)w->work_fd);
	return 0;
}

/* 0, or 1: criu has ended. */
static int say(const struct worker *w, const struct buf *message, struct error *err)
{
	int r = sock_send(w->fd, message->data, message->len, NULL, 0);

	if (r == -EPIPE)
		return 1;
	return r < 0 ? error_num(err, -r, "cannot talk to criu") : 0;
}

/* As say(). *ret_fd is the caller's; -EBADF: there came none. */
static int hear(const struct worker *w, struct criu_response *ret, int *ret_fd, struct error *err)
{
	char data[MESSAGE_MAX_BYTES];
	int fds[SOCK_FDS_MAX];
	size_t n_fds = 0;
	ssize_t n = sock_recv(w->fd, data, sizeof(data), fds, &n_fds);
	int r;

	if (n == 0)
		return 1;
	if (n < 0)
		return error_num(err, (int)-n, "cannot hear criu");
	r = criu_response_parse(data, (size_t)n, ret, err);
	while (n_fds > (r < 0 ? 0 : 1))
		close(fds[--n_fds]);
	*ret_fd = n_fds ? fds[0] : -EBADF;
	return r;
}

/* One notification; its failure is the reason of criu's, which is what comes next. */
static int serve(const struct criu_call *call, const struct worker *w,
		 const struct criu_response *response, int fd, struct error *own, struct error *err)
{
	cleanup_buf struct buf reply = { 0 };
	int r = call->notify ? call->notify(call->arg, response, fd, own) : 0;

	criu_format_reply(&reply, r >= 0);
	return say(w, &reply, err);
}

/* 0: criu did it; 1: it did not, or ended; own is filled if that was because of us. */
static int converse(struct criu_call *call, struct worker *w, struct error *own, struct error *err)
{
	cleanup_buf struct buf request = { 0 };
	int r = open_directories(w, call, err);

	if (r == 0 && call->begin)
		r = call->begin(call->arg, w->pid, err);
	if (r != 0)
		return r;
	criu_format_request(&request, call->request, &call->options);
	r = say(w, &request, err);
	while (r == 0) {
		cleanup_fd int fd = -EBADF;
		struct criu_response response;

		r = hear(w, &response, &fd, err);
		if (r != 0)
			break;
		if (response.type != CRIU_NOTIFY) {
			call->pid = response.pid;
			return response.success ? 0 : 1;
		}
		r = serve(call, w, &response, fd, own, err);
	}
	return r;
}

/* The last line of the log that says "Error" and why, or NULL; into text. */
static const char *last_error(char *text)
{
	const char *found = NULL;

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (strstr(line, "Error (") && !strstr(line, " FAILED."))
			found = strstr(line, "Error (");
	return found;
}

static const char *verb_of(const struct criu_call *call)
{
	if (call->request == CRIU_RESTORE)
		return "restore";
	return call->request == CRIU_DUMP ? "dump" : "pre-dump";
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
	return error_kind(err, ERROR_INTERNAL, "criu %s: %s%s%.200s (see '%.150s')", verb_of(call),
			  proc_status_text(status, how), word ? ": " : "", word ? word : "", path);
}

int criu_run(struct criu_call *call, struct error *err)
{
	__attribute__((cleanup(worker_close))) struct worker w = WORKER_NONE;
	struct error own = { 0 }, waiting;
	struct proc_status status;
	int r = worker_start(&w, call, err), waited;

	if (r >= 0)
		r = converse(call, &w, &own, err);
	if (w.pidfd < 0)
		return r;
	cleanup_close_fd(&w.fd); /* a worker waits for more otherwise */
	w.fd = -EBADF;
	waited = proc_wait(w.pidfd, &status, &waiting);
	if (r <= 0)
		return r;
	if (own.msg[0]) {
		*err = own;
		return error_number(err);
	}
	if (waited < 0) {
		*err = waiting;
		return waited;
	}
	return criu_failed(call, &status, err);
}
