/* SPDX-License-Identifier: Apache-2.0 */
/* berth-monitor: one container's stdio, log, attach socket and exit status. monitor/ does it. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/option.h"
#include "base/sig.h"
#include "base/str.h"
#include "monitor/monitor.h"
#include "prog/monitor_runtime.h"
#include "runtime/sealed_self.h"

struct arguments {
	struct monitor_options o;
	char **runtime_args;
	char *runtime; /* runtime_path, made absolute */
	bool sealed;
	bool help;
	bool version;
};

static const struct option options[] = {
	{ .name = "attach-fd",
	  .type = OPTION_INT,
	  OPTION_FIELD(arguments, o.attach_fd),
	  .arg = "number",
	  .help = "Inherited socket of a first attach client" },
	{ .name = "bundle",
	  .type = OPTION_STRING,
	  OPTION_FIELD(arguments, o.container.bundle),
	  .arg = "dir",
	  .help = "Directory with config.json" },
	{ .name = "exit-command",
	  .type = OPTION_LIST,
	  OPTION_FIELD(arguments, o.exit_command),
	  .arg = "word",
	  .help = "Command to run when no engine recorded the exit; one use a word" },
	{ .name = "exit-file",
	  .type = OPTION_STRING,
	  OPTION_FIELD(arguments, o.exit_file),
	  .arg = "file",
	  .help = "Where to write how the container ended" },
	{ .name = "help", .short_name = 'h', OPTION_FIELD(arguments, help), .help = "Show help" },
	{ .name = "id",
	  .type = OPTION_STRING,
	  OPTION_FIELD(arguments, o.container.id),
	  .arg = "id",
	  .help = "Container id" },
	{ .name = "log-driver",
	  .type = OPTION_STRING,
	  OPTION_FIELD(arguments, o.log_driver),
	  .arg = "name",
	  .help = "json-file (default), k8s-file or none" },
	{ .name = "log-opt",
	  .type = OPTION_LIST,
	  OPTION_FIELD(arguments, o.log_opts),
	  .arg = "name=value",
	  .help = "Log driver option: max-size, max-file" },
	{ .name = "log-path",
	  .type = OPTION_STRING,
	  OPTION_FIELD(arguments, o.log_path),
	  .arg = "file",
	  .help = "File of the log driver" },
	{ .name = "oom-file",
	  .type = OPTION_STRING,
	  OPTION_FIELD(arguments, o.oom_file),
	  .arg = "file",
	  .help = "The cgroup's memory.events or memory.oom_control" },
	{ .name = "run-dir",
	  .type = OPTION_STRING,
	  OPTION_FIELD(arguments, o.container.run_dir),
	  .arg = "dir",
	  .help = "Directory for attach.sock and monitor.pid" },
	{ .name = "runtime",
	  .type = OPTION_STRING,
	  OPTION_FIELD(arguments, o.container.runtime_path),
	  .arg = "path",
	  .help = "Another OCI runtime than the built-in one" },
	{ .name = "runtime-arg",
	  .type = OPTION_LIST,
	  OPTION_FIELD(arguments, runtime_args),
	  .arg = "word",
	  .help = "Global argument of that runtime" },
	{ .name = "runtime-root",
	  .type = OPTION_STRING,
	  OPTION_FIELD(arguments, o.container.runtime_root),
	  .arg = "dir",
	  .help = "State directory of the runtime" },
	{ .name = "sealed",
	  OPTION_FIELD(arguments, sealed),
	  .help = "Run from a read-only mount of this program: the container shares its pid "
		  "namespace" },
	{ .name = "start-at-once",
	  OPTION_FIELD(arguments, o.start_at_once),
	  .help = "Do not wait for the engine's START" },
	{ .name = "stdin",
	  .short_name = 'i',
	  OPTION_FIELD(arguments, o.stdin_open),
	  .help = "Keep stdin open" },
	{ .name = "stdin-once",
	  OPTION_FIELD(arguments, o.stdin_once),
	  .help = "Close stdin when an attached client's ends" },
	{ .name = "sync-fd",
	  .type = OPTION_INT,
	  OPTION_FIELD(arguments, o.sync_fd),
	  .arg = "number",
	  .help = "Inherited socket to the engine" },
	{ .name = "systemd-cgroup",
	  OPTION_FIELD(arguments, o.container.systemd_cgroup),
	  .help = "systemd makes the container's cgroup" },
	{ .name = "tty",
	  .short_name = 't',
	  OPTION_FIELD(arguments, o.container.tty),
	  .help = "The container has a terminal" },
	{ .name = "version",
	  .short_name = 'v',
	  OPTION_FIELD(arguments, version),
	  .help = "Show the version" },
};

static void arguments_done(struct arguments *a)
{
	free(a->runtime);
	strv_free(a->runtime_args);
	strv_free(a->o.log_opts);
	strv_free(a->o.exit_command);
}

static void print_help(void)
{
	cleanup_buf struct buf text = { 0 };

	buf_puts(&text, "Usage: berth-monitor --id ID --bundle DIR --run-dir DIR --exit-file FILE "
			"[OPTIONS]\n\nStarted by berth, one for each container.\n\nOptions:\n");
	option_help(options, ARRAY_SIZE(options), &text);
	(void)fd_write_all(STDOUT_FILENO, text.data, text.len); /* a help nobody reads */
}

static int check_words(const struct arguments *a, struct error *err)
{
	const struct {
		const char *name, *value;
		bool needed, is_path;
	} words[] = {
		{ "--bundle", a->o.container.bundle, true, true },
		{ "--exit-file", a->o.exit_file, true, true },
		{ "--id", a->o.container.id, true, false },
		{ "--log-path", a->o.log_path, false, true },
		{ "--oom-file", a->o.oom_file, false, true },
		{ "--run-dir", a->o.container.run_dir, true, true },
		{ "--runtime-root", a->o.container.runtime_root, false, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *value = words[i].value;

		if (words[i].needed && str_empty(value))
			return error_kind(err, ERROR_INVALID, "flag needed: %s", words[i].name);
		if (words[i].is_path && value && value[0] != '/')
			return error_kind(err, ERROR_INVALID, "%s '%s' is not an absolute path",
					  words[i].name, value);
	}
	return 0;
}

/* A monitor lives long and must not hold the directory its user happened to be in. */
static int leave_directory(struct arguments *a, struct error *err)
{
	const char *runtime = a->o.container.runtime_path;

	if (runtime && runtime[0] != '/' && strchr(runtime, '/')) {
		a->runtime = realpath(runtime, NULL);
		if (!a->runtime)
			return error_sys(err, "cannot find runtime '%s'", runtime);
		a->o.container.runtime_path = a->runtime;
	}
	if (chdir("/") < 0)
		return error_sys(err, "cannot change to '/'");
	return 0;
}

/* The descriptors that we inherited pass once more, so this comes before they are closed-on-exec. */
static int seal(char *const *argv, struct error *err)
{
	int r = sealed_self_ensure(argv, err);

	(void)prctl(PR_SET_NAME, "berth-monitor"); /* by descriptor, the name was a number */
	return r;
}

static int check(struct arguments *a, struct error *err)
{
	const int fds[] = { a->o.sync_fd, a->o.attach_fd };
	int status = check_words(a, err);

	if (status < 0)
		return status;
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		int r = fds[i] < 0 ? 0 : fd_set_cloexec(fds[i], true);

		if (r < 0)
			return error_num(err, -r, "descriptor %d is not open", fds[i]);
	}
	return leave_directory(a, err);
}

int main(int argc, char **argv)
{
	__attribute__((cleanup(arguments_done))) struct arguments a = {
		.o = { .sync_fd = -1, .attach_fd = -1, .log_driver = "json-file" },
	};
	/* options move words in argv */
	cleanup_free char **words = xmemdup(argv, ((size_t)argc + 1) * sizeof(*argv));
	struct error err;
	int first, r;

	sig_expect_children();
	log_set_program("berth-monitor");
	r = sealed_self_refuse_inside(&err);
	if (r == 0)
		r = fd_sanitize_std(&err);
	if (r == 0)
		r = option_parse(options, ARRAY_SIZE(options), &a, argc, argv, 0, &first, &err);
	if (r == 0 && a.help) {
		print_help();
		return 0;
	}
	if (r == 0 && a.version) {
		(void)dprintf(STDOUT_FILENO, "berth-monitor version " BERTH_VERSION "\n");
		return 0;
	}
	if (r == 0 && first < argc)
		r = error_kind(&err, ERROR_INVALID, "unexpected argument '%s'", argv[first]);
	if (r == 0 && a.sealed)
		r = seal(words, &err);
	if (r == 0)
		r = check(&a, &err);
	a.o.container.runtime_args = (const char *const *)a.runtime_args;
	if (r == 0)
		r = monitor_run(&a.o,
				a.o.container.runtime_path ? &monitor_runtime_foreign
							   : &monitor_runtime_builtin,
				&err);
	if (r < 0)
		log_report(&err);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
