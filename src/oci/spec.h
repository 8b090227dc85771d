/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * config.json of the OCI runtime-spec (1.0 to 1.3) as a struct. Text becomes this once and is const
 * from then on; the engine fills the same struct from a user's options and writes it out.
 * Everything hangs on one arena.
 *
 * Absent values: pointers are NULL, counts 0; numbers whose 0 means something stand in a struct
 * opt_* with .set. Section names behind the fields are those of runtime-spec config.md and
 * config-linux.md.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/error.h"

struct arena;
struct buf;

struct opt_i64 {
	bool set;
	int64_t value;
};
struct opt_u64 {
	bool set;
	uint64_t value;
};

struct oci_pair { /* annotations, sysctl, unified */
	const char *key;
	const char *value;
};

struct oci_id_map {
	uint32_t container_id;
	uint32_t host_id;
	uint32_t size;
};

/* config.md "Mounts" */
struct oci_mount {
	const char *destination;
	const char *type;   /* or NULL */
	const char *source; /* or NULL */
	const char *const *options;
	size_t n_options;
	const struct oci_id_map *uid_maps, *gid_maps;
	size_t n_uid_maps, n_gid_maps;
};

/* config.md "Process" */
struct oci_rlimit {
	int resource; /* RLIMIT_*; parsed from "RLIMIT_NOFILE" */
	uint64_t soft, hard;
};

enum oci_cap_set {
	OCI_CAP_BOUNDING,
	OCI_CAP_EFFECTIVE,
	OCI_CAP_INHERITABLE,
	OCI_CAP_PERMITTED,
	OCI_CAP_AMBIENT,
	OCI_CAP_SET_COUNT,
};

struct oci_capabilities {
	uint64_t sets[OCI_CAP_SET_COUNT]; /* bit = CAP_* number; names the kernel header does not
					     know are dropped with a warning */
};

struct oci_scheduler {
	bool set;
	const char *policy; /* "SCHED_OTHER", ... */
	int32_t nice, priority;
	const char *const *flags;
	size_t n_flags;
	uint64_t runtime, deadline, period; /* ns */
};

struct oci_user {
	uint32_t uid, gid;
	struct opt_i64 umask;
	const gid_t *additional_gids;
	size_t n_additional_gids;
};

struct oci_process {
	bool terminal;
	uint16_t console_height, console_width; /* 0: not given */
	struct oci_user user;
	const char *const *args; /* NULL-terminated */
	size_t n_args;
	const char *const *env; /* NULL-terminated */
	size_t n_env;
	const char *cwd;
	const struct oci_capabilities *capabilities; /* NULL: section absent, leave all as is */
	const struct oci_rlimit *rlimits;
	size_t n_rlimits;
	bool no_new_privileges;
	struct opt_i64 oom_score_adj;
	const char *apparmor_profile, *selinux_label;
	struct oci_scheduler scheduler;
	const char *io_priority_class; /* "IOPRIO_CLASS_BE", or NULL */
	int32_t io_priority;
	const char *cpu_affinity_initial, *cpu_affinity_final;
};

/* config.md "POSIX-platform Hooks" */
enum oci_hook_kind {
	OCI_HOOK_PRESTART,
	OCI_HOOK_CREATE_RUNTIME,
	OCI_HOOK_CREATE_CONTAINER,
	OCI_HOOK_START_CONTAINER,
	OCI_HOOK_POSTSTART,
	OCI_HOOK_POSTSTOP,
	OCI_HOOK_KIND_COUNT,
};

struct oci_hook {
	const char *path;
	const char *const *args; /* NULL-terminated; args[0] is the name, NULL: path alone */
	const char *const *env;	 /* NULL-terminated or NULL */
	int timeout_s;		 /* 0: none */
};

struct oci_hooks {
	const struct oci_hook *list[OCI_HOOK_KIND_COUNT];
	size_t n[OCI_HOOK_KIND_COUNT];
};

/* config-linux.md "Namespaces"; the order is that of joining */
enum oci_ns {
	OCI_NS_USER,
	OCI_NS_CGROUP,
	OCI_NS_IPC,
	OCI_NS_UTS,
	OCI_NS_NET,
	OCI_NS_PID,
	OCI_NS_TIME,
	OCI_NS_MOUNT,
	OCI_NS_COUNT,
};

struct oci_namespace {
	bool wanted;	  /* listed in the document */
	const char *path; /* join this one; NULL: make a new one */
};

/* "Devices" */
struct oci_device {
	const char *path;
	char type; /* 'c', 'b', 'p'; 'u' became 'c' */
	int64_t major, minor;
	struct opt_i64 file_mode;
	uint32_t uid, gid;
};

/* "Device Cgroup" */
struct oci_device_rule {
	bool allow;
	char type;	      /* 'a', 'b', 'c' */
	int64_t major, minor; /* -1: all */
	unsigned access;      /* OCI_DEVICE_*; 0: none given */
};
#define OCI_DEVICE_READ	 1u
#define OCI_DEVICE_WRITE 2u
#define OCI_DEVICE_MKNOD 4u

struct oci_weight_device {
	int64_t major, minor;
	struct opt_u64 weight, leaf_weight;
};
struct oci_throttle {
	int64_t major, minor;
	uint64_t rate;
};
enum oci_throttle_kind {
	OCI_THROTTLE_READ_BPS,
	OCI_THROTTLE_WRITE_BPS,
	OCI_THROTTLE_READ_IOPS,
	OCI_THROTTLE_WRITE_IOPS,
	OCI_THROTTLE_COUNT,
};
struct oci_hugepage_limit {
	const char *page_size; /* "2MB" */
	uint64_t limit;
};
struct oci_net_priority {
	const char *name;
	uint32_t priority;
};
struct oci_rdma_limit {
	const char *device;
	struct opt_u64 hca_handles, hca_objects;
};

/* "Control groups" */
struct oci_resources {
	const struct oci_device_rule *devices;
	size_t n_devices;

	struct opt_i64 memory_limit, memory_reservation, memory_swap, memory_kernel,
		memory_kernel_tcp;
	struct opt_u64 memory_swappiness;
	bool memory_disable_oom_killer, memory_use_hierarchy, memory_check_before_update;

	struct opt_u64 cpu_shares, cpu_period, cpu_rt_period, cpu_burst;
	struct opt_i64 cpu_quota, cpu_rt_runtime, cpu_idle;
	const char *cpuset_cpus, *cpuset_mems;

	struct opt_i64 pids_limit; /* -1: none; a 0 of documents before 1.3 becomes that, too */

	struct opt_u64 blkio_weight, blkio_leaf_weight;
	const struct oci_weight_device *blkio_weight_devices;
	size_t n_blkio_weight_devices;
	const struct oci_throttle *blkio_throttle[OCI_THROTTLE_COUNT];
	size_t n_blkio_throttle[OCI_THROTTLE_COUNT];

	const struct oci_hugepage_limit *hugepage_limits;
	size_t n_hugepage_limits;
	struct opt_u64 net_class_id;
	const struct oci_net_priority *net_priorities;
	size_t n_net_priorities;
	const struct oci_rdma_limit *rdma;
	size_t n_rdma;
	const struct oci_pair *unified;
	size_t n_unified;
};

/* "Seccomp" */
enum oci_seccomp_action {
	OCI_SECCOMP_KILL_PROCESS,
	OCI_SECCOMP_KILL_THREAD, /* SCMP_ACT_KILL too */
	OCI_SECCOMP_TRAP,
	OCI_SECCOMP_ERRNO,
	OCI_SECCOMP_NOTIFY,
	OCI_SECCOMP_TRACE,
	OCI_SECCOMP_LOG,
	OCI_SECCOMP_ALLOW,
};
enum oci_seccomp_op {
	OCI_SECCOMP_OP_NE,
	OCI_SECCOMP_OP_LT,
	OCI_SECCOMP_OP_LE,
	OCI_SECCOMP_OP_EQ,
	OCI_SECCOMP_OP_GE,
	OCI_SECCOMP_OP_GT,
	OCI_SECCOMP_OP_MASKED_EQ,
};
struct oci_seccomp_arg {
	unsigned index; /* 0..5 */
	enum oci_seccomp_op op;
	uint64_t value, value_two;
};
struct oci_seccomp_rule {
	const char *const *names;
	size_t n_names;
	enum oci_seccomp_action action;
	struct opt_u64 errno_ret;
	const struct oci_seccomp_arg *args;
	size_t n_args;
};
struct oci_seccomp {
	enum oci_seccomp_action default_action;
	struct opt_u64 default_errno_ret;
	const char *const *architectures; /* "SCMP_ARCH_X86_64" */
	size_t n_architectures;
	unsigned flags; /* SECCOMP_FILTER_FLAG_* of <linux/seccomp.h> */
	bool has_flags; /* the key was there, perhaps empty */
	const struct oci_seccomp_rule *rules;
	size_t n_rules;
	const char *listener_path, *listener_metadata;
	/* not of the document: crun's annotations, see runtime/seccomp.h */
	bool fail_unknown;    /* names that nobody knows are an error */
	const char *bpf_data; /* base64 of the filter to use instead of the rules, or NULL */
};

struct oci_net_device {
	const char *host_name, *name;
};

/* config-linux.md */
struct oci_linux {
	struct oci_namespace namespaces[OCI_NS_COUNT];
	const struct oci_id_map *uid_maps, *gid_maps;
	size_t n_uid_maps, n_gid_maps;
	bool has_time_offsets;
	int64_t monotonic_s, boottime_s;
	uint32_t monotonic_ns, boottime_ns;
	const struct oci_device *devices;
	size_t n_devices;
	const struct oci_net_device *net_devices;
	size_t n_net_devices;
	const char *cgroups_path;
	struct oci_resources resources;
	const struct oci_pair *sysctl;
	size_t n_sysctl;
	const struct oci_seccomp *seccomp; /* or NULL */
	const char *rootfs_propagation;	   /* "shared", "slave", "private", "unbindable", or NULL */
	const char *const *masked_paths, *const *readonly_paths;
	size_t n_masked_paths, n_readonly_paths;
	const char *mount_label;
	const char *personality_domain; /* "LINUX", "LINUX32", or NULL */
	const char *const *personality_flags;
	size_t n_personality_flags;
	const char *mempolicy_mode, *mempolicy_nodes;
	const char *const *mempolicy_flags;
	size_t n_mempolicy_flags;
	bool has_intel_rdt;
	const char *rdt_clos_id, *rdt_l3_schema, *rdt_mem_schema;
	const char *const *rdt_schemata;
	size_t n_rdt_schemata;
	bool rdt_enable_monitoring;
};

struct oci_spec {
	struct arena *arena; /* owns everything below */
	const char *version; /* ociVersion */
	const char *root_path;
	bool root_readonly;
	const struct oci_mount *mounts;
	size_t n_mounts;
	const struct oci_process *process; /* NULL: only create is possible, start fails */
	const char *hostname, *domainname;
	struct oci_hooks hooks;
	const struct oci_pair *annotations;
	size_t n_annotations;
	struct oci_linux linux_;
};

/*
 * Reads a config.json document.
 * Errors   ERROR_INVALID; the message names the field by its path: "config.json: process.args[0]:
 * not a string"
 */
int oci_spec_parse(const char *json, size_t len, struct oci_spec **ret_spec, struct error *err);
/* Opens and parses; max OCI_SPEC_MAX_BYTES. */
int oci_spec_load(int dir_fd, const char *path, struct oci_spec **ret_spec, struct error *err);
/* A process object alone (exec --process). Allocated in arena. */
int oci_process_parse(const char *json, size_t len, struct arena *arena,
		      const struct oci_process **ret_process, struct error *err);
/* Mounts alone, as {"mounts": [...]} or the array itself, with the configuration they are for: all
 * else of *ret is that of config. Allocated in arena. */
int oci_mounts_parse(const char *json, size_t len, const struct oci_spec *config,
		     struct arena *arena, struct oci_spec *ret, struct error *err);
/* linux.resources alone (update --resources). */
int oci_resources_parse(const char *json, size_t len, struct arena *arena,
			struct oci_resources *ret_resources, struct error *err);

/* The document as text, with the fields that are set; indent: one level of it, NULL for one line.
 */
void oci_spec_format(const struct oci_spec *spec, const char *indent, struct buf *out);

/* What `berth-runtime spec` writes: a container that runs sh. */
struct oci_spec *oci_spec_default(bool rootless);

/*
 * Rules between fields that the grammar does not hold: paths absolute, namespaces needed by other
 * fields, duplicates. A relative mount destination passes: it is taken from "/".
 */
int oci_spec_check(const struct oci_spec *spec, struct error *err);
/* Those of id maps; field is their path: "linux.uidMappings". */
int oci_id_maps_check(const char *field, const struct oci_id_map *maps, size_t n,
		      struct error *err);
/* Those of a process alone (exec --process). */
int oci_process_check(const struct oci_process *process, struct error *err);

struct oci_spec *oci_spec_free(struct oci_spec *spec);
DEFINE_CLEANUP(struct oci_spec *, oci_spec_free)

const char *oci_spec_annotation(const struct oci_spec *spec, const char *key); /* or NULL */

#define OCI_SPEC_MAX_BYTES (16u << 20)
#define OCI_VERSION	   "1.3.0"
