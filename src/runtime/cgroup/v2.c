/* SPDX-License-Identifier: Apache-2.0 */

/* Cgroup v2: one tree; controllers are switched on from the root downwards. On a hybrid host it
 * may have none, and still freezes, kills and carries eBPF programs. Source:
 * Documentation/admin-guide/cgroup-v2.rst. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "kernel/cgroupfs.h"
#include "runtime/cgroup/device_list.h"
#include "runtime/cgroup/devices.h"
#include "runtime/cgroup/driver.h"
#include "runtime/cgroup/stats.h"

/* Controllers are enabled by cgroup.c, which knows which are wanted. */
static int v2_prepare(const char *dir, bool parent, struct error *err)
{
	return 0;
}

/* The child is born inside: clone3() takes the directory. */
static int v2_open_enter(struct cgroup_node *n, int dir_fd, struct error *err)
{
	n->enter_fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (n->enter_fd < 0)
		return error_sys(err, "cannot open cgroup '%s'", n->dir);
	return 0;
}

static int v2_get_frozen(const struct cgroup_node *n, bool *ret_frozen, struct error *err)
{
	uint64_t value = 0;
	int r = cgroupfs_read_u64(n->dir_fd, "cgroup.freeze", &value);

	if (r < 0 && r != -ENOENT && r != -ENODEV)
		return error_num(err, -r, "cannot read the freezer state of '%s'", n->dir);
	*ret_frozen = value == 1;
	return 0;
}

static int v2_set_frozen(const struct cgroup_node *n, bool frozen, struct error *err)
{
	int r = file_poke(n->dir_fd, "cgroup.freeze", frozen ? "1" : "0");

	if (r == 0)
		r = cgroupfs_wait_event(n->dir_fd, "frozen", frozen, CGROUP_FREEZE_MS);
	if (r < 0)
		return error_num(err, -r, "cannot %s cgroup '%s'", frozen ? "freeze" : "thaw",
				 n->dir);
	return 0;
}

static int v2_kill_all(const struct cgroup_node *n, struct error *err)
{
	int r = file_poke(n->dir_fd, "cgroup.kill", "1");

	if (r == -ENOENT) /* before 5.14, or the directory is gone */
		return 1;
	if (r < 0 && r != -ENODEV)
		return error_num(err, -r, "cannot kill the processes of cgroup '%s'", n->dir);
	return 0;
}

static int v2_set_devices(const struct cgroup_node *n, const struct device_list *list, bool fresh,
			  struct error *err)
{
	cleanup_fd int fd = openat(n->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) /* bpf(2) takes no O_PATH descriptor */
		return error_sys(err, "cannot open cgroup '%s'", n->dir);
	return devices_bpf_apply(fd, list, fresh, err);
}

/* Numbers */

struct key {
	const char *key;
	size_t offset;
	uint64_t factor;
};

static void read_keys(const struct cgroup_node *n, const char *file, const struct key *keys,
		      size_t n_keys, struct cgroup_stats *s)
{
	char text[CGROUPFS_FILE_MAX];
	uint64_t value;

	if (cgroupfs_read(n->dir_fd, file, text, sizeof(text)) < 0)
		return;
	for (size_t i = 0; i < n_keys; i++) {
		if (!cgroupfs_key_u64(text, keys[i].key, &value))
			continue;
		value *= keys[i].factor;
		memcpy((char *)s + keys[i].offset, &value, sizeof(value));
	}
}

static void read_u64(const struct cgroup_node *n, const char *file, uint64_t *field)
{
	uint64_t value;

	if (cgroupfs_read_u64(n->dir_fd, file, &value) == 0)
		*field = value;
}

#define FIELD_OF(name) offsetof(struct cgroup_stats, name)

static void stats_memory(const struct cgroup_node *n, struct cgroup_stats *s)
{
	static const struct key stat_keys[] = {
		{ "inactive_file", FIELD_OF(memory_inactive_file), 1 },
		{ "file", FIELD_OF(memory_cache), 1 },
		{ "anon", FIELD_OF(memory_rss), 1 },
		{ "file_mapped", FIELD_OF(memory_mapped_file), 1 },
		{ "kernel", FIELD_OF(memory_kernel), 1 },
		{ "pgfault", FIELD_OF(memory_pgfault), 1 },
		{ "pgmajfault", FIELD_OF(memory_pgmajfault), 1 },
	};
	static const struct key event_keys[] = {
		{ "max", FIELD_OF(memory_failcnt), 1 },
		{ "oom_kill", FIELD_OF(oom_kills), 1 },
	};

	if (faccessat(n->dir_fd, "memory.current", F_OK, 0) < 0)
		return; /* the controller lives in a v1 hierarchy, or nowhere */
	read_u64(n, "memory.current", &s->memory_usage);
	read_u64(n, "memory.max", &s->memory_limit);
	read_u64(n, "memory.peak", &s->memory_peak); /* since 5.19 */
	read_u64(n, "memory.swap.current", &s->swap_usage);
	read_u64(n, "memory.swap.max", &s->swap_limit);
	read_keys(n, "memory.stat", stat_keys, ARRAY_SIZE(stat_keys), s);
	read_keys(n, "memory.events", event_keys, ARRAY_SIZE(event_keys), s);
}

/* Lines "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0". */
static void stats_io(const struct cgroup_node *n, struct cgroup_stats *s)
{
	cleanup_free char *text = NULL;
	struct error ignored;

	if (file_read(n->dir_fd, "io.stat", 1u << 20, &text, NULL, &ignored) < 0)
		return;
	for (char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		unsigned long long rbytes, wbytes, rios, wios;

		if (sscanf(line, "%*u:%*u rbytes=%llu wbytes=%llu rios=%llu wios=%llu", &rbytes,
			   &wbytes, &rios, &wios) != 4)
			continue;
		s->io_read_bytes += rbytes;
		s->io_write_bytes += wbytes;
		s->io_read_ops += rios;
		s->io_write_ops += wios;
	}
}

static void v2_stats(const struct cgroup_node *n, struct cgroup_stats *s)
{
	static const struct key cpu_keys[] = {
		{ "usage_usec", FIELD_OF(cpu_usage_ns), 1000 },
		{ "user_usec", FIELD_OF(cpu_user_ns), 1000 },
		{ "system_usec", FIELD_OF(cpu_system_ns), 1000 },
		{ "nr_periods", FIELD_OF(cpu_periods), 1 },
		{ "nr_throttled", FIELD_OF(cpu_throttled_periods), 1 },
		{ "throttled_usec", FIELD_OF(cpu_throttled_ns), 1000 },
	};

	/* cpu.stat counts usage even without the controller; on a hybrid host v1 tells the rest */
	read_keys(n, "cpu.stat", cpu_keys, ARRAY_SIZE(cpu_keys), s);
	stats_memory(n, s);
	stats_io(n, s);
	if (faccessat(n->dir_fd, "pids.current", F_OK, 0) == 0) {
		read_u64(n, "pids.current", &s->pids_current);
		read_u64(n, "pids.max", &s->pids_limit);
	}
	cgroup_stats_read_psi(n, s);
}

const struct cgroup_driver cgroup_v2 = {
	.name = "v2",
	.v2 = true,
	.prepare = v2_prepare,
	.open_enter = v2_open_enter,
	.enter = NULL,
	.set_frozen = v2_set_frozen,
	.get_frozen = v2_get_frozen,
	.kill_all = v2_kill_all,
	.set_devices = v2_set_devices,
	.stats = v2_stats,
};
