/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/registry_flags.h"
#include "cli/sign_flags.h"
#include "engine/engine.h"
#include "image/push.h"
#include "image/reference.h"

struct push_flags {
	bool all_tags, quiet, remove_signatures;
	const char *platform, *digestfile;
	struct sign_flags sign;
	enum compression compression;
	enum push_format format;
	struct registry_flags registry;
};

static int parse_format(void *target, const struct option *o, const char *value, struct error *err)
{
	static const struct {
		const char *word;
		enum push_format format;
	} words[] = {
		{ "docker", PUSH_FORMAT_DOCKER },
		{ "oci", PUSH_FORMAT_OCI },
		{ "v2s2", PUSH_FORMAT_DOCKER },
	};
	struct push_flags *f = target;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (str_eq(value, words[i].word)) {
			f->format = words[i].format;
			return 0;
		}
	}
	return error_kind(err, ERROR_INVALID, "unknown manifest format '%s': oci, v2s2 (docker)",
			  value);
}

static const struct option push_options[] = {
	{ .name = "all-tags",
	  .short_name = 'a',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(push_flags, all_tags),
	  .help = "Push all tags of an image to the repository" },
	REGISTRY_OPTION_AUTHFILE(push_flags),
	REGISTRY_OPTION_CERT_DIR(push_flags),
	REGISTRY_OPTION_COMPRESSION(push_flags),
	REGISTRY_OPTION_CREDS(push_flags),
	{ .name = "digestfile",
	  .type = OPTION_STRING,
	  .arg = "path",
	  OPTION_FIELD(push_flags, digestfile),
	  .help = "Write the digest of what was pushed to this file" },
	{ .name = "disable-content-trust",
	  .type = OPTION_CALL,
	  .is_flag = true,
	  .parse = content_trust_parse,
	  .help = "Without effect: there is no content trust" },
	{ .name = "format",
	  .type = OPTION_CALL,
	  .arg = "string",
	  .parse = parse_format,
	  .help = "Push the manifest as oci or v2s2 (docker), whatever the image came as" },
	{ .name = "platform",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(push_flags, platform),
	  .help = "Push the image only if it is for this platform: os[/arch[/variant]]" },
	{ .name = "quiet",
	  .short_name = 'q',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(push_flags, quiet),
	  .help = "Suppress verbose output" },
	{ .name = "remove-signatures",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(push_flags, remove_signatures),
	  .help = "Push without signatures of the source (none are kept: always so)" },
	SIGN_OPTION_BY(push_flags),
	SIGN_OPTION_SEALED_KEY(push_flags),
	SIGN_OPTION_PASSPHRASE_FILE(push_flags),
	REGISTRY_OPTION_TLS_VERIFY(push_flags),
};

/* docker's words about what cannot be pushed. */
static int parse_name(char **args, const struct push_flags *f, struct reference *ref,
		      struct error *err)
{
	const char *text = args[0];
	int r;

	if (args[1]) {
		r = destination_parse(args[1], ref, err);
		if (r == 0 && f->all_tags)
			r = error_kind(err, ERROR_INVALID,
				       "--all-tags/-a goes without a DESTINATION");
		if (r == 0 && ref->digest)
			r = error_kind(err, ERROR_INVALID, "cannot push a digest reference");
		return r;
	}
	r = reference_parse_bare(text, ref, err);

	if (r < 0)
		return r;
	if (ref->digest)
		return error_kind(err, ERROR_INVALID, "cannot push a digest reference");
	if (f->all_tags && ref->tag)
		return error_kind(err, ERROR_INVALID, "tag can't be used with --all-tags/-a");
	if (f->all_tags || ref->tag)
		return 0;
	reference_done(ref);
	r = reference_parse(text, ref, err);
	if (r == 0 && !f->quiet)
		(void)printf("Using default tag: %s\n", ref->tag);
	return r;
}

struct push {
	struct image_store *store;
	const struct reference *ref;
	const struct image_push_options *options;
	bool quiet;
};

static int push_until(void *ctx, int stop_fd, struct error *err)
{
	const struct push *p = ctx;
	cleanup_with(progress_view_free) struct progress_view *view = NULL;
	struct image_push_options o = *p->options;

	o.stop_fd = stop_fd;
	if (!p->quiet) {
		view = progress_view_stdout();
		o.progress = progress_view_sink(view);
	}
	return image_push(p->store, p->ref, &o, err);
}

static int cmd_push(struct cli *cli, void *target, int n, char **args, struct error *err)
{
	const struct push_flags *f = target;
	cleanup_credential struct credential credential = { 0 };
	struct digest pushed = { "" };
	struct image_push_options o = { .source = n > 1 ? args[0] : NULL,
					.all_tags = f->all_tags,
					.platform = f->platform,
					.compression = f->compression,
					.format = f->format,
					.pushed = &pushed };
	cleanup_reference struct reference ref = { 0 };
	cleanup_secret char *passphrase = NULL;
	cleanup_free char *full = NULL;
	struct push p = { .ref = &ref, .options = &o, .quiet = f->quiet };
	struct engine *e;
	int r = parse_name(args, f, &ref, err);

	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r == 0)
		r = engine_images(e, &p.store, err);
	if (r == 0)
		r = registry_flags_access(&f->registry, &credential, &o.access, err);
	if (r == 0)
		r = sign_flags_options(&f->sign, &passphrase, &o.sign, err);
	if (r == 0)
		r = interrupt_guard(e, push_until, &p, err);
	if (r == 0 && f->digestfile)
		r = file_write_atomic(AT_FDCWD, f->digestfile, pushed.text, strlen(pushed.text),
				      0644, 0, err);
	if (r == 0 && f->quiet) {
		full = reference_format(&ref);
		(void)puts(full); /* checked by the flush at the end */
	}
	return r;
}

static const struct command commands[] = {
	{ .group = "image",
	  .name = "push",
	  .top = "push",
	  .usage = "[OPTIONS] NAME[:TAG] [DESTINATION]",
	  .summary = "Upload an image to a registry",
	  COMMAND_OPTIONS(push_options, push_flags),
	  .min_args = 1,
	  .max_args = 2,
	  .run = cmd_push },
};

const struct command_table commands_push = { commands, ARRAY_SIZE(commands) };
