/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/spec.h"

#include <linux/capability.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"

/* A container that runs sh: what `spec` writes, as every OCI runtime writes it. */

#define LIST(...)                                   \
	(const char *const[]){ __VA_ARGS__, NULL }, \
		sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)

static const struct oci_mount mounts[] = {
	{ "/proc", "proc", "proc", NULL, 0 },
	{ "/dev", "tmpfs", "tmpfs", LIST("nosuid", "strictatime", "mode=755", "size=65536k") },
	{ "/dev/pts", "devpts", "devpts",
	  LIST("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5") },
	{ "/dev/shm", "tmpfs", "shm",
	  LIST("nosuid", "noexec", "nodev", "mode=1777", "size=65536k") },
	{ "/dev/mqueue", "mqueue", "mqueue", LIST("nosuid", "noexec", "nodev") },
	{ "/sys", "sysfs", "sysfs", LIST("nosuid", "noexec", "nodev", "ro") },
	{ "/sys/fs/cgroup", "cgroup", "cgroup",
	  LIST("nosuid", "noexec", "nodev", "relatime", "ro") },
};

/*
 * Without root the kernel refuses a new sysfs unless the network namespace is ours too, and gid 5
 * is not in the one-id mapping.
 */
static const struct oci_mount rootless_mounts[] = {
	{ "/proc", "proc", "proc", NULL, 0 },
	{ "/dev", "tmpfs", "tmpfs", LIST("nosuid", "strictatime", "mode=755", "size=65536k") },
	{ "/dev/pts", "devpts", "devpts",
	  LIST("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620") },
	{ "/dev/shm", "tmpfs", "shm",
	  LIST("nosuid", "noexec", "nodev", "mode=1777", "size=65536k") },
	{ "/dev/mqueue", "mqueue", "mqueue", LIST("nosuid", "noexec", "nodev") },
	{ "/sys", "none", "/sys", LIST("rbind", "nosuid", "noexec", "nodev", "ro") },
	/* "ro" above is for /sys alone: the user's own cgroups below it were writable (CVE-2023-25809) */
	{ "/sys/fs/cgroup", "cgroup", "cgroup",
	  LIST("nosuid", "noexec", "nodev", "relatime", "ro") },
};

#define CAPS                                                        \
	(UINT64_C(1) << CAP_AUDIT_WRITE | UINT64_C(1) << CAP_KILL | \
	 UINT64_C(1) << CAP_NET_BIND_SERVICE)

static const struct oci_capabilities capabilities = {
	.sets = {
		[OCI_CAP_BOUNDING] = CAPS,
		[OCI_CAP_EFFECTIVE] = CAPS,
		[OCI_CAP_PERMITTED] = CAPS,
	},
};

static const struct oci_rlimit rlimits[] = {
	{ RLIMIT_NOFILE, .soft = 1024, .hard = 1024 },
};

static const char *const args[] = { "sh", NULL };
static const char *const env[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"TERM=xterm",
	NULL,
};

static const struct oci_process process = {
	.terminal = true,
	.args = args,
	.n_args = ARRAY_SIZE(args) - 1,
	.env = env,
	.n_env = ARRAY_SIZE(env) - 1,
	.cwd = "/",
	.capabilities = &capabilities,
	.rlimits = rlimits,
	.n_rlimits = ARRAY_SIZE(rlimits),
	.no_new_privileges = true,
};

static const struct oci_device_rule deny_all[] = {
	{ .allow = false,
	  .type = 'a',
	  .major = -1,
	  .minor = -1,
	  .access = OCI_DEVICE_READ | OCI_DEVICE_WRITE | OCI_DEVICE_MKNOD },
};

static const char *const masked_paths[] = {
	"/proc/acpi",	       "/proc/asound",	   "/proc/kcore",	"/proc/keys",
	"/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
	"/sys/firmware",       "/proc/scsi",
};

static const char *const readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

static const struct oci_id_map *one_id(struct arena *arena, uint32_t host_id)
{
	struct oci_id_map *map = arena_alloc(arena, sizeof(*map));

	*map = (struct oci_id_map){ .container_id = 0, .host_id = host_id, .size = 1 };
	return map;
}

static void make_rootless(struct oci_spec *spec)
{
	struct oci_linux *l = &spec->linux_;

	spec->mounts = rootless_mounts;
	spec->n_mounts = ARRAY_SIZE(rootless_mounts);
	l->resources = (struct oci_resources){ 0 }; /* cgroups belong to root */
	l->namespaces[OCI_NS_NET].wanted = false;
	l->namespaces[OCI_NS_USER].wanted = true;
	l->uid_maps = one_id(spec->arena, geteuid());
	l->gid_maps = one_id(spec->arena, getegid());
	l->n_uid_maps = l->n_gid_maps = 1;
}

struct oci_spec *oci_spec_default(bool rootless)
{
	static const enum oci_ns wanted[] = {
		OCI_NS_PID, OCI_NS_NET, OCI_NS_IPC, OCI_NS_UTS, OCI_NS_MOUNT, OCI_NS_CGROUP,
	};
	struct arena *arena = arena_new();
	struct oci_spec *spec = arena_alloc(arena, sizeof(*spec));

	*spec = (struct oci_spec){
		.arena = arena,
		.version = OCI_VERSION,
		.root_path = "rootfs",
		.root_readonly = true,
		.mounts = mounts,
		.n_mounts = ARRAY_SIZE(mounts),
		.process = &process,
		.hostname = "berth",
		.linux_ = {
			.resources = { .devices = deny_all, .n_devices = ARRAY_SIZE(deny_all) },
			.masked_paths = masked_paths,
			.n_masked_paths = ARRAY_SIZE(masked_paths),
			.readonly_paths = readonly_paths,
			.n_readonly_paths = ARRAY_SIZE(readonly_paths),
		},
	};
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		spec->linux_.namespaces[wanted[i]].wanted = true;
	if (rootless)
		make_rootless(spec);
	return spec;
}
