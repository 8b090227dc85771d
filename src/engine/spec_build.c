/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/spec_build.h"

#include "base/mem.h"
#include "base/str.h"

/*
 * What /proc and /sys show of the host and a container has no business with: Moby's lists.
 * LIMIT: Moby masks each cpu's thermal_throttle directory as well; that wants a look at the host's
 * cpus at every start.
 */
static const char *const masked_paths[] = {
	"/proc/acpi",
	"/proc/asound",
	"/proc/interrupts",
	"/proc/kcore",
	"/proc/keys",
	"/proc/latency_stats",
	"/proc/sched_debug",
	"/proc/scsi",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/sys/devices/virtual/powercap",
	"/sys/firmware",
};

static const char *const readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

/* The oldest that has all we write: some runtimes refuse a version they have not heard of. */
#define SPEC_VERSION "1.0.2"

static const struct oci_pair *split_pairs(struct arena *arena, const char *const *words, size_t n)
{
	struct oci_pair *pairs = arena_alloc(arena, (n + 1) * sizeof(*pairs));

	for (size_t i = 0; i < n; i++) {
		size_t key = strcspn(words[i], "=");

		pairs[i].key = arena_strndup(arena, words[i], key);
		pairs[i].value = words[i] + key + 1;
	}
	return pairs;
}

char *spec_cgroups_path(const char *parent, const char *id, bool rootless)
{
	if (parent && str_ends(parent, ".slice")) /* for systemd */
		return xasprintf("%s:berth:%s", parent, id);
	if (rootless) /* below what the host delegates to the user, which begins where we are */
		return xasprintf("%s/%s",
				 str_empty(parent) ? "berth" : parent + strspn(parent, "/"), id);
	if (str_empty(parent))
		parent = "/berth";
	return xasprintf("%s%s/%s", parent[0] == '/' ? "" : "/", parent, id);
}

/*
 * docker opens low ports and ping to every user of a private network namespace; a user's own
 * --sysctl wins.
 */
static void build_sysctls(const struct container_config *c, struct oci_linux *ret)
{
	static const struct oci_pair defaults[] = {
		{ "net.ipv4.ip_unprivileged_port_start", "0" },
		{ "net.ipv4.ping_group_range", "0 2147483647" },
	};
	struct oci_pair *list =
		arena_alloc(c->arena, (c->n_sysctls + ARRAY_SIZE(defaults) + 1) * sizeof(*list));
	/* groups that a user namespace lacks cannot be given ping: ranges are all or nothing */
	size_t n_defaults = c->ids == IDMAP_ALL ? ARRAY_SIZE(defaults) : 1;
	size_t n;

	for (n = 0; n < c->n_sysctls; n++)
		list[n] = c->sysctls[n];
	for (size_t i = 0; c->ns[OCI_NS_NET].kind == NAMESPACE_PRIVATE && i < n_defaults; i++) {
		size_t k = 0;

		while (k < c->n_sysctls && !str_eq(c->sysctls[k].key, defaults[i].key))
			k++;
		if (k == c->n_sysctls)
			list[n++] = defaults[i];
	}
	ret->sysctl = list;
	ret->n_sysctl = n;
}

static void build_linux(const struct container_config *c, struct oci_linux *ret)
{
	cleanup_free char *cgroups_path =
		spec_cgroups_path(c->options->cgroup_parent, c->id, c->ids != IDMAP_ALL);

	spec_build_namespaces(c, ret);
	spec_build_resources(c, &ret->resources);
	build_sysctls(c, ret);
	if (c->ids == IDMAP_ALL) { /* else they are mounts: add_devices() */
		ret->devices = c->devices.nodes;
		ret->n_devices = c->devices.n_nodes;
	}
	/* runc takes a path for a wish, which it fails without rights to fulfil */
	if (c->ids == IDMAP_ALL || !c->options->runtime || !str_empty(c->options->cgroup_parent))
		ret->cgroups_path = arena_strdup(c->arena, cgroups_path);
	ret->seccomp = c->security.seccomp;
	ret->mount_label = c->security.mount_label;
	if (!c->security.unmask_paths) {
		ret->masked_paths = masked_paths;
		ret->n_masked_paths = ARRAY_SIZE(masked_paths);
		ret->readonly_paths = readonly_paths;
		ret->n_readonly_paths = ARRAY_SIZE(readonly_paths);
	}
	for (size_t i = 0; i < c->n_mounts; i++) {
		const char *p = c->mounts[i].propagation;

		/* A mount can only receive or send events if the root does as well. */
		if (str_eq(p, "rshared") || str_eq(p, "shared"))
			ret->rootfs_propagation = "shared";
		else if ((str_eq(p, "rslave") || str_eq(p, "slave")) && !ret->rootfs_propagation)
			ret->rootfs_propagation = "slave";
	}
}

void spec_build(const struct container_config *c, const struct spec_paths *paths,
		const struct user_identity *user, struct oci_spec *ret_spec)
{
	struct oci_process *process = arena_alloc(c->arena, sizeof(*process));
	bool own_uts = c->ns[OCI_NS_UTS].kind == NAMESPACE_PRIVATE;

	*ret_spec = (struct oci_spec){
		.version = SPEC_VERSION,
		.root_path = paths->rootfs,
		.root_readonly = c->options->read_only,
		.process = process,
		.hostname = own_uts ? c->hostname : NULL,
		.domainname = own_uts && *c->domainname ? c->domainname : NULL,
		.annotations = split_pairs(c->arena, c->annotations, c->n_annotations),
		.n_annotations = c->n_annotations,
	};
	spec_build_process(c, paths, user, process);
	spec_build_mounts(c, paths, &ret_spec->mounts, &ret_spec->n_mounts);
	build_linux(c, &ret_spec->linux_);
}
