/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "codec/json.h"
#include "engine/handle.h"

const char *container_state_name(enum container_state state)
{
	static const char *const names[CONTAINER_STATE_COUNT] = {
		[CONTAINER_STATE_CREATED] = "created", [CONTAINER_STATE_RUNNING] = "running",
		[CONTAINER_STATE_PAUSED] = "paused",   [CONTAINER_STATE_EXITED] = "exited",
		[CONTAINER_STATE_DEAD] = "dead",
	};

	return state < CONTAINER_STATE_COUNT ? names[state] : "unknown";
}

void container_list_done(struct container_list *list)
{
	arena_free(list->arena);
	*list = (struct container_list){ 0 };
}

/* A JSON array of strings of ours; none is by far the most frequent. */
static int read_words(const char *text, struct arena *arena, const char *const **ret,
		      struct error *err)
{
	const struct json *root, *item;
	const char **words;
	size_t n = 0;
	int r;

	if (strcmp(text, "[]") == 0) {
		*ret = arena_alloc(arena, sizeof(**ret));
		return 0;
	}
	r = json_parse(text, strlen(text), arena, &root, err);
	if (r < 0)
		return error_prefix(err, r, "database");
	words = arena_alloc(arena, (root->n + 1) * sizeof(*words));
	json_foreach(item, root) {
		r = json_to_string(item, &words[n++], err);
		if (r < 0)
			return error_prefix(err, r, "database");
	}
	*ret = words;
	return 0;
}

static int fill_info(const struct record *r, struct arena *arena, struct container_info *ret,
		     struct error *err)
{
	int status;

	*ret = (struct container_info){
		.id = r->id,
		.name = r->name,
		.image = r->image,
		.image_id = r->image_id,
		.command = r->command,
		.created_ns = r->created_ns,
		.started_ns = r->started_ns,
		.finished_ns = r->finished_ns,
		.state = r->state,
		.pid = r->pid,
		.exit_code = r->exit_code,
		.oom_killed = r->oom_killed,
		.tty = r->flags & RECORD_TTY,
		.auto_remove = r->flags & RECORD_AUTO_REMOVE,
		.error = r->error,
		.network = r->network,
		.platform = r->platform,
	};
	status = read_words(r->labels, arena, &ret->labels, err);
	return status < 0 ? status : read_words(r->mounts, arena, &ret->mounts, err);
}

static int list_into(struct engine *e, bool all, struct container_list *list, struct error *err)
{
	struct record *rows = NULL;
	struct db *db;
	size_t n = 0;
	int r = engine_db(e, &db, err);

	if (r < 0)
		return r;
	r = db_list(db, list->arena, &rows, &n, err);
	if (r < 0)
		return r;
	list->items = arena_alloc(list->arena, (n + 1) * sizeof(*list->items));
	for (size_t i = 0; i < n; i++) {
		r = container_refresh(e, &rows[i], err);
		if (r == -ENOENT)
			continue; /* removed while we looked */
		if (r < 0)
			return r;
		if (!all && !record_is_live(&rows[i]))
			continue;
		r = fill_info(&rows[i], list->arena, &list->items[list->n++], err);
		if (r < 0)
			return r;
	}
	return 0;
}

int engine_list(struct engine *e, bool all, struct container_list *ret_list, struct error *err)
{
	struct container_list list = { .arena = arena_new() };
	int r = list_into(e, all, &list, err);

	if (r < 0)
		container_list_done(&list);
	else
		*ret_list = list;
	return r;
}

static int lookup_into(struct engine *e, const char *ref, struct container_list *list,
		       struct error *err)
{
	struct record record;
	int r = container_find(e, ref, list->arena, &record, err);

	if (r < 0)
		return r;
	list->items = arena_alloc(list->arena, sizeof(*list->items));
	list->n = 1;
	return fill_info(&record, list->arena, list->items, err);
}

int engine_lookup(struct engine *e, const char *ref, struct container_list *ret_list,
		  struct error *err)
{
	struct container_list list = { .arena = arena_new() };
	int r = lookup_into(e, ref, &list, err);

	if (r < 0)
		container_list_done(&list);
	else
		*ret_list = list;
	return r;
}

char *container_status(const struct container_info *c, int64_t now_ns, char *buf)
{
	char up[UNITS_TEXT_MAX], ago[UNITS_TEXT_MAX];

	switch (c->state) {
	case CONTAINER_STATE_RUNNING:
	case CONTAINER_STATE_PAUSED:
		(void)snprintf(buf, CONTAINER_STATUS_MAX, "Up %s%s",
			       units_format_duration(now_ns - c->started_ns, up),
			       c->state == CONTAINER_STATE_PAUSED ? " (Paused)" : "");
		break;
	case CONTAINER_STATE_EXITED:
		(void)snprintf(buf, CONTAINER_STATUS_MAX, "Exited (%d) %s ago", c->exit_code,
			       units_format_duration(now_ns - c->finished_ns, ago));
		break;
	case CONTAINER_STATE_DEAD:
		(void)snprintf(buf, CONTAINER_STATUS_MAX, "Dead");
		break;
	default:
		(void)snprintf(buf, CONTAINER_STATUS_MAX, "Created");
		break;
	}
	return buf;
}
