/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* /proc/PID/mountinfo, one line at a time. Source: proc_pid_mountinfo(5). */

#include <stddef.h>
#include <sys/types.h>

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

/* The whole file is bounded by this: 100,000 mounts. */
#define MOUNTINFO_MAX_BYTES (64u << 20)
