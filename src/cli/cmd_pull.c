/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd_pull.h"

#include <stdio.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/registry_flags.h"
#include "cli/terminal.h"
#include "engine/engine.h"
#include "image/platform.h"
#include "image/pull.h"
#include "image/reference.h"

struct pull_flags {
	bool all_tags, quiet;
	const char *platform, *os, *arch, *variant, *signature_policy;
	struct registry_flags registry;
};

static const struct option pull_options[] = {
	{ .name = "all-tags",
	  .short_name = 'a',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(pull_flags, all_tags),
	  .help = "Download all tagged images in the repository" },
	{ .name = "arch",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(pull_flags, arch),
	  .help = "Take the image for this architecture" },
	REGISTRY_OPTION_AUTHFILE(pull_flags),
	REGISTRY_OPTION_CERT_DIR(pull_flags),
	REGISTRY_OPTION_CREDS(pull_flags),
	{ .name = "disable-content-trust",
	  .type = OPTION_CALL,
	  .is_flag = true,
	  .parse = content_trust_parse,
	  .help = "Without effect: there is no content trust" },
	{ .name = "os",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(pull_flags, os),
	  .help = "Take the image for this operating system" },
	{ .name = "platform",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(pull_flags, platform),
	  .help = "Take the image for this platform: os[/arch[/variant]]" },
	{ .name = "quiet",
	  .short_name = 'q',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(pull_flags, quiet),
	  .help = "Suppress verbose output" },
	{ .name = "signature-policy",
	  .type = OPTION_STRING,
	  .arg = "path",
	  OPTION_FIELD(pull_flags, signature_policy),
	  .help = "Which images are allowed, instead of policy.json" },
	REGISTRY_OPTION_TLS_VERIFY(pull_flags),
	{ .name = "variant",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(pull_flags, variant),
	  .help = "Take the image for this variant of the architecture" },
};

static struct progress_view *view_on(FILE *out)
{
	uint16_t rows, columns = 0;

	if (out == stdout)
		return progress_view_stdout();
	if (!terminal_size(fileno(out), &rows, &columns))
		columns = 0;
	return progress_view_new(out, columns);
}

struct pull {
	struct engine *e;
	struct image_store *store;
	const struct reference *ref;
	const struct pull_flags *f;
	FILE *out; /* for the lines of the progress; NULL: none are shown */
};

static int pull_until(void *ctx, int stop_fd, struct error *err)
{
	const struct pull *p = ctx;
	const struct pull_flags *f = p->f;
	FILE *out = p->out;
	cleanup_credential struct credential credential = { 0 };
	cleanup_with(progress_view_free) struct progress_view *view = out ? view_on(out) : NULL;
	cleanup_free char *name =
		f->all_tags ? reference_familiar_name(p->ref) : reference_familiar(p->ref);
	struct image_pull_options o = { .all_tags = f->all_tags,
					.platform = f->platform,
					.signature_policy = f->signature_policy,
					.stop_fd = stop_fd };
	struct image_pulled pulled;
	int r = registry_flags_access(&f->registry, &credential, &o.access, err);

	if (r < 0)
		return r;
	if (view)
		o.progress = progress_view_sink(view);
	r = image_pull(p->store, p->ref, &o, &pulled, err);
	engine_sweep_later(p->e); /* now: a container that is run next may keep us for days */
	if (r == 0 && out)
		(void)fprintf(out, "Status: %s for %s\n",
			      pulled.newer ? "Downloaded newer image" : "Image is up to date",
			      name); /* checked by the flush at the end */
	return r;
}

static int pull(struct engine *e, const struct reference *ref, const struct pull_flags *f,
		FILE *out, struct error *err)
{
	struct pull p = { .e = e, .ref = ref, .f = f, .out = out };
	int r = engine_images(e, &p.store, err);

	return r < 0 ? r : interrupt_guard(e, pull_until, &p, err);
}

/* docker's words about tags that are not given, or given for nothing. */
static int parse_name(const char *text, const struct pull_flags *f, struct reference *ref,
		      FILE *out, struct error *err)
{
	int r = reference_parse_bare(text, ref, err);

	if (r < 0)
		return r;
	if (f->all_tags && (ref->tag || ref->digest))
		return error_kind(err, ERROR_INVALID, "tag can't be used with --all-tags/-a");
	if (f->all_tags || ref->tag || ref->digest)
		return 0;
	reference_done(ref);
	r = reference_parse(text, ref, err);
	if (r == 0 && out)
		(void)fprintf(out, "Using default tag: %s\n", ref->tag);
	return r;
}

int pull_for_run(struct engine *e, const char *name, const char *platform, bool is_missing,
		 bool quiet, struct error *err)
{
	const struct pull_flags f = { .platform = platform };
	cleanup_reference struct reference ref = { 0 };
	cleanup_free char *familiar = NULL;
	int r = reference_parse(name, &ref, err);

	if (r < 0)
		return r;
	familiar = reference_familiar(&ref);
	if (is_missing && !quiet)
		(void)fprintf(stderr, "Unable to find image '%s' locally\n", familiar);
	return pull(e, &ref, &f, quiet ? NULL : stderr, err);
}

static int cmd_pull(struct cli *cli, void *target, int n UNUSED, char **args, struct error *err)
{
	cleanup_free char *platform = NULL;
	struct pull_flags *f = target;
	cleanup_reference struct reference ref = { 0 };
	cleanup_free char *full = NULL;
	FILE *out = f->quiet ? NULL : stdout;
	struct engine *e;
	int r = platform_join(f->platform, f->os, f->arch, f->variant, &platform, err);

	f->platform = platform;
	if (r == 0)
		r = parse_name(args[0], f, &ref, out, err);
	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r == 0)
		r = pull(e, &ref, f, out, err);
	if (r < 0)
		return r;
	full = f->all_tags ? xasprintf("%s/%s", ref.domain, ref.path) : reference_format(&ref);
	(void)puts(full); /* checked by the flush at the end */
	return 0;
}

static const struct command commands[] = {
	{ .group = "image",
	  .name = "pull",
	  .top = "pull",
	  .usage = "[OPTIONS] NAME[:TAG|@DIGEST]",
	  .summary = "Download an image from a registry",
	  COMMAND_OPTIONS(pull_options, pull_flags),
	  .min_args = 1,
	  .max_args = 1,
	  .run = cmd_pull },
};

const struct command_table commands_pull = { commands, ARRAY_SIZE(commands) };
