/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec is the runtime's verb with our own descriptors; the monitor is not involved. What the
 * runtime cannot know is filled in: names of users, docker's TERM.
 */
#include <fcntl.h>
#include <stdio.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/user.h"
#include "engine/container_config.h"
#include "engine/handle.h"
#include "engine/runtime_client.h"
#include "kernel/capability.h"
#include "runtime/sealed_self.h"

extern char **environ;

static int check_running(const struct record *r, struct error *err)
{
	if (r->state == CONTAINER_STATE_PAUSED)
		return error_kind(err, ERROR_CONFLICT,
				  "Container %s is paused, unpause the container before exec",
				  r->id);
	if (r->state != CONTAINER_STATE_RUNNING)
		return error_kind(err, ERROR_CONFLICT, "container %s is not running", r->id);
	return 0;
}

/* --user and --additional-gids, names looked up in the container as it is now. */
static int add_user(const struct exec_options *o, const struct record *r, char ***args,
		    struct error *err)
{
	cleanup_user_identity struct user_identity user = { 0 };
	cleanup_fd int root_fd = -EBADF;
	char path[64];
	int status;

	if (str_empty(o->user))
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/root", r->pid);
	root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return error_sys(err, "cannot open the root of container %s", r->id);
	status = user_resolve(root_fd, o->user, &user, err);
	if (status == 0)
		status = user_add_primary_group(&user, err);
	if (status < 0)
		return status;
	*args = strv_push(*args, "--user");
	*args = strv_push_owned(*args, xasprintf("%u:%u", user.uid, user.gid));
	for (size_t i = 0; i < user.n_groups; i++) {
		*args = strv_push(*args, "--additional-gids");
		*args = strv_push_owned(*args, xasprintf("%u", user.groups[i]));
	}
	return 0;
}

static int add_env(const struct exec_options *o, struct arena *arena, char ***args,
		   struct error *err)
{
	const char *const *env = NULL;
	size_t n = 0;
	int r = env_words_parse(o->env_file, o->env, environ, arena, &env, &n, err);

	if (r < 0)
		return r;
	if (o->tty) {
		*args = strv_push(*args, "--env");
		*args = strv_push(*args, "TERM=xterm");
	}
	for (size_t i = 0; i < n; i++) {
		*args = strv_push(*args, "--env");
		*args = strv_push(*args, env[i]);
	}
	return 0;
}

static int build_args(struct engine *e, const struct exec_options *o, const struct record *r,
		      const char *runtime, struct arena *arena, char ***args, struct error *err)
{
	const char *const head[] = { runtime, "--root", e->runtime_root, "exec" };
	int status;

	for (size_t i = 0; i < ARRAY_SIZE(head); i++)
		*args = strv_push(*args, head[i]);
	if (runtime == e->runtime_path) /* berth-runtime: what docker's users expect */
		*args = strv_push(*args, "--shell-codes");
	if (o->tty)
		*args = strv_push(*args, "--tty");
	if (o->detach)
		*args = strv_push(*args, "--detach");
	if (!str_empty(o->workdir)) {
		*args = strv_push(*args, "--cwd");
		*args = strv_push(*args, o->workdir);
	}
	status = add_user(o, r, args, err);
	if (status < 0)
		return status;
	status = add_env(o, arena, args, err);
	if (status < 0)
		return status;
	for (unsigned cap = 0; o->privileged && cap < CAPABILITY_COUNT; cap++) {
		if (!(capability_known() & CAPABILITY_BIT(cap)))
			continue;
		*args = strv_push(*args, "--cap");
		*args = strv_push(*args, capability_name(cap));
	}
	*args = strv_push(*args, r->id);
	for (size_t i = 0; i < strv_len(o->command); i++)
		*args = strv_push(*args, o->command[i]);
	return 0;
}

/* Detached, what it says goes to /dev/null, and a runtime that cannot be executed must still be told. */
static int run_detached(const struct proc_spawn *spawn, int *ret_exit_code, struct error *err)
{
	cleanup_fd int pidfd = -EBADF;
	struct proc_status status;
	int r = proc_spawn(spawn, &pidfd, NULL, err);

	if (r == 0)
		r = proc_wait(pidfd, &status, err);
	if (r < 0)
		return r;
	*ret_exit_code = status.code;
	return 0;
}

/* In the foreground the runtime's exit code and signals are ours: we become it. seal: ours, which would
 * else execute itself a second time from a mount like this one. */
static int run(const struct exec_options *o, char *const *args, bool seal, int *ret_exit_code,
	       struct error *err)
{
	cleanup_fd int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC), sealed_fd = -EBADF;
	struct proc_fd no_stdin = { null_fd, STDIN_FILENO };
	struct proc_spawn spawn = { .argv = (const char *const *)args,
				    .fds = &no_stdin,
				    .n_fds = o->interactive ? 0 : 1 };
	struct fd_path path;

	if (null_fd < 0)
		return error_sys(err, "cannot open '/dev/null'");
	if (seal && sealed_self_open(args[0], &sealed_fd, err) == 0) {
		path = fd_proc_path(sealed_fd);
		spawn.path = path.s;
	} /* else it does what it can */
	if (o->detach)
		return run_detached(&spawn, ret_exit_code, err);
	spawn.flags = PROC_INHERIT_STDIO;
	return proc_become(&spawn, err);
}

int engine_exec(struct engine *e, const char *ref, const struct exec_options *o, int *ret_exit_code,
		struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	cleanup_with(strv_free) char **args = NULL;
	const char *runtime;
	struct record record;
	int r;

	if (strv_len(o->command) == 0)
		return error_kind(err, ERROR_INVALID, "No exec command specified");
	r = container_find(e, ref, arena, &record, err);
	if (r < 0)
		return r;
	r = check_running(&record, err);
	if (r < 0)
		return r;
	r = container_runtime(e, &record, arena, &runtime, err);
	if (r < 0)
		return r;
	r = build_args(e, o, &record, runtime, arena, &args, err);
	if (r < 0)
		return r;
	return run(o, args, runtime == e->runtime_path, ret_exit_code, err);
}
