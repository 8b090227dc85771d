/* SPDX-License-Identifier: Apache-2.0 */
/* search: repositories of a registry, or the tags of one. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/registry_flags.h"
#include "cli/text.h"
#include "cli/value.h"
#include "codec/json.h"
#include "image/reference.h"
#include "registry/registry.h"

#define HUB	      "docker.io"
#define LIMIT_DEFAULT 25
#define LIMIT_MAX     100 /* docker's */
#define DESCRIPTION   45  /* characters of it in the table */

struct search_flags {
	char **filter;
	const char *format;
	int limit;
	bool compatible, list_tags, no_trunc;
	struct registry_flags registry;
};

static const struct option options[] = {
	REGISTRY_OPTION_AUTHFILE(search_flags),
	REGISTRY_OPTION_CERT_DIR(search_flags),
	{ .name = "compatible",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(search_flags, compatible),
	  .help = "List the column AUTOMATED, too" },
	REGISTRY_OPTION_CREDS(search_flags),
	{ .name = "filter",
	  .short_name = 'f',
	  OPTION_FILTER,
	  OPTION_FIELD(search_flags, filter),
	  .help = "Filter output: is-automated=BOOL, is-official=BOOL, stars=NUMBER" },
	{ .name = "format",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(search_flags, format),
	  .help = "Format output using 'table', 'json' or a Go template" },
	{ .name = "limit",
	  .type = OPTION_INT,
	  .arg = "int",
	  OPTION_FIELD(search_flags, limit),
	  .help = "Max number of search results (25)" },
	{ .name = "list-tags",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(search_flags, list_tags),
	  .help = "List the tags of the repository TERM; --limit may be any" },
	{ .name = "no-trunc",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(search_flags, no_trunc),
	  .help = "Don't truncate output" },
	REGISTRY_OPTION_TLS_VERIFY(search_flags),
};

static const struct output_column columns[] = {
	{ "Description", "DESCRIPTION" }, { "IsAutomated", "AUTOMATED" },
	{ "IsOfficial", "OFFICIAL" },	  { "Name", "NAME" },
	{ "StarCount", "STARS" },
};

#define TABLE		 "table {{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}"
#define TABLE_COMPATIBLE TABLE "\t{{.IsAutomated}}"

/* Filters */

struct search_filter {
	uint64_t stars;
	int official, automated; /* 1 must be, 0 must not be, -1 does not matter */
};

static int parse_truth(const char *name, const char *value, int *ret, struct error *err)
{
	bool truth;

	if (str_to_bool(value, &truth) < 0)
		return error_kind(err, ERROR_INVALID, "invalid filter '%s=%s'", name, value);
	*ret = truth;
	return 0;
}

static int parse_filter(const char *text, struct search_filter *f, struct error *err)
{
	const char *stars = str_after(text, "stars="), *official = str_after(text, "is-official=");
	const char *automated = str_after(text, "is-automated=");
	uint64_t least;

	if (official)
		return parse_truth("is-official", official, &f->official, err);
	if (automated)
		return parse_truth("is-automated", automated, &f->automated, err);
	if (!stars)
		return error_kind(err, ERROR_INVALID, "invalid filter '%s'", text);
	if (str_to_u64(stars, &least) < 0)
		return error_kind(err, ERROR_INVALID, "invalid filter 'stars=%s'", stars);
	f->stars = MAX(f->stars, least);
	return 0;
}

static bool matches(const struct search_filter *f, const struct registry_search_result *r)
{
	return r->stars >= f->stars && (f->official < 0 || f->official == r->official) &&
	       (f->automated < 0 || f->automated == r->automated);
}

/* Rows */

static char *one_line(const char *description)
{
	char *copy = xstrdup(description);

	for (char *c = copy; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' '; /* a registry's text must not move the cursor */
	return copy;
}

static void add_row(const struct registry_search_result *r, bool no_trunc, struct json_writer *w)
{
	cleanup_free char *line = one_line(r->description), *name = one_line(r->name);
	cleanup_free char *cut = text_ellipsis(line, DESCRIPTION);
	cleanup_free char *stars = xasprintf("%llu", (unsigned long long)r->stars);

	json_begin_object(w, NULL);
	json_add_string(w, "Description", no_trunc ? line : cut);
	json_add_string(w, "IsAutomated", r->automated ? "[OK]" : "");
	json_add_string(w, "IsOfficial", r->official ? "[OK]" : "");
	json_add_string(w, "Name", name);
	json_add_string(w, "StarCount", stars);
	json_end(w);
}

static int by_stars(const void *a, const void *b)
{
	const struct registry_search_result *x = a, *y = b;

	return x->stars < y->stars ? 1 : x->stars > y->stars ? -1 : strcmp(x->name, y->name);
}

static int print(const struct search_flags *f, const struct search_filter *filter,
		 struct registry_search_result *results, size_t n, struct error *err)
{
	const struct output o = { .format = f->format,
				  .default_table = f->compatible ? TABLE_COMPATIBLE : TABLE,
				  .columns = columns,
				  .n_columns = ARRAY_SIZE(columns) };
	cleanup_buf struct buf rows = { 0 };
	struct json_writer w;

	if (n)
		qsort(results, n, sizeof(*results), by_stars);
	json_writer_init(&w, &rows, NULL);
	json_begin_array(&w, NULL);
	for (size_t i = 0; i < n; i++)
		if (matches(filter, &results[i]))
			add_row(&results[i], f->no_trunc, &w);
	json_end(&w);
	return output_rows(&o, &rows, err);
}

/* "reg.example/term" asks that registry, "team/term" docker's: as in a reference. heap: the domain. */
static char *split_term(const char *text, const char **ret_term)
{
	size_t first = strcspn(text, "/");
	cleanup_free char *domain = xstrndup(text, first);

	*ret_term = text;
	if (!text[first] || (!strpbrk(domain, ".:") && !str_eq(domain, "localhost")))
		return xstrdup(HUB);
	*ret_term = text + first + 1;
	return take_ptr(&domain);
}

/* --list-tags, podman's */

static const struct output_column tag_columns[] = { { "Name", "NAME" }, { "Tag", "TAG" } };

#define TAG_TABLE "table {{.Name}}\t{{.Tag}}"

/* podman's document: one object with all tags. */
static int print_tag_document(const char *name, char *const *tags, size_t n, struct error *err)
{
	cleanup_buf struct buf document = { 0 };
	struct json_writer w;

	json_writer_init(&w, &document, NULL);
	json_begin_array(&w, NULL);
	json_begin_object(&w, NULL);
	json_add_string(&w, "Name", name);
	json_begin_array(&w, "Tags");
	for (size_t i = 0; i < n; i++)
		json_add_string(&w, NULL, tags[i]);
	json_end(&w);
	json_end(&w);
	json_end(&w);
	return output_document(NULL, &document, err);
}

static int print_tags(const char *format, const char *name, char *const *tags, size_t n,
		      struct error *err)
{
	const struct output o = { .format = format,
				  .default_table = TAG_TABLE,
				  .columns = tag_columns,
				  .n_columns = ARRAY_SIZE(tag_columns) };
	cleanup_buf struct buf rows = { 0 };
	struct json_writer w;

	if (str_eq(format, "json"))
		return print_tag_document(name, tags, n, err);
	json_writer_init(&w, &rows, NULL);
	json_begin_array(&w, NULL);
	for (size_t i = 0; i < n; i++) {
		cleanup_free char *tag = one_line(tags[i]);

		json_begin_object(&w, NULL);
		json_add_string(&w, "Name", name);
		json_add_string(&w, "Tag", tag);
		json_end(&w);
	}
	json_end(&w);
	return output_rows(&o, &rows, err);
}

static int list_tags(const struct search_flags *f, const char *text,
		     const struct registry_access *access, struct error *err)
{
	cleanup_with(registry_close) struct registry *registry = NULL;
	cleanup_with(strv_free) char **tags = NULL;
	cleanup_reference struct reference ref = { 0 };
	cleanup_free char *name = NULL;
	int r = reference_parse_bare(text, &ref, err);

	if (r == 0)
		r = registry_open(&(struct registry_options){ .domain = ref.domain,
							      .path = ref.path,
							      .access = *access },
				  &registry, err);
	if (r == 0)
		r = registry_tags(registry, &tags, err);
	if (r < 0)
		return r;
	name = xasprintf("%s/%s", ref.domain, ref.path);
	return print_tags(f->format, name, tags, MIN(strv_len(tags), (size_t)f->limit), err);
}

static int check_limit(const struct search_flags *f, struct error *err)
{
	int most = f->list_tags ? INT_MAX : LIMIT_MAX;

	if (f->limit < 1 || f->limit > most)
		return error_kind(err, ERROR_INVALID, "limit %d is outside the range of [1, %d]",
				  f->limit, most);
	if (f->list_tags && f->filter)
		return error_kind(err, ERROR_INVALID,
				  "filters are not applicable to list tags result");
	return 0;
}

static int cmd_search(struct cli *cli, void *target, int n, char **args, struct error *err)
{
	const struct search_flags *f = target;
	struct search_filter filter = { .official = -1, .automated = -1 };
	struct registry_search_result *results = NULL;
	const char *term;
	cleanup_free char *domain = split_term(args[0], &term);
	cleanup_credential struct credential credential = { 0 };
	struct registry_access access;
	size_t n_results = 0;
	int r = check_limit(f, err);

	for (char **word = f->filter; r >= 0 && word && *word; word++)
		r = parse_filter(*word, &filter, err);
	if (r >= 0)
		r = registry_flags_access(&f->registry, &credential, &access, err);
	if (r >= 0 && f->list_tags)
		return list_tags(f, args[0], &access, err);
	if (r >= 0)
		r = registry_search(domain, term, (size_t)f->limit, &access, &results, &n_results,
				    err);
	if (r < 0)
		return r;
	r = print(f, &filter, results, n_results, err);
	registry_search_free(results, n_results);
	return r;
}

static void search_defaults(void *target)
{
	((struct search_flags *)target)->limit = LIMIT_DEFAULT;
}

static const struct command commands[] = {
	{ .name = "search",
	  .top = "search",
	  .usage = "[OPTIONS] TERM",
	  .summary = "Search a registry for images",
	  COMMAND_OPTIONS(options, search_flags),
	  .init = search_defaults,
	  .min_args = 1,
	  .max_args = 1,
	  .run = cmd_search },
};

const struct command_table commands_search = { commands, ARRAY_SIZE(commands) };
