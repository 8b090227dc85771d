/* SPDX-License-Identifier: Apache-2.0 */
/* docker's inspect object: container.json completed by the row. */

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "engine/document.h"
#include "engine/handle.h"
#include "engine/tree_size.h"

struct inspection {
	struct engine *e;
	struct arena *arena;
	struct record record;
	struct document document;
	int dir_fd;
	bool with_size;
	struct json_writer w;
};

/* docker's word for never: Go's zero time */
static void add_time(struct json_writer *w, const char *key, int64_t ns)
{
	char text[CLOCK_TEXT_MAX];

	json_add_string(w, key, ns != 0 ? clock_format(ns, text) : "0001-01-01T00:00:00Z");
}

static void add_state(struct inspection *i)
{
	const struct record *r = &i->record;
	struct json_writer *w = &i->w;

	json_begin_object(w, "State");
	json_add_string(w, "Status", container_state_name(r->state));
	json_add_bool(w, "Running", record_is_live(r));
	json_add_bool(w, "Paused", r->state == CONTAINER_STATE_PAUSED);
	json_add_bool(w, "Restarting", false);
	json_add_bool(w, "OOMKilled", r->oom_killed);
	json_add_bool(w, "Dead", r->state == CONTAINER_STATE_DEAD);
	json_add_i64(w, "Pid", r->pid);
	json_add_i64(w, "ExitCode", r->exit_code);
	json_add_string(w, "Error", r->error);
	add_time(w, "StartedAt", r->started_ns);
	add_time(w, "FinishedAt", r->finished_ns);
	json_end(w);
}

static void add_name(struct inspection *i)
{
	cleanup_free char *name = xasprintf("/%s", i->record.name);

	json_add_string(&i->w, "Name", name);
}

static void add_restart_count(struct inspection *i)
{
	json_add_i64(&i->w, "RestartCount", 0);
}

static void add_exec_ids(struct inspection *i)
{
	json_add_null(&i->w,
		      "ExecIDs"); /* execs are not the engine's to know: no process keeps them */
}

static void add_network_settings(struct inspection *i)
{
	static const char *const empty[] = { "EndpointID", "Gateway",	  "GlobalIPv6Address",
					     "IPAddress",  "IPv6Gateway", "MacAddress" };
	cleanup_free char *key = i->record.pid ? xasprintf("/proc/%d/ns/net", i->record.pid) : NULL;
	struct json_writer *w = &i->w;

	json_begin_object(w, "NetworkSettings");
	json_add_string(w, "Bridge", "");
	json_add_string(w, "SandboxID", "");
	json_add_string(w, "SandboxKey", key ? key : "");
	json_begin_object(w, "Ports");
	json_end(w);
	for (size_t k = 0; k < ARRAY_SIZE(empty); k++)
		json_add_string(w, empty[k], "");
	json_begin_object(w, "Networks");
	if (!str_after(i->record.network, "container:")) {
		json_begin_object(w, i->record.network);
		for (size_t k = 0; k < ARRAY_SIZE(empty); k++)
			json_add_string(w, empty[k], "");
		json_end(w);
	}
	json_end(w);
	json_end(w);
}

static void add_sizes(struct inspection *i)
{
	int64_t writable = 0, image = 0;

	if (!i->with_size)
		return;
	if (container_tree_sizes(i->e, &i->record, i->dir_fd, &writable, &image) < 0)
		return; /* --rootfs: there is no layer of its own */
	json_add_i64(&i->w, "SizeRw", writable);
	json_add_i64(&i->w, "SizeRootFs", writable + image);
}

/* In docker's order. add NULL: as container.json has it. */
static const struct {
	const char *key;
	void (*add)(struct inspection *i);
} members[] = {
	{ "Id", NULL },
	{ "Created", NULL },
	{ "Path", NULL },
	{ "Args", NULL },
	{ "State", add_state },
	{ "Image", NULL },
	{ "ResolvConfPath", NULL },
	{ "HostnamePath", NULL },
	{ "HostsPath", NULL },
	{ "LogPath", NULL },
	{ "Name", add_name },
	{ "RestartCount", add_restart_count },
	{ "Driver", NULL },
	{ "Platform", NULL },
	{ "MountLabel", NULL },
	{ "ProcessLabel", NULL },
	{ "AppArmorProfile", NULL },
	{ "ExecIDs", add_exec_ids },
	{ "HostConfig", NULL },
	{ "GraphDriver", NULL },
	{ "SizeRw", add_sizes },
	{ "Mounts", NULL },
	{ "Config", NULL },
	{ "NetworkSettings", add_network_settings },
};

static int inspect_found(struct inspection *i, struct buf *out, struct error *err)
{
	int r = container_dir_open(i->e, i->record.id, &i->dir_fd, err);

	if (r < 0)
		return r;
	r = document_load(i->dir_fd, i->arena, &i->document, err);
	if (r < 0)
		return r;
	json_writer_init(&i->w, out, NULL);
	json_begin_object(&i->w, NULL);
	for (size_t k = 0; k < ARRAY_SIZE(members); k++) {
		const struct json *value;

		if (members[k].add) {
			members[k].add(i);
			continue;
		}
		value = json_get(i->document.root, members[k].key);
		if (value)
			json_add_value(&i->w, members[k].key, value);
		else
			json_add_null(&i->w, members[k].key);
	}
	json_end(&i->w);
	return 0;
}

static void inspection_done(struct inspection *i)
{
	cleanup_close_fd(&i->dir_fd);
	arena_free(i->arena);
}

int engine_inspect(struct engine *e, const char *ref, bool with_size, struct buf *out,
		   struct error *err)
{
	__attribute__((cleanup(inspection_done))) struct inspection i = {
		.e = e, .arena = arena_new(), .dir_fd = -EBADF, .with_size = with_size
	};
	int r = container_find(e, ref, i.arena, &i.record, err);

	return r < 0 ? r : inspect_found(&i, out, err);
}
