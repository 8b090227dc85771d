/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/cgroupfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "kernel/mountinfo.h"

bool cgroupfs_list_has(const char *controllers, const char *name)
{
	size_t len = strlen(name);

	while (*controllers) {
		size_t n = strcspn(controllers, ",");

		if (n == len && memcmp(controllers, name, n) == 0)
			return true;
		controllers += n + (controllers[n] == ',');
	}
	return false;
}

/*
 * Super block options of a v1 mount hold its controllers among flags. The name of a hierarchy that
 * has one comes with "name=". Heap.
 */
static char *v1_controllers(const char *super_options)
{
	static const char *const flags[] = { "rw",	    "ro",    "clone_children",
					     "noprefix",    "xattr", "cpuset_v2_mode",
					     "favordynmods" };
	char *out = xcalloc(1, strlen(super_options) + 1);
	char *p = out;

	while (*super_options) {
		size_t n = strcspn(super_options, ",");
		bool skip = strncmp(super_options, "release_agent=", 14) == 0 ||
			    strncmp(super_options, "seclabel", 8) == 0 ||
			    strncmp(super_options, "context=", 8) == 0;

		for (size_t i = 0; !skip && i < ARRAY_SIZE(flags); i++)
			skip = strlen(flags[i]) == n && memcmp(flags[i], super_options, n) == 0;
		if (!skip) {
			if (p != out)
				*p++ = ',';
			memcpy(p, super_options, n);
			p += n;
		}
		super_options += n + (super_options[n] == ',');
	}
	return out;
}

/* A second mount of the same hierarchy adds nothing; one that shows its root is better than a
 * part. */
static bool known(struct cgroupfs *fs, bool v2, const char *controllers, const struct mountinfo *m)
{
	for (size_t i = 0; i < fs->n; i++) {
		struct cgroupfs_hierarchy *h = &fs->h[i];

		if (h->v2 != v2 || !str_eq(h->controllers, controllers))
			continue;
		if (!str_eq(h->root, "/") && str_eq(m->root, "/")) {
			free(h->root);
			free(h->mount_point);
			h->root = xstrdup(m->root);
			h->mount_point = xstrdup(m->mount_point);
		}
		return true;
	}
	return false;
}

static void add_mount(void *arg, const struct mountinfo *m)
{
	struct cgroupfs *fs = arg;
	cleanup_free char *controllers = NULL;
	bool v2 = str_eq(m->fs_type, "cgroup2");

	if (!v2 && !str_eq(m->fs_type, "cgroup"))
		return;
	controllers = v2 ? xstrdup("") : v1_controllers(m->super_options);
	if (known(fs, v2, controllers, m))
		return;
	fs->h = array_grow(fs->h, fs->n, &fs->capacity, sizeof(*fs->h));
	fs->h[fs->n++] = (struct cgroupfs_hierarchy){
		.v2 = v2,
		.controllers = take_ptr(&controllers),
		.mount_point = xstrdup(m->mount_point),
		.root = xstrdup(m->root),
	};
}

void cgroupfs_parse(char *mountinfo, struct cgroupfs *ret_fs)
{
	struct mountinfo m;

	*ret_fs = (struct cgroupfs){ 0 };
	while (mountinfo_next(&mountinfo, &m))
		add_mount(ret_fs, &m);
}

/*
 * A file system of type cgroup2 on the usual place means that no v1 hierarchy is in use, and saves
 * reading all mounts of a host that may have thousands.
 */
static bool detect_unified(struct cgroupfs *fs)
{
	struct statfs st;

	if (statfs("/sys/fs/cgroup", &st) < 0 || st.f_type != CGROUP2_SUPER_MAGIC)
		return false;
	fs->h = xcalloc(1, sizeof(*fs->h));
	fs->h[0] = (struct cgroupfs_hierarchy){
		.v2 = true,
		.controllers = xstrdup(""),
		.mount_point = xstrdup("/sys/fs/cgroup"),
		.root = xstrdup("/"),
	};
	fs->n = 1;
	return true;
}

int cgroupfs_detect(struct cgroupfs *ret_fs, struct error *err)
{
	*ret_fs = (struct cgroupfs){ 0 };
	return detect_unified(ret_fs) ? 0 : cgroupfs_detect_all(ret_fs, err);
}

int cgroupfs_detect_all(struct cgroupfs *ret_fs, struct error *err)
{
	cleanup_fd int fd = -EBADF;
	int r;

	*ret_fs = (struct cgroupfs){ 0 };
	fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_sys(err, "cannot open '/proc/self/mountinfo'");
	r = mountinfo_walk(fd, "cgroup", add_mount, ret_fs, err);
	if (r < 0)
		cgroupfs_done(ret_fs);
	return r;
}

void cgroupfs_done(struct cgroupfs *fs)
{
	for (size_t i = 0; i < fs->n; i++) {
		free(fs->h[i].controllers);
		free(fs->h[i].mount_point);
		free(fs->h[i].root);
	}
	free(fs->h);
	*fs = (struct cgroupfs){ 0 };
}

char *cgroupfs_parse_own(const char *proc_cgroup, const struct cgroupfs_hierarchy *h)
{
	/* "4:memory:/a", "9:name=systemd:/a", "0::/a" */
	while (*proc_cgroup) {
		const char *end = proc_cgroup + strcspn(proc_cgroup, "\n");
		const char *list = memchr(proc_cgroup, ':', (size_t)(end - proc_cgroup));
		const char *path = list ? memchr(list + 1, ':', (size_t)(end - list - 1)) : NULL;

		if (path) {
			size_t n = (size_t)(path - list - 1);

			if (n == strlen(h->controllers) && memcmp(list + 1, h->controllers, n) == 0)
				return xstrndup(path + 1, (size_t)(end - path - 1));
		}
		proc_cgroup = end + (*end == '\n');
	}
	return NULL;
}

ssize_t cgroupfs_read(int dir_fd, const char *file, char *buf, size_t size)
{
	cleanup_fd int fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = fd_read_full(fd, buf, size - 1);
	if (n < 0)
		return n;
	if (n > 0 && buf[n - 1] == '\n')
		n--;
	buf[n] = '\0';
	return n;
}

int cgroupfs_read_u64(int dir_fd, const char *file, uint64_t *ret)
{
	char buf[64];
	ssize_t n = cgroupfs_read(dir_fd, file, buf, sizeof(buf));

	if (n < 0)
		return (int)n;
	if (str_eq(buf, "max")) {
		*ret = UINT64_MAX;
		return 0;
	}
	return str_to_u64(buf, ret);
}

bool cgroupfs_key_u64(const char *text, const char *key, uint64_t *ret)
{
	size_t len = strlen(key);

	while (*text) {
		size_t n = strcspn(text, "\n");

		if (n > len && memcmp(text, key, len) == 0 && text[len] == ' ') {
			char number[32];

			if (n - len - 1 >= sizeof(number))
				return false;
			memcpy(number, text + len + 1, n - len - 1);
			number[n - len - 1] = '\0';
			return str_to_u64(number, ret) == 0;
		}
		text += n + (text[n] == '\n');
	}
	return false;
}

int cgroupfs_wait_event(int dir_fd, const char *key, uint64_t value, int timeout_ms)
{
	cleanup_fd int fd = openat(dir_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	int64_t end = clock_monotonic_ns() + (int64_t)timeout_ms * 1000000;

	if (fd < 0)
		return -errno;
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLPRI };
		int64_t left = end - clock_monotonic_ns();
		uint64_t now = 0;
		char buf[256];
		ssize_t n = pread(fd, buf, sizeof(buf) - 1, 0);

		if (n < 0)
			return -errno;
		buf[n] = '\0';
		if (cgroupfs_key_u64(buf, key, &now) && now == value)
			return 0;
		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)(left / 1000000) + 1) < 0 && errno != EINTR)
			return -errno;
	}
}
