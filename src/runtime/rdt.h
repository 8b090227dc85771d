/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * linux.intelRdt: the share of caches and memory bandwidth, through the resctrl file system. A
 * class of service is a directory of it, with limits in `schemata` and processes in `tasks`; a
 * monitoring group is a directory in the class's mon_groups.
 *
 *	closID		limits given	the class
 *	absent		any		ROOT/<container id>, new, removed by delete
 *	a name		none		must be there
 *	a name		some		is made, or has these limits already; stays after delete
 *	"/"		none		the root class, which is always there
 *
 * Source: config-linux.md "IntelRdt"; Documentation/filesystems/resctrl.rst
 */

#include <errno.h>
#include <stdbool.h>
#include <sys/stat.h>
#include "base/error.h"

struct oci_linux;

struct rdt {
	char *group;	 /* directory of the class; NULL: nothing was asked */
	char *monitor;	 /* directory of the monitoring group, or NULL */
	char **lines;	 /* of schemata, a strv; NULL: none */
	const char *own; /* what delete removes: group or monitor, or NULL */
	bool must_exist; /* the class */
	bool made_group, made_monitor;
	int group_fd, monitor_fd;			/* their `tasks`, to enter; -EBADF */
	int (*make_dir)(const char *path, mode_t mode); /* mkdir(2); tests have another */
};

/* Nothing asked, nothing open. */
#define RDT_INIT                                                             \
	{                                                                    \
		.group_fd = -EBADF, .monitor_fd = -EBADF, .make_dir = mkdir, \
	}

/* Where resctrl is mounted; heap, NULL if it is not. */
int rdt_find_root(char **ret_root, struct error *err);

/*
 * What shall be, from the document; touches nothing.
 *
 * ret      initialised with RDT_INIT
 * root     of resctrl, NULL: not mounted
 * Errors   ERROR_UNSUPPORTED no resctrl; ERROR_INVALID; both name the field
 */
int rdt_plan(const struct oci_linux *config, const char *id, const char *root, struct rdt *ret,
	     struct error *err);

/* Makes and limits the class, makes the monitoring group. Leaves nothing on failure. */
int rdt_make(struct rdt *r, struct error *err);

/* Parent: opens what rdt_enter() needs. */
int rdt_open_enter(struct rdt *r, struct error *err);
/* Child: the caller itself enters. No allocation. */
int rdt_enter(const struct rdt *r, struct error *err);

/* What rdt_make() made goes again. */
void rdt_undo(struct rdt *r);
/* rdt.own of a container; its processes fall back to the root class. Idempotent. */
int rdt_remove(const char *dir, struct error *err);

/*
 * New limits for the class of a container that runs.
 *
 * ret_before  the schemata as they were, for rdt_restore(); heap
 */
int rdt_update(const struct rdt *r, const char *l3_schema, const char *mem_schema,
	       char **ret_before, struct error *err);
void rdt_restore(const struct rdt *r, const char *before);

void rdt_done(struct rdt *r);
