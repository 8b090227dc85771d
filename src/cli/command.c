/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sig.h"
#include "base/str.h"
#include "cli/help.h"
#include "engine/engine.h"

static const struct command_table *const tables[] = {
	&commands_run,	  &commands_container, &commands_container_io, &commands_image,
	&commands_system, &commands_push,      &commands_pull,	       &commands_login,
	&commands_search, &commands_manifest,
};

/* Is word one of the names in a list separated by spaces? */
static bool in_list(const char *list, const char *word)
{
	size_t n = strlen(word);

	while (list && *list) {
		size_t len = strcspn(list, " ");

		if (len == n && memcmp(list, word, n) == 0)
			return true;
		list += len;
		list += strspn(list, " ");
	}
	return false;
}

static bool names_command(const struct command *c, int argc, char **argv, int *ret_words)
{
	if (in_list(c->top, argv[0])) {
		*ret_words = 1;
		return true;
	}
	if (argc < 2 || !str_eq(c->group, argv[0]))
		return false;
	*ret_words = 2;
	return str_eq(c->name, argv[1]) || in_list(c->alias, argv[1]);
}

/* The command of argv[0] (and argv[1] for groups); *ret_words says how many words named it. */
static const struct command *command_find(int argc, char **argv, int *ret_words)
{
	for (size_t t = 0; argc > 0 && t < ARRAY_SIZE(tables); t++) {
		const struct command *commands = tables[t]->commands;

		assert(commands); /* the analyzer does not see the tables' files */
		for (size_t i = 0; i < tables[t]->n; i++)
			if (names_command(&commands[i], argc, argv, ret_words))
				return &commands[i];
	}
	return NULL;
}

void command_each(void (*each)(const struct command *command, void *data), void *data)
{
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
		for (size_t i = 0; i < tables[t]->n; i++)
			each(&tables[t]->commands[i], data);
}

static void print_notice(const char *sentence)
{
	log_warning("%s", sentence);
}

int cli_engine(struct cli *cli, struct engine **ret_engine, struct error *err)
{
	if (!cli->engine) {
		struct engine_config config = {
			.root_path = cli->root,
			.state_path = cli->state,
			.storage_driver = cli->storage_driver,
			.notice = print_notice,
		};
		int r = engine_open(&config, &cli->engine, err);

		if (r < 0)
			return r;
	}
	*ret_engine = cli->engine;
	return 0;
}

/* The end of every complaint: how to go on. */
static void print_usage_hint(const struct command *c)
{
	cleanup_free char *name = help_command_name(c);

	(void)fprintf(stderr,
		      "\nUsage:  berth %s %s\n\nRun 'berth %s --help' for more information\n", name,
		      c->usage, name);
}

static void print_error(const struct error *err)
{
	char text[ERROR_TEXT_MAX];

	(void)fprintf(stderr, "berth: %s\n", error_text(err, text, sizeof(text)));
}

static int check_arg_count(const struct command *c, int n)
{
	cleanup_free char *name = NULL;
	const char *how;
	int limit;

	if (n >= c->min_args && (c->max_args == COMMAND_ANY_ARGS || n <= c->max_args))
		return 0;
	name = help_command_name(c);
	if (c->max_args == 0) {
		(void)fprintf(stderr, "berth: 'berth %s' accepts no arguments\n", name);
		print_usage_hint(c);
		return -1;
	}
	limit = n < c->min_args ? c->min_args : c->max_args;
	how = c->min_args == c->max_args ? "" : n < c->min_args ? "at least " : "at most ";
	(void)fprintf(stderr, "berth: 'berth %s' requires %s%d argument%s\n", name, how, limit,
		      limit == 1 ? "" : "s");
	print_usage_hint(c);
	return -1;
}

static bool asks_for_help(const struct command *c, int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (str_eq(argv[i], "--help"))
			return true;
		if ((c->parse_flags & OPTION_STOP_AT_POSITIONAL) && argv[i][0] != '-')
			break;
	}
	return false;
}

static int run_command(struct cli *cli, const struct command *c, int argc, char **argv)
{
	cleanup_free void *target = xcalloc(1, c->target_size);
	struct error err = { 0 };
	int first, r;

	cli->command = c;
	if (asks_for_help(c, argc, argv)) {
		help_print_command(c);
		return 0;
	}
	if (c->init)
		c->init(target);
	r = option_parse(c->options, c->n_options, target, argc, argv, c->parse_flags, &first,
			 &err);
	if (r < 0) {
		print_error(&err);
		print_usage_hint(c);
		return 125;
	}
	if (check_arg_count(c, argc - first) < 0)
		return 1;

	r = c->run(cli, target, argc - first, argv + first, &err);
	option_free_lists(c->options, c->n_options, target);
	if (r >= 0)
		return r;
	print_error(&err);
	if (c->fail_code == 0 && err.kind != ERROR_CMD_NOT_FOUND &&
	    err.kind != ERROR_CMD_NOT_RUNNABLE)
		return 1;
	return error_exit_code(&err) ? error_exit_code(&err) : c->fail_code;
}

static const struct option global_options[] = {
	{ .name = "debug",
	  .short_name = 'D',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(cli, debug),
	  .help = "Say on stderr what is done" },
	{ .name = "help", .type = OPTION_BOOL, OPTION_FIELD(cli, help), .help = "Print usage" },
	{ .name = "root",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(cli, root),
	  .help = "Directory of images, containers and database" },
	{ .name = "state",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(cli, state),
	  .help = "Directory of sockets and pid files" },
	{ .name = "storage-driver",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(cli, storage_driver),
	  .help = "How new layers are kept: overlay2, unpacked, or erofs, as one file each" },
	{ .name = "version",
	  .short_name = 'v',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(cli, version),
	  .help = "Print version information and quit" },
};

/* Docker's commands that are not there: who types one should not doubt his typing. */
static const char *const not_yet[] = {
	"build",  "buildx", "commit",  "compose", "context", "cp",     "diff",
	"events", "export", "network", "port",	  "swarm",   "update", "volume",
};

static bool is_not_yet(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(not_yet); i++)
		if (str_eq(not_yet[i], word))
			return true;
	return false;
}

static bool is_group(const char *word)
{
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
		for (size_t i = 0; i < tables[t]->n; i++)
			if (str_eq(tables[t]->commands[i].group, word))
				return true;
	return false;
}

/* word is no command; within a group, second (or NULL) is the name that was asked for. */
static int unknown_command(const char *word, const char *second)
{
	const char *group = is_group(word) ? word : NULL;

	if (group && (!second || strcmp(second, "--help") == 0)) {
		help_print_group(group);
		return 0;
	}
	if (is_not_yet(group ? second : word)) {
		(void)fprintf(stderr, "berth: not supported yet: berth %s%s%s\n", word,
			      group ? " " : "", group ? second : "");
		return 1;
	}
	(void)fprintf(
		stderr,
		"berth: unknown command: berth %s%s%s\n\nRun 'berth %s%s--help' for more information\n",
		word, group ? " " : "", group ? second : "", group ? group : "", group ? " " : "");
	return 1;
}

/* "berth help [COMMAND]": the same as --help. */
static int help(int argc, char **argv)
{
	const struct command *c;
	int words;

	if (argc <= 0) {
		help_print_all(global_options, ARRAY_SIZE(global_options));
		return 0;
	}
	c = command_find(argc, argv, &words);
	if (!c)
		return unknown_command(argv[0], argc > 1 ? argv[1] : NULL);
	help_print_command(c);
	return 0;
}

static int dispatch(struct cli *cli, int argc, char **argv)
{
	const struct command *c;
	struct error err = { 0 };
	int first, words;

	if (fd_sanitize_std(&err) < 0 ||
	    option_parse(global_options, ARRAY_SIZE(global_options), cli, argc, argv,
			 OPTION_STOP_AT_POSITIONAL, &first, &err) < 0) {
		print_error(&err);
		(void)fprintf(stderr, "\nRun 'berth --help' for more information\n");
		return 125;
	}
	if (cli->debug)
		log_set_level(LOG_LEVEL_DEBUG);
	if (cli->version) {
		(void)printf("berth version %s\n", BERTH_VERSION);
		return 0;
	}
	if (cli->help || first == argc) {
		help_print_all(global_options, ARRAY_SIZE(global_options));
		return 0;
	}
	if (strcmp(argv[first], "help") == 0)
		return help(argc - first - 1, argv + first + 1);
	c = command_find(argc - first, argv + first, &words);
	if (!c)
		return unknown_command(argv[first], first + 1 < argc ? argv[first + 1] : NULL);
	return run_command(cli, c, argc - first - words + 1, argv + first + words - 1);
}

int command_main(int argc, char **argv)
{
	struct cli cli = { .root = getenv("BERTH_ROOT"), .state = getenv("BERTH_STATE") };
	int code;

	sig_expect_children();
	log_set_program("berth");
	code = dispatch(&cli, argc, argv);
	errno = 0;
	/* what an earlier flush could not write is gone, and its reason; only the mark stays */
	if ((fflush(stdout) != 0 || ferror(stdout)) && code == 0) {
		(void)fprintf(stderr, "berth: cannot write to standard output%s%s\n",
			      errno ? ": " : "", errno ? strerror(errno) : "");
		code = 1;
	}
	engine_close(cli.engine);
	return code;
}
