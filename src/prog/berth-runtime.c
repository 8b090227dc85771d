/* SPDX-License-Identifier: Apache-2.0 */

/* berth-runtime: an OCI runtime with runc's command line, around the library in src/runtime. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sig.h"
#include "base/str.h"
#include "kernel/idmap.h"
#include "oci/spec.h"
#include "prog/runtime_verb.h"
#include "runtime/runtime.h"
#include "runtime/sealed_self.h"

#define EXIT_UNKNOWN_VERB 3 /* as runc */

#define GLOBAL(field) .offset = offsetof(struct runtime_globals, field)

static const struct option global_options[] = {
	{ "cgroup-manager", 0, OPTION_STRING, GLOBAL(manager_word), .arg = "string",
	  .help = "who makes cgroups: cgroupfs, systemd or disabled (default cgroupfs)" },
	{ "criu", 0, OPTION_STRING, GLOBAL(criu_path), .arg = "file",
	  .help = "the program for checkpoint and restore (default criu)" },
	{ "debug", 0, OPTION_BOOL, GLOBAL(debug), .help = "log debug messages" },
	{ "help", 'h', OPTION_BOOL, GLOBAL(help), .help = "show help" },
	{ "log", 0, OPTION_STRING, GLOBAL(log_path), .arg = "file",
	  .help = "log to this file, journald:name or syslog:name, and errors to stderr too" },
	{ "log-format", 0, OPTION_STRING, GLOBAL(log_format), .arg = "string",
	  .help = "format of the log file: text or json (default text)" },
	{ "log-level", 0, OPTION_STRING, GLOBAL(log_level), .arg = "string",
	  .help = "error, warning, info or debug (default warning)" },
	{ "root", 0, OPTION_STRING, GLOBAL(root), .arg = "dir",
	  .help = "directory of the containers' state (default " RUNTIME_ROOT_DEFAULT ")" },
	{ "rootless", 0, OPTION_STRING, GLOBAL(rootless_word), .arg = "string",
	  .help = "go without cgroups where rights are missing: true, false or auto (default auto: "
		  "if not the host's root)" },
	{ "systemd-cgroup", 0, OPTION_BOOL, GLOBAL(systemd_cgroup),
	  .help = "let systemd make cgroups: the same as --cgroup-manager=systemd" },
	{ "usage", '?', OPTION_BOOL, GLOBAL(help), .hidden = true, .help = "help, for crun" },
	{ "version", 'v', OPTION_BOOL, GLOBAL(version), .help = "show the version" },
	{ "version", 'V', OPTION_BOOL, GLOBAL(version), .hidden = true, .help = "as crun has it" },
};

static const struct runtime_verb_table *const tables[] = {
	&runtime_verbs_start,	   &runtime_verbs_control, &runtime_verbs_inspect,
	&runtime_verbs_checkpoint, &runtime_verbs_events,  &runtime_verbs_document,
};

static const struct runtime_verb *find_verb(const char *name)
{
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
		for (size_t i = 0; i < tables[t]->n; i++)
			if (str_eq(tables[t]->verbs[i].name, name))
				return &tables[t]->verbs[i];
	return NULL;
}

static void print(const struct buf *b)
{
	(void)fd_write_all(STDOUT_FILENO, buf_str(b),
			   b->len); /* a closed stdout is its owner's wish */
}

static int show_help(void)
{
	cleanup_buf struct buf b = { 0 };

	buf_puts(&b,
		 "Usage: berth-runtime [global options] VERB [options] [arguments]\n\nVerbs:\n");
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
		for (size_t i = 0; i < tables[t]->n; i++)
			buf_printf(&b, "  %-9s %s\n", tables[t]->verbs[i].name,
				   tables[t]->verbs[i].summary);
	buf_puts(&b, "\nGlobal options:\n");
	option_help(global_options, ARRAY_SIZE(global_options), &b);
	print(&b);
	return 0;
}

static int show_verb_help(const struct runtime_verb *v)
{
	cleanup_buf struct buf b = { 0 };

	buf_printf(&b, "Usage: berth-runtime %s%s %s\n\n%s\n", v->name,
		   v->n_options ? " [options]" : "", v->arguments, v->summary);
	if (v->n_options) {
		buf_puts(&b, "\nOptions:\n");
		option_help(v->options, v->n_options, &b);
	}
	print(&b);
	return 0;
}

static int show_version(void)
{
	cleanup_buf struct buf b = { 0 };

	buf_printf(&b, "berth-runtime version " BERTH_VERSION "\nspec: " OCI_VERSION "\n");
	print(&b);
	return 0;
}

static int set_log_level(const char *name, struct error *err)
{
	static const char *const levels[] = {
		[LOG_LEVEL_ERROR] = "error",
		[LOG_LEVEL_WARNING] = "warning",
		[LOG_LEVEL_INFO] = "info",
		[LOG_LEVEL_DEBUG] = "debug",
	};
	int level = str_index(levels, ARRAY_SIZE(levels), name);

	if (level < 0)
		return error_kind(err, ERROR_INVALID, "unknown log level '%s'", name);
	log_set_level((enum log_level)level);
	return 0;
}

static int set_up_log(const struct runtime_globals *g, struct error *err)
{
	const char *path = g->log_path;
	int r;

	if (g->log_level) {
		r = set_log_level(g->log_level, err);
		if (r < 0)
			return r;
	}
	if (g->debug)
		log_set_level(LOG_LEVEL_DEBUG);
	if (g->log_format && !str_eq(g->log_format, "text") && !str_eq(g->log_format, "json"))
		return error_kind(err, ERROR_INVALID, "unknown log-format \"%s\"", g->log_format);
	log_set_json(str_eq(g->log_format, "json"));
	if (str_empty(path))
		return 0;
	if (str_after(path, "journald:"))
		return log_open_journal(str_after(path, "journald:"), err);
	if (str_after(path, "syslog:"))
		return log_open_syslog(str_after(path, "syslog:"), err);
	if (str_after(path, "file:"))
		path = str_after(path, "file:");
	return log_open_file(path, err);
}

/* What is accepted for compatibility and not there yet says so. */
static int check_globals(struct runtime_globals *g, struct error *err)
{
	static const char *const rootless[] = {
		[RUNTIME_ROOTLESS_AUTO] = "auto",
		[RUNTIME_ROOTLESS_TRUE] = "true",
		[RUNTIME_ROOTLESS_FALSE] = "false",
	};
	static const char *const managers[] = {
		[RUNTIME_CGROUP_FS] = "cgroupfs",
		[RUNTIME_CGROUP_SYSTEMD] = "systemd",
		[RUNTIME_CGROUP_DISABLED] = "disabled",
	};
	int manager = g->manager_word ? str_index(managers, ARRAY_SIZE(managers), g->manager_word)
				      : RUNTIME_CGROUP_FS;
	int choice = g->rootless_word ? str_index(rootless, ARRAY_SIZE(rootless), g->rootless_word)
				      : RUNTIME_ROOTLESS_AUTO;

	if (manager < 0)
		return error_kind(err, ERROR_INVALID,
				  "unknown cgroup manager '%s': cgroupfs, systemd or disabled",
				  g->manager_word);
	if (choice < 0)
		return error_kind(err, ERROR_INVALID, "--rootless: '%s' is not true, false or auto",
				  g->rootless_word);
	g->rootless = (enum runtime_rootless)choice;
	g->cgroup_manager =
		g->systemd_cgroup ? RUNTIME_CGROUP_SYSTEMD : (enum runtime_cgroup_manager)manager;
	return 0;
}

/* In a user namespace uid 0 need not be root of the host: runc then goes by the name. */
static bool has_own_runtime_dir(void)
{
	if (geteuid() != 0)
		return true;
	return !str_eq(getenv("USER"), "root") && idmap_own_extent() != IDMAP_ALL;
}

/* Heap. */
static char *default_root(void)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");

	if (str_empty(dir) || !has_own_runtime_dir())
		return xstrdup(RUNTIME_ROOT_DEFAULT);
	return xasprintf("%s/berth-runtime", dir);
}

/* One of the options that begin these words is that for help. */
static bool asks_help(char **words)
{
	static const char *const help[] = { "--help", "-h", "--usage", "-?" };

	for (; *words && **words == '-' && !str_eq(*words, "--"); words++)
		if (str_index(help, ARRAY_SIZE(help), *words) >= 0)
			return true;
	return false;
}

static bool is_help_verb(const char *word)
{
	return str_eq(word, "help") || str_eq(word, "h");
}

/* *fail_code is changed to the verb's own, which is not that of a wrong use. */
static int run_verb(const struct runtime_verb *v, const struct runtime_globals *g, int argc,
		    char **argv, int *fail_code, struct error *err)
{
	cleanup_free void *target = xcalloc(1, v->target_size + 1);
	int first, n, r;

	r = option_parse(v->options, v->n_options, target, argc, argv, v->parse_flags, &first, err);
	if (r < 0)
		return r;
	n = argc - first;
	if (n < v->min_args || (v->max_args >= 0 && n > v->max_args))
		return error_kind(err, ERROR_INVALID, "\"%s\" takes %s%d argument(s): %s", v->name,
				  v->min_args == v->max_args ? "exactly "
				  : n < v->min_args	     ? "at least "
							     : "at most ",
				  n < v->min_args ? v->min_args : v->max_args, v->arguments);
	if (v->fail_code)
		*fail_code = v->fail_code;
	return v->run(g, target, argv + first, err);
}

int main(int argc, char **argv)
{
	/* options move words in argv; who executes the program again needs them as they were */
	cleanup_free char **words = xmemdup(argv, ((size_t)argc + 1) * sizeof(*argv));
	cleanup_free char *own_root = NULL;
	struct runtime_globals g = { .argv = words };
	const struct runtime_verb *verb = NULL;
	struct error err = { 0 };
	int first, r, fail_code = EXIT_FAILURE;

	sig_expect_children();
	r = sealed_self_refuse_inside(&err);
	if (r == 0)
		r = fd_sanitize_std(&err);
	if (r == 0)
		r = option_parse(global_options, ARRAY_SIZE(global_options), &g, argc, argv,
				 OPTION_STOP_AT_POSITIONAL, &first, &err);
	if (r == 0)
		r = set_up_log(&g, &err);
	if (r == 0 && g.version)
		return show_version();
	if (r == 0 && (g.help || first == argc))
		return show_help();
	if (r == 0 && is_help_verb(argv[first])) {
		verb = argv[first + 1] ? find_verb(argv[first + 1]) : NULL;
		return verb ? show_verb_help(verb) : show_help();
	}
	if (r == 0) {
		if (str_empty(g.root)) {
			own_root = default_root();
			g.root = own_root;
			g.root_is_default = true;
		}
		verb = find_verb(argv[first]);
		if (!verb) {
			log_error("unknown verb '%s', see berth-runtime --help", argv[first]);
			return EXIT_UNKNOWN_VERB;
		}
		if (asks_help(argv + first + 1))
			return show_verb_help(verb);
		r = check_globals(&g, &err);
	}
	if (r == 0)
		r = run_verb(verb, &g, argc - first, argv + first, &fail_code, &err);
	if (r >= 0)
		return r;
	log_report(&err);
	return fail_code;
}
