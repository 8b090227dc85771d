/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The program criu, run once for a dump or a restore. It is no library of ours and nothing of it is
 * on the way of other verbs. Source: criu(8) and criu's images/rpc.proto.
 */

#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/error.h"
#include "runtime/criu_message.h"

struct cgroup;
struct rdt;
struct runtime_criu_options;

/* Beside the images, as runc has it: what the container's 0, 1 and 2 were. */
#define CRIU_DESCRIPTORS_FILE "descriptors.json"
#define CRIU_DESCRIPTORS      3
/* Keys of a network and pid namespace that the container had joined. */
#define CRIU_EXTERNAL_NET "extRootNetNS"
#define CRIU_EXTERNAL_PID "extRootPidNS"

struct criu_call {
	enum criu_request request;
	struct buf options;   /* fields of criu_opts */
	const char *program;  /* borrowed */
	char *images_path;    /* heap, as is */
	char *work_path;      /* of the log */
	const char *log_name; /* "dump.log" */
	/* for a restore, else NULL: */
	const struct cgroup *cgroup; /* criu, and so what it makes, starts in it */
	const struct rdt *rdt;	     /* and in this */
	const char *rootfs_path; /* bound to root_mount_path in a mount namespace of criu's own */
	const char *root_mount_path;
	int keep_fds[2]; /* that criu inherits; <= 0: none */
	pid_t pid;	 /* of what it restored: filled in */
	/*
	 * Or NULL. Before criu is asked for anything, pid is its own; and at moments of its work, which
	 * response->script names, with a descriptor (borrowed; -1: none). < 0 ends that.
	 */
	int (*begin)(void *arg, pid_t pid, struct error *err);
	int (*notify)(void *arg, const struct criu_response *response, int fd, struct error *err);
	void *arg;
};

/* Directories (made if missing) and what dump and restore have in common. *call is zeroed. */
int criu_call_init(struct criu_call *call, enum criu_request request,
		   const struct runtime_criu_options *options, struct error *err);
void criu_call_done(struct criu_call *call);

void criu_add_number(struct criu_call *call, enum criu_option option, uint64_t value);
/* Nothing is added for NULL. */
void criu_add_string(struct criu_call *call, enum criu_option option, const char *value);

/*
 * Run it to its end.
 * Errors   ERROR_UNSUPPORTED "criu is not installed: apt-get install criu"; those of begin and
 *          notify; else criu's own last word
 */
int criu_run(struct criu_call *call, struct error *err);
