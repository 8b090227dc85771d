/* SPDX-License-Identifier: Apache-2.0 */

/* berth-runtime create, start, run, exec. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/macro.h"
#include "base/proc.h"
#include "base/str.h"
#include "prog/runtime_foreground.h"
#include "prog/runtime_verb.h"
#include "runtime/notify_socket.h"
#include "runtime/runtime.h"
#include "runtime/sealed_self.h"
#include "runtime/statedir.h"

#define EXIT_EXEC_FAILED 255 /* as runc; with --shell-codes the other two */
#define LISTEN_FDS_MAX	 4096
#define EXIT_NOT_RUN	 126
#define EXIT_NOT_FOUND	 127

/* create and run */

struct create_options {
	struct runtime_create_options o;
	int preserve_fds;
	bool detach, keep, no_subreaper;
};

#define CREATE(field) .offset = offsetof(struct create_options, field)

#define CREATE_OPTIONS                                                                             \
	{ "bundle",                                                                                \
	  'b',                                                                                     \
	  OPTION_STRING,                                                                           \
	  CREATE(o.bundle_path),                                                                   \
	  .arg = "dir",                                                                            \
	  .help = "the bundle: a directory with config.json (default: the current one)" },         \
		{ "config",	 'f',                                                              \
		  OPTION_STRING, CREATE(o.config_path),                                            \
		  .arg = "file", .help = "read this file of the bundle instead of config.json" },  \
		{ "console-socket",                                                                \
		  0,                                                                               \
		  OPTION_STRING,                                                                   \
		  CREATE(o.console_socket_path),                                                   \
		  .arg = "path",                                                                   \
		  .help = "unix socket that gets the master of the container's terminal" },        \
		{ "no-new-keyring", 0, OPTION_BOOL, CREATE(o.no_new_keyring),                      \
		  .help = "stay in the caller's session keyring" },                                \
		{ "no-pivot", 0, OPTION_BOOL, CREATE(o.no_pivot),                                  \
		  .help = "move the root instead of pivot_root: for a root on a ramfs" },          \
		{ "pid-file",	 0,                                                                \
		  OPTION_STRING, CREATE(o.pid_file_path),                                          \
		  .arg = "file", .help = "write the pid of init here" },                           \
		{ "pidfd-socket", 0,                                                               \
		  OPTION_STRING,  CREATE(o.pidfd_socket_path),                                     \
		  .arg = "path",  .help = "unix socket that gets a pidfd of init" },               \
	{                                                                                          \
		"preserve-fds", 0, OPTION_INT, CREATE(preserve_fds),                               \
			.arg = "n", .help = "pass n more descriptors, from 3 on, to the container" \
	}

static const struct option create_options[] = {
	CREATE_OPTIONS,
	{ "no-subreaper", 0, OPTION_BOOL, CREATE(no_subreaper),
	  .help = "do not adopt processes the container leaves behind: create never does" },
};

static const struct option run_options[] = {
	CREATE_OPTIONS,
	{ "detach", 'd', OPTION_BOOL, CREATE(detach), .help = "return when it runs" },
	{ "keep", 0, OPTION_BOOL, CREATE(keep), .help = "do not delete the container at its end" },
	{ "no-subreaper", 0, OPTION_BOOL, CREATE(no_subreaper),
	  .help = "do not adopt processes the container leaves behind" },
};

/* The service manager's socket, if we are its service. */
static const char *notify_host(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	return str_empty(path) ? NULL : path;
}

/* How many sockets the service manager has opened for the container. Source: sd_listen_fds(3) */
static unsigned listen_fds(void)
{
	const char *pid_text = getenv("LISTEN_PID"), *text = getenv("LISTEN_FDS");
	uint32_t n;
	int pid;

	if (!pid_text || !text || str_to_int(pid_text, &pid) < 0 || pid != getpid())
		return 0; /* they are somebody else's, who had to remove the variables */
	return str_to_u32(text, &n) < 0 || n > LISTEN_FDS_MAX ? 0 : n;
}

static int take_create_options(const struct runtime_globals *g, struct create_options *c,
			       const char *id, struct error *err)
{
	if (c->preserve_fds < 0)
		return error_kind(err, ERROR_INVALID, "--preserve-fds: %d is negative",
				  c->preserve_fds);
	c->o.root_path = g->root;
	c->o.id = id;
	c->o.console_fd = -1;
	c->o.rootless = g->rootless;
	c->o.cgroup_manager = g->cgroup_manager;
	c->o.listen_fds = listen_fds();
	c->o.preserve_fds = c->o.listen_fds + (unsigned)c->preserve_fds;
	c->o.notify_socket = notify_host();
	return 0;
}

static int run_create(const struct runtime_globals *g, void *target, char **args, struct error *err)
{
	struct create_options *c = target;
	int r = take_create_options(g, c, args[0], err);

	if (r >= 0)
		r = sealed_self_ensure(g->argv, err);
	return r < 0 ? r : runtime_create(&c->o, NULL, err);
}

/* Start a created container, with its notify socket open before it can write there. */
static int start_notified(const char *root, const char *id, int *ret_notify_fd, struct error *err)
{
	cleanup_fd int fd = -EBADF;
	int r = notify_socket_bind(root, id, &fd, err);

	if (r >= 0)
		r = runtime_start(root, id, err);
	if (r >= 0)
		*ret_notify_fd = take_fd(&fd);
	return r;
}

static int wait_ready(const char *root, const char *id, int notify_fd, struct error *err)
{
	cleanup_with(container_free) struct container *c = NULL;
	cleanup_fd int pidfd = -EBADF;
	int r;

	if (notify_fd < 0)
		return 0;
	r = container_open(root, id, &c, err);
	if (r == 0)
		r = container_open_init(c, &pidfd, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return notify_socket_wait(notify_fd, notify_host(), pidfd, c->pid, err);
}

static int run_start(const struct runtime_globals *g, void *target, char **args, struct error *err)
{
	cleanup_fd int notify_fd = -EBADF;
	int r;

	if (!notify_host())
		return runtime_start(g->root, args[0], err);
	r = start_notified(g->root, args[0], &notify_fd, err);
	return r < 0 ? r : wait_ready(g->root, args[0], notify_fd, err);
}

/* runtime_run(), or in two steps if there is a socket to open between them. */
static int make_and_start(const struct runtime_create_options *o, pid_t *ret_pid, int *ret_pidfd,
			  int *ret_notify_fd, struct error *err)
{
	cleanup_fd int pidfd = -EBADF;
	struct error ignored;
	pid_t pid;
	int r;

	if (!o->notify_socket)
		return runtime_run(o, ret_pid, ret_pidfd, err);
	r = runtime_create(o, &pid, err);
	if (r < 0)
		return r;
	pidfd = proc_open(pid);
	r = pidfd < 0 ? error_num(err, -pidfd, "cannot open process %d", (int)pid)
		      : start_notified(o->root_path, o->id, ret_notify_fd, err);
	if (r < 0) {
		(void)runtime_delete(o->root_path, o->id, true, &ignored); /* the first counts */
		return r;
	}
	*ret_pid = pid;
	*ret_pidfd = take_fd(&pidfd);
	return 0;
}

static int make_attached(void *arg, struct foreground *f, pid_t *ret_pid, int *ret_pidfd,
			 struct error *err)
{
	struct create_options *c = arg;

	c->o.console_fd = f->console_fds[1];
	c->o.plain_newlines = f->plain_newlines = true;
	f->notify_host = notify_host();
	return make_and_start(&c->o, ret_pid, ret_pidfd, &f->notify_fd, err);
}

static int run_attached(struct create_options *c, struct error *err)
{
	const struct foreground_run x = { .root = c->o.root_path,
					  .id = c->o.id,
					  .terminal = !c->o.console_socket_path,
					  .no_subreaper = c->no_subreaper,
					  .keep = c->keep,
					  .make = make_attached,
					  .arg = c };

	return foreground_run(&x, err);
}

static int run_run(const struct runtime_globals *g, void *target, char **args, struct error *err)
{
	struct create_options *c = target;
	cleanup_fd int pidfd = -EBADF, notify_fd = -EBADF;
	struct error late;
	pid_t pid;
	int r = take_create_options(g, c, args[0], err);

	if (r < 0)
		return r;
	if (!c->detach) {
		c->o.self_argv = g->argv;
		return run_attached(c, err);
	}
	r = sealed_self_ensure(g->argv, err);
	if (r >= 0)
		r = make_and_start(&c->o, &pid, &pidfd, &notify_fd, err);
	if (r >= 0 && wait_ready(g->root, args[0], notify_fd, &late) < 0)
		log_report(&late); /* the container runs, whatever the service manager says */
	return r;
}

/* exec */

struct exec_options {
	struct runtime_exec_options o;
	char **env, **additional_gids, **caps, **cgroups;
	int preserve_fds;
	bool detach, shell_codes;
};

#define EXEC(field) .offset = offsetof(struct exec_options, field)

static const struct option exec_options[] = {
	{ "additional-gids", 'g', OPTION_LIST, EXEC(additional_gids), .arg = "gid",
	  .help = "more groups of the process" },
	{ "apparmor", 0, OPTION_STRING, EXEC(o.apparmor_profile), .arg = "profile",
	  .help = "AppArmor profile of the process" },
	{ "cap", 'c', OPTION_LIST, EXEC(caps), .arg = "name",
	  .help = "add a capability to what the process may use" },
	{ "cgroup", 0, OPTION_LIST, EXEC(cgroups), .arg = "[controllers:]path",
	  .help = "run in this existing sub-cgroup of the container" },
	{ "console-socket", 0, OPTION_STRING, EXEC(o.console_socket_path), .arg = "path",
	  .help = "unix socket that gets the master of the terminal" },
	{ "cwd", 0, OPTION_STRING, EXEC(o.cwd), .arg = "dir", .help = "working directory" },
	{ "detach", 'd', OPTION_BOOL, EXEC(detach), .help = "return when it runs" },
	{ "env", 'e', OPTION_LIST, EXEC(env), .arg = "name=value",
	  .help = "add or replace an environment variable" },
	{ "ignore-paused", 0, OPTION_BOOL, EXEC(o.ignore_paused),
	  .help = "start it in a paused container too: it waits for resume" },
	{ "no-new-privs", 0, OPTION_BOOL, EXEC(o.no_new_privileges),
	  .help = "no privileges by set-user-id programs" },
	{ "pid-file", 0, OPTION_STRING, EXEC(o.pid_file_path), .arg = "file",
	  .help = "write the pid of the process here" },
	{ "pidfd-socket", 0, OPTION_STRING, EXEC(o.pidfd_socket_path), .arg = "path",
	  .help = "unix socket that gets a pidfd of the process" },
	{ "preserve-fds", 0, OPTION_INT, EXEC(preserve_fds), .arg = "n",
	  .help = "pass n more descriptors, from 3 on, to the process" },
	{ "process", 'p', OPTION_STRING, EXEC(o.process_path), .arg = "file",
	  .help = "take everything from this JSON process document" },
	{ "process-label", 0, OPTION_STRING, EXEC(o.process_label), .arg = "label",
	  .help = "SELinux label of the process" },
	{ "shell-codes", 0, OPTION_BOOL, EXEC(shell_codes),
	  .help = "exit with 127 if the command or its directory is not there, with 126 if it does not run for another reason" },
	{ "tty", 't', OPTION_BOOL, EXEC(o.tty), .help = "give it a terminal" },
	{ "user", 'u', OPTION_STRING, EXEC(o.user), .arg = "uid[:gid]",
	  .help = "user and group of the process" },
};

static int take_exec_options(const struct runtime_globals *g, struct exec_options *x, char **args,
			     struct error *err)
{
	if (x->preserve_fds < 0)
		return error_kind(err, ERROR_INVALID, "--preserve-fds: %d is negative",
				  x->preserve_fds);
	if (!args[1] && !x->o.process_path)
		return error_kind(err, ERROR_INVALID,
				  "process args cannot be empty: give a command or --process");
	if (x->detach && x->o.tty && !x->o.console_socket_path)
		return error_kind(err, ERROR_INVALID,
				  "a detached process with a terminal needs --console-socket");
	x->o.root_path = g->root;
	x->o.id = args[0];
	x->o.args = args + 1;
	x->o.env = x->env;
	x->o.additional_gids = x->additional_gids;
	x->o.caps = x->caps;
	x->o.cgroups = x->cgroups;
	x->o.console_fd = -1;
	x->o.preserve_fds = (unsigned)x->preserve_fds;
	return 0;
}

static int exec_attached(struct exec_options *x, struct error *err)
{
	struct foreground f;
	cleanup_fd int pidfd = -EBADF;
	bool may_have_terminal = x->o.tty || x->o.process_path;
	struct winsize size;
	pid_t pid;
	int code = 0;
	int r = foreground_begin(&f, may_have_terminal && !x->o.console_socket_path, err);

	if (r == 0) {
		/* now: the process may ask for it before we hear that it runs */
		foreground_size(&size);
		x->o.console_rows = size.ws_row;
		x->o.console_columns = size.ws_col;
		x->o.console_fd = f.console_fds[1];
		/* as runc; the engine's callers know docker's, where returns come from inside */
		x->o.plain_newlines = f.plain_newlines = !x->shell_codes;
		r = runtime_exec(&x->o, &pid, &pidfd, err);
	}
	if (r == 0)
		r = foreground_wait(&f, pid, pidfd, &code, err);
	foreground_end(&f);
	return r < 0 ? r : code;
}

static int run_exec(const struct runtime_globals *g, void *target, char **args, struct error *err)
{
	struct exec_options *x = target;
	cleanup_fd int pidfd = -EBADF;
	pid_t pid;
	int r = take_exec_options(g, x, args, err);

	if (r == 0)
		r = sealed_self_ensure(g->argv, err);
	if (r == 0)
		r = x->detach ? runtime_exec(&x->o, &pid, &pidfd, err) : exec_attached(x, err);
	strv_free(x->env);
	strv_free(x->additional_gids);
	strv_free(x->caps);
	strv_free(x->cgroups);
	if (r >= 0)
		return r;
	r = error_prefix(err, r, "exec failed");
	if (!x->shell_codes)
		return r;
	log_report(err);
	return err->kind == ERROR_CMD_NOT_FOUND || err->sys == ENOENT ? EXIT_NOT_FOUND
								      : EXIT_NOT_RUN;
}

static const struct runtime_verb verbs[] = {
	{ "create", "<container-id>", "build a container and leave it waiting for start",
	  VERB_OPTIONS(create_options, create_options), .min_args = 1, .max_args = 1,
	  .run = run_create },
	{ "start", "<container-id>", "let a created container execute its program", .min_args = 1,
	  .max_args = 1, .run = run_start },
	{ "run", "<container-id>", "create and start a container, wait for it and delete it",
	  VERB_OPTIONS(run_options, create_options), .min_args = 1, .max_args = 1, .run = run_run },
	{ "exec", "<container-id> <command> [argument...]",
	  "execute another process in a running container",
	  VERB_OPTIONS(exec_options, exec_options), .parse_flags = OPTION_STOP_AT_POSITIONAL,
	  .min_args = 1, .max_args = -1, .fail_code = EXIT_EXEC_FAILED, .run = run_exec },
};

const struct runtime_verb_table runtime_verbs_start = { verbs, ARRAY_SIZE(verbs) };
