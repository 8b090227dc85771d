/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The program criu, run once for a dump or a restore. It is no library of ours and nothing of it is
 * on the way of other verbs. Source: criu(8).
 */

#include "base/error.h"

struct cgroup;
struct runtime_criu_options;

/* Beside the images, as runc has it: what the container's 0, 1 and 2 were. */
#define CRIU_DESCRIPTORS_FILE "descriptors.json"
#define CRIU_DESCRIPTORS      3
/* Keys of a network and pid namespace that the container had joined. */
#define CRIU_EXTERNAL_NET "extRootNetNS"
#define CRIU_EXTERNAL_PID "extRootPidNS"

struct criu_call {
	char **argv;	      /* strv, "criu" first; criu_call_done() frees it */
	char *work_path;      /* of the log; heap */
	const char *log_name; /* "dump.log" */
	/* for a restore, else NULL: */
	const struct cgroup *cgroup; /* criu, and so what it makes, starts in it */
	const char *rootfs_path; /* bound to root_mount_path in a mount namespace of criu's own */
	const char *root_mount_path;
	int keep_fds[2]; /* that criu inherits; <= 0: none */
};

/* verb, directories (made if missing) and what dump and restore have in common. *call is zeroed. */
int criu_call_init(struct criu_call *call, const char *verb,
		   const struct runtime_criu_options *options, struct error *err);
void criu_call_done(struct criu_call *call);

/* One more word, or two. */
void criu_add(struct criu_call *call, const char *word);
void criu_add_value(struct criu_call *call, const char *option, const char *value);

/*
 * Run it to its end.
 * Errors   ERROR_UNSUPPORTED "criu is not installed: apt-get install criu"; else criu's own last word
 */
int criu_run(const struct criu_call *call, struct error *err);
