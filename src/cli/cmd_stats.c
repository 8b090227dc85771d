/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPU % is the CPU time between two samples by the time between them: a first sample is taken and
 * thrown away. The living table is drawn anew each second, as docker draws it.
 */
#include "cli/cmd_stats.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/units.h"
#include "cli/output.h"
#include "codec/json.h"
#include "engine/engine.h"

#define FIRST_INTERVAL_US  200000
#define STREAM_INTERVAL_US 1000000
#define SHORT_ID	   12

const struct option stats_options[STATS_OPTIONS] = {
	{ .name = "all",
	  .short_name = 'a',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(stats_flags, all),
	  .help = "Show all containers (default shows just running)" },
	{ .name = "format",
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(stats_flags, format),
	  .help = "Format output using 'table', 'json' or a Go template" },
	{ .name = "no-stream",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(stats_flags, no_stream),
	  .help = "Disable streaming stats and only pull the first result" },
	{ .name = "no-trunc",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(stats_flags, no_trunc),
	  .help = "Do not truncate output" },
};

static const struct output_column columns[] = {
	{ "Container", "CONTAINER" },
	{ "ID", "CONTAINER ID" },
	{ "Name", "NAME" },
	{ "CPUPerc", "CPU %" },
	{ "MemUsage", "MEM USAGE / LIMIT" },
	{ "MemPerc", "MEM %" },
	{ "NetIO", "NET I/O" },
	{ "BlockIO", "BLOCK I/O" },
	{ "PIDs", "PIDS" },
};

#define TABLE \
	"table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}"

/* The last sample of each container, by id: what is not here starts a new measurement. */
struct samples {
	struct engine_stats *items;
	size_t n, capacity;
};

static const struct engine_stats *sample_find(const struct samples *s, const char *id)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->items[i].id, id) == 0)
			return &s->items[i];
	return NULL;
}

/* The containers to show: those named, or all that run. */
static int collect(struct engine *e, bool all, char **refs, struct container_list *list,
		   struct error *err)
{
	int r;

	if (!refs[0])
		return engine_list(e, all, list, err);
	list->arena = arena_new();
	for (size_t i = 0; refs[i]; i++) {
		struct container_list one = { 0 };
		struct container_info *more;

		r = engine_lookup(e, refs[i], &one, err);
		if (r < 0)
			return r;
		more = arena_alloc(list->arena, (list->n + 1) * sizeof(*more));
		if (list->n > 0)
			memcpy(more, list->items, list->n * sizeof(*more));
		list->items = more;
		list->items[list->n] = one.items[0];
		list->items[list->n].id = arena_strdup(list->arena, one.items[0].id);
		list->items[list->n].name = arena_strdup(list->arena, one.items[0].name);
		list->n++;
		container_list_done(&one);
	}
	return 0;
}

static int take_samples(struct engine *e, const struct container_list *list, struct samples *ret,
			struct error *err)
{
	for (size_t i = 0; i < list->n; i++) {
		int r;

		ret->items = array_grow(ret->items, ret->n, &ret->capacity, sizeof(*ret->items));
		r = engine_stats(e, &list->items[i], &ret->items[ret->n], err);
		if (r < 0)
			return r;
		ret->n++;
	}
	return 0;
}

static double cpu_percent(const struct engine_stats *now, const struct engine_stats *before)
{
	if (!before || now->read_ns <= before->read_ns || now->cpu_ns < before->cpu_ns)
		return 0;
	return (double)(now->cpu_ns - before->cpu_ns) * 100 /
	       (double)(now->read_ns - before->read_ns);
}

static void add_pair(struct json_writer *w, const char *key, const char *a, const char *b)
{
	cleanup_free char *text = xasprintf("%s / %s", a, b);

	json_add_string(w, key, text);
}

static void add_percent(struct json_writer *w, const char *key, double percent)
{
	cleanup_free char *text = xasprintf("%.2f%%", percent);

	json_add_string(w, key, text);
}

static void add_row(struct json_writer *w, const struct container_info *c,
		    const struct engine_stats *s, const struct engine_stats *before, bool no_trunc)
{
	char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX];
	size_t id_len = no_trunc ? strlen(c->id) : SHORT_ID;

	json_begin_object(w, NULL);
	json_add_bytes(w, "Container", c->id, id_len);
	json_add_bytes(w, "ID", c->id, id_len);
	json_add_string(w, "Name", c->name);
	add_percent(w, "CPUPerc", cpu_percent(s, before));
	add_pair(w, "MemUsage", units_format_bytes((double)s->memory_usage, a),
		 units_format_bytes((double)s->memory_limit, b));
	add_percent(w, "MemPerc",
		    s->memory_limit ? (double)s->memory_usage * 100 / (double)s->memory_limit : 0);
	add_pair(w, "NetIO", units_format_size((double)s->net_rx, 3, a),
		 units_format_size((double)s->net_tx, 3, b));
	add_pair(w, "BlockIO", units_format_size((double)s->io_read, 3, a),
		 units_format_size((double)s->io_write, 3, b));
	(void)snprintf(a, sizeof(a), "%llu", (unsigned long long)s->pids);
	json_add_string(w, "PIDs", a);
	json_end(w);
}

static int print(const struct stats_flags *f, const struct container_list *list,
		 const struct samples *now, const struct samples *before, struct error *err)
{
	cleanup_buf struct buf rows = { 0 };
	struct output o = { .format = f->format,
			    .default_table = TABLE,
			    .columns = columns,
			    .n_columns = ARRAY_SIZE(columns) };
	struct json_writer w;

	json_writer_init(&w, &rows, NULL);
	json_begin_array(&w, NULL);
	for (size_t i = 0; i < list->n; i++)
		add_row(&w, &list->items[i], &now->items[i], sample_find(before, list->items[i].id),
			f->no_trunc);
	json_end(&w);
	return output_rows(&o, &rows, err);
}

/* One round: sample, and print unless it is the first, which only measures. */
static int round_of(struct engine *e, const struct stats_flags *f, char **refs,
		    struct samples *before, bool show, struct error *err)
{
	struct container_list list = { 0 };
	struct samples now = { 0 };
	int r = collect(e, f->all, refs, &list, err);

	if (r == 0)
		r = take_samples(e, &list, &now, err);
	if (r == 0 && show && !f->no_stream)
		(void)fputs("\033[2J\033[H", stdout); /* clear, home */
	if (r == 0 && show)
		r = print(f, &list, &now, before, err);
	container_list_done(&list);
	free(before->items);
	*before = now;
	return r;
}

int cmd_stats(struct cli *cli, void *target, int n UNUSED, char **args, struct error *err)
{
	const struct stats_flags *f = target;
	struct samples before = { 0 };
	struct engine *e;
	int r = cli_engine(cli, &e, err);

	if (r == 0)
		r = round_of(e, f, args, &before, false, err);
	if (r == 0) {
		usleep(FIRST_INTERVAL_US);
		r = round_of(e, f, args, &before, true, err);
	}
	while (r == 0 && !f->no_stream && fflush(stdout) == 0) {
		usleep(STREAM_INTERVAL_US);
		r = round_of(e, f, args, &before, true, err);
	}
	free(before.items);
	return r;
}
