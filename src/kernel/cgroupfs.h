/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The cgroup file systems of the host: which hierarchies are mounted where, with which controllers;
 * keys and lists inside cgroup files. v1, v2 and hybrid hosts are found by what is mounted, never
 * by names of directories. Source: cgroups(7), Documentation/admin-guide/cgroup-v2.rst.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/error.h"

struct cgroupfs_hierarchy {
	bool v2;
	char *controllers; /* v1: "cpu,cpuacct" or "name=systemd"; v2: "" */
	char *mount_point; /* "/sys/fs/cgroup/cpu,cpuacct" */
	char *root;	   /* what of the hierarchy is mounted there: "/" */
};

struct cgroupfs {
	struct cgroupfs_hierarchy *h;
	size_t n, capacity;
};

/* Life */

/* What is mounted on this host now. A host without cgroups gives n == 0. */
int cgroupfs_detect(struct cgroupfs *ret_fs, struct error *err);

/* Also v1 hierarchies that a host with v2 on its usual place has beside it: reads all mounts. */
int cgroupfs_detect_all(struct cgroupfs *ret_fs, struct error *err);

/* The same from the text of a mountinfo file, which is overwritten. Pure. */
void cgroupfs_parse(char *mountinfo, struct cgroupfs *ret_fs);

void cgroupfs_done(struct cgroupfs *fs);

/* Membership */

/*
 * The cgroup of a process in hierarchy h, from the text of its /proc/PID/cgroup: "/user.slice/x".
 * Heap; NULL if it has none.
 */
char *cgroupfs_parse_own(const char *proc_cgroup, const struct cgroupfs_hierarchy *h);

/* Is name one of the comma separated controllers? */
bool cgroupfs_list_has(const char *controllers, const char *name);

/* Files. dir_fd is a cgroup's directory; no error text, the caller knows what it asked for. */

#define CGROUPFS_FILE_MAX 4096

/* Reads at most size - 1 bytes, NUL-terminated, without the last newline. Length or -errno. */
ssize_t cgroupfs_read(int dir_fd, const char *file, char *buf, size_t size);

/* One number; "max" is UINT64_MAX. */
int cgroupfs_read_u64(int dir_fd, const char *file, uint64_t *ret);

/* The number behind key in the text of a "key value" per line file. */
bool cgroupfs_key_u64(const char *text, const char *key, uint64_t *ret);

/*
 * Waits until key has value in cgroup.events (frozen 1, populated 0), woken by the kernel.
 * Returns 0, -ETIMEDOUT, or -errno.
 */
int cgroupfs_wait_event(int dir_fd, const char *key, uint64_t value, int timeout_ms);
