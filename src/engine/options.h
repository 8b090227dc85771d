/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a user may ask for when a container is made: the words of `run` and `create`, understood by
 * every face of the engine. Single numbers are numbers; a word with a grammar of its own (a mount,
 * a device, a ulimit) stays text here and is parsed by the engine, once.
 *
 * Ownership: const char * is borrowed and must live as long as the struct; char ** are vectors of
 * base/str.h that container_options_done() frees.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

enum pull_policy { PULL_MISSING, PULL_ALWAYS, PULL_NEVER };

struct container_options {
	/* What to run */
	const char *image;    /* a reference or an id; NULL with rootfs */
	const char *rootfs;   /* --rootfs: a directory instead of an image */
	const char *platform; /* "linux/amd64", or NULL */
	enum pull_policy pull;
	char **command;		/* behind the image; empty: the image's CMD */
	const char *entrypoint; /* NULL: the image's; "": none */
	const char *name;	/* NULL: one is invented */
	const char *cidfile;	/* the id is written there; must not exist */

	/* Streams and life */
	bool interactive; /* -i */
	bool tty;	  /* -t */
	bool detach;	  /* -d: nobody is attached at the start */
	bool auto_remove; /* --rm */
	bool init;	  /* --init */
	char **attach;	  /* -a stdin|stdout|stderr; empty: as -i and -d say */
	const char *restart;
	const char *stop_signal;		/* "SIGTERM", "9", or NULL: the image's */
	int stop_timeout_s;			/* -1: not given */
	uint16_t console_rows, console_columns; /* -t: at the beginning; 0: not known */

	/* Process */
	char **env;	 /* K=V; a lone K takes the value of the caller's environment */
	char **env_file; /* paths */
	const char *workdir;
	const char *user; /* "name|uid[:group|gid]" */
	char **group_add;
	const char *hostname;
	const char *domainname;
	char **ulimit; /* "nofile=1024:2048" */
	bool has_oom_score_adj;
	int oom_score_adj;

	/* Files */
	char **volume; /* -v "src:dst[:opts]" */
	char **mount;  /* --mount "type=bind,src=...,dst=..." */
	char **tmpfs;  /* "dst[:opts]" */
	bool read_only;
	int64_t shm_size; /* bytes; 0: 64 MiB */
	char **volumes_from;

	/* Limits; 0 means not given unless said otherwise */
	int64_t memory;		    /* bytes */
	int64_t memory_swap;	    /* bytes, -1: unlimited */
	int64_t memory_reservation; /* bytes */
	int64_t memory_swappiness;  /* 0..100; -1: not given (the default) */
	bool oom_kill_disable;
	int64_t cpu_shares;
	int64_t nano_cpus;		       /* --cpus x 10^9 */
	int64_t cpu_period, cpu_quota;	       /* us */
	int64_t cpu_rt_period, cpu_rt_runtime; /* us */
	const char *cpuset_cpus, *cpuset_mems;
	int64_t pids_limit; /* -1: unlimited */
	int64_t blkio_weight;
	char **blkio_weight_device;		      /* "PATH:WEIGHT" */
	char **device_read_bps, **device_write_bps;   /* "PATH:RATE" with a unit */
	char **device_read_iops, **device_write_iops; /* "PATH:N" */
	const char *cgroup_parent;

	/* Isolation */
	bool privileged;
	char **cap_add, **cap_drop;
	char **security_opt;
	char **device;		   /* "host[:container[:rwm]]" */
	char **device_cgroup_rule; /* "c 189:* rmw" */
	char **sysctl;		   /* "k=v" */
	const char *network;	   /* NULL, none, host, container:X */
	const char *pid, *ipc, *uts, *userns, *cgroupns;
	char **publish;	  /* -p: refused until there is a network */
	bool publish_all; /* -P */
	char **add_host;  /* "name:ip" */
	char **dns, **dns_search, **dns_option;

	/* Words about it */
	char **label;	   /* "k=v" */
	char **label_file; /* paths */
	char **annotation; /* "k=v" */
	const char *log_driver;
	char **log_opt;	     /* "k=v" */
	const char *runtime; /* a foreign runtime's path, or NULL */
};

/* Fills in what "not given" means. */
void container_options_init(struct container_options *o);
void container_options_done(struct container_options *o);

/*
 * The rules between options, without looking at any image or file. create() applies it itself;
 * a face may ask earlier to refuse before it does other work.
 * Errors   ERROR_INVALID with docker's words; ERROR_UNSUPPORTED "not supported yet: ..."
 */
int container_options_check(const struct container_options *o, struct error *err);

/* What `exec` may ask for. */
struct exec_options {
	char **command;
	bool interactive, tty, detach, privileged;
	char **env, **env_file;
	const char *workdir;
	const char *user;
	const char *detach_keys;
};

void exec_options_done(struct exec_options *o);
