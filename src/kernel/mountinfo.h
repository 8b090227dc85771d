/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* /proc/PID/mountinfo, one line at a time. Source: proc_pid_mountinfo(5). */

#include <stddef.h>
#include <sys/types.h>
#include "base/error.h"

/* All strings point into the text and are unescaped in place. */
struct mountinfo {
	int id, parent_id;
	unsigned major, minor;
	char *root;	     /* the directory of the file system that is mounted */
	char *mount_point;   /* relative to the process's root directory */
	char *options;	     /* per mount: "rw,relatime" */
	char *optional;	     /* "shared:1 master:2", or "" */
	char *fs_type;	     /* "cgroup2" */
	char *source;	     /* "none" */
	char *super_options; /* per file system: "rw,cpu,cpuacct" */
};

/*
 * Reads the next line of *cursor, which it overwrites and moves on. Lines that do not look like
 * mountinfo are skipped. Returns 1, or 0 at the end.
 */
int mountinfo_next(char **cursor, struct mountinfo *ret);

/*
 * Calls fn for the mounts whose type begins with type. Takes the same memory whatever the number of
 * mounts is, and little time for those of other types. A line longer than MOUNTINFO_LINE_MAX is passed
 * over: that is an overlay's list of layers.
 *
 * fd   borrowed: a mountinfo file, read to its end
 */
int mountinfo_walk(int fd, const char *type, void (*fn)(void *arg, const struct mountinfo *m),
		   void *arg, struct error *err);

#define MOUNTINFO_LINE_MAX 8192

/* The whole file is bounded by this: 100,000 mounts. */
#define MOUNTINFO_MAX_BYTES (64u << 20)
