/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/runtime_events.h"

#include "base/buf.h"
#include "codec/json.h"
#include "runtime/cgroup/stats.h"
#include "runtime/runtime.h"
#include "runtime/statedir.h"

static void add_memory_counter(struct json_writer *w, const char *key, uint64_t usage,
			       uint64_t limit, uint64_t peak, uint64_t failcnt)
{
	json_begin_object(w, key);
	json_add_u64(w, "limit", limit);
	json_add_u64(w, "usage", usage);
	json_add_u64(w, "max", peak);
	json_add_u64(w, "failcnt", failcnt);
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

static void add_cpu(struct json_writer *w, const struct cgroup_stats *s)
{
	json_begin_object(w, "cpu");
	json_begin_object(w, "usage");
	json_add_u64(w, "total", s->cpu_usage_ns);
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

static void add_memory(struct json_writer *w, const struct cgroup_stats *s)
{
	json_begin_object(w, "memory");
	json_add_u64(w, "cache", s->memory_cache);
	add_memory_counter(w, "usage", s->memory_usage, s->memory_limit, s->memory_peak,
			   s->memory_failcnt);
	add_memory_counter(w, "swap", s->swap_usage, s->swap_limit, 0, 0);
	json_begin_object(w, "raw");
	json_add_u64(w, "inactive_file", s->memory_inactive_file);
	json_add_u64(w, "rss", s->memory_rss);
	json_add_u64(w, "mapped_file", s->memory_mapped_file);
	json_add_u64(w, "kernel", s->memory_kernel);
	json_add_u64(w, "pgfault", s->memory_pgfault);
	json_add_u64(w, "pgmajfault", s->memory_pgmajfault);
	json_add_u64(w, "oom_kill", s->oom_kills);
	json_end(w);
	add_psi(w, &s->memory_psi);
	json_end(w);
}

static void add_io_entry(struct json_writer *w, const char *op, uint64_t value)
{
	json_begin_object(w, NULL);
	json_add_string(w, "op", op);
	json_add_u64(w, "value", value);
	json_end(w);
}

static void add_io(struct json_writer *w, const struct cgroup_stats *s)
{
	json_begin_object(w, "blkio");
	json_begin_array(w, "ioServiceBytesRecursive"); /* sums over all devices */
	add_io_entry(w, "Read", s->io_read_bytes);
	add_io_entry(w, "Write", s->io_write_bytes);
	json_end(w);
	json_begin_array(w, "ioServicedRecursive");
	add_io_entry(w, "Read", s->io_read_ops);
	add_io_entry(w, "Write", s->io_write_ops);
	json_end(w);
	add_psi(w, &s->io_psi);
	json_end(w);
}

static void add_stats(struct buf *out, const char *id, const struct cgroup_stats *s)
{
	struct json_writer w;

	json_writer_init(&w, out, NULL);
	json_begin_object(&w, NULL);
	json_add_string(&w, "type", "stats");
	json_add_string(&w, "id", id);
	json_begin_object(&w, "data");
	add_cpu(&w, s);
	add_memory(&w, s);
	json_begin_object(&w, "pids");
	json_add_u64(&w, "current", s->pids_current);
	if (s->pids_limit != CGROUP_UNLIMITED)
		json_add_u64(&w, "limit", s->pids_limit);
	json_end(&w);
	add_io(&w, s);
	json_end(&w);
	json_end(&w);
	buf_putc(out, '\n');
}

static void add_oom(struct buf *out, const char *id)
{
	struct json_writer w;

	json_writer_init(&w, out, NULL);
	json_begin_object(&w, NULL);
	json_add_string(&w, "type", "oom");
	json_add_string(&w, "id", id);
	json_end(&w);
	buf_putc(out, '\n');
}

int events_format(const char *root, const char *id, uint64_t *oom_kills, bool *ret_stopped,
		  struct buf *out, struct error *err)
{
	cleanup_with(container_free) struct container *c = NULL;
	enum container_status status;
	struct cgroup_stats s;
	int r = container_open(root, id, &c, err);

	if (r == 0)
		r = container_get_status(c, &status, err);
	if (r < 0)
		return r;
	*ret_stopped = status == CONTAINER_STOPPED;
	if (*ret_stopped)
		return 0;
	r = runtime_stats(root, id, &s, err);
	if (r < 0)
		return r;
	if (*oom_kills != UINT64_MAX && s.oom_kills > *oom_kills)
		add_oom(out, id);
	*oom_kills = s.oom_kills;
	add_stats(out, id, &s);
	return 0;
}
