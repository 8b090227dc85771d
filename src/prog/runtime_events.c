/* SPDX-License-Identifier: Apache-2.0 */

/*
 * berth-runtime events: one JSON object a line, with the members of runc's, in its order. Beyond
 * runc's: memory.raw.oom_kill. What a host does not count is 0, or an absent list.
 */
#include <stdint.h>
#include <unistd.h>

#include "base/bitlist.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/units.h"
#include "codec/json.h"
#include "prog/runtime_verb.h"
#include "runtime/cgroup/details.h"
#include "runtime/cgroup/stats.h"
#include "runtime/events.h"

#define SET_MAX 8192 /* processors or memory nodes */

static void add_counter(struct json_writer *w, const char *key, const struct cgroup_counter *c)
{
	json_begin_object(w, key);
	json_add_u64(w, "limit", c->limit);
	json_add_u64(w, "usage", c->usage);
	json_add_u64(w, "max", c->max);
	json_add_u64(w, "failcnt", c->failcnt);
	json_end(w);
}

static void add_psi_line(struct json_writer *w, const char *key, const struct cgroup_psi_line *l)
{
	json_begin_object(w, key);
	json_add_double(w, "avg10", l->avg10);
	json_add_double(w, "avg60", l->avg60);
	json_add_double(w, "avg300", l->avg300);
	json_add_u64(w, "total", l->total_us);
	json_end(w);
}

static void add_psi(struct json_writer *w, const struct cgroup_psi *psi)
{
	if (!psi->present)
		return;
	json_begin_object(w, "psi");
	add_psi_line(w, "some", &psi->some);
	add_psi_line(w, "full", &psi->full);
	json_end(w);
}

/* which: 0 total, 1 kernel, 2 user */
static void add_processors(struct json_writer *w, const char *key, const struct cgroup_details *d,
			   int which)
{
	if (d->n_processors == 0)
		return;
	json_begin_array(w, key);
	for (size_t i = 0; i < d->n_processors; i++) {
		const struct cgroup_processor *p = &d->processors[i];

		json_add_u64(w, NULL, which == 0 ? p->total : which == 1 ? p->kernel : p->user);
	}
	json_end(w);
}

static void add_cpu(struct json_writer *w, const struct cgroup_stats *s,
		    const struct cgroup_details *d)
{
	json_begin_object(w, "cpu");
	json_begin_object(w, "usage");
	json_add_u64(w, "total", s->cpu_usage_ns);
	add_processors(w, "percpu", d, 0);
	add_processors(w, "percpu_kernel", d, 1);
	add_processors(w, "percpu_user", d, 2);
	json_add_u64(w, "kernel", s->cpu_system_ns);
	json_add_u64(w, "user", s->cpu_user_ns);
	json_end(w);
	json_begin_object(w, "throttling");
	json_add_u64(w, "periods", s->cpu_periods);
	json_add_u64(w, "throttledPeriods", s->cpu_throttled_periods);
	json_add_u64(w, "throttledTime", s->cpu_throttled_ns);
	json_end(w);
	add_psi(w, &s->cpu_psi);
	json_end(w);
}

/* "0-3,7" as [0,1,2,3,7]; nothing for an empty set */
static void add_set(struct json_writer *w, const char *key, const char *list)
{
	unsigned long bits[BITLIST_LONGS(SET_MAX)];

	if (bitlist_parse(list, bits, SET_MAX) <= 0)
		return;
	json_begin_array(w, key);
	for (size_t i = 0; i < SET_MAX; i++)
		if (bits[i / BITLIST_LONG_BITS] >> i % BITLIST_LONG_BITS & 1)
			json_add_u64(w, NULL, i);
	json_end(w);
}

static void add_cpuset(struct json_writer *w, const struct cgroup_details *d)
{
	json_begin_object(w, "cpuset");
	add_set(w, "cpus", d->cpus);
	add_set(w, "mems", d->mems);
	for (size_t i = 0; i < d->n_cpuset; i++)
		json_add_i64(w, d->cpuset[i].key, d->cpuset[i].value);
	json_end(w);
}

static void add_memory(struct json_writer *w, const struct cgroup_stats *s,
		       const struct cgroup_details *d)
{
	json_begin_object(w, "memory");
	json_add_u64(w, "cache", s->memory_cache);
	add_counter(w, "usage", &d->memory);
	add_counter(w, "swap", &d->swap);
	add_counter(w, "kernel", &d->kernel);
	add_counter(w, "kernelTCP", &d->kernel_tcp);
	json_begin_object(w, "raw");
	for (size_t i = 0; i < d->n_memory_stat; i++)
		json_add_i64(w, d->memory_stat[i].key, d->memory_stat[i].value);
	json_add_u64(w, "oom_kill", s->oom_kills);
	json_end(w);
	add_psi(w, &s->memory_psi);
	json_end(w);
}

static void add_pids(struct json_writer *w, const struct cgroup_stats *s)
{
	json_begin_object(w, "pids");
	json_add_u64(w, "current", s->pids_current);
	if (s->pids_limit != CGROUP_UNLIMITED)
		json_add_u64(w, "limit", s->pids_limit);
	json_end(w);
}

static void add_io(struct json_writer *w, const struct cgroup_stats *s,
		   const struct cgroup_details *d)
{
	static const char *const keys[CGROUP_IO_KIND_COUNT] = {
		[CGROUP_IO_SERVICE_BYTES] = "ioServiceBytesRecursive",
		[CGROUP_IO_SERVICED] = "ioServicedRecursive",
		[CGROUP_IO_QUEUED] = "ioQueueRecursive",
		[CGROUP_IO_SERVICE_TIME] = "ioServiceTimeRecursive",
		[CGROUP_IO_WAIT_TIME] = "ioWaitTimeRecursive",
		[CGROUP_IO_MERGED] = "ioMergedRecursive",
		[CGROUP_IO_TIME] = "ioTimeRecursive",
		[CGROUP_IO_SECTORS] = "sectorsRecursive",
	};

	json_begin_object(w, "blkio");
	for (size_t kind = 0; kind < CGROUP_IO_KIND_COUNT; kind++) {
		if (d->n_io[kind] == 0)
			continue;
		json_begin_array(w, keys[kind]);
		for (size_t i = 0; i < d->n_io[kind]; i++) {
			const struct cgroup_io_value *v = &d->io[kind][i];

			json_begin_object(w, NULL);
			json_add_u64(w, "major", v->major);
			json_add_u64(w, "minor", v->minor);
			if (v->op)
				json_add_string(w, "op", v->op);
			json_add_u64(w, "value", v->value);
			json_end(w);
		}
		json_end(w);
	}
	add_psi(w, &s->io_psi);
	json_end(w);
}

static void add_hugetlb(struct json_writer *w, const struct cgroup_details *d)
{
	json_begin_object(w, "hugetlb");
	for (size_t i = 0; i < d->n_hugetlb; i++) {
		const struct cgroup_hugetlb *h = &d->hugetlb[i];

		json_begin_object(w, h->size);
		json_add_u64(w, "usage", h->pages.usage);
		json_add_u64(w, "max", h->pages.max);
		json_add_u64(w, "failcnt", h->pages.failcnt);
		json_end(w);
	}
	json_end(w);
}

static int print(const struct buf *out, struct error *err)
{
	int r = fd_write_all(STDOUT_FILENO, out->data, out->len);

	return r < 0 ? error_num(err, -r, "cannot write to stdout") : 0;
}

static int print_numbers(const struct runtime_watch *watch, const char *id, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	cleanup_buf struct buf out = { 0 };
	struct cgroup_details d;
	struct json_writer w;
	struct cgroup_stats s;
	int r = runtime_watch_numbers(watch, arena, &s, &d, err);

	if (r < 0)
		return r;
	json_writer_init(&w, &out, NULL);
	json_begin_object(&w, NULL);
	json_add_string(&w, "type", "stats");
	json_add_string(&w, "id", id);
	json_begin_object(&w, "data");
	add_cpu(&w, &s, &d);
	add_cpuset(&w, &d);
	add_memory(&w, &s, &d);
	add_pids(&w, &s);
	add_io(&w, &s, &d);
	add_hugetlb(&w, &d);
	json_begin_object(&w, "intel_rdt");
	json_end(&w);
	json_add_null(&w, "network_interfaces"); /* of those the runtime makes: none */
	json_end(&w);
	json_end(&w);
	buf_putc(&out, '\n');
	return print(&out, err);
}

static int print_oom(const char *id, struct error *err)
{
	cleanup_buf struct buf out = { 0 };
	struct json_writer w;

	json_writer_init(&w, &out, NULL);
	json_begin_object(&w, NULL);
	json_add_string(&w, "type", "oom");
	json_add_string(&w, "id", id);
	json_end(&w);
	buf_putc(&out, '\n');
	return print(&out, err);
}

struct events_options {
	bool stats;
	const char *interval;
};

static const struct option events_options[] = {
	{ "interval", 0, OPTION_STRING, OPTION_FIELD(events_options, interval), .arg = "duration",
	  .help = "time between two statistics (default 5s)" },
	{ "stats", 0, OPTION_BOOL, OPTION_FIELD(events_options, stats),
	  .help = "print the statistics once" },
};

/* Statistics each interval, an event when it happens, until the container ends. */
static int follow(struct runtime_watch *watch, const char *id, int64_t interval_ns,
		  struct error *err)
{
	int64_t next = clock_monotonic_ns() + interval_ns;

	for (;;) {
		int64_t left_ms = (next - clock_monotonic_ns()) / 1000000;
		enum runtime_event event;
		int r = runtime_watch_wait(watch, (int)MIN(MAX(left_ms, 0), INT32_MAX), &event,
					   err);

		if (r < 0 || event == RUNTIME_EVENT_END)
			return r;
		if (event == RUNTIME_EVENT_OOM) {
			r = print_oom(id, err);
		} else {
			r = print_numbers(watch, id, err);
			next += interval_ns;
		}
		if (r < 0)
			return r;
	}
}

static int run_events(const struct runtime_globals *g, void *target, char **args, struct error *err)
{
	cleanup_with(runtime_watch_close) struct runtime_watch *watch = NULL;
	const struct events_options *o = target;
	int64_t interval_ns = 5000000000;
	int r;

	if (o->interval &&
	    (units_parse_duration(o->interval, &interval_ns) < 0 || interval_ns <= 0))
		return error_kind(err, ERROR_INVALID, "invalid interval '%s'", o->interval);
	r = runtime_watch_open(g->root, args[0], &watch, err);
	if (r < 0)
		return r;
	return o->stats ? print_numbers(watch, args[0], err)
			: follow(watch, args[0], interval_ns, err);
}

static const struct runtime_verb verbs[] = {
	{ "events", "<container-id>", "print statistics and out-of-memory events as JSON lines",
	  VERB_OPTIONS(events_options, events_options), .min_args = 1, .max_args = 1,
	  .run = run_events },
};

const struct runtime_verb_table runtime_verbs_events = { verbs, ARRAY_SIZE(verbs) };
