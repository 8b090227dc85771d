/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd_ps.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/units.h"
#include "cli/output.h"
#include "cli/text.h"
#include "cli/value.h"
#include "codec/json.h"
#include "engine/engine.h"

#define SHORT_ID      12
#define COMMAND_WIDTH 20
#define MOUNT_WIDTH   15

const struct option ps_options[PS_OPTIONS] = {
	{ .name = "all",
	  .short_name = 'a',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(ps_flags, all),
	  .help = "Show all containers (default shows just running)" },
	{ .name = "filter",
	  .short_name = 'f',
	  OPTION_FILTER,
	  OPTION_FIELD(ps_flags, filter),
	  .help = "Filter output based on conditions provided" },
	{ .name = "format",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(ps_flags, format),
	  .help = "Format output using 'table', 'json' or a Go template" },
	{ .name = "last",
	  .short_name = 'n',
	  .type = OPTION_INT,
	  .arg = "int",
	  OPTION_FIELD(ps_flags, last),
	  .help = "Show n last created containers (includes all states)" },
	{ .name = "latest",
	  .short_name = 'l',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(ps_flags, latest),
	  .help = "Show the latest created container (includes all states)" },
	{ .name = "no-trunc",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(ps_flags, no_trunc),
	  .help = "Don't truncate output" },
	{ .name = "quiet",
	  .short_name = 'q',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(ps_flags, quiet),
	  .help = "Only display container IDs" },
	{ .name = "size",
	  .short_name = 's',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(ps_flags, size),
	  .help = "Display total file sizes" },
};

static const struct output_column columns[] = {
	{ "ID", "CONTAINER ID" },
	{ "Image", "IMAGE" },
	{ "Command", "COMMAND" },
	{ "CreatedAt", "CREATED AT" },
	{ "RunningFor", "CREATED" },
	{ "Ports", "PORTS" },
	{ "State", "STATE" },
	{ "Status", "STATUS" },
	{ "Size", "SIZE" },
	{ "Names", "NAMES" },
	{ "Labels", "LABELS" },
	{ "Mounts", "MOUNTS" },
	{ "LocalVolumes", "LOCAL VOLUMES" },
	{ "Networks", "NETWORKS" },
	{ "Platform", "PLATFORM" },
};

#define TABLE \
	"table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}"
#define TABLE_SIZE TABLE "\t{{.Size}}"

/* Filters: "key=value"; several of one key are alternatives, of several keys all must hold. */

/* When the containers were made that before= and since= name. */
struct filter_context {
	int64_t before_ns, since_ns;
};

static bool regex_matches(const char *pattern, const char *text)
{
	regex_t regex;
	bool match;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	match = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return match;
}

static bool match_id(const struct container_info *c, const char *value,
		     const struct filter_context *x UNUSED)
{
	return str_after(c->id, value) || regex_matches(value, c->id);
}

static bool match_name(const struct container_info *c, const char *value,
		       const struct filter_context *x UNUSED)
{
	return regex_matches(*value == '/' ? value + 1 : value, c->name);
}

static bool match_label(const struct container_info *c, const char *value,
			const struct filter_context *x UNUSED)
{
	for (const char *const *l = c->labels; l && *l; l++) {
		const char *rest = str_after(*l, value);

		if (rest && (*rest == '\0' || (*rest == '=' && !strchr(value, '='))))
			return true;
	}
	return false;
}

static bool match_status(const struct container_info *c, const char *value,
			 const struct filter_context *x UNUSED)
{
	return str_eq(value, container_state_name(c->state));
}

static bool match_exited(const struct container_info *c, const char *value,
			 const struct filter_context *x UNUSED)
{
	int code;

	return str_to_int(value, &code) == 0 && c->state == CONTAINER_STATE_EXITED &&
	       c->exit_code == code;
}

static bool match_ancestor(const struct container_info *c, const char *value,
			   const struct filter_context *x UNUSED)
{
	const char *hex = str_after(c->image_id, "sha256:");
	const char *wanted = str_after(value, "sha256:");
	const char *tag;

	if (hex && strlen(value) >= 4 && str_after(hex, wanted ? wanted : value))
		return true;
	tag = str_after(c->image, value);
	return tag && (*tag == '\0' || str_eq(tag, ":latest"));
}

static bool match_network(const struct container_info *c, const char *value,
			  const struct filter_context *x UNUSED)
{
	return str_eq(c->network, value);
}

static bool match_before(const struct container_info *c, const char *value UNUSED,
			 const struct filter_context *x)
{
	return c->created_ns < x->before_ns;
}

static bool match_since(const struct container_info *c, const char *value UNUSED,
			const struct filter_context *x)
{
	return c->created_ns > x->since_ns;
}

static bool is_status(const char *value)
{
	/* docker has them, and no container of ours is ever in them */
	if (str_eq(value, "restarting") || str_eq(value, "removing"))
		return true;
	for (enum container_state s = 0; s < CONTAINER_STATE_COUNT; s++)
		if (str_eq(value, container_state_name(s)))
			return true;
	return false;
}

static bool is_exit_code(const char *value)
{
	int code;

	return str_to_int(value, &code) == 0;
}

static const struct {
	const char *key;
	bool (*match)(const struct container_info *c, const char *value,
		      const struct filter_context *x);
	bool (*is_valid)(const char *value); /* NULL: any */
	/* asking for it means that those that do not run count, too */
	bool all_states;
	size_t reference; /* 1 + offset in struct filter_context: the value names a container */
} filters[] = {
	{ "ancestor", match_ancestor },
	{ "before", match_before, .reference = 1 + offsetof(struct filter_context, before_ns) },
	{ "exited", match_exited, is_exit_code, true },
	{ "id", match_id },
	{ "label", match_label },
	{ "name", match_name },
	{ "network", match_network },
	{ "since", match_since, .reference = 1 + offsetof(struct filter_context, since_ns) },
	{ "status", match_status, is_status, true },
};

/* Index into filters of "key=value", or an error. */
static int filter_index(const char *filter, const char **ret_value, struct error *err)
{
	const char *equals = strchr(filter, '='); /* is there: value_check_filter() */

	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		const char *rest = str_after(filter, filters[i].key);

		if (rest == equals) {
			*ret_value = equals + 1;
			return (int)i;
		}
	}
	return error_kind(err, ERROR_INVALID, "invalid filter '%.*s'", (int)(equals - filter),
			  filter);
}

static int find_created(struct engine *e, const char *ref, int64_t *ret_ns, struct error *err)
{
	struct container_list list = { 0 };
	int r = engine_lookup(e, ref, &list, err);

	if (r == 0)
		*ret_ns = list.items[0].created_ns;
	container_list_done(&list);
	return r;
}

/* All that can be wrong with filters is told here. *ret_all is set if one asks for all states. */
static int prepare_filters(struct engine *e, char *const *list, struct filter_context *x,
			   bool *ret_all, struct error *err)
{
	for (size_t i = 0; list && list[i]; i++) {
		const char *value;
		int r = 0, index = filter_index(list[i], &value, err);

		if (index < 0)
			return index;
		if (filters[index].is_valid && !filters[index].is_valid(value))
			return error_kind(err, ERROR_INVALID, "invalid filter '%s'", list[i]);
		if (filters[index].reference)
			r = find_created(e, value,
					 (int64_t *)((char *)x + filters[index].reference - 1),
					 err);
		if (r < 0)
			return r;
		*ret_all |= filters[index].all_states;
	}
	return 0;
}

static bool passes(const struct container_info *c, char *const *list,
		   const struct filter_context *x)
{
	bool asked[ARRAY_SIZE(filters)] = { false }, met[ARRAY_SIZE(filters)] = { false };

	for (size_t i = 0; list && list[i]; i++) {
		const char *value;
		int index = filter_index(list[i], &value, NULL);

		if (index < 0)
			return false;
		asked[index] = true;
		met[index] |= filters[index].match(c, value, x);
	}
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++)
		if (asked[i] && !met[i])
			return false;
	return true;
}

/* Rows */

static void add_label_fields(struct json_writer *w, const struct container_info *c)
{
	cleanup_free char *joined = strv_join((char *const *)c->labels, ",");

	json_add_string(w, "Labels", joined);
	json_begin_object(w, "Label"); /* {{.Label "name"}} */
	for (const char *const *l = c->labels; l && *l; l++) {
		cleanup_free char *key = xstrndup(*l, strcspn(*l, "="));
		const char *value = strchr(*l, '=');

		json_add_string(w, key, value ? value + 1 : "");
	}
	json_end(w);
}

static void add_mounts(struct json_writer *w, const struct container_info *c, bool no_trunc)
{
	cleanup_buf struct buf text = { 0 };

	for (const char *const *m = c->mounts; m && *m; m++) {
		cleanup_free char *shown = no_trunc ? xstrdup(*m) : text_ellipsis(*m, MOUNT_WIDTH);

		buf_printf(&text, "%s%s", text.len ? "," : "", shown);
	}
	json_add_string(w, "Mounts", buf_str(&text));
}

static int add_size(struct json_writer *w, struct engine *e, const struct container_info *c,
		    bool wanted, struct error *err)
{
	char size[UNITS_TEXT_MAX];
	int64_t bytes = 0;
	int r = 0;

	if (wanted)
		r = engine_size(e, c->id, &bytes, err);
	json_add_string(w, "Size", units_format_size((double)bytes, 3, size));
	return r;
}

void ps_add_fields(struct json_writer *w, const struct container_info *c, bool no_trunc,
		   int64_t now)
{
	cleanup_free char *command =
		no_trunc ? xstrdup(c->command) : text_ellipsis(c->command, COMMAND_WIDTH);
	cleanup_free char *quoted = text_quote(command);
	char status[CONTAINER_STATUS_MAX], ago[UNITS_TEXT_MAX], when[TEXT_TIME_MAX];
	cleanup_free char *running_for =
		xasprintf("%s ago", units_format_duration(now - c->created_ns, ago));

	json_add_bytes(w, "ID", c->id, no_trunc ? strlen(c->id) : SHORT_ID);
	json_add_string(w, "Image", c->image);
	json_add_string(w, "Command", quoted);
	json_add_string(w, "CreatedAt", text_time(c->created_ns, when));
	json_add_string(w, "RunningFor", running_for);
	json_add_string(w, "Ports", "");
	json_add_string(w, "State", container_state_name(c->state));
	json_add_string(w, "Status", container_status(c, now, status));
	json_add_string(w, "Names", c->name);
	add_label_fields(w, c);
	add_mounts(w, c, no_trunc);
	json_add_string(w, "LocalVolumes", "0");
	json_add_string(w, "Networks", c->network ? c->network : "");
	json_add_string(w, "Platform", c->platform ? c->platform : "");
}

static int format_rows(struct engine *e, const struct ps_flags *f, const struct filter_context *x,
		       const struct container_list *list, struct buf *out, struct error *err)
{
	size_t limit = f->latest ? 1 : f->last > 0 ? (size_t)f->last : list->n;
	int64_t now = clock_real_ns();
	struct json_writer w;

	json_writer_init(&w, out, NULL);
	json_begin_array(&w, NULL);
	for (size_t i = 0; i < list->n && limit > 0; i++) {
		int r;

		if (!passes(&list->items[i], f->filter, x))
			continue;
		limit--;
		json_begin_object(&w, NULL);
		ps_add_fields(&w, &list->items[i], f->no_trunc, now);
		r = add_size(&w, e, &list->items[i], f->size, err);
		json_end(&w);
		if (r < 0)
			return r;
	}
	json_end(&w);
	return 0;
}

int cmd_ps(struct cli *cli, void *target, int n UNUSED, char **args UNUSED, struct error *err)
{
	const struct ps_flags *f = target;
	struct container_list list = { 0 };
	cleanup_buf struct buf rows = { 0 };
	struct output o = { .format = f->quiet ? "{{.ID}}" : f->format,
			    .default_table = f->size ? TABLE_SIZE : TABLE,
			    .columns = columns,
			    .n_columns = ARRAY_SIZE(columns) };
	bool all = f->all || f->latest || f->last > 0;
	struct filter_context x = { 0 };
	struct engine *e;
	int r = cli_engine(cli, &e, err);

	if (r == 0)
		r = prepare_filters(e, f->filter, &x, &all, err);
	if (r == 0)
		r = engine_list(e, all, &list, err);
	if (r == 0)
		r = format_rows(e, f, &x, &list, &rows, err);
	if (r == 0)
		r = output_rows(&o, &rows, err);
	container_list_done(&list);
	return r;
}
