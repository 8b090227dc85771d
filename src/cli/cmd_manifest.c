/* SPDX-License-Identifier: Apache-2.0 */
/* `manifest`: images for several platforms under one name. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/registry_flags.h"
#include "cli/sign_flags.h"
#include "codec/sha256.h"
#include "engine/engine.h"
#include "image/manifest_list.h"
#include "image/progress.h"
#include "image/reference.h"

static int open_store(struct cli *cli, struct image_store **ret, struct error *err)
{
	struct engine *e;
	int r = cli_engine(cli, &e, err);

	return r < 0 ? r : engine_images(e, ret, err);
}

/* The normalised name, heap. */
static int parse_name(const char *text, char **ret, struct error *err)
{
	cleanup_reference struct reference ref = { 0 };
	int r = reference_parse(text, &ref, err);

	if (r == 0)
		*ret = reference_format(&ref);
	return r;
}

/* create */

/* --insecure is docker's word for --tls-verify=false. */
static int manifest_access(const struct registry_flags *f, bool insecure,
			   struct credential *credential, struct registry_access *ret,
			   struct error *err)
{
	int r = registry_flags_access(f, credential, ret, err);

	if (r == 0 && insecure)
		ret->tls = REGISTRY_TLS_ANY;
	return r;
}

struct create_flags {
	bool all, amend, insecure;
	struct registry_flags registry;
};

static const struct option create_options[] = {
	{ .name = "all",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(create_flags, all),
	  .help = "Take all members of a MANIFEST that is a list" },
	{ .name = "amend",
	  .short_name = 'a',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(create_flags, amend),
	  .help = "Amend an existing manifest list" },
	REGISTRY_OPTION_AUTHFILE(create_flags),
	REGISTRY_OPTION_CERT_DIR(create_flags),
	{ .name = "insecure",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(create_flags, insecure),
	  .help = "Allow communication with an insecure registry" },
	REGISTRY_OPTION_TLS_VERIFY(create_flags),
};

static int add_members(char **texts, const struct manifest_source *from,
		       const struct manifest_change *change, struct manifest_list *list,
		       struct error *err)
{
	int r = 0;

	for (size_t i = 0; texts[i] && r == 0; i++)
		r = manifest_list_add(list, from, texts[i], change, err);
	return r;
}

/* Which lists there may be before. */
enum expectation { EXPECT_NONE, EXPECT_ONE, EXPECT_ANY };

static int expect(struct image_store *store, const char *name, enum expectation expects,
		  bool *ret_exists, struct error *err)
{
	*ret_exists = manifest_list_exists(store, name);
	if (*ret_exists && expects == EXPECT_NONE)
		return error_kind(
			err, ERROR_CONFLICT,
			"refusing to amend an existing manifest list with no --amend flag");
	if (!*ret_exists && expects == EXPECT_ONE)
		return error_kind(err, ERROR_NOT_FOUND, "No such manifest: %s", name);
	return 0;
}

/* The list as it is now, in *ret, gets what was fetched, which took its time. */
static int put_all(struct image_store *store, const char *name, enum expectation expects,
		   const struct manifest_list *fetched, struct manifest_list *ret,
		   struct error *err)
{
	cleanup_fd int lock = -EBADF;
	bool exists;
	int r = manifest_list_lock(store, &lock, err);

	*ret = (struct manifest_list){ .arena = fetched->arena };
	if (r == 0)
		r = expect(store, name, expects, &exists, err);
	if (r == 0 && exists)
		r = manifest_list_load(store, name, fetched->arena, ret, err);
	for (size_t i = 0; i < fetched->n && r == 0; i++)
		manifest_list_put(ret, &fetched->members[i]);
	return r < 0 ? r : manifest_list_save(store, name, ret, err);
}

static int cmd_create(struct cli *cli, void *target, int n UNUSED, char **args, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	cleanup_credential struct credential credential = { 0 };
	const struct create_flags *f = target;
	struct registry_access access;
	struct manifest_source from = { .access = &access,
					.nested = f->all ? MANIFEST_NESTED_ALL
							 : MANIFEST_NESTED_REFUSED };
	struct manifest_list fetched = { .arena = arena }, list;
	enum expectation expects = f->amend ? EXPECT_ANY : EXPECT_NONE;
	cleanup_free char *name = NULL;
	struct image_store *store;
	bool exists;
	int r = parse_name(args[0], &name, err);

	if (r == 0)
		r = manifest_access(&f->registry, f->insecure, &credential, &access, err);
	if (r == 0)
		r = open_store(cli, &store, err);
	if (r == 0)
		r = expect(store, name, expects, &exists, err);
	if (r < 0)
		return r;
	from.store = store;
	r = add_members(args + 1, &from, NULL, &fetched, err);
	if (r == 0)
		r = put_all(store, name, expects, &fetched, &list, err);
	if (r == 0)
		(void)printf("Created manifest list %s\n", name);
	return r;
}

/* annotate, add, remove */

struct change_flags {
	const char *arch, *os, *os_version, *variant;
	char **annotation, **features, **os_features;
};

#define CHANGE_OPTION_ANNOTATION(type_)                                           \
	{                                                                         \
		.name = "annotation", .type = OPTION_LIST, .arg = "key=value",    \
		OPTION_FIELD(type_, change.annotation),                           \
		.help = "Set an annotation; the list becomes one of OCI's format" \
	}
#define CHANGE_OPTION_ARCH(type_)                                            \
	{                                                                    \
		.name = "arch", .type = OPTION_STRING, .arg = "string",      \
		OPTION_FIELD(type_, change.arch), .help = "Set architecture" \
	}
#define CHANGE_OPTION_FEATURES(type_)                                                 \
	{                                                                             \
		.name = "features", .type = OPTION_LIST, .arg = "strings",            \
		OPTION_FIELD(type_, change.features), .help = "Set processor feature" \
	}
#define CHANGE_OPTION_OS(type_)                                                \
	{                                                                      \
		.name = "os", .type = OPTION_STRING, .arg = "string",          \
		OPTION_FIELD(type_, change.os), .help = "Set operating system" \
	}
#define CHANGE_OPTION_OS_FEATURES(type_)                                                        \
	{                                                                                       \
		.name = "os-features", .type = OPTION_LIST, .arg = "strings",                   \
		OPTION_FIELD(type_, change.os_features), .help = "Set operating system feature" \
	}
#define CHANGE_OPTION_OS_VERSION(type_)                                                        \
	{                                                                                      \
		.name = "os-version", .type = OPTION_STRING, .arg = "string",                  \
		OPTION_FIELD(type_, change.os_version), .help = "Set operating system version" \
	}
#define CHANGE_OPTION_VARIANT(type_)                                                    \
	{                                                                               \
		.name = "variant", .type = OPTION_STRING, .arg = "string",              \
		OPTION_FIELD(type_, change.variant), .help = "Set architecture variant" \
	}

/* What the flags say; owns what it points to. */
struct change {
	struct manifest_change said;
	char **features, **os_features;
	struct oci_pair *annotations;
};

static void change_done(struct change *c)
{
	strv_free(c->features);
	strv_free(c->os_features);
	for (size_t i = 0; i < c->said.n_annotations; i++)
		free((char *)c->annotations[i].key);
	free(c->annotations);
}

/* "a,b" and "c" as a, b, c. */
static char **split_words(char *const *texts)
{
	char **all = NULL;

	for (size_t i = 0; texts && texts[i]; i++) {
		cleanup_with(strv_free) char **some = strv_split(texts[i], ",", false);

		for (size_t k = 0; some && some[k]; k++)
			all = strv_push(all, some[k]);
	}
	return all;
}

static int parse_annotations(char *const *texts, struct change *c, struct error *err)
{
	size_t n = texts ? strv_len(texts) : 0;

	c->annotations = xcalloc(n + 1, sizeof(*c->annotations));
	for (size_t i = 0; i < n; i++) {
		const char *value = strchr(texts[i], '=');

		if (!value || value == texts[i])
			return error_kind(err, ERROR_INVALID,
					  "invalid annotation '%s': not key=value", texts[i]);
		c->annotations[i] =
			(struct oci_pair){ xstrndup(texts[i], (size_t)(value - texts[i])),
					   value + 1 };
		c->said.n_annotations = i + 1;
	}
	c->said.annotations = c->annotations;
	return 0;
}

static int parse_change(const struct change_flags *f, struct change *c, struct error *err)
{
	c->features = split_words(f->features);
	c->os_features = split_words(f->os_features);
	c->said.platform = (struct oci_platform){
		.architecture = f->arch,
		.os = f->os,
		.os_version = f->os_version,
		.variant = f->variant,
		.os_features = (const char *const *)c->os_features,
		.n_os_features = strv_len(c->os_features),
		.features = (const char *const *)c->features,
		.n_features = strv_len(c->features),
	};
	return parse_annotations(f->annotation, c, err);
}

/* A member as it is kept: by its digest, or by its normalised name. heap */
static int parse_member(const char *text, char **ret, struct error *err)
{
	struct digest id;

	if (digest_parse(text, &id) < 0)
		return parse_name(text, ret, err);
	*ret = xstrdup(text);
	return 0;
}

struct annotate_flags {
	struct change_flags change;
};

static const struct option annotate_options[] = {
	CHANGE_OPTION_ANNOTATION(annotate_flags),  CHANGE_OPTION_ARCH(annotate_flags),
	CHANGE_OPTION_FEATURES(annotate_flags),	   CHANGE_OPTION_OS(annotate_flags),
	CHANGE_OPTION_OS_FEATURES(annotate_flags), CHANGE_OPTION_OS_VERSION(annotate_flags),
	CHANGE_OPTION_VARIANT(annotate_flags),
};

static int annotate(struct image_store *store, const char *name, const char *reference,
		    const struct manifest_change *change, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	cleanup_fd int lock = -EBADF;
	struct manifest_list list;
	int r = manifest_list_lock(store, &lock, err);

	/* docker's words are the same for no list and no such member */
	if (r == 0 && !manifest_list_exists(store, name))
		return error_kind(err, ERROR_NOT_FOUND,
				  "manifest for image %s does not exist in %s", reference, name);
	if (r == 0)
		r = manifest_list_load(store, name, arena, &list, err);
	if (r == 0)
		r = manifest_list_annotate(&list, name, reference, change, err);
	return r < 0 ? r : manifest_list_save(store, name, &list, err);
}

static int cmd_annotate(struct cli *cli, void *target, int n UNUSED, char **args, struct error *err)
{
	const struct annotate_flags *f = target;
	__attribute__((cleanup(change_done))) struct change change = { 0 };
	cleanup_free char *name = NULL, *reference = NULL;
	struct image_store *store;
	int r = parse_change(&f->change, &change, err);

	if (r == 0)
		r = parse_name(args[0], &name, err);
	if (r == 0)
		r = parse_member(args[1], &reference, err);
	if (r == 0)
		r = open_store(cli, &store, err);
	return r < 0 ? r : annotate(store, name, reference, &change.said, err);
}

/* The digest under which the list would be pushed as it is. */
static void print_digest(const struct manifest_list *list)
{
	cleanup_buf struct buf json = { 0 };
	struct digest id;

	manifest_list_format(list, &json);
	id = sha256_digest(json.data, json.len);
	(void)puts(id.text); /* checked by the flush at the end */
}

struct add_flags {
	bool all;
	struct change_flags change;
	struct registry_flags registry;
};

static const struct option add_options[] = {
	{ .name = "all",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(add_flags, all),
	  .help = "Add all members of an IMAGE that is a list, not only this machine's" },
	CHANGE_OPTION_ANNOTATION(add_flags),
	CHANGE_OPTION_ARCH(add_flags),
	REGISTRY_OPTION_AUTHFILE(add_flags),
	REGISTRY_OPTION_CERT_DIR(add_flags),
	REGISTRY_OPTION_CREDS(add_flags),
	CHANGE_OPTION_FEATURES(add_flags),
	CHANGE_OPTION_OS(add_flags),
	CHANGE_OPTION_OS_FEATURES(add_flags),
	CHANGE_OPTION_OS_VERSION(add_flags),
	REGISTRY_OPTION_TLS_VERIFY(add_flags),
	CHANGE_OPTION_VARIANT(add_flags),
};

static int cmd_add(struct cli *cli, void *target, int n UNUSED, char **args, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	__attribute__((cleanup(change_done))) struct change change = { 0 };
	cleanup_credential struct credential credential = { 0 };
	const struct add_flags *f = target;
	struct registry_access access;
	struct manifest_source from = { .access = &access,
					.nested = f->all ? MANIFEST_NESTED_ALL
							 : MANIFEST_NESTED_HOST };
	struct manifest_list fetched = { .arena = arena }, list;
	cleanup_free char *name = NULL;
	bool exists;
	int r = parse_change(&f->change, &change, err);

	if (r == 0)
		r = parse_name(args[0], &name, err);
	if (r == 0)
		r = registry_flags_access(&f->registry, &credential, &access, err);
	if (r == 0)
		r = open_store(cli, &from.store, err);
	if (r == 0)
		r = expect(from.store, name, EXPECT_ONE, &exists, err);
	if (r == 0)
		r = add_members(args + 1, &from, &change.said, &fetched, err);
	if (r == 0)
		r = put_all(from.store, name, EXPECT_ONE, &fetched, &list, err);
	if (r == 0)
		print_digest(&list);
	return r;
}

static int cmd_remove(struct cli *cli, void *target UNUSED, int n UNUSED, char **args,
		      struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	cleanup_free char *name = NULL, *reference = NULL;
	struct manifest_list list = { .arena = arena };
	cleanup_fd int lock = -EBADF;
	struct image_store *store;
	int r = parse_name(args[0], &name, err);

	if (r == 0)
		r = parse_member(args[1], &reference, err);
	if (r == 0)
		r = open_store(cli, &store, err);
	if (r == 0)
		r = manifest_list_lock(store, &lock, err);
	if (r == 0)
		r = manifest_list_load(store, name, arena, &list, err);
	if (r == 0 && !manifest_list_drop(&list, reference))
		r = error_kind(err, ERROR_NOT_FOUND, "manifest for image %s does not exist in %s",
			       reference, name);
	if (r == 0)
		r = manifest_list_save(store, name, &list, err);
	if (r == 0)
		print_digest(&list);
	return r;
}

/* inspect */

struct inspect_manifest_flags {
	bool verbose, insecure;
	struct registry_flags registry;
};

static const struct option inspect_manifest_options[] = {
	REGISTRY_OPTION_AUTHFILE(inspect_manifest_flags),
	REGISTRY_OPTION_CERT_DIR(inspect_manifest_flags),
	REGISTRY_OPTION_CREDS(inspect_manifest_flags),
	{ .name = "insecure",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(inspect_manifest_flags, insecure),
	  .help = "Allow communication with an insecure registry" },
	REGISTRY_OPTION_TLS_VERIFY(inspect_manifest_flags),
	{ .name = "verbose",
	  .short_name = 'v',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(inspect_manifest_flags, verbose),
	  .help = "Output additional info including layers and platform" },
};

static int cmd_inspect_manifest(struct cli *cli, void *target, int n, char **args,
				struct error *err)
{
	cleanup_credential struct credential credential = { 0 };
	const struct inspect_manifest_flags *f = target;
	struct registry_access access;
	const struct manifest_inspect_options o = { .list_text = n > 1 ? args[0] : NULL,
						    .text = args[n - 1],
						    .verbose = f->verbose,
						    .access = &access };
	cleanup_buf struct buf out = { 0 };
	struct image_store *store;
	int r = manifest_access(&f->registry, f->insecure, &credential, &access, err);

	if (r == 0)
		r = open_store(cli, &store, err);
	if (r == 0)
		r = manifest_inspect(store, &o, &out, err);
	if (r == 0)
		(void)puts(buf_str(&out)); /* checked by the flush at the end */
	return r;
}

/* push */

struct push_manifest_flags {
	bool insecure, purge, quiet, remove_signatures;
	const char *digestfile;
	enum compression compression;
	struct registry_flags registry;
	struct sign_flags sign;
};

/* --all=false is podman's for the list without its members, which must be there then. */
static int parse_all(void *target UNUSED, const struct option *o, const char *value,
		     struct error *err)
{
	bool all;

	if (str_to_bool(value, &all) < 0)
		return error_kind(err, ERROR_INVALID,
				  "invalid argument \"%s\" for \"--%s\" flag: not true or false",
				  value, o->name);
	return all ? 0
		   : error_kind(err, ERROR_UNSUPPORTED,
				"not supported: --all=false; members that the registry has are "
				"not sent again");
}

static const struct option push_manifest_options[] = {
	{ .name = "all",
	  .type = OPTION_CALL,
	  .is_flag = true,
	  .parse = parse_all,
	  .help = "Push the members, too (always so)" },
	REGISTRY_OPTION_AUTHFILE(push_manifest_flags),
	REGISTRY_OPTION_CERT_DIR(push_manifest_flags),
	REGISTRY_OPTION_COMPRESSION(push_manifest_flags),
	REGISTRY_OPTION_CREDS(push_manifest_flags),
	{ .name = "digestfile",
	  .type = OPTION_STRING,
	  .arg = "path",
	  OPTION_FIELD(push_manifest_flags, digestfile),
	  .help = "Write the digest of the list to this file" },
	{ .name = "insecure",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(push_manifest_flags, insecure),
	  .help = "Allow push to an insecure registry" },
	{ .name = "purge",
	  .short_name = 'p',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(push_manifest_flags, purge),
	  .help = "Remove the local manifest list after push" },
	{ .name = "quiet",
	  .short_name = 'q',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(push_manifest_flags, quiet),
	  .help = "Print the digest alone" },
	{ .name = "remove-signatures",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(push_manifest_flags, remove_signatures),
	  .help = "Push without signatures of the members (none are carried over: always so)" },
	{ .name = "rm",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(push_manifest_flags, purge),
	  .help = "Remove the local manifest list after push" },
	SIGN_OPTION_BY(push_manifest_flags),
	SIGN_OPTION_SEALED_KEY(push_manifest_flags),
	SIGN_OPTION_PASSPHRASE_FILE(push_manifest_flags),
	REGISTRY_OPTION_TLS_VERIFY(push_manifest_flags),
};

/* What is said of a push: its last line is the digest. */
struct listener {
	bool quiet;
	struct digest id;
};

static void say(void *ctx, const struct progress *p)
{
	struct listener *l = ctx;

	bool is_digest = digest_parse(p->text, &l->id) == 0;

	if (!l->quiet || is_digest)
		(void)puts(p->text); /* checked by the flush at the end */
}

struct push_manifest {
	struct image_store *store;
	const char *name; /* of the list */
	const struct reference *ref;
	struct manifest_push_options options;
	struct listener listener;
};

static int push_manifest_until(void *ctx, int stop_fd, struct error *err)
{
	struct push_manifest *p = ctx;
	const struct progress_sink said = { .show = say, .ctx = &p->listener };

	p->options.said = &said;
	p->options.stop_fd = stop_fd;
	return manifest_list_push(p->store, p->name, p->ref, &p->options, err);
}

static int cmd_push_manifest(struct cli *cli, void *target, int n, char **args, struct error *err)
{
	const struct push_manifest_flags *f = target;
	cleanup_credential struct credential credential = { 0 };
	struct registry_access access;
	cleanup_reference struct reference ref = { 0 };
	struct push_manifest p = { .ref = &ref,
				   .options = { .access = &access, .compression = f->compression },
				   .listener = { .quiet = f->quiet } };
	cleanup_secret char *passphrase = NULL;
	cleanup_free char *name = NULL;
	struct engine *e;
	int r = parse_name(args[0], &name, err);

	if (r == 0)
		r = n > 1 ? destination_parse(args[1], &ref, err)
			  : reference_parse(args[0], &ref, err);
	if (r == 0 && ref.digest)
		return error_kind(err, ERROR_INVALID, "cannot push a digest reference");
	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r == 0)
		r = engine_images(e, &p.store, err);
	if (r == 0)
		r = manifest_access(&f->registry, f->insecure, &credential, &access, err);
	if (r == 0)
		r = sign_flags_options(&f->sign, &passphrase, &p.options.sign, err);
	p.name = name;
	if (r == 0)
		r = interrupt_guard(e, push_manifest_until, &p, err);
	if (r == 0 && f->digestfile)
		r = file_write_atomic(AT_FDCWD, f->digestfile, p.listener.id.text,
				      strlen(p.listener.id.text), 0644, 0, err);
	if (r < 0 || !f->purge)
		return r;
	r = manifest_list_remove(p.store, name, err);
	return r < 0 ? r : 0;
}

/* rm, exists */

struct no_manifest_flags {
	char unused;
};

static int cmd_rm_manifest(struct cli *cli, void *target UNUSED, int n UNUSED, char **args,
			   struct error *err)
{
	struct image_store *store;
	int code = 0, r = open_store(cli, &store, err);

	for (size_t i = 0; r >= 0 && args[i]; i++) {
		cleanup_free char *name = NULL;

		r = parse_name(args[i], &name, err);
		if (r == 0)
			r = manifest_list_remove(store, name, err);
		if (r == 0) {
			(void)fprintf(stderr, "berth: No such manifest: %s\n", name);
			code = 1;
		}
	}
	return r < 0 ? r : code;
}

static int cmd_manifest_exists(struct cli *cli, void *target UNUSED, int n UNUSED, char **args,
			       struct error *err)
{
	cleanup_free char *name = NULL;
	struct image_store *store;
	int r = parse_name(args[0], &name, err);

	if (r == 0)
		r = open_store(cli, &store, err);
	return r < 0 ? r : !manifest_list_exists(store, name);
}

static const struct command commands[] = {
	{ .group = "manifest",
	  .name = "add",
	  .usage = "[OPTIONS] MANIFEST_LIST IMAGE [IMAGE...]",
	  .summary = "Add images to a local manifest list",
	  COMMAND_OPTIONS(add_options, add_flags),
	  .min_args = 2,
	  .max_args = COMMAND_ANY_ARGS,
	  .run = cmd_add },
	{ .group = "manifest",
	  .name = "annotate",
	  .usage = "[OPTIONS] MANIFEST_LIST MANIFEST",
	  .summary = "Add additional information to a local image manifest",
	  COMMAND_OPTIONS(annotate_options, annotate_flags),
	  .min_args = 2,
	  .max_args = 2,
	  .run = cmd_annotate },
	{ .group = "manifest",
	  .name = "create",
	  .usage = "[OPTIONS] MANIFEST_LIST [MANIFEST...]",
	  .summary = "Create a local manifest list for annotating and pushing to a registry",
	  COMMAND_OPTIONS(create_options, create_flags),
	  .min_args = 1,
	  .max_args = COMMAND_ANY_ARGS,
	  .run = cmd_create },
	{ .group = "manifest",
	  .name = "exists",
	  .usage = "MANIFEST_LIST",
	  .summary = "Check if a manifest list exists in local storage",
	  .target_size = sizeof(struct no_manifest_flags),
	  .min_args = 1,
	  .max_args = 1,
	  .run = cmd_manifest_exists },
	{ .group = "manifest",
	  .name = "inspect",
	  .usage = "[OPTIONS] [MANIFEST_LIST] MANIFEST",
	  .summary = "Display an image manifest, or manifest list",
	  COMMAND_OPTIONS(inspect_manifest_options, inspect_manifest_flags),
	  .min_args = 1,
	  .max_args = 2,
	  .run = cmd_inspect_manifest },
	{ .group = "manifest",
	  .name = "push",
	  .usage = "[OPTIONS] MANIFEST_LIST [DESTINATION]",
	  .summary = "Push a manifest list to a repository",
	  COMMAND_OPTIONS(push_manifest_options, push_manifest_flags),
	  .min_args = 1,
	  .max_args = 2,
	  .run = cmd_push_manifest },
	{ .group = "manifest",
	  .name = "remove",
	  .usage = "MANIFEST_LIST IMAGE",
	  .summary = "Remove an image from a local manifest list",
	  .target_size = sizeof(struct no_manifest_flags),
	  .min_args = 2,
	  .max_args = 2,
	  .run = cmd_remove },
	{ .group = "manifest",
	  .name = "rm",
	  .usage = "MANIFEST_LIST [MANIFEST_LIST...]",
	  .summary = "Delete one or more manifest lists from local storage",
	  .target_size = sizeof(struct no_manifest_flags),
	  .min_args = 1,
	  .max_args = COMMAND_ANY_ARGS,
	  .run = cmd_rm_manifest },
};

const struct command_table commands_manifest = { commands, ARRAY_SIZE(commands) };
