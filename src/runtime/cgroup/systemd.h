/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Cgroups that systemd makes: each container is a transient scope in a slice. systemd gets the limits
 * that it has properties for, so that it does not overwrite them when it applies its own again; the
 * rest, and all of it once more, is written into the files of the scope's cgroup by cgroup_make() and
 * cgroup_update().
 *
 *	creator                                             systemd
 *	systemd_locate(): where the scope will be ────────▶ (asked for its own place)
 *	spawn init, which waits
 *	systemd_start(): StartTransientUnit, PIDs=init ───▶ makes the cgroup, moves init into it
 *	            ◀──────────────────────────────────────  JobRemoved: done
 *	cgroup_make(): limits; init goes on
 *
 * Source: org.freedesktop.systemd1(5), systemd.resource-control(5), systemd's CONTROL_GROUP_INTERFACE.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "base/error.h"
#include "base/macro.h"

struct buf;
struct cgroup;
struct dbus;
struct oci_pair;
struct oci_resources;

/* The scope of one container. */
struct systemd_unit {
	char *name;	  /* "berth-x.scope" */
	char *slice;	  /* "system.slice" */
	bool user;	  /* made by the user's own manager */
	struct dbus *bus; /* to the manager; NULL until it is needed */
};

/* Life */

/*
 * The unit that linux.cgroupsPath names, and the path that its cgroup will have ("/system.slice/x.scope",
 * heap). Makes nothing.
 *
 * path     "slice:prefix:name"; an empty slice is system.slice (user.slice for the user's manager);
 *          NULL: "berth" and the id
 * Errors   ERROR_INVALID the path; ERROR_UNSUPPORTED systemd does not run here
 */
int systemd_locate(const char *path, const char *id, struct systemd_unit **ret_unit,
		   char **ret_cgroup, struct error *err);

/* The unit that the state file names: nothing is asked yet. */
struct systemd_unit *systemd_unit_new(const char *name, bool user);

struct systemd_unit *systemd_unit_free(struct systemd_unit *u);
DEFINE_CLEANUP(struct systemd_unit *, systemd_unit_free)

/* Is pid 1 of this machine systemd? As sd_booted(3) finds out. */
bool systemd_is_running(void);

/* What systemd does */

/*
 * Start the scope with pid in it; returns when it is there.
 *
 * annotations  those that begin with "org.systemd.property." become properties
 * Errors       ERROR_CONFLICT a unit has this name; what systemd says of a property
 */
int systemd_start(struct systemd_unit *u, pid_t pid, const struct cgroup *cg,
		  const struct oci_resources *resources, const struct oci_pair *annotations,
		  size_t n_annotations, struct error *err);

/* Change the properties of what is set, after cgroup_update(). */
int systemd_update(struct systemd_unit *u, const struct cgroup *cg,
		   const struct oci_resources *resources, struct error *err);

/* Stop the scope; returns when it is gone. Idempotent: one that is not there is no error. */
int systemd_stop(struct systemd_unit *u, struct error *err);

/* Pure parts */

/* Names only; ret->bus is NULL. */
int systemd_unit_parse(const char *path, const char *id, bool user, struct systemd_unit **ret,
		       struct error *err);

/* "a-b.slice" lies at "/a.slice/a-b.slice", "-.slice" at "". Heap. */
int systemd_slice_path(const char *slice, char **ret_path, struct error *err);

/* What the property list depends on besides the resources. */
struct systemd_host {
	bool v2;
	const char *proc_devices; /* text of /proc/devices, which names the groups of devices */
	bool fresh;		  /* a new unit: device rules count even if there are none */
};

/* Append properties, "(sv)" each. */
void systemd_add_resources(struct buf *b, const struct oci_resources *r,
			   const struct systemd_host *host);
void systemd_add_devices(struct buf *b, const struct oci_resources *r,
			 const struct systemd_host *host);
int systemd_add_annotations(struct buf *b, const struct oci_pair *annotations, size_t n,
			    struct error *err);

/* The head of one property; its value follows. */
void systemd_begin_property(struct buf *b, const char *name, const char *types);
