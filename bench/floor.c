/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor [OPTIONS] BUNDLE: the kernel work of one docker-default container and nothing else.
 *
 * No configuration is parsed, no state kept, no standard stream handed on: what is left is what the
 * kernel takes for namespaces, cgroups, mounts, masks, capabilities, the seccomp filter, execve and
 * the teardown. A container runtime cannot be faster, so bench/run gives every time as a multiple
 * of this one.
 *
 *      parent                              child (shares memory until execve, as vfork)
 *      cgroup directories, limits
 *      clone3(all namespaces) ───────────▶ steps[], in order
 *      (suspended)                         execve /bin/true
 *      waitpid ◀────────────────────────── exit
 *      remove cgroups and upper directory
 *
 * BUNDLE is what bench/make-bundle makes: rootfs/ with a static /bin/true, files/ with the three
 * files that docker binds over /etc, filter.bpf. Below BUNDLE/floor/ it makes and removes upper,
 * work and merged.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "kernel/syscall.h"

#define CGROUP_ROOT   "/sys/fs/cgroup"
#define STACK_SIZE    65536
#define RUNS_MAX      100000
#define RMDIR_TRIES   1000
#define RMDIR_WAIT_US 50

/* docker's fourteen capabilities */
#define KEPT_CAPS UINT64_C(0xa80425fb)
#define SECURE	  (MS_NOSUID | MS_NOEXEC | MS_NODEV)

enum rootfs { ROOTFS_BIND, ROOTFS_OVERLAY };
enum cgroups { CGROUPS_NONE, CGROUPS_V1, CGROUPS_V2 };

/* The hierarchies of v1 by the names of their directories; those that are not mounted are left out.
 */
static const char *const v1_names[] = {
	"cpu",	 "cpuacct", "cpuset",  "memory",  "devices", "freezer",
	"blkio", "pids",    "systemd", "hugetlb", "net_cls", "perf_event",
};

#define STEPS_MAX 32

struct floor {
	const char *bundle;
	enum rootfs rootfs;
	enum cgroups cgroups;
	struct sock_fprog filter; /* len 0: none */
	unsigned long namespaces;

	char cgroup_parent[32];		      /* its own: two may run at once */
	char *dir, *upper, *work, *merged;    /* heap, for the life of the program */
	int cgroup_fds[ARRAY_SIZE(v1_names)]; /* -EBADF: not there; v2 uses the first */
	void *stack;

	/* written by the child, which shares our memory */
	int64_t at_ns[STEPS_MAX];
	size_t n_at;
	const char *failed;
	int failed_errno;
};

struct floor_step {
	const char *name;
	int (*run)(struct floor *f); /* 0, or -1 and errno */
};

static int write_at(int dir_fd, const char *path, const char *value)
{
	cleanup_fd int fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	return write(fd, value, strlen(value)) < 0 ? -1 : 0;
}

/* --- the child's steps, in docker's order --- */

/* The child writes "0" itself: a pid written to cgroup.procs waits for an RCU period, 8-24 ms on an
 * idle machine. */
static int enter_cgroups(struct floor *f)
{
	if (f->cgroups != CGROUPS_V1)
		return 0; /* v2: born inside */
	for (size_t i = 0; i < ARRAY_SIZE(v1_names); i++)
		if (f->cgroup_fds[i] >= 0 && write_at(f->cgroup_fds[i], "tasks", "0") < 0)
			return -1;
	return 0;
}

static int stop_propagation(struct floor *f)
{
	return mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL);
}

static int mount_rootfs(struct floor *f)
{
	char lower[512], options[1200];

	(void)snprintf(lower, sizeof(lower), "%s/rootfs", f->bundle);
	(void)snprintf(options, sizeof(options), "lowerdir=%s,upperdir=%s,workdir=%s,volatile",
		       lower, f->upper, f->work);
	if (f->rootfs == ROOTFS_OVERLAY ? mount("overlay", f->merged, "overlay", 0, options) < 0
					: mount(lower, f->merged, NULL, MS_BIND | MS_REC, NULL) < 0)
		return -1;
	return chdir(f->merged);
}

static int mount_proc_and_dev(struct floor *f)
{
	if (mount("proc", "proc", "proc", SECURE, NULL) < 0)
		return -1;
	return mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
}

static int make_devices(struct floor *f)
{
	static const struct {
		const char *path;
		unsigned major, minor;
	} nodes[] = {
		{ "dev/null", 1, 3 },	{ "dev/zero", 1, 5 },	 { "dev/full", 1, 7 },
		{ "dev/random", 1, 8 }, { "dev/urandom", 1, 9 }, { "dev/tty", 5, 0 },
	};
	static const struct {
		const char *target, *path;
	} links[] = {
		{ "/proc/self/fd", "dev/fd" },	     { "/proc/self/fd/0", "dev/stdin" },
		{ "/proc/self/fd/1", "dev/stdout" }, { "/proc/self/fd/2", "dev/stderr" },
		{ "pts/ptmx", "dev/ptmx" },	     { "/proc/kcore", "dev/core" },
	};

	(void)umask(0);
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
		if (mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)) <
		    0)
			return -1;
	(void)umask(022);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (symlink(links[i].target, links[i].path) < 0)
			return -1;
	return 0;
}

static int mount_small_file_systems(struct floor *f)
{
	static const struct {
		const char *path, *type;
		unsigned long flags;
		const char *data;
		bool make;
	} mounts[] = {
		{ "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		  "newinstance,ptmxmode=0666,mode=0620,gid=5", true },
		{ "dev/shm", "tmpfs", SECURE, "mode=1777,size=65536k", true },
		{ "dev/mqueue", "mqueue", SECURE, NULL, true },
		{ "sys", "sysfs", SECURE | MS_RDONLY, NULL, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		if (mounts[i].make && mkdir(mounts[i].path, 0755) < 0)
			return -1;
		if (mount(mounts[i].type, mounts[i].path, mounts[i].type, mounts[i].flags,
			  mounts[i].data) < 0)
			return -1;
	}
	return 0;
}

static int bind_readonly(const char *source, const char *target)
{
	if (mount(source, target, NULL, MS_BIND | MS_REC, NULL) < 0)
		return -1;
	return mount(NULL, target, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | SECURE, NULL);
}

static int mount_cgroups(struct floor *f)
{
	if (f->cgroups == CGROUPS_V2)
		return mount("cgroup", "sys/fs/cgroup", "cgroup2", SECURE | MS_RDONLY, NULL);
	if (f->cgroups == CGROUPS_NONE)
		return 0;
	if (mount("tmpfs", "sys/fs/cgroup", "tmpfs", SECURE, "mode=755") < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(v1_names); i++) {
		char source[256], target[256];

		if (f->cgroup_fds[i] < 0)
			continue;
		(void)snprintf(source, sizeof(source), CGROUP_ROOT "/%s/%s/c", v1_names[i],
			       f->cgroup_parent);
		(void)snprintf(target, sizeof(target), "sys/fs/cgroup/%s", v1_names[i]);
		if (mkdir(target, 0755) < 0 || bind_readonly(source, target) < 0)
			return -1;
	}
	return mount(NULL, "sys/fs/cgroup", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | SECURE, NULL);
}

static int bind_files(struct floor *f)
{
	static const char *const names[] = { "resolv.conf", "hostname", "hosts" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char source[512], target[64];
		int fd;

		(void)snprintf(source, sizeof(source), "%s/files/%s", f->bundle, names[i]);
		(void)snprintf(target, sizeof(target), "etc/%s", names[i]);
		fd = open(target, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
		if (fd < 0)
			return -1;
		(void)close(fd);
		if (mount(source, target, NULL, MS_BIND, NULL) < 0)
			return -1;
	}
	return 0;
}

static int change_root(struct floor *f)
{
	/* the new root over the old one at the same place: no directory for the old root is needed
	 */
	if (sys_pivot_root(".", ".") < 0 || umount2(".", MNT_DETACH) < 0)
		return -1;
	return chdir("/");
}

static int set_names(struct floor *f)
{
	if (sethostname("floor", 5) < 0)
		return -1;
	if (write_at(AT_FDCWD, "/proc/sys/net/ipv4/ip_unprivileged_port_start", "0") < 0)
		return -1;
	return write_at(AT_FDCWD, "/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
}

static int mask_paths(struct floor *f)
{
	static const char *const readonly[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
						"/proc/sysrq-trigger" };
	static const char *const masked[] = { "/proc/asound",	     "/proc/acpi",
					      "/proc/kcore",	     "/proc/keys",
					      "/proc/latency_stats", "/proc/timer_list",
					      "/proc/timer_stats",   "/proc/sched_debug",
					      "/proc/scsi",	     "/sys/firmware" };

	for (size_t i = 0; i < ARRAY_SIZE(readonly); i++)
		if (bind_readonly(readonly[i], readonly[i]) < 0 && errno != ENOENT)
			return -1;
	for (size_t i = 0; i < ARRAY_SIZE(masked); i++) {
		if (mount("/dev/null", masked[i], NULL, MS_BIND, NULL) == 0 || errno == ENOENT)
			continue;
		if (errno != ENOTDIR ||
		    mount("tmpfs", masked[i], "tmpfs", MS_RDONLY, "size=0k") < 0)
			return -1;
	}
	return 0;
}

static int drop_capabilities(struct floor *f)
{
	for (unsigned cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (!(KEPT_CAPS >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -1;
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0)
		return -1;
	return setresuid(0, 0, 0);
}

/* Before capset: without no_new_privs it takes CAP_SYS_ADMIN. */
static int load_seccomp(struct floor *f)
{
	if (f->filter.len == 0)
		return 0;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
			    &f->filter);
}

static int set_capabilities(struct floor *f)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ .effective = (uint32_t)KEPT_CAPS, .permitted = (uint32_t)KEPT_CAPS },
	};

	return (int)syscall(SYS_capset, &header, data);
}

static const struct floor_step steps[] = {
	{ "enter cgroups", enter_cgroups }, { "propagation", stop_propagation },
	{ "rootfs", mount_rootfs },	    { "proc, dev", mount_proc_and_dev },
	{ "device nodes", make_devices },   { "pts shm mqueue sys", mount_small_file_systems },
	{ "cgroup mounts", mount_cgroups }, { "3 file binds", bind_files },
	{ "pivot_root", change_root },	    { "hostname, sysctls", set_names },
	{ "masked paths", mask_paths },	    { "capability bounds", drop_capabilities },
	{ "seccomp load", load_seccomp },   { "capset", set_capabilities },
};

/* The parent's part of a run, behind the child's steps in the table that is printed. */
enum parent_phase { PHASE_EXEC, PHASE_EXIT, PHASE_CLEANUP, PHASE_COUNT };
static const char *const phase_names[] = { "execve", "run, exit, reap", "cleanup" };
_Static_assert(2 + ARRAY_SIZE(steps) + PHASE_COUNT < STEPS_MAX, "a time for each");

static void mark(struct floor *f)
{
	f->at_ns[f->n_at++] = clock_monotonic_ns();
}

static int child(void *arg)
{
	struct floor *f = arg;
	char *const argv[] = { (char *)"true", NULL };
	char *const envp[] = { (char *)"PATH=/bin", NULL };

	mark(f);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		if (steps[i].run(f) < 0) {
			f->failed = steps[i].name;
			f->failed_errno = errno;
			return 1;
		}
		mark(f);
	}
	(void)execve("/bin/true", argv, envp);
	f->failed = "execve";
	f->failed_errno = errno;
	return 1;
}

/* --- the parent --- */

static const char *cgroup_dir(const struct floor *f, size_t i, const char *leaf, char *buf,
			      size_t size)
{
	/* on a hybrid host the v2 tree is a directory beside the others */
	const char *name = f->cgroups == CGROUPS_V1		       ? v1_names[i]
			   : access(CGROUP_ROOT "/unified", F_OK) == 0 ? "unified"
								       : ".";

	(void)snprintf(buf, size, CGROUP_ROOT "/%s/%s%s", name, f->cgroup_parent, leaf);
	return buf;
}

static size_t cgroup_count(const struct floor *f)
{
	return f->cgroups == CGROUPS_V1 ? ARRAY_SIZE(v1_names) : f->cgroups == CGROUPS_V2 ? 1 : 0;
}

/* Once for all runs, as an engine has its parent cgroup from before. */
static void make_cgroup_parents(const struct floor *f)
{
	char path[256];

	for (size_t i = 0; i < cgroup_count(f); i++) {
		cleanup_fd int fd = -EBADF;

		(void)mkdir(cgroup_dir(f, i, "", path, sizeof(path)),
			    0755); /* no such directory, or there */
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0 && faccessat(fd, "cgroup.procs", F_OK, 0) < 0) {
			(void)rmdir(path); /* a directory where a hierarchy could be mounted */
			continue;
		}
		if (f->cgroups == CGROUPS_V1 && str_eq(v1_names[i], "cpuset")) {
			/* empty sets take no process: children copy the parent's */
			(void)write_at(fd, "cpuset.cpus", "0");
			(void)write_at(fd, "cpuset.mems", "0");
			(void)write_at(fd, "cgroup.clone_children", "1");
		}
	}
}

static void remove_cgroup_parents(const struct floor *f)
{
	char path[256];

	for (size_t i = 0; i < cgroup_count(f); i++)
		(void)rmdir(cgroup_dir(f, i, "", path, sizeof(path)));
}

/* The limits of docker's default configuration: the device rules; and one of each usual kind. */
static int limit_cgroup(const char *name, int fd)
{
	static const char *const devices[] = { "c *:* m",   "b *:* m",	  "c 1:3 rwm", "c 1:5 rwm",
					       "c 1:7 rwm", "c 1:8 rwm",  "c 1:9 rwm", "c 5:0 rwm",
					       "c 5:2 rwm", "c 136:* rwm" };

	if (str_eq(name, "memory"))
		return write_at(fd, "memory.limit_in_bytes", "536870912");
	if (str_eq(name, "pids"))
		return write_at(fd, "pids.max", "100");
	if (str_eq(name, "cpu"))
		return write_at(fd, "cpu.shares", "512");
	if (!str_eq(name, "devices"))
		return 0;
	if (write_at(fd, "devices.deny", "a") < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		if (write_at(fd, "devices.allow", devices[i]) < 0)
			return -1;
	return 0;
}

static int make_cgroups(struct floor *f)
{
	char path[256];

	for (size_t i = 0; i < cgroup_count(f); i++) {
		f->cgroup_fds[i] = -EBADF;
		if (mkdir(cgroup_dir(f, i, "/c", path, sizeof(path)), 0755) < 0) {
			if (errno == ENOENT || errno == EROFS || errno == EPERM)
				continue; /* this hierarchy is not mounted */
			return -1;
		}
		f->cgroup_fds[i] = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (f->cgroup_fds[i] < 0)
			return -1;
		if (f->cgroups == CGROUPS_V1 && limit_cgroup(v1_names[i], f->cgroup_fds[i]) < 0)
			return -1;
	}
	return 0;
}

static void remove_cgroups(struct floor *f)
{
	char path[256];

	for (size_t i = 0; i < cgroup_count(f); i++) {
		if (f->cgroup_fds[i] < 0)
			continue;
		(void)close(f->cgroup_fds[i]);
		(void)cgroup_dir(f, i, "/c", path, sizeof(path));
		/* the process was reaped, its leaving the cgroup may come a moment later */
		for (int tries = 0; rmdir(path) < 0 && errno == EBUSY && tries < RMDIR_TRIES;
		     tries++)
			(void)usleep(RMDIR_WAIT_US);
	}
}

static void make_rootfs_dirs(struct floor *f)
{
	if (f->rootfs == ROOTFS_OVERLAY) {
		(void)mkdir(f->upper, 0755);
		(void)mkdir(f->work, 0755);
	}
	(void)mkdir(f->merged, 0755);
}

/* Exactly what one run leaves: the mount points in the upper directory, and overlayfs' own. */
static void remove_rootfs_dirs(struct floor *f)
{
	static const char *const left[] = {
		"upper/etc/resolv.conf",
		"upper/etc/hostname",
		"upper/etc/hosts",
		"upper/etc",
		"upper/dev",
		"upper",
		"work/work/incompat/volatile/dirty",
		"work/work/incompat/volatile",
		"work/work/incompat",
		"work/work",
		"work",
		"merged",
	};

	for (size_t i = 0; i < ARRAY_SIZE(left); i++) {
		char path[512];

		(void)snprintf(path, sizeof(path), "%s/floor/%s", f->bundle, left[i]);
		if (unlink(path) < 0)
			(void)rmdir(path); /* or it is not there: a bind mount leaves nothing */
	}
}

static int run_once(struct floor *f)
{
	struct clone_args args = {
		.flags = f->namespaces | CLONE_VM | CLONE_VFORK,
		.exit_signal = SIGCHLD,
		.stack = (uintptr_t)f->stack,
		.stack_size = STACK_SIZE,
	};
	int status = 0;
	pid_t pid;

	f->n_at = 0;
	f->failed = NULL;
	mark(f);
	if (make_cgroups(f) < 0) {
		perror("floor: cannot make cgroups");
		return -1;
	}
	make_rootfs_dirs(f);
	if (f->cgroups == CGROUPS_V2 && f->cgroup_fds[0] >= 0) {
		args.flags |= CLONE_INTO_CGROUP | CLONE_NEWCGROUP;
		args.cgroup = (uint64_t)f->cgroup_fds[0];
	}
	mark(f);
	pid = clone3_call(&args, child, f);
	if (pid < 0)
		perror("floor: cannot clone");
	mark(f);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	mark(f);
	remove_cgroups(f);
	remove_rootfs_dirs(f);
	mark(f);
	if (f->failed)
		(void)fprintf(stderr, "floor: step '%s': %s\n", f->failed,
			      strerror(f->failed_errno));
	return pid < 0 || status != 0 ? -1 : 0;
}

/* --- results --- */

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* One line: median, 10th and 90th percentile in microseconds. Sorts the values. */
static void print_line(const char *name, int64_t *ns, size_t n)
{
	size_t middle = n / 2, low = n / 10, high = n * 9 / 10;

	qsort(ns, n, sizeof(*ns), compare);
	printf("%-20s %9.1f %9.1f %9.1f\n", name, (double)ns[middle] / 1e3, (double)ns[low] / 1e3,
	       (double)ns[high] / 1e3);
}

/* at[]: n runs of n_marks times each. */
static void print_table(const int64_t *at, size_t n, size_t n_marks)
{
	int64_t *ns = calloc(n, sizeof(*ns));

	if (!ns)
		return;
	printf("%-20s %9s %9s %9s  us\n", "phase", "median", "p10", "p90");
	for (size_t m = 0; m <= n_marks; m++) {
		const char *name = "total";

		for (size_t i = 0; i < n; i++) {
			const int64_t *run = at + i * n_marks;

			ns[i] = m == n_marks ? run[n_marks - 1] - run[0]
				: m > 0	     ? run[m] - run[m - 1]
					     : 0;
		}
		if (m == 0)
			continue;
		if (m == 1)
			name = "make cgroups, dirs";
		else if (m == 2)
			name = "clone3";
		else if (m < ARRAY_SIZE(steps) + 3)
			name = steps[m - 3].name;
		else if (m < n_marks)
			name = phase_names[m - ARRAY_SIZE(steps) - 3];
		print_line(name, ns, n);
	}
	free(ns);
}

/* --- options --- */

static int read_filter(struct floor *f, const char *path)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size <= 0)
		return -1;
	f->filter.filter =
		mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (f->filter.filter == MAP_FAILED)
		return -1;
	f->filter.len = (unsigned short)((size_t)st.st_size / sizeof(struct sock_filter));
	return 0;
}

static int usage(void)
{
	(void)fprintf(
		stderr,
		"usage: floor [-n COUNT] [-i IDLE_MS] [-r bind|overlay] [-c none|v1|v2] [-S FILTER] [-N] "
		"BUNDLE\n"
		"  -n COUNT    runs (1); with more than one the times of each phase are printed\n"
		"  -i IDLE_MS  pause between runs (0)\n"
		"  -r, -c      kind of rootfs (bind) and of cgroups (v1)\n"
		"  -S FILTER   seccomp filter in raw form (none)\n"
		"  -N          no network namespace\n");
	return 2;
}

struct floor_request {
	int count, idle_ms;
};

static int parse_options(int argc, char **argv, struct floor *f, struct floor_request *request)
{
	static const char *const rootfs_words[] = { "bind", "overlay" };
	static const char *const cgroup_words[] = { "none", "v1", "v2" };
	int option, index;

	while ((option = getopt(argc, argv, "n:i:r:c:S:N")) >= 0) {
		switch (option) {
		case 'n':
			if (str_to_int(optarg, &request->count) < 0 || request->count < 1 ||
			    request->count > RUNS_MAX)
				return -1;
			break;
		case 'i':
			if (str_to_int(optarg, &request->idle_ms) < 0 || request->idle_ms < 0)
				return -1;
			break;
		case 'r':
			index = str_index(rootfs_words, ARRAY_SIZE(rootfs_words), optarg);
			if (index < 0)
				return -1;
			f->rootfs = (enum rootfs)index;
			break;
		case 'c':
			index = str_index(cgroup_words, ARRAY_SIZE(cgroup_words), optarg);
			if (index < 0)
				return -1;
			f->cgroups = (enum cgroups)index;
			break;
		case 'S':
			if (read_filter(f, optarg) < 0)
				return -1;
			break;
		case 'N':
			f->namespaces &= ~(unsigned long)CLONE_NEWNET;
			break;
		default:
			return -1;
		}
	}
	if (argc - optind != 1)
		return -1;
	f->bundle = realpath(argv[optind], NULL); /* the child changes its directory */
	if (!f->bundle)
		perror(argv[optind]);
	return f->bundle ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct floor f = {
		.cgroups = CGROUPS_V1,
		.namespaces =
			CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET,
	};
	struct floor_request request = { .count = 1 };
	size_t n_marks = 2 + 1 + ARRAY_SIZE(steps) + PHASE_COUNT;
	cleanup_free int64_t *at = NULL;
	int failed = 0;

	if (parse_options(argc, argv, &f, &request) < 0)
		return usage();
	f.dir = xasprintf("%s/floor", f.bundle);
	f.upper = path_join(f.dir, "upper");
	f.work = path_join(f.dir, "work");
	f.merged = path_join(f.dir, "merged");
	f.stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	at = calloc((size_t)request.count * n_marks, sizeof(*at));
	if (f.stack == MAP_FAILED || !at)
		return 1;
	(void)mkdir(f.dir, 0755);
	(void)snprintf(f.cgroup_parent, sizeof(f.cgroup_parent), "berth-floor-%d", (int)getpid());
	make_cgroup_parents(&f);
	for (int i = 0; i < request.count && !failed; i++) {
		failed = run_once(&f) < 0;
		memcpy(at + (size_t)i * n_marks, f.at_ns, n_marks * sizeof(*at));
		(void)usleep((unsigned)request.idle_ms * 1000);
	}
	remove_cgroup_parents(&f);
	(void)rmdir(f.dir);
	if (!failed && request.count > 1)
		print_table(at, (size_t)request.count, n_marks);
	return failed;
}
