/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any OCI runtime, by the command line that runc has and the others follow. Its errors go into a
 * log file as JSON lines; the last one becomes our error. Its stderr is the container's, so nothing
 * can be learned from there.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/sock.h"
#include "base/str.h"
#include "codec/json.h"
#include "monitor/monitor.h"

#define LOG_MAX_BYTES  1048576
#define NUMBER_MAX     64
#define PID_FILE_NAME  "runtime.pid"
#define LOG_FILE_NAME  "runtime.log"
#define CONSOLE_SOCKET "console.sock"

/* The message of the last line with level error, in err; 0 if there is none. */
static int error_from_log(const char *path, const char *runtime, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	cleanup_with(strv_free) char **lines = NULL;
	cleanup_free char *text = NULL;
	const char *found = NULL;
	struct error ignored;

	if (file_read(AT_FDCWD, path, LOG_MAX_BYTES, &text, NULL, &ignored) < 0)
		return 0;
	lines = strv_split(text, "\n", false);
	for (size_t i = 0; lines && lines[i]; i++) {
		const char *level = NULL, *msg = NULL;
		const struct json *doc;

		if (json_parse(lines[i], strlen(lines[i]), arena, &doc, &ignored) < 0 ||
		    json_get_string(doc, "level", &level, &ignored) < 0 ||
		    json_get_string(doc, "msg", &msg, &ignored) < 0)
			continue;
		if (str_eq(level, "error") && msg)
			found = msg;
	}
	if (!found)
		return 0;
	error_kind(err, ERROR_INTERNAL, "%s: %s", path_base(runtime), found);
	/* the words every runtime has for what docker's exit codes 127 and 126 mean */
	if (strstr(found, "executable file not found") || strstr(found, "o such file or directory"))
		err->kind = ERROR_CMD_NOT_FOUND;
	else if (strstr(found, "ermission denied") || strstr(found, "s a directory"))
		err->kind = ERROR_CMD_NOT_RUNNABLE;
	return -EIO;
}

static char **command(const struct monitor_container *c, const char *log_path, const char *verb)
{
	char **argv = strv_push(NULL, c->runtime_path);

	for (const char *const *a = c->runtime_args; a && *a; a++)
		argv = strv_push(argv, *a);
	if (c->systemd_cgroup)
		argv = strv_push(argv, "--systemd-cgroup");
	if (c->runtime_root) {
		argv = strv_push(argv, "--root");
		argv = strv_push(argv, c->runtime_root);
	}
	argv = strv_push(argv, "--log");
	argv = strv_push(argv, log_path);
	argv = strv_push(argv, "--log-format");
	argv = strv_push(argv, "json");
	return strv_push(argv, verb);
}

static int run_command(const struct monitor_container *c, char *const *argv, const char *log_path,
		       struct error *err)
{
	const struct proc_spawn spawn = { .argv = (const char *const *)argv,
					  .flags = PROC_INHERIT_STDIO | PROC_SEARCH_PATH };
	char text[PROC_STATUS_TEXT_MAX];
	cleanup_fd int pidfd = -EBADF;
	struct proc_status status;
	int r;

	(void)unlink(log_path); /* of the verb before, or not there */
	r = proc_spawn(&spawn, &pidfd, NULL, err);
	if (r < 0) {
		err->kind = ERROR_INTERNAL; /* it is the runtime that is missing, not the command */
		return r;
	}
	r = proc_wait(pidfd, &status, err);
	if (r < 0 || status.code == 0)
		return r;
	r = error_from_log(log_path, c->runtime_path, err);
	if (r < 0)
		return r;
	return error_kind(err, ERROR_INTERNAL, "runtime '%s' failed: %s", c->runtime_path,
			  proc_status_text(&status, text));
}

static int read_pid(const char *path, pid_t *ret_pid, struct error *err)
{
	cleanup_free char *text = NULL;
	int pid, r;

	r = file_read(AT_FDCWD, path, NUMBER_MAX, &text, NULL, err);
	if (r < 0)
		return r;
	text[strcspn(text, "\n")] = '\0';
	if (str_to_int(text, &pid) < 0 || pid < 1)
		return error_kind(err, ERROR_INTERNAL, "the runtime wrote no pid into '%s'", path);
	*ret_pid = pid;
	return 0;
}

/* The runtime has ended, so the terminal it sent is waiting in the socket: pass it on. */
static int forward_console(int listen_fd, int console_fd, struct error *err)
{
	int fds[SOCK_FDS_MAX];
	cleanup_fd int conn = -EBADF;
	size_t n_fds = 0;
	char name[256];
	ssize_t n;
	int r;

	conn = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (conn < 0)
		return error_sys(err, "the runtime sent no terminal");
	n = sock_recv(conn, name, sizeof(name), fds, &n_fds);
	if (n <= 0 || n_fds == 0)
		return error_kind(err, ERROR_INTERNAL, "the runtime sent no terminal");
	r = sock_send(console_fd, name, (size_t)n, fds, 1);
	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
	return r < 0 ? error_num(err, -r, "cannot pass the terminal on") : 0;
}

struct files {
	char *log, *pid, *socket;
};

static void files_done(struct files *f)
{
	char *paths[] = { f->log, f->pid, f->socket };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		(void)unlink(paths[i]); /* of this verb, or not there */
		free(paths[i]);
	}
}

static struct files files_of(const struct monitor_container *c)
{
	return (struct files){ .log = path_join(c->run_dir, LOG_FILE_NAME),
			       .pid = path_join(c->run_dir, PID_FILE_NAME),
			       .socket = path_join(c->run_dir, CONSOLE_SOCKET) };
}

/*
 * The name of a socket for the runtime to connect to, which must fit into sun_path: a long one goes
 * through our own descriptor of its directory. Heap.
 */
static char *connectable(const char *path, const char *dir, int *ret_dir_fd)
{
	if (strlen(path) < sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return xstrdup(path);
	*ret_dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return xasprintf("/proc/%d/fd/%d/%s", (int)getpid(), *ret_dir_fd, path_base(path));
}

static int foreign_create(const struct monitor_container *c, void **ret_handle, pid_t *ret_pid,
			  struct error *err)
{
	__attribute__((cleanup(files_done))) struct files files = files_of(c);
	cleanup_with(strv_free) char **argv = command(c, files.log, "create");
	cleanup_fd int listen_fd = -EBADF, dir_fd = -EBADF;
	int r;

	argv = strv_push(argv, "--bundle");
	argv = strv_push(argv, c->bundle);
	argv = strv_push(argv, "--pid-file");
	argv = strv_push(argv, files.pid);
	if (c->tty) {
		r = sock_listen(files.socket, SOCK_STREAM | SOCK_NONBLOCK, 0600, &listen_fd, err);
		if (r < 0)
			return r;
		argv = strv_push(argv, "--console-socket");
		argv = strv_push_owned(argv, connectable(files.socket, c->run_dir, &dir_fd));
	}
	argv = strv_push(argv, c->id);
	r = run_command(c, argv, files.log, err);
	if (r == 0)
		r = read_pid(files.pid, ret_pid, err);
	if (r == 0 && c->tty)
		r = forward_console(listen_fd, c->console_fd, err);
	return r;
}

static int run_simple(const struct monitor_container *c, const char *verb, const char *flag,
		      struct error *err)
{
	__attribute__((cleanup(files_done))) struct files files = files_of(c);
	cleanup_with(strv_free) char **argv = command(c, files.log, verb);

	if (flag)
		argv = strv_push(argv, flag);
	argv = strv_push(argv, c->id);
	return run_command(c, argv, files.log, err);
}

static int foreign_start(const struct monitor_container *c, void *handle, struct error *err)
{
	return run_simple(c, "start", NULL, err);
}

static int foreign_delete(const struct monitor_container *c, struct error *err)
{
	return run_simple(c, "delete", "--force", err);
}

const struct monitor_runtime monitor_runtime_foreign = {
	.create = foreign_create,
	.start = foreign_start,
	.delete = foreign_delete,
};
