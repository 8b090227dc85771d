/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * ROOT/ID/, the state of one container on disk (docs/formats/runtime-state.md):
 *
 *	config.json   the bytes that create read; later verbs need no bundle
 *	state.json    struct container
 *	start.sock    while created: init listens here for "start"
 *
 * mkdir of ROOT/ID claims the id. Whether the container runs is asked of the kernel, not the disk.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/error.h"
#include "base/macro.h"

struct arena;
struct buf;
struct oci_pair;
struct oci_spec;

enum container_status {
	CONTAINER_CREATING, /* claimed, no init yet (or its creator died) */
	CONTAINER_CREATED,
	CONTAINER_RUNNING,
	CONTAINER_PAUSED,
	CONTAINER_STOPPED,
};

/* One container as state.json describes it. Strings hang on the arena. */
struct container {
	struct arena *arena;
	int dir_fd; /* ROOT/ID, O_PATH | O_DIRECTORY */
	const char *root_path, *id;
	const char *oci_version;
	const char *bundle_path;    /* absolute */
	const char *rootfs_path;    /* absolute */
	pid_t pid;		    /* of init; 0 while creating */
	uint64_t pid_start;	    /* its start time in clock ticks, against reuse of the number */
	int64_t created_ns;	    /* real time */
	uint32_t owner_uid;	    /* who called create */
	const char *const *cgroups; /* lines for cgroup_open(), NULL-terminated */
	const char *rdt_path;	    /* directory in resctrl that delete removes, or NULL */
	const char *systemd_unit;   /* the scope, if systemd made the cgroups; else NULL */
	bool systemd_user;	    /* it is one of the user's manager */
	const struct oci_pair *annotations;
	size_t n_annotations;
	bool no_pivot;
	uint64_t host_mounts_below; /* no mount namespace: host_mounts_remove(); else 0 */
	const char *listener_path;  /* seccomp agent that `start` connects to, or NULL */
	bool has_poststop; /* config.json holds hooks for delete: else it need not be read again */
};

/* Life */

/* 0 or ERROR_INVALID with runc's sentence: "invalid container ID format: x". */
int container_check_id(const char *id, struct error *err);

/*
 * Claim the id: makes ROOT (0700) and ROOT/ID.
 * Errors   ERROR_CONFLICT "container with given ID already exists: x"
 */
int container_claim(const char *root_path, const char *id, struct container **ret,
		    struct error *err);

/*
 * Errors   ERROR_NOT_FOUND "container does not exist: x"
 */
int container_open(const char *root_path, const char *id, struct container **ret,
		   struct error *err);

/* Without anything on disk: what state.json holds, and its text. Strings hang on c's arena. */
struct container *container_new(const char *root_path, const char *id);
int container_parse(struct container *c, const char *text, size_t len, struct error *err);
void container_format(const struct container *c, struct buf *out);

/* Write state.json. */
int container_save(const struct container *c, struct error *err);

/* Remove ROOT/ID and what is in it. Idempotent. */
int container_remove(const struct container *c, struct error *err);

struct container *container_free(struct container *c);
DEFINE_CLEANUP(struct container *, container_free)

/* Ids under ROOT, sorted; a strv. A ROOT that is not there has none. */
int container_list(const char *root_path, char ***ret_ids, struct error *err);

/* Uses */

/* The document that create read. */
int container_config(const struct container *c, struct oci_spec **ret_spec, struct error *err);

/*
 * A pidfd of init if it is alive.
 * Returns  0; 1: init is gone (or not yet there); < 0
 */
int container_open_init(const struct container *c, int *ret_pidfd, struct error *err);

/* What the container is now; whether a live one is frozen is asked of its cgroup. */
int container_get_status(const struct container *c, enum container_status *ret_status,
			 struct error *err);

/* "creating", "created", "running", "paused", "stopped" */
const char *container_status_name(enum container_status s);

/* The `state` document of the runtime-spec, as hooks get it and `state` prints it (indent NULL: one
 * line). */
void container_format_state(const struct container *c, enum container_status s, pid_t pid,
			    const char *indent, struct buf *out);

/*
 * The container process state of config-linux.md "Seccomp", without its end: ',"pid":N},"pid":M}' is
 * what the process adds that knows the numbers. metadata: or NULL.
 */
void container_format_process_state(const struct container *c, enum container_status s,
				    const char *metadata, struct buf *out);

/* Start time of a process in clock ticks since boot. 0, -ESRCH: gone or a zombie, or -errno. */
int process_start_time(pid_t pid, uint64_t *ret_ticks);

#define CONTAINER_CONFIG_FILE "config.json"
#define CONTAINER_STATE_FILE  "state.json"
#define CONTAINER_START_SOCK  "start.sock"
