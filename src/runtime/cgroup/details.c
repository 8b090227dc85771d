/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cgroup/details.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "kernel/cgroupfs.h"
#include "runtime/cgroup/cgroup.h"

#define FILE_MAX_BYTES (1u << 20)

struct reader {
	const struct cgroup_node *n;
	struct arena *arena;
	struct cgroup_details *d;
};

/* The file's text on the arena; NULL if there is none. */
static char *read_text(const struct reader *r, const char *file)
{
	cleanup_free char *text = NULL;
	struct error ignored;

	if (file_read(r->n->dir_fd, file, FILE_MAX_BYTES, &text, NULL, &ignored) < 0)
		return NULL;
	return arena_strdup(r->arena, text);
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n + 1;
}

static void read_number(const struct reader *r, const char *file, uint64_t *field)
{
	uint64_t value;

	if (cgroupfs_read_u64(r->n->dir_fd, file, &value) == 0)
		*field = value;
}

/* prefix: "memory", "memory.memsw" */
static void read_counter_v1(const struct reader *r, const char *prefix, struct cgroup_counter *c)
{
	const struct {
		const char *suffix;
		uint64_t *field;
	} files[] = {
		{ "limit_in_bytes", &c->limit },
		{ "usage_in_bytes", &c->usage },
		{ "max_usage_in_bytes", &c->max },
		{ "failcnt", &c->failcnt },
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char file[64];

		(void)snprintf(file, sizeof(file), "%s.%s", prefix, files[i].suffix);
		read_number(r, file, files[i].field);
	}
}

/* "key value" a line */
static void read_memory_stat(const struct reader *r)
{
	char *text = read_text(r, "memory.stat"), *save = NULL;
	struct cgroup_value *list;
	size_t n = 0;

	if (!text)
		return;
	list = arena_alloc(r->arena, count_lines(text) * sizeof(*list));
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *space = strchr(line, ' ');
		uint64_t value;

		if (!space || str_to_u64(space + 1, &value) < 0)
			continue;
		*space = '\0';
		list[n++] = (struct cgroup_value){ line, (int64_t)MIN(value, (uint64_t)INT64_MAX) };
	}
	r->d->memory_stat = list;
	r->d->n_memory_stat = n;
}

static void read_memory_v1(const struct reader *r)
{
	read_counter_v1(r, "memory", &r->d->memory);
	read_counter_v1(r, "memory.memsw", &r->d->swap);
	read_counter_v1(r, "memory.kmem", &r->d->kernel);
	read_counter_v1(r, "memory.kmem.tcp", &r->d->kernel_tcp);
	read_memory_stat(r);
}

static void read_memory_v2(const struct reader *r)
{
	struct cgroup_counter *memory = &r->d->memory, *swap = &r->d->swap;
	char events[CGROUPFS_FILE_MAX];

	if (faccessat(r->n->dir_fd, "memory.current", F_OK, 0) < 0)
		return; /* the controller lives in a v1 hierarchy, or nowhere */
	read_number(r, "memory.max", &memory->limit);
	read_number(r, "memory.current", &memory->usage);
	read_number(r, "memory.peak", &memory->max); /* since 5.19 */
	if (cgroupfs_read(r->n->dir_fd, "memory.events", events, sizeof(events)) > 0)
		(void)cgroupfs_key_u64(events, "max", &memory->failcnt);
	read_number(r, "memory.swap.max", &swap->limit);
	read_number(r, "memory.swap.current", &swap->usage);
	read_number(r, "memory.swap.peak", &swap->max); /* since 6.5 */
	swap->usage += memory->usage;			/* as v1 counts */
	if (swap->limit != UINT64_MAX)
		swap->limit =
			memory->limit == UINT64_MAX ? UINT64_MAX : swap->limit + memory->limit;
	read_memory_stat(r);
}

/* cpuacct.usage_all: a title, then "cpu user system" a line; usage_percpu: finer totals */
static void read_processors(const struct reader *r)
{
	char *text = read_text(r, "cpuacct.usage_all"), *save = NULL;
	char *totals = read_text(r, "cpuacct.usage_percpu");
	struct cgroup_processor *list;
	size_t n = 0;

	if (!text)
		return;
	list = arena_alloc(r->arena, count_lines(text) * sizeof(*list));
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct cgroup_processor p;

		if (sscanf(line, "%*u %" SCNu64 " %" SCNu64, &p.user, &p.kernel) != 2)
			continue;
		p.total = totals ? strtoull(totals, &totals, 10) : p.user + p.kernel;
		list[n++] = p;
	}
	r->d->processors = list;
	r->d->n_processors = n;
}

static const char *const cpuset_names[] = {
	"cpu_exclusive",   "mem_hardwall",	 "mem_exclusive",
	"memory_migrate",  "memory_spread_page", "memory_spread_slab",
	"memory_pressure", "sched_load_balance", "sched_relax_domain_level",
};

static void init_cpuset(struct cgroup_details *d, struct arena *arena)
{
	struct cgroup_value *list = arena_alloc(arena, ARRAY_SIZE(cpuset_names) * sizeof(*list));

	for (size_t i = 0; i < ARRAY_SIZE(cpuset_names); i++)
		list[i].key = cpuset_names[i];
	d->cpuset = list;
	d->n_cpuset = ARRAY_SIZE(cpuset_names);
}

static void read_cpuset(const struct reader *r)
{
	bool v2 = cgroup_node_is_v2(r->n);
	const char *cpus = read_text(r, v2 ? "cpuset.cpus.effective" : "cpuset.cpus");
	const char *mems = read_text(r, v2 ? "cpuset.mems.effective" : "cpuset.mems");

	r->d->cpus = cpus ? cpus : "";
	r->d->mems = mems ? mems : "";
	for (size_t i = 0; i < r->d->n_cpuset; i++) {
		char file[64], text[32];
		int64_t value;

		(void)snprintf(file, sizeof(file), "cpuset.%s", cpuset_names[i]);
		if (cgroupfs_read(r->n->dir_fd, file, text, sizeof(text)) > 0 &&
		    str_to_i64(text, &value) == 0)
			r->d->cpuset[i].value = value;
	}
}

/* "8:0 Read 4096", "8:0 4096", and a sum without a device */
static bool read_io_file(const struct reader *r, const char *file, enum cgroup_io_kind kind)
{
	char *text = read_text(r, file), *save = NULL;
	struct cgroup_io_value *list;
	size_t n = 0;

	if (!text)
		return false;
	list = arena_alloc(r->arena, count_lines(text) * sizeof(*list));
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct cgroup_io_value v = { 0 };
		char op[16];

		if (sscanf(line, "%u:%u %" SCNu64, &v.major, &v.minor, &v.value) == 3) {
			list[n++] = v;
		} else if (sscanf(line, "%u:%u %15s %" SCNu64, &v.major, &v.minor, op, &v.value) ==
			   4) {
			v.op = arena_strdup(r->arena, op);
			list[n++] = v;
		}
	}
	if (n == 0)
		return false;
	r->d->io[kind] = list;
	r->d->n_io[kind] = n;
	return true;
}

/* The scheduler's own counters where there is one, else those of throttling. */
static void read_blkio(const struct reader *r)
{
	static const char *const owners[] = { "bfq.", "", "throttle." };
	static const char *const files[CGROUP_IO_KIND_COUNT] = {
		[CGROUP_IO_SERVICE_BYTES] = "io_service_bytes_recursive",
		[CGROUP_IO_SERVICED] = "io_serviced_recursive",
		[CGROUP_IO_QUEUED] = "io_queued_recursive",
		[CGROUP_IO_SERVICE_TIME] = "io_service_time_recursive",
		[CGROUP_IO_WAIT_TIME] = "io_wait_time_recursive",
		[CGROUP_IO_MERGED] = "io_merged_recursive",
		[CGROUP_IO_TIME] = "time_recursive",
		[CGROUP_IO_SECTORS] = "sectors_recursive",
	};

	for (size_t kind = 0; kind < CGROUP_IO_KIND_COUNT; kind++)
		for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
			char file[64];

			(void)snprintf(file, sizeof(file), "blkio.%s%s", owners[i], files[kind]);
			if (read_io_file(r, file, (enum cgroup_io_kind)kind))
				break;
		}
}

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0" */
static void read_io_stat(const struct reader *r)
{
	char *text = read_text(r, "io.stat"), *save = NULL;
	struct cgroup_io_value *bytes, *ops;
	size_t n = 0;

	if (!text)
		return;
	bytes = arena_alloc(r->arena, 2 * count_lines(text) * sizeof(*bytes));
	ops = arena_alloc(r->arena, 2 * count_lines(text) * sizeof(*ops));
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		uint64_t rbytes, wbytes, rios, wios;
		unsigned major, minor;

		if (sscanf(line,
			   "%u:%u rbytes=%" SCNu64 " wbytes=%" SCNu64 " rios=%" SCNu64
			   " wios=%" SCNu64,
			   &major, &minor, &rbytes, &wbytes, &rios, &wios) != 6)
			continue;
		bytes[n] = (struct cgroup_io_value){ major, minor, "Read", rbytes };
		ops[n++] = (struct cgroup_io_value){ major, minor, "Read", rios };
		bytes[n] = (struct cgroup_io_value){ major, minor, "Write", wbytes };
		ops[n++] = (struct cgroup_io_value){ major, minor, "Write", wios };
	}
	r->d->io[CGROUP_IO_SERVICE_BYTES] = bytes;
	r->d->io[CGROUP_IO_SERVICED] = ops;
	r->d->n_io[CGROUP_IO_SERVICE_BYTES] = r->d->n_io[CGROUP_IO_SERVICED] = n;
}

static void read_pages(const struct reader *r, const char *size, struct cgroup_hugetlb *h)
{
	char file[96], events[CGROUPFS_FILE_MAX];

	h->size = size;
	(void)snprintf(file, sizeof(file), "hugetlb.%s", size);
	if (!cgroup_node_is_v2(r->n)) {
		read_counter_v1(r, file, &h->pages);
		return;
	}
	(void)snprintf(file, sizeof(file), "hugetlb.%s.current", size);
	read_number(r, file, &h->pages.usage);
	(void)snprintf(file, sizeof(file), "hugetlb.%s.events", size);
	if (cgroupfs_read(r->n->dir_fd, file, events, sizeof(events)) > 0)
		(void)cgroupfs_key_u64(events, "max", &h->pages.failcnt);
}

#define PAGE_SIZES_MAX 16 /* x86 has two, arm64 four */

/* The sizes are found in the names: "hugetlb.2MB.max" */
static void read_hugetlb(const struct reader *r)
{
	const char *end = cgroup_node_is_v2(r->n) ? ".current" : ".limit_in_bytes";
	int fd = openat(r->n->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct cgroup_hugetlb *list = arena_alloc(r->arena, PAGE_SIZES_MAX * sizeof(*list));
	struct dirent *e;

	if (!dir && fd >= 0)
		close(fd);
	while (dir && r->d->n_hugetlb < PAGE_SIZES_MAX && (e = readdir(dir))) {
		const char *size = str_after(e->d_name, "hugetlb.");
		size_t len = size ? strcspn(size, ".") : 0;

		if (len > 0 && str_eq(size + len, end))
			read_pages(r, arena_strndup(r->arena, size, len), &list[r->d->n_hugetlb++]);
	}
	r->d->hugetlb = list;
}

static void read_v2(const struct reader *r)
{
	read_memory_v2(r);
	read_io_stat(r);
	if (faccessat(r->n->dir_fd, "cpuset.cpus.effective", F_OK, 0) == 0)
		read_cpuset(r);
	read_hugetlb(r);
}

static void read_v1(const struct reader *r)
{
	static const struct {
		const char *controller;
		void (*read)(const struct reader *r);
	} readers[] = {
		{ "blkio", read_blkio },      { "cpuacct", read_processors },
		{ "cpuset", read_cpuset },    { "hugetlb", read_hugetlb },
		{ "memory", read_memory_v1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		if (cgroupfs_list_has(r->n->controllers, readers[i].controller))
			readers[i].read(r);
}

void cgroup_details(const struct cgroup *cg, struct arena *arena, struct cgroup_details *ret)
{
	*ret = (struct cgroup_details){ .cpus = "", .mems = "" };
	init_cpuset(ret, arena);
	/* v2 first: where a hybrid host has both, the v1 controller is the one that counts */
	for (int v2 = 1; v2 >= 0; v2--)
		for (size_t i = 0; i < cg->n; i++) {
			const struct reader r = { &cg->nodes[i], arena, ret };

			if (r.n->dir_fd < 0 || cgroup_node_is_v2(r.n) != (v2 == 1))
				continue;
			if (v2)
				read_v2(&r);
			else
				read_v1(&r);
		}
}
