/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that name containers and change their state. */
#include <stdio.h>

#include "base/macro.h"
#include "cli/cmd_prune.h"
#include "cli/command.h"
#include "engine/engine.h"

/*
 * Most of these commands do one thing to each container named, print the name of each that worked,
 * go on after one that did not, and exit with 1 then.
 */
typedef int (*each_fn)(struct engine *e, const char *ref, const void *flags, struct error *err);

static int for_each(struct cli *cli, const void *flags, char **refs, each_fn fn, struct error *err)
{
	struct engine *e;
	int r = cli_engine(cli, &e, err), code = 0;

	if (r < 0)
		return r;
	for (size_t i = 0; refs[i]; i++) {
		char text[ERROR_TEXT_MAX];

		r = fn(e, refs[i], flags, err);
		if (r < 0) {
			(void)fprintf(stderr, "berth: %s\n", error_text(err, text, sizeof(text)));
			code = 1;
		} else if (r == 0) {
			(void)puts(refs[i]); /* checked by the flush at the end */
		}
	}
	return code;
}

struct stop_flags {
	const char *signal;
	int timeout_s;
};

static void stop_init(void *target)
{
	((struct stop_flags *)target)->timeout_s = ENGINE_TIMEOUT_DEFAULT;
}

static const struct option stop_options[] = {
	{ .name = "signal",
	  .short_name = 's',
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(stop_flags, signal),
	  .help = "Signal to send to the container" },
	{ .name = "time",
	  .type = OPTION_INT,
	  .arg = "int",
	  .hidden = true,
	  OPTION_FIELD(stop_flags, timeout_s),
	  .help = "Seconds to wait before killing the container" },
	{ .name = "timeout",
	  .short_name = 't',
	  .type = OPTION_INT,
	  .arg = "int",
	  OPTION_FIELD(stop_flags, timeout_s),
	  .help = "Seconds to wait before killing the container" },
};

static int stop_one(struct engine *e, const char *ref, const void *flags, struct error *err)
{
	const struct stop_flags *f = flags;

	return engine_stop(e, ref, f->signal, f->timeout_s, err);
}

static int cmd_stop(struct cli *cli, void *target, int n UNUSED, char **args, struct error *err)
{
	return for_each(cli, target, args, stop_one, err);
}

static int restart_one(struct engine *e, const char *ref, const void *flags, struct error *err)
{
	const struct stop_flags *f = flags;

	return engine_restart(e, ref, f->signal, f->timeout_s, err);
}

static int cmd_restart(struct cli *cli, void *target, int n UNUSED, char **args, struct error *err)
{
	return for_each(cli, target, args, restart_one, err);
}

struct kill_flags {
	const char *signal;
};

static const struct option kill_options[] = {
	{ .name = "signal",
	  .short_name = 's',
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(kill_flags, signal),
	  .help = "Signal to send to the container" },
};

static int kill_one(struct engine *e, const char *ref, const void *flags, struct error *err)
{
	return engine_kill(e, ref, ((const struct kill_flags *)flags)->signal, err);
}

static int cmd_kill(struct cli *cli, void *target, int n UNUSED, char **args, struct error *err)
{
	return for_each(cli, target, args, kill_one, err);
}

static int pause_one(struct engine *e, const char *ref, const void *flags UNUSED, struct error *err)
{
	return engine_pause(e, ref, err);
}

static int cmd_pause(struct cli *cli, void *target, int n UNUSED, char **args, struct error *err)
{
	return for_each(cli, target, args, pause_one, err);
}

static int unpause_one(struct engine *e, const char *ref, const void *flags UNUSED,
		       struct error *err)
{
	return engine_unpause(e, ref, err);
}

static int cmd_unpause(struct cli *cli, void *target, int n UNUSED, char **args, struct error *err)
{
	return for_each(cli, target, args, unpause_one, err);
}

static int wait_one(struct engine *e, const char *ref, const void *flags UNUSED, struct error *err)
{
	int code;
	int r = engine_wait(e, ref, &code, err);

	if (r < 0)
		return r;
	(void)printf("%d\n", code);
	return 1; /* printed: the name is not wanted */
}

static int cmd_wait(struct cli *cli, void *target, int n UNUSED, char **args, struct error *err)
{
	return for_each(cli, target, args, wait_one, err);
}

struct rm_flags {
	bool force, volumes;
};

static const struct option rm_options[] = {
	{ .name = "force",
	  .short_name = 'f',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(rm_flags, force),
	  .help = "Force the removal of a running container (uses SIGKILL)" },
	{ .name = "volumes",
	  .short_name = 'v',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(rm_flags, volumes),
	  .help = "Remove anonymous volumes associated with the container" },
};

/* With --force, what is not there is said, but no failure. */
static int rm_one(struct engine *e, const char *ref, const void *flags, struct error *err)
{
	const struct rm_flags *f = flags;
	char text[ERROR_TEXT_MAX];
	int r = engine_remove(e, ref,
			      (f->force ? ENGINE_REMOVE_FORCE : 0) |
				      (f->volumes ? ENGINE_REMOVE_VOLUMES : 0),
			      err);

	if (r > 0)
		(void)fprintf(stderr, "berth: %s\n", error_text(err, text, sizeof(text)));
	return r;
}

static int cmd_rm(struct cli *cli, void *target, int n UNUSED, char **args, struct error *err)
{
	return for_each(cli, target, args, rm_one, err);
}

static int cmd_rename(struct cli *cli, void *target UNUSED, int n UNUSED, char **args,
		      struct error *err)
{
	struct engine *e;
	int r = cli_engine(cli, &e, err);

	return r < 0 ? r : engine_rename(e, args[0], args[1], err);
}

#define MANY .min_args = 1, .max_args = COMMAND_ANY_ARGS

static int cmd_exists(struct cli *cli, void *target UNUSED, int n UNUSED, char **args,
		      struct error *err)
{
	struct container_list list = { 0 };
	struct engine *e;
	int r = cli_engine(cli, &e, err);

	if (r == 0)
		r = engine_lookup(e, args[0], &list, err);
	container_list_done(&list);
	return r < 0 && err->kind == ERROR_NOT_FOUND ? 1 : r;
}

static const struct command commands[] = {
	{ .group = "container",
	  .name = "exists",
	  .usage = "CONTAINER",
	  .summary = "Check if a container exists: exit code 0, or 1",
	  .min_args = 1,
	  .max_args = 1,
	  .run = cmd_exists },
	{ .group = "container",
	  .name = "kill",
	  .top = "kill",
	  .usage = "[OPTIONS] CONTAINER [CONTAINER...]",
	  .summary = "Kill one or more running containers",
	  COMMAND_OPTIONS(kill_options, kill_flags),
	  MANY,
	  .run = cmd_kill },
	{ .group = "container",
	  .name = "pause",
	  .top = "pause",
	  .usage = "CONTAINER [CONTAINER...]",
	  .summary = "Pause all processes within one or more containers",
	  MANY,
	  .run = cmd_pause },
	{ .group = "container",
	  .name = "prune",
	  .usage = "[OPTIONS]",
	  .summary = "Remove all stopped containers",
	  .options = prune_options,
	  .n_options = PRUNE_OPTIONS_CONTAINER,
	  .target_size = sizeof(struct prune_flags),
	  .run = cmd_prune_containers },
	{ .group = "container",
	  .name = "rename",
	  .top = "rename",
	  .usage = "CONTAINER NEW_NAME",
	  .summary = "Rename a container",
	  .min_args = 2,
	  .max_args = 2,
	  .run = cmd_rename },
	{ .group = "container",
	  .name = "restart",
	  .top = "restart",
	  .usage = "[OPTIONS] CONTAINER [CONTAINER...]",
	  .summary = "Restart one or more containers",
	  COMMAND_OPTIONS(stop_options, stop_flags),
	  .init = stop_init,
	  MANY,
	  .run = cmd_restart },
	{ .group = "container",
	  .name = "rm",
	  .alias = "remove",
	  .top = "rm",
	  .usage = "[OPTIONS] CONTAINER [CONTAINER...]",
	  .summary = "Remove one or more containers",
	  COMMAND_OPTIONS(rm_options, rm_flags),
	  MANY,
	  .run = cmd_rm },
	{ .group = "container",
	  .name = "stop",
	  .top = "stop",
	  .usage = "[OPTIONS] CONTAINER [CONTAINER...]",
	  .summary = "Stop one or more running containers",
	  COMMAND_OPTIONS(stop_options, stop_flags),
	  .init = stop_init,
	  MANY,
	  .run = cmd_stop },
	{ .group = "container",
	  .name = "unpause",
	  .top = "unpause",
	  .usage = "CONTAINER [CONTAINER...]",
	  .summary = "Unpause all processes within one or more containers",
	  MANY,
	  .run = cmd_unpause },
	{ .group = "container",
	  .name = "wait",
	  .top = "wait",
	  .usage = "CONTAINER [CONTAINER...]",
	  .summary = "Block until one or more containers stop, then print their exit codes",
	  MANY,
	  .run = cmd_wait },
};

const struct command_table commands_container = { commands, ARRAY_SIZE(commands) };
