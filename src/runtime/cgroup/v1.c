/* SPDX-License-Identifier: Apache-2.0 */

/* Cgroup v1: one hierarchy for each set of controllers. Source: cgroups(7),
 * Documentation/admin-guide/cgroup-v1/. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "kernel/cgroupfs.h"
#include "runtime/cgroup/device_list.h"
#include "runtime/cgroup/devices.h"
#include "runtime/cgroup/driver.h"
#include "runtime/cgroup/stats.h"

/* A new cpuset is empty, and a process cannot enter an empty one: it takes its parent's sets. */
static int inherit_cpuset(const char *dir, const char *file, struct error *err)
{
	cleanup_free char *path = path_join(dir, file);
	cleanup_free char *parent = path_join(dir, "..");
	cleanup_free char *parent_path = path_join(parent, file);
	char now[CGROUPFS_FILE_MAX], value[CGROUPFS_FILE_MAX];
	ssize_t n = cgroupfs_read(AT_FDCWD, path, now, sizeof(now));
	int r;

	if (n == -ENOENT) /* not a directory with a cpuset controller */
		return 0;
	if (n > 0)
		return 0;
	if (n == 0)
		n = cgroupfs_read(AT_FDCWD, parent_path, value, sizeof(value));
	if (n < 0)
		return error_num(err, (int)-n, "cannot read '%s'", path);
	r = file_poke(AT_FDCWD, path, value);
	if (r < 0)
		return error_num(err, -r, "cannot write '%s' to '%s'", value, path);
	return 0;
}

static int v1_prepare(const char *dir, bool parent, struct error *err)
{
	cleanup_free char *clone_children = NULL;
	int r = inherit_cpuset(dir, "cpuset.cpus", err);

	if (r == 0)
		r = inherit_cpuset(dir, "cpuset.mems", err);
	if (r < 0 || !parent)
		return r;
	/* children are born with our sets: writing them instead rebuilds scheduler domains */
	clone_children = path_join(dir, "cgroup.clone_children");
	(void)file_poke(AT_FDCWD, clone_children, "1"); /* else v1_prepare() fills each child */
	return 0;
}

static int v1_open_enter(struct cgroup_node *n, int dir_fd, struct error *err)
{
	n->enter_fd = openat(dir_fd, "tasks", O_WRONLY | O_CLOEXEC);
	if (n->enter_fd < 0)
		return error_sys(err, "cannot open the task list of cgroup '%s'", n->dir);
	return 0;
}

/* "0" is the writer itself. `tasks` moves one thread and takes no lock of the whole machine, which
 * cgroup.procs does. */
static int v1_enter(const struct cgroup_node *n, struct error *err)
{
	if (write(n->enter_fd, "0", 1) == 1)
		return 0;
	if (errno == ENOSPC)
		return error_sys(err, "cannot enter cgroup '%s': its cpuset is empty", n->dir);
	return error_sys(err, "cannot enter cgroup '%s'", n->dir);
}

static int v1_get_frozen(const struct cgroup_node *n, bool *ret_frozen, struct error *err)
{
	char state[32];
	ssize_t r = cgroupfs_read(n->dir_fd, "freezer.state", state, sizeof(state));

	if (r < 0 && r != -ENOENT && r != -ENODEV)
		return error_num(err, (int)-r, "cannot read the freezer state of '%s'", n->dir);
	*ret_frozen = r > 0 && !str_eq(state, "THAWED");
	return 0;
}

static void pause_ms(long ms)
{
	const struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&t, NULL); /* a signal that shortens it does no harm */
}

/*
 * v1 has no event for "all have stopped": ask until it says FROZEN. A process that forks while
 * being frozen keeps it in FREEZING; thawing for a moment lets the fork finish.
 */
static int wait_frozen(const struct cgroup_node *n, struct error *err)
{
	int64_t end = clock_monotonic_ns() + CGROUP_FREEZE_MS * 1000000LL;

	for (unsigned tries = 1; clock_monotonic_ns() < end; tries++) {
		char state[32];
		ssize_t r = cgroupfs_read(n->dir_fd, "freezer.state", state, sizeof(state));

		if (r < 0)
			return error_num(err, (int)-r, "cannot read the freezer state of '%s'",
					 n->dir);
		if (str_eq(state, "FROZEN"))
			return 0;
		if (tries % 50 == 0) {
			(void)file_poke(n->dir_fd, "freezer.state", "THAWED");
			pause_ms(1);
			(void)file_poke(n->dir_fd, "freezer.state", "FROZEN");
		}
		pause_ms(tries < 10 ? 1 : 5);
	}
	return error_num(err, ETIMEDOUT, "cannot freeze cgroup '%s'", n->dir);
}

static int v1_set_frozen(const struct cgroup_node *n, bool frozen, struct error *err)
{
	int r = file_poke(n->dir_fd, "freezer.state", frozen ? "FROZEN" : "THAWED");

	if (r < 0)
		return error_num(err, -r, "cannot %s cgroup '%s'", frozen ? "freeze" : "thaw",
				 n->dir);
	return frozen ? wait_frozen(n, err) : 0;
}

static int v1_kill_all(const struct cgroup_node *n, struct error *err)
{
	return 1; /* cgroup.kill is of v2 */
}

static int v1_set_devices(const struct cgroup_node *n, const struct device_list *list, bool fresh,
			  struct error *err)
{
	return devices_v1_apply(n->dir_fd, list, fresh, err);
}

/* Numbers */

static void read_u64(const struct cgroup_node *n, const char *file, uint64_t *field)
{
	uint64_t value;

	if (cgroupfs_read_u64(n->dir_fd, file, &value) == 0)
		*field = value;
}

/* v1 says "no limit" with the largest multiple of a page. */
static void read_limit(const struct cgroup_node *n, const char *file, uint64_t *field)
{
	read_u64(n, file, field);
	if (*field >= (UINT64_MAX >> 1) - 0xffff)
		*field = CGROUP_UNLIMITED;
}

static void stats_cpu(const struct cgroup_node *n, struct cgroup_stats *s)
{
	char text[CGROUPFS_FILE_MAX];
	uint64_t value;

	if (cgroupfs_read(n->dir_fd, "cpu.stat", text, sizeof(text)) < 0)
		return;
	if (cgroupfs_key_u64(text, "nr_periods", &value))
		s->cpu_periods = value;
	if (cgroupfs_key_u64(text, "nr_throttled", &value))
		s->cpu_throttled_periods = value;
	if (cgroupfs_key_u64(text, "throttled_time", &value))
		s->cpu_throttled_ns = value;
}

static void stats_cpuacct(const struct cgroup_node *n, struct cgroup_stats *s)
{
	read_u64(n, "cpuacct.usage", &s->cpu_usage_ns);
	read_u64(n, "cpuacct.usage_user", &s->cpu_user_ns);
	read_u64(n, "cpuacct.usage_sys", &s->cpu_system_ns);
}

static void stats_memory(const struct cgroup_node *n, struct cgroup_stats *s)
{
	static const struct {
		const char *key;
		size_t offset;
	} keys[] = {
		{ "total_inactive_file", offsetof(struct cgroup_stats, memory_inactive_file) },
		{ "total_cache", offsetof(struct cgroup_stats, memory_cache) },
		{ "total_rss", offsetof(struct cgroup_stats, memory_rss) },
		{ "total_mapped_file", offsetof(struct cgroup_stats, memory_mapped_file) },
		{ "total_pgfault", offsetof(struct cgroup_stats, memory_pgfault) },
		{ "total_pgmajfault", offsetof(struct cgroup_stats, memory_pgmajfault) },
	};
	char text[CGROUPFS_FILE_MAX];
	uint64_t value;

	read_u64(n, "memory.usage_in_bytes", &s->memory_usage);
	read_u64(n, "memory.max_usage_in_bytes", &s->memory_peak);
	read_u64(n, "memory.failcnt", &s->memory_failcnt);
	read_u64(n, "memory.kmem.usage_in_bytes", &s->memory_kernel);
	read_limit(n, "memory.limit_in_bytes", &s->memory_limit);
	read_u64(n, "memory.memsw.usage_in_bytes", &s->swap_usage);
	read_limit(n, "memory.memsw.limit_in_bytes", &s->swap_limit);
	if (cgroupfs_read(n->dir_fd, "memory.stat", text, sizeof(text)) >= 0)
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
			if (cgroupfs_key_u64(text, keys[i].key, &value))
				memcpy((char *)s + keys[i].offset, &value, sizeof(value));
	if (cgroupfs_read(n->dir_fd, "memory.oom_control", text, sizeof(text)) >= 0 &&
	    cgroupfs_key_u64(text, "oom_kill", &value))
		s->oom_kills = value;
}

/* Lines "8:0 Read 4096", over all devices. */
static bool sum_operations(const struct cgroup_node *n, const char *file, uint64_t *ret_read,
			   uint64_t *ret_write)
{
	cleanup_free char *text = NULL;
	uint64_t read_sum = 0, write_sum = 0;
	struct error ignored;

	if (file_read(n->dir_fd, file, 1u << 20, &text, NULL, &ignored) < 0)
		return false;
	for (char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		unsigned long long value;
		char word[16];

		if (sscanf(line, "%*[0-9:] %15s %llu", word, &value) != 2)
			continue;
		if (str_eq(word, "Read"))
			read_sum += value;
		else if (str_eq(word, "Write"))
			write_sum += value;
	}
	*ret_read = read_sum;
	*ret_write = write_sum;
	return true;
}

static void stats_blkio(const struct cgroup_node *n, struct cgroup_stats *s)
{
	/* the schedulers' own counters where there is one, else those of throttling, which also
	 * count without a limit */
	if (!sum_operations(n, "blkio.bfq.io_service_bytes_recursive", &s->io_read_bytes,
			    &s->io_write_bytes) ||
	    s->io_read_bytes + s->io_write_bytes == 0)
		(void)sum_operations(n, "blkio.throttle.io_service_bytes_recursive",
				     &s->io_read_bytes, &s->io_write_bytes);
	if (!sum_operations(n, "blkio.bfq.io_serviced_recursive", &s->io_read_ops,
			    &s->io_write_ops) ||
	    s->io_read_ops + s->io_write_ops == 0)
		(void)sum_operations(n, "blkio.throttle.io_serviced_recursive", &s->io_read_ops,
				     &s->io_write_ops);
}

static void stats_pids(const struct cgroup_node *n, struct cgroup_stats *s)
{
	read_u64(n, "pids.current", &s->pids_current);
	read_u64(n, "pids.max", &s->pids_limit);
}

static void v1_stats(const struct cgroup_node *n, struct cgroup_stats *s)
{
	static const struct {
		const char *controller;
		void (*read)(const struct cgroup_node *n, struct cgroup_stats *s);
	} readers[] = {
		{ "cpu", stats_cpu },	  { "cpuacct", stats_cpuacct }, { "memory", stats_memory },
		{ "blkio", stats_blkio }, { "pids", stats_pids },
	};

	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		if (cgroupfs_list_has(n->controllers, readers[i].controller))
			readers[i].read(n, s);
}

const struct cgroup_driver cgroup_v1 = {
	.name = "v1",
	.v2 = false,
	.prepare = v1_prepare,
	.open_enter = v1_open_enter,
	.enter = v1_enter,
	.set_frozen = v1_set_frozen,
	.get_frozen = v1_get_frozen,
	.kill_all = v1_kill_all,
	.set_devices = v1_set_devices,
	.stats = v1_stats,
};
