/* SPDX-License-Identifier: Apache-2.0 */

/* berth-runtime kill, delete, pause, resume, update, mounts. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/units.h"
#include "oci/spec.h"
#include "prog/runtime_match.h"
#include "prog/runtime_verb.h"
#include "runtime/runtime.h"

/* kill */

struct kill_options {
	bool all, regex;
};

static const struct option kill_options[] = {
	{ "all", 'a', OPTION_BOOL, OPTION_FIELD(kill_options, all),
	  .help = "send the signal to all processes of the container" },
	{ "regex", 'r', OPTION_BOOL, OPTION_FIELD(kill_options, regex),
	  .help = "the id is a regular expression: signal every container that matches" },
};

/* A number, or a name with or without "SIG" in any case: "KILL", "sigrtmin+3". */
static int parse_signal(const char *text, int *ret, struct error *err)
{
	const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
	int n, offset;

	if (str_empty(text)) { /* as if it had not been given */
		*ret = SIGTERM;
		return 0;
	}
	if (str_to_int(text, &n) == 0) {
		if (n < 0 || n > SIGRTMAX) /* 0 only asks whether it runs */
			return error_kind(err, ERROR_INVALID, "signal %d: invalid argument", n);
		*ret = n;
		return 0;
	}
	for (n = 1; n < 32; n++)
		if (sigabbrev_np(n) && strcasecmp(sigabbrev_np(n), name) == 0) {
			*ret = n;
			return 0;
		}
	if (strncasecmp(name, "RTMIN+", 6) == 0 && str_to_int(name + 6, &offset) == 0 &&
	    offset >= 0 && SIGRTMIN + offset <= SIGRTMAX) {
		*ret = SIGRTMIN + offset;
		return 0;
	}
	if (strncasecmp(name, "RTMAX-", 6) == 0 && str_to_int(name + 6, &offset) == 0 &&
	    offset >= 0 && SIGRTMAX - offset >= SIGRTMIN) {
		*ret = SIGRTMAX - offset;
		return 0;
	}
	if (strcasecmp(name, "RTMIN") == 0 || strcasecmp(name, "RTMAX") == 0) {
		*ret = strcasecmp(name, "RTMIN") == 0 ? SIGRTMIN : SIGRTMAX;
		return 0;
	}
	return error_kind(err, ERROR_INVALID, "unknown signal \"%s\"", text);
}

struct kill_one {
	const char *root;
	int signo;
	bool all;
};

static int kill_one(const char *id, void *data, struct error *err)
{
	const struct kill_one *k = data;

	return runtime_kill(k->root, id, k->signo, k->all, err);
}

static int run_kill(const struct runtime_globals *g, void *target, char **args, struct error *err)
{
	const struct kill_options *o = target;
	struct kill_one k = { g->root, SIGTERM, o->all };
	int r = args[1] ? parse_signal(args[1], &k.signo, err) : 0;

	if (r < 0)
		return r;
	return o->regex ? match_each(g->root, args[0], kill_one, &k, err)
			: kill_one(args[0], &k, err);
}

/* delete, pause, resume */

struct delete_options {
	bool force, regex;
};

static const struct option delete_options[] = {
	{ "force", 'f', OPTION_BOOL, OPTION_FIELD(delete_options, force),
	  .help = "kill a running container first; a missing one is no error" },
	{ "regex", 'r', OPTION_BOOL, OPTION_FIELD(delete_options, regex),
	  .help = "the id is a regular expression: delete every container that matches" },
};

struct delete_one {
	const char *root;
	bool force;
};

static int delete_one(const char *id, void *data, struct error *err)
{
	const struct delete_one *d = data;

	return runtime_delete(d->root, id, d->force, err);
}

static int run_delete(const struct runtime_globals *g, void *target, char **args, struct error *err)
{
	const struct delete_options *o = target;
	struct delete_one d = { g->root, o->force };

	return o->regex ? match_each(g->root, args[0], delete_one, &d, err)
			: delete_one(args[0], &d, err);
}

static int run_pause(const struct runtime_globals *g, void *target, char **args, struct error *err)
{
	return runtime_pause(g->root, args[0], err);
}

static int run_resume(const struct runtime_globals *g, void *target, char **args, struct error *err)
{
	return runtime_resume(g->root, args[0], err);
}

/* update */

struct update_options {
	const char *resources_path;
	const char *kernel_memory, *kernel_memory_tcp, *l3_schema, *mem_schema;
	struct oci_resources r;
};

static int parse_i64(void *target, const struct option *o, const char *value, struct error *err)
{
	struct opt_i64 *field = (struct opt_i64 *)((char *)target + o->offset);

	if (str_to_i64(value, &field->value) < 0)
		return error_kind(err, ERROR_INVALID, "invalid value for %s: '%s'", o->name, value);
	field->set = true;
	return 0;
}

static int parse_u64(void *target, const struct option *o, const char *value, struct error *err)
{
	struct opt_u64 *field = (struct opt_u64 *)((char *)target + o->offset);

	if (str_to_u64(value, &field->value) < 0)
		return error_kind(err, ERROR_INVALID, "invalid value for %s: '%s'", o->name, value);
	field->set = true;
	return 0;
}

/* "512m"; -1 is no limit. */
static int parse_bytes(void *target, const struct option *o, const char *value, struct error *err)
{
	struct opt_i64 *field = (struct opt_i64 *)((char *)target + o->offset);
	int64_t bytes = -1;

	if (!str_eq(value, "-1") && units_parse_bytes(value, &bytes) < 0)
		return error_kind(err, ERROR_INVALID, "invalid value for %s: '%s'", o->name, value);
	*field = (struct opt_i64){ true, bytes };
	return 0;
}

#define R(field)     .offset = offsetof(struct update_options, r.field)
#define CALL(parser) .parse = (parser)

static const struct option update_options[] = {
	{ "blkio-weight", 0, OPTION_CALL, R(blkio_weight), .arg = "n", CALL(parse_u64),
	  .help = "weight of block I/O, 10 to 1000" },
	{ "cpu-burst", 0, OPTION_CALL, R(cpu_burst), .arg = "usec", CALL(parse_u64),
	  .help = "CPU time that may be saved up for bursts" },
	{ "cpu-idle", 0, OPTION_CALL, R(cpu_idle), .arg = "n", CALL(parse_i64),
	  .help = "1: scheduled only when nobody else wants the CPU" },
	{ "cpu-period", 0, OPTION_CALL, R(cpu_period), .arg = "usec", CALL(parse_u64),
	  .help = "period of the CPU quota" },
	{ "cpu-quota", 0, OPTION_CALL, R(cpu_quota), .arg = "usec", CALL(parse_i64),
	  .help = "CPU time within a period, -1: no limit" },
	{ "cpu-rt-period", 0, OPTION_CALL, R(cpu_rt_period), .arg = "usec", CALL(parse_u64),
	  .help = "period of the real-time quota" },
	{ "cpu-rt-runtime", 0, OPTION_CALL, R(cpu_rt_runtime), .arg = "usec", CALL(parse_i64),
	  .help = "real-time CPU time within a period" },
	{ "cpu-share", 0, OPTION_CALL, R(cpu_shares), .arg = "n", CALL(parse_u64),
	  .help = "relative share of the CPU, 2 to 262144" },
	{ "cpuset-cpus", 0, OPTION_STRING, R(cpuset_cpus), .arg = "list", .help = "CPUs: 0-3,5" },
	{ "cpuset-mems", 0, OPTION_STRING, R(cpuset_mems), .arg = "list",
	  .help = "memory nodes: 0,1" },
	{ "kernel-memory", 0, OPTION_STRING, OPTION_FIELD(update_options, kernel_memory),
	  .arg = "bytes", .hidden = true },
	{ "kernel-memory-tcp", 0, OPTION_STRING, OPTION_FIELD(update_options, kernel_memory_tcp),
	  .arg = "bytes", .hidden = true },
	{ "l3-cache-schema", 0, OPTION_STRING, OPTION_FIELD(update_options, l3_schema),
	  .arg = "string", .help = "Intel RDT: parts of the L3 cache, L3:0=ff;1=f" },
	{ "mem-bw-schema", 0, OPTION_STRING, OPTION_FIELD(update_options, mem_schema),
	  .arg = "string", .help = "Intel RDT: memory bandwidth, MB:0=50;1=100" },
	{ "memory", 0, OPTION_CALL, R(memory_limit), .arg = "bytes", CALL(parse_bytes),
	  .help = "memory limit, -1: none" },
	{ "memory-reservation", 0, OPTION_CALL, R(memory_reservation), .arg = "bytes",
	  CALL(parse_bytes), .help = "memory that is kept for the container under pressure" },
	{ "memory-swap", 0, OPTION_CALL, R(memory_swap), .arg = "bytes", CALL(parse_bytes),
	  .help = "limit of memory and swap together, -1: no limit of swap" },
	{ "pids-limit", 0, OPTION_CALL, R(pids_limit), .arg = "n", CALL(parse_i64),
	  .help = "processes and threads, -1: no limit" },
	{ "resources", 'r', OPTION_STRING, OPTION_FIELD(update_options, resources_path),
	  .arg = "file", .help = "take all limits from this JSON file, or from stdin if it is -" },
};

#define RESOURCES_MAX_BYTES (1u << 20)

static int run_update(const struct runtime_globals *g, void *target, char **args, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct update_options *o = target;
	cleanup_free char *text = NULL;
	size_t len;
	int r = 0;

	if (o->kernel_memory || o->kernel_memory_tcp) /* the kernel has dropped them (5.16) */
		log_warning("limits of kernel memory are obsolete and ignored");
	if (o->resources_path) {
		if (str_eq(o->resources_path, "-"))
			r = file_read_fd(STDIN_FILENO, "stdin", RESOURCES_MAX_BYTES, &text, &len,
					 err);
		else
			r = file_read(AT_FDCWD, o->resources_path, RESOURCES_MAX_BYTES, &text, &len,
				      err);
		if (r == 0)
			r = oci_resources_parse(text, len, arena, &o->r, err);
	}
	if (r < 0)
		return r;
	return runtime_update(g->root, args[0],
			      &(struct runtime_update_options){ .resources = &o->r,
								.l3_schema = o->l3_schema,
								.mem_schema = o->mem_schema },
			      err);
}

/* mounts */

#define MOUNTS_MAX_BYTES (1u << 20)

static int run_mounts(const struct runtime_globals *g, void *target, char **args, struct error *err)
{
	bool add = str_eq(args[0], "add");
	cleanup_free char *text = NULL;
	size_t len;
	int r;

	if (!add && !str_eq(args[0], "remove"))
		return error_kind(err, ERROR_INVALID,
				  "unknown command 'mounts %s', expected add "
				  "or remove",
				  args[0]);
	r = file_read(AT_FDCWD, args[2], MOUNTS_MAX_BYTES, &text, &len, err);
	if (r < 0)
		return r;
	return add ? runtime_mounts_add(g->root, args[1], text, len, err)
		   : runtime_mounts_remove(g->root, args[1], text, len, err);
}

static const struct runtime_verb verbs[] = {
	{ "kill", "<container-id> [signal]", "send a signal (TERM) to the container's init",
	  VERB_OPTIONS(kill_options, kill_options), .min_args = 1, .max_args = 2, .run = run_kill },
	{ "delete", "<container-id>", "remove a stopped container and what it holds",
	  VERB_OPTIONS(delete_options, delete_options), .min_args = 1, .max_args = 1,
	  .run = run_delete },
	{ "pause", "<container-id>", "freeze all processes of a container", .min_args = 1,
	  .max_args = 1, .run = run_pause },
	{ "resume", "<container-id>", "let a paused container go on", .min_args = 1, .max_args = 1,
	  .run = run_resume },
	{ "update", "<container-id>", "change the limits of a container",
	  VERB_OPTIONS(update_options, update_options), .min_args = 1, .max_args = 1,
	  .run = run_update },
	{ "mounts", "add|remove <container-id> <file>",
	  "add mounts to a running container, or remove some", .min_args = 3, .max_args = 3,
	  .run = run_mounts },
};

const struct runtime_verb_table runtime_verbs_control = { verbs, ARRAY_SIZE(verbs) };
