/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is said to criu and what it says, as bytes: messages of its images/rpc.proto, as much of them as
 * is needed. The numbers are that file's; it only ever adds to them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "base/error.h"

struct buf;

/* criu_req_type */
enum criu_request {
	CRIU_DUMP = 1,
	CRIU_RESTORE = 2,
	CRIU_PRE_DUMP = 4,
	CRIU_NOTIFY = 6, /* criu asks something, the caller answers */
};

/* Fields of criu_opts, for protobuf_add_number() and protobuf_add_string(). */
enum criu_option {
	CRIU_OPTION_IMAGES_DIR_FD = 1, /* a descriptor of the caller's, as is WORK_DIR_FD */
	CRIU_OPTION_PID = 2,
	CRIU_OPTION_LEAVE_RUNNING = 3,
	CRIU_OPTION_EXT_UNIX_SK = 4,
	CRIU_OPTION_TCP_ESTABLISHED = 5,
	CRIU_OPTION_EVASIVE_DEVICES = 6,
	CRIU_OPTION_SHELL_JOB = 7,
	CRIU_OPTION_FILE_LOCKS = 8,
	CRIU_OPTION_LOG_LEVEL = 9,
	CRIU_OPTION_LOG_FILE = 10,
	CRIU_OPTION_PAGE_SERVER = 11, /* criu_add_page_server() */
	CRIU_OPTION_NOTIFY_SCRIPTS = 12,
	CRIU_OPTION_ROOT = 13,
	CRIU_OPTION_PARENT_IMAGES = 14,
	CRIU_OPTION_TRACK_MEM = 15,
	CRIU_OPTION_AUTO_DEDUP = 16,
	CRIU_OPTION_WORK_DIR_FD = 17,
	CRIU_OPTION_LINK_REMAP = 18,
	CRIU_OPTION_CGROUP_ROOT = 25, /* criu_add_cgroup_root() */
	CRIU_OPTION_RESTORE_SIBLING = 26,
	CRIU_OPTION_INHERIT_FD = 27, /* criu_add_inherited() */
	CRIU_OPTION_MANAGE_CGROUPS_MODE = 34,
	CRIU_OPTION_EXTERNAL = 37,
	CRIU_OPTION_EMPTY_NS = 38,
	CRIU_OPTION_JOIN_NAMESPACE = 39, /* criu_add_joined() */
	CRIU_OPTION_FREEZE_CGROUP = 44,
	CRIU_OPTION_TCP_SKIP_IN_FLIGHT = 46,
	CRIU_OPTION_LAZY_PAGES = 48,
	CRIU_OPTION_ORPHAN_PTS_MASTER = 50,
	CRIU_OPTION_CONFIG_FILE = 51, /* what it says wins */
	CRIU_OPTION_TCP_CLOSE = 52,
	CRIU_OPTION_LSM_PROFILE = 53,
	CRIU_OPTION_LSM_MOUNT_CONTEXT = 63,
	CRIU_OPTION_NETWORK_LOCK = 64,
};

/* Fields that are messages. */
void criu_add_page_server(struct buf *options, const char *address, unsigned port);
/* controllers: NULL for the v2 tree */
void criu_add_cgroup_root(struct buf *options, const char *controllers, const char *path);
/* fd is one of criu's own process. */
void criu_add_inherited(struct buf *options, const char *key, int fd);

/* name is that in /proc/PID/ns. */
void criu_add_joined(struct buf *options, const char *name, const char *path);

/* criu_cg_mode and criu_network_lock_method of the words that criu's command line has for them; -1: none */
int criu_cgroups_mode(const char *word);
int criu_network_lock(const char *word);

/* criu_req: the first message, and the answer to each CRIU_NOTIFY. */
void criu_format_request(struct buf *b, enum criu_request type, const struct buf *options);
void criu_format_reply(struct buf *b, bool success);

/* criu_resp */
struct criu_response {
	int type; /* enum criu_request */
	bool success;
	pid_t pid;	 /* of what is restored; 0: it is not said */
	char script[32]; /* CRIU_NOTIFY: which moment */
};

/* Errors   ERROR_INTERNAL these bytes are no answer */
int criu_response_parse(const void *data, size_t n, struct criu_response *ret, struct error *err);
