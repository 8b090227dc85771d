/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/macro.h"
#include "base/proc.h"
#include "base/str.h"

/* What differs between the two kinds. */
static const struct {
	const char *file;   /* in /proc/PID */
	const char *helper; /* the setuid program of package uidmap */
	const char *what;
} kinds[] = {
	[IDMAP_UID] = { "uid_map", "newuidmap", "user ids" },
	[IDMAP_GID] = { "gid_map", "newgidmap", "group ids" },
};

void idmap_format(const struct idmap_range *ranges, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%u %u %u\n", ranges[i].inside, ranges[i].outside, ranges[i].count);
}

/* newuidmap PID INSIDE OUTSIDE COUNT ... Returns 0, 1: there is no such program, or -errno. */
static int run_helper(pid_t pid, enum idmap_kind kind, const struct idmap_range *ranges, size_t n,
		      struct error *err)
{
	cleanup_buf struct buf line = { 0 };
	cleanup_with(strv_free) char **argv = NULL;
	cleanup_fd int pidfd = -EBADF;
	struct proc_status status;
	int r;

	buf_printf(&line, "%s %d", kinds[kind].helper, (int)pid);
	for (size_t i = 0; i < n; i++)
		buf_printf(&line, " %u %u %u", ranges[i].inside, ranges[i].outside,
			   ranges[i].count);
	argv = strv_split(buf_str(&line), " ", false);
	r = proc_spawn(
		&(struct proc_spawn){
			.argv = (const char *const *)argv,
			.flags = PROC_SEARCH_PATH | PROC_INHERIT_STDIO,
		},
		&pidfd, NULL, err);
	if (r < 0)
		return err->kind == ERROR_CMD_NOT_FOUND ? 1 : r;
	r = proc_wait(pidfd, &status, err);
	if (r < 0)
		return r;
	if (status.code != 0)
		return error_kind(err, ERROR_DENIED,
				  "'%s' failed: the caller needs subordinate ids for linux.%s",
				  buf_str(&line),
				  kind == IDMAP_UID ? "uidMappings" : "gidMappings");
	return 0;
}

/* Without privilege a gid map may only be written after setgroups(2) is given up for good. */
static int deny_setgroups(pid_t pid, struct error *err)
{
	char path[64];
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/setgroups", (int)pid);
	r = file_poke(AT_FDCWD, path, "deny");
	return r < 0 ? error_num(err, -r, "cannot deny setgroups") : 0;
}

static int COLD refused(enum idmap_kind kind, int r, struct buf *text, struct error *err)
{
	if (text->len > 0)
		text->data[text->len - 1] = '\0'; /* lines become a list */
	for (size_t i = 0; i + 1 < text->len; i++)
		if (text->data[i] == '\n')
			text->data[i] = ',';
	return error_num(err, -r, "cannot map %s '%s'", kinds[kind].what, buf_str(text));
}

enum idmap_extent idmap_parse_extent(const char *map)
{
	unsigned long long inside, outside, count, total = 0;
	int used;

	while (sscanf(map, "%llu %llu %llu%n", &inside, &outside, &count, &used) == 3) {
		if (inside == 0 && outside == 0 && count == UINT32_MAX)
			return IDMAP_ALL;
		total += count;
		map += used;
	}
	return total == 1 ? IDMAP_ONE : total ? IDMAP_SOME : IDMAP_ALL;
}

enum idmap_extent idmap_own_extent(void)
{
	cleanup_free char *map = NULL;

	if (file_read(AT_FDCWD, "/proc/self/uid_map", 1u << 16, &map, NULL, NULL) < 0)
		return IDMAP_ALL;
	return idmap_parse_extent(map);
}

/* What user_namespaces(7) allows without privilege: one line, of the caller's own id. */
static bool is_own_id(enum idmap_kind kind, const struct idmap_range *ranges, size_t n)
{
	return n == 1 && ranges[0].count == 1 &&
	       ranges[0].outside == (kind == IDMAP_UID ? geteuid() : getegid());
}

int idmap_write(pid_t pid, enum idmap_kind kind, const struct idmap_range *ranges, size_t n,
		struct error *err)
{
	cleanup_buf struct buf text = { 0 };
	char path[64];
	int r;

	idmap_format(ranges, n, &text);
	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, kinds[kind].file);
	r = file_poke(AT_FDCWD, path, buf_str(&text));
	if (r == 0)
		return 0;
	if (r != -EPERM)
		return refused(kind, r, &text, err);

	if (is_own_id(kind, ranges, n)) {
		r = kind == IDMAP_GID ? deny_setgroups(pid, err) : 0;
		if (r < 0)
			return r;
		r = file_poke(AT_FDCWD, path, buf_str(&text));
		return r < 0 ? refused(kind, r, &text, err) : 0;
	}
	r = run_helper(pid, kind, ranges, n, err);
	if (r <= 0)
		return r;
	r = refused(kind, -EPERM, &text, err);
	return error_prefix(err, r, "'%s' is not installed (package uidmap)", kinds[kind].helper);
}
