/* SPDX-License-Identifier: Apache-2.0 */
/* run, create, start, attach: the commands with a user in front of a container. */
#include <errno.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"
#include "cli/cmd_pull.h"
#include "cli/command.h"
#include "cli/flags_container.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "engine/engine.h"
#include "image/platform.h"
#include "image/store.h"
#include "oci/image.h"

static void print_warnings(char **warnings)
{
	for (size_t i = 0; warnings && warnings[i]; i++)
		(void)fprintf(stderr, "WARNING: %s\n", warnings[i]);
	strv_free(warnings);
}

/* Docker's exit code when its client refuses before anything was asked of the engine. */
#define EXIT_REFUSED 1

static int refuse(const char *sentence)
{
	(void)fprintf(stderr, "berth: %s\n", sentence);
	return EXIT_REFUSED;
}

/* What follows the options: IMAGE [COMMAND] [ARG...], or the command alone with --rootfs. Returns
 * EXIT_REFUSED when there is neither. */
static int take_words(struct container_flags *f, int n, char **args)
{
	if (!f->o.rootfs) {
		if (n < 1)
			return refuse("an image is needed: IMAGE or --rootfs DIRECTORY");
		f->o.image = args[0];
		args++;
	}
	f->o.command = strv_copy(args);
	return 0;
}

static bool wants(char **attach, const char *stream)
{
	for (size_t i = 0; attach && attach[i]; i++)
		if (strcasecmp(attach[i], stream) == 0)
			return true;
	return false;
}

static struct session_options session_of(const struct container_flags *f)
{
	bool chosen = f->o.attach && f->o.attach[0];

	return (struct session_options){
		.in = chosen ? wants(f->o.attach, "stdin") : f->o.interactive,
		.out = chosen ? wants(f->o.attach, "stdout") : true,
		.err = chosen ? wants(f->o.attach, "stderr") : true,
		.sig_proxy = f->sig_proxy,
		.detach_keys = f->detach_keys,
	};
}

/* Is it the image that is not there, or not for this platform, and not something else that the
 * container needs? */
static bool lacks_image(struct engine *e, const struct container_options *o)
{
	cleanup_with(image_free) struct image *image = NULL;
	struct image_store *store;
	struct error err;
	int r = o->image ? engine_images(e, &store, &err) : -ENOENT;

	if (r < 0)
		return false;
	r = image_lookup(store, o->image, &image, &err);
	if (r == 0)
		r = platform_check(o->platform, &image->config->platform, o->image, &err);
	return r < 0 && err.kind == ERROR_NOT_FOUND;
}

/* engine_create(); with --replace, when nothing but the name is in its way, who has that is removed. */
static int create_or_replace(struct engine *e, const struct container_flags *f,
			     struct engine_created *ret, struct error *err)
{
	const struct container_options *o = &f->o;
	int r = engine_create(e, o, ret, err);

	if (r == 0 || !f->replace || err->kind != ERROR_CONFLICT ||
	    (o->cidfile && access(o->cidfile, F_OK) == 0))
		return r;
	r = engine_remove(e, o->name, ENGINE_REMOVE_FORCE, err);
	return r < 0 ? r : engine_create(e, o, ret, err);
}

/* The same, with what --pull says before or after it. */
static int pull_and_create(struct engine *e, const struct container_flags *f,
			   struct engine_created *ret, struct error *err)
{
	const struct container_options *o = &f->o;
	int r = 0;

	if (o->pull == PULL_ALWAYS && o->image)
		r = pull_for_run(e, o->image, o->platform, false, f->quiet, err);
	if (r == 0)
		r = create_or_replace(e, f, ret, err);
	if (r == 0 || o->pull != PULL_MISSING || err->kind != ERROR_NOT_FOUND || !lacks_image(e, o))
		return r;
	r = pull_for_run(e, o->image, o->platform, true, f->quiet, err);
	return r < 0 ? r : create_or_replace(e, f, ret, err);
}

/* 0, EXIT_REFUSED, or an error. */
static int create(struct cli *cli, struct container_flags *f, int n, char **args,
		  struct engine **ret_engine, struct engine_created *ret_created, struct error *err)
{
	int r = take_words(f, n, args);

	if (f->o.tty) /* a program that asks before we are attached shall not see 0 by 0 */
		(void)terminal_size(STDOUT_FILENO, &f->o.console_rows, &f->o.console_columns);
	if (r == 0)
		r = container_options_check(&f->o, err);
	if (r == 0 && f->replace && !f->o.name)
		r = error_kind(err, ERROR_INVALID,
			       "cannot replace a container without --name being set");
	if (r == 0)
		r = cli_engine(cli, ret_engine, err);
	if (r == 0)
		r = pull_and_create(*ret_engine, f, ret_created, err);
	if (r != 0)
		return r;
	print_warnings(take_ptr(&ret_created->warnings));
	return 0;
}

static int run_attached(struct engine *e, const char *id, const struct container_flags *f,
			struct error *err)
{
	cleanup_with(engine_session_close) struct engine_session *session = NULL;
	struct session_options o = session_of(f);
	int r, code;

	r = engine_start(e, id, session_flags(&o), &session, err);
	if (r == 0)
		r = session_serve(e, session, &o, &code, err);
	return r < 0 ? r : code;
}

static int run_detached(struct engine *e, const char *id, struct error *err)
{
	int r = engine_start(e, id, 0, NULL, err);

	(void)puts(
		id); /* docker prints it for a failed start, too; checked by the flush at the end */
	return r;
}

static int cmd_run(struct cli *cli, void *target, int n, char **args, struct error *err)
{
	struct container_flags *f = target;
	struct engine_created created = { 0 };
	struct engine *e;
	int r = 0;

	if (!f->o.detach && session_check_terminal(f->o.tty, f->o.interactive, err) < 0)
		r = refuse(err->msg);
	if (r == 0)
		r = create(cli, f, n, args, &e, &created, err);
	if (r == 0)
		r = f->o.detach ? run_detached(e, created.id, err)
				: run_attached(e, created.id, f, err);
	container_options_done(&f->o);
	return r;
}

static int cmd_create(struct cli *cli, void *target, int n, char **args, struct error *err)
{
	struct container_flags *f = target;
	struct engine_created created = { 0 };
	struct engine *e;
	int r = create(cli, f, n, args, &e, &created, err);

	if (r == 0)
		(void)puts(created.id); /* checked by the flush at the end */
	container_options_done(&f->o);
	return r;
}

struct start_flags {
	bool attach, interactive;
	const char *detach_keys;
};

static const struct option start_options[] = {
	{ .name = "attach",
	  .short_name = 'a',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(start_flags, attach),
	  .help = "Attach STDOUT/STDERR and forward signals" },
	{ .name = "detach-keys",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(start_flags, detach_keys),
	  .help = "Override the key sequence for detaching a container" },
	{ .name = "interactive",
	  .short_name = 'i',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(start_flags, interactive),
	  .help = "Attach container's STDIN" },
};

static int start_attached(struct engine *e, const char *ref, const struct start_flags *f,
			  struct error *err)
{
	cleanup_with(engine_session_close) struct engine_session *session = NULL;
	struct session_options o = { .in = f->interactive,
				     .out = true,
				     .err = true,
				     .sig_proxy = true,
				     .detach_keys = f->detach_keys };
	int r, code;

	r = engine_start(e, ref, session_flags(&o), &session, err);
	if (r < 0 && err->kind == ERROR_NOT_MODIFIED) /* it runs: docker attaches then */
		r = engine_attach(e, ref, session_flags(&o), &session, err);
	if (r == 0)
		r = session_serve(e, session, &o, &code, err);
	return r < 0 ? r : code;
}

static int cmd_start(struct cli *cli, void *target, int n, char **args, struct error *err)
{
	const struct start_flags *f = target;
	struct engine *e;
	int r, code = 0;

	if ((f->attach || f->interactive) && n > 1)
		return error_kind(err, ERROR_INVALID,
				  "you cannot start and attach multiple containers at once");
	r = cli_engine(cli, &e, err);
	if (r < 0)
		return r;
	if (f->attach || f->interactive)
		return start_attached(e, args[0], f, err);
	for (int i = 0; i < n; i++) {
		char text[ERROR_TEXT_MAX];

		r = engine_start(e, args[i], 0, NULL, err);
		if (r == 0 || err->kind == ERROR_NOT_MODIFIED) {
			(void)puts(args[i]); /* checked by the flush at the end */
			continue;
		}
		(void)fprintf(stderr, "berth: %s\n", error_text(err, text, sizeof(text)));
		code = 1;
	}
	if (code)
		(void)fprintf(stderr, "berth: failed to start containers\n");
	return code;
}

struct attach_flags {
	bool no_stdin, sig_proxy;
	const char *detach_keys;
};

static void attach_init(void *target)
{
	((struct attach_flags *)target)->sig_proxy = true;
}

static const struct option attach_options[] = {
	{ .name = "detach-keys",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(attach_flags, detach_keys),
	  .help = "Override the key sequence for detaching a container" },
	{ .name = "no-stdin",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(attach_flags, no_stdin),
	  .help = "Do not attach STDIN" },
	{ .name = "sig-proxy",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(attach_flags, sig_proxy),
	  .help = "Proxy all received signals to the process" },
};

static int cmd_attach(struct cli *cli, void *target, int n UNUSED, char **args, struct error *err)
{
	const struct attach_flags *f = target;
	cleanup_with(engine_session_close) struct engine_session *session = NULL;
	struct session_options o = { .in = !f->no_stdin,
				     .out = true,
				     .err = true,
				     .sig_proxy = f->sig_proxy,
				     .detach_keys = f->detach_keys };
	struct engine *e;
	int r, code;

	r = cli_engine(cli, &e, err);
	if (r == 0)
		r = engine_attach(e, args[0], session_flags(&o), &session, err);
	if (r == 0)
		r = session_check_terminal(session_has_terminal(session), o.in, err);
	if (r == 0)
		r = session_serve(e, session, &o, &code, err);
	return r < 0 ? r : code;
}

static const struct command commands[] = {
	{ .group = "container",
	  .name = "run",
	  .top = "run",
	  .usage = "[OPTIONS] IMAGE [COMMAND] [ARG...]",
	  .summary = "Create and run a new container from an image",
	  .options = container_flags_table,
	  .n_options = CONTAINER_FLAGS_RUN,
	  .target_size = sizeof(struct container_flags),
	  .init = container_flags_init,
	  .parse_flags = OPTION_STOP_AT_POSITIONAL,
	  .min_args = 0,
	  .max_args = COMMAND_ANY_ARGS,
	  .fail_code = 125,
	  .run = cmd_run },
	{ .group = "container",
	  .name = "create",
	  .top = "create",
	  .usage = "[OPTIONS] IMAGE [COMMAND] [ARG...]",
	  .summary = "Create a new container",
	  .options = container_flags_table,
	  .n_options = CONTAINER_FLAGS_CREATE,
	  .target_size = sizeof(struct container_flags),
	  .init = container_flags_init,
	  .parse_flags = OPTION_STOP_AT_POSITIONAL,
	  .min_args = 0,
	  .max_args = COMMAND_ANY_ARGS,
	  .run = cmd_create },
	{ .group = "container",
	  .name = "start",
	  .top = "start",
	  .usage = "[OPTIONS] CONTAINER [CONTAINER...]",
	  .summary = "Start one or more stopped containers",
	  COMMAND_OPTIONS(start_options, start_flags),
	  .min_args = 1,
	  .max_args = COMMAND_ANY_ARGS,
	  .run = cmd_start },
	{ .group = "container",
	  .name = "attach",
	  .top = "attach",
	  .usage = "[OPTIONS] CONTAINER",
	  .summary =
		  "Attach local standard input, output, and error streams to a running container",
	  COMMAND_OPTIONS(attach_options, attach_flags),
	  .init = attach_init,
	  .min_args = 1,
	  .max_args = 1,
	  .run = cmd_attach },
};

const struct command_table commands_run = { commands, ARRAY_SIZE(commands) };
