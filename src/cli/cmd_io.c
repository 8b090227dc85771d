/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that look into containers: exec, logs, ls, stats, top. */
#include <stdio.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/str.h"
#include "cli/cmd_inspect.h"
#include "cli/cmd_ps.h"
#include "cli/cmd_stats.h"
#include "cli/command.h"
#include "cli/session.h"
#include "cli/table.h"
#include "cli/text.h"
#include "engine/engine.h"

#define TOP_MIN_WIDTH 20 /* docker's columns of top */

/* exec */

static const struct option exec_options_table[] = {
	{ .name = "detach",
	  .short_name = 'd',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(exec_options, detach),
	  .help = "Detached mode: run command in the background" },
	{ .name = "detach-keys",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(exec_options, detach_keys),
	  .help = "Only empty: detaching from the command is not supported yet" },
	{ .name = "env",
	  .short_name = 'e',
	  .type = OPTION_LIST,
	  .arg = "list",
	  OPTION_FIELD(exec_options, env),
	  .help = "Set environment variables" },
	{ .name = "env-file",
	  .type = OPTION_LIST,
	  .arg = "list",
	  OPTION_FIELD(exec_options, env_file),
	  .help = "Read in a file of environment variables" },
	{ .name = "interactive",
	  .short_name = 'i',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(exec_options, interactive),
	  .help = "Keep STDIN open even if not attached" },
	{ .name = "privileged",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(exec_options, privileged),
	  .help = "Give extended privileges to the command" },
	{ .name = "tty",
	  .short_name = 't',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(exec_options, tty),
	  .help = "Allocate a pseudo-TTY" },
	{ .name = "user",
	  .short_name = 'u',
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(exec_options, user),
	  .help = "Username or UID (format: <name|uid>[:<group|gid>])" },
	{ .name = "workdir",
	  .short_name = 'w',
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(exec_options, workdir),
	  .help = "Working directory inside the container" },
};

static int cmd_exec(struct cli *cli, void *target, int n UNUSED, char **args, struct error *err)
{
	struct exec_options *o = target;
	struct engine *e;
	int r = 0, code = 0;

	/* LIMIT: the command has the user's own terminal or one that berth-runtime copies, so no
	 * client can be left. A session in a monitor of its own would lift this. "" asks for
	 * nothing. */
	if (!str_empty(o->detach_keys))
		r = error_kind(err, ERROR_UNSUPPORTED,
			       "not supported yet: detaching from exec; --detach-keys can only be "
			       "empty");
	if (r == 0 && !o->detach)
		r = session_check_terminal(o->tty, o->interactive, err);
	if (r == 0)
		r = cli_engine(cli, &e, err);
	o->command = strv_copy(args + 1);
	if (r == 0)
		r = engine_exec(e, args[0], o, &code, err);
	exec_options_done(o);
	return r < 0 ? r : code;
}

/* logs */

struct logs_flags {
	bool details, follow, timestamps;
	const char *since, *until, *tail;
};

static const struct option logs_options[] = {
	{ .name = "details",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(logs_flags, details),
	  .help = "Show extra details provided to logs" },
	{ .name = "follow",
	  .short_name = 'f',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(logs_flags, follow),
	  .help = "Follow log output" },
	{ .name = "since",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(logs_flags, since),
	  .help = "Show logs since timestamp or relative (e.g. \"42m\" for 42 minutes)" },
	{ .name = "tail",
	  .short_name = 'n',
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(logs_flags, tail),
	  .help = "Number of lines to show from the end of the logs (\"all\" for all)" },
	{ .name = "timestamps",
	  .short_name = 't',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(logs_flags, timestamps),
	  .help = "Show timestamps" },
	{ .name = "until",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(logs_flags, until),
	  .help = "Show logs before a timestamp or relative (e.g. \"42m\" for 42 minutes)" },
};

static int print_log_line(void *data UNUSED, int stream, const char *text, size_t len)
{
	FILE *out = stream == 2 ? stderr : stdout;

	return fwrite(text, 1, len, out) != len || fflush(out) != 0; /* a closed pipe ends it */
}

static int read_logs_flags(const struct logs_flags *f, struct engine_logs_options *o,
			   struct error *err)
{
	int r = 0;

	*o = (struct engine_logs_options){
		.follow = f->follow, .timestamps = f->timestamps, .details = f->details, .tail = -1
	};
	if (f->since)
		r = text_parse_time(f->since, &o->since_ns, err);
	if (r == 0 && f->until)
		r = text_parse_time(f->until, &o->until_ns, err);
	if (r < 0)
		return r;
	/* docker takes what is no number for "all" */
	if (f->tail && (str_to_i64(f->tail, &o->tail) < 0 || o->tail < 0))
		o->tail = -1;
	return 0;
}

static int cmd_logs(struct cli *cli, void *target, int n UNUSED, char **args, struct error *err)
{
	struct engine_logs_options o;
	struct engine *e;
	int r = read_logs_flags(target, &o, err);

	if (r == 0)
		r = cli_engine(cli, &e, err);
	return r < 0 ? r : engine_logs(e, args[0], &o, print_log_line, NULL, err);
}

/* top */

static void add_cells(struct buf *text, const char *const *cells, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(text, "%s%s", i > 0 ? "\t" : "", cells[i]);
	buf_putc(text, '\n');
}

static int cmd_top(struct cli *cli, void *target UNUSED, int n UNUSED, char **args,
		   struct error *err)
{
	cleanup_buf struct buf text = { 0 };
	cleanup_buf struct buf aligned = { 0 };
	struct engine_top top;
	struct engine *e;
	int r = cli_engine(cli, &e, err);

	if (r == 0)
		r = engine_top(e, args[0], args + 1, &top, err);
	if (r < 0)
		return r;
	add_cells(&text, top.titles, top.n_titles);
	for (size_t i = 0; i < top.n_rows; i++)
		add_cells(&text, top.rows[i], top.n_titles);
	engine_top_done(&top);
	table_align(buf_str(&text), TOP_MIN_WIDTH, &aligned);
	(void)fputs(buf_str(&aligned), stdout); /* checked by the flush at the end */
	return 0;
}

static const struct command commands[] = {
	{ .group = "container",
	  .name = "exec",
	  .top = "exec",
	  .usage = "[OPTIONS] CONTAINER COMMAND [ARG...]",
	  .summary = "Execute a command in a running container",
	  COMMAND_OPTIONS(exec_options_table, exec_options),
	  .parse_flags = OPTION_STOP_AT_POSITIONAL,
	  .min_args = 2,
	  .max_args = COMMAND_ANY_ARGS,
	  .run = cmd_exec },
	{ .group = "container",
	  .name = "inspect",
	  .usage = "[OPTIONS] CONTAINER [CONTAINER...]",
	  .summary = "Display detailed information on one or more containers",
	  .options = inspect_options,
	  .n_options = INSPECT_OPTIONS_CONTAINER,
	  .target_size = sizeof(struct inspect_flags),
	  .min_args = 1,
	  .max_args = COMMAND_ANY_ARGS,
	  .run = cmd_inspect_container },
	{ .group = "container",
	  .name = "logs",
	  .top = "logs",
	  .usage = "[OPTIONS] CONTAINER",
	  .summary = "Fetch the logs of a container",
	  COMMAND_OPTIONS(logs_options, logs_flags),
	  .min_args = 1,
	  .max_args = 1,
	  .run = cmd_logs },
	{ .group = "container",
	  .name = "ls",
	  .alias = "list ps",
	  .top = "ps",
	  .usage = "[OPTIONS]",
	  .summary = "List containers",
	  .options = ps_options,
	  .n_options = PS_OPTIONS,
	  .target_size = sizeof(struct ps_flags),
	  .run = cmd_ps },
	{ .group = "container",
	  .name = "stats",
	  .top = "stats",
	  .usage = "[OPTIONS] [CONTAINER...]",
	  .summary = "Display a live stream of container(s) resource usage statistics",
	  .options = stats_options,
	  .n_options = STATS_OPTIONS,
	  .target_size = sizeof(struct stats_flags),
	  .max_args = COMMAND_ANY_ARGS,
	  .run = cmd_stats },
	{ .group = "container",
	  .name = "top",
	  .top = "top",
	  .usage = "CONTAINER [ps OPTIONS]",
	  .summary = "Display the running processes of a container",
	  .parse_flags = OPTION_STOP_AT_POSITIONAL,
	  .min_args = 1,
	  .max_args = COMMAND_ANY_ARGS,
	  .run = cmd_top },
};

const struct command_table commands_container_io = { commands, ARRAY_SIZE(commands) };
