/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a container sees in /sys/fs/cgroup: only its own part of each hierarchy, by bind mounts.
 *
 *	v1, hybrid   tmpfs, in it one bind a hierarchy, and a link a controller where several share
 *	             one ("cpu" -> "cpu,cpuacct")
 *	v2           the own directory; with the host's cgroup namespace the whole tree, because
 *	             /proc/self/cgroup then names paths from its top
 *	v1, forced   tmpfs with systemd's hierarchy alone (run.oci.systemd.force_cgroup_v1)
 *	none         (rootless without delegation) the host's tree, read-only
 */

#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/spec.h"
#include "runtime/annotation.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/rootfs.h"

static struct mount_op *add_bind(struct mount_plan *p, const char *source, const char *dest,
				 const struct mount_options *o, bool recursive)
{
	struct mount_op *op = mount_plan_add(p, MOUNT_OP_BIND, dest);

	op->source = arena_strdup(p->arena, source);
	op->flags = MOUNT_OP_F_NO_SYMLINK; /* an image's link could lead it over /proc */
	op->options.bind = true;
	op->options.recursive_bind = recursive;
	op->options.set = o->set;
	op->options.recursive_set = o->recursive_set;
	return op;
}

/* The container's own directory, which systemd makes only when there is an init. */
static void add_node(struct mount_plan *p, const struct cgroup *cg, const struct cgroup_node *n,
		     const char *dest, const struct mount_options *o)
{
	struct mount_op *op = add_bind(p, n->dir, dest, o, false);

	if (cg->adopted)
		op->flags |= MOUNT_OP_F_LATE;
}

/* "cpu" and "cpuacct" for a hierarchy mounted as "cpu,cpuacct". */
static void add_links(struct mount_plan *p, const struct cgroup_node *n, const char *dest,
		      const char *name)
{
	cleanup_with(strv_free) char **controllers = strv_split(n->controllers, ",", false);

	for (size_t i = 0; controllers[i]; i++) {
		if (str_eq(controllers[i], name) || str_after(controllers[i], "name="))
			continue;
		mount_plan_add(p, MOUNT_OP_SYMLINK,
			       arena_printf(p->arena, "%s/%s", dest, controllers[i]))
			->source = arena_strdup(p->arena, name);
	}
}

static void plan_v1(const struct mount_plan_input *in, const char *dest,
		    const struct mount_options *o, const char *only, struct mount_plan *p)
{
	static const struct mount_param params[] = { { "mode", "755" } };
	struct mount_op *op = mount_plan_add(p, MOUNT_OP_FS, dest);
	const struct cgroup *cg = in->cgroup;

	op->fs_type = "tmpfs";
	op->source = "tmpfs";
	op->flags = MOUNT_OP_F_NO_SYMLINK;
	op->options.set = o->set & ~(uint64_t)MOUNT_ATTR_RDONLY;
	op->options.params = params;
	op->options.n_params = ARRAY_SIZE(params);
	mount_op_set_label(in, p, op);
	for (size_t i = 0; i < cg->n; i++) {
		const struct cgroup_node *n = &cg->nodes[i];
		const char *name = only ? str_after(only, "name=") : path_base(n->mount_point);
		const char *at = arena_printf(p->arena, "%s/%s", dest, name);

		if (only && !str_eq(n->controllers, only))
			continue;
		mount_plan_add(p, MOUNT_OP_DIR, at)->mode = 0755;
		add_node(p, cg, n, at, o);
		if (!cgroup_node_is_v2(n))
			add_links(p, n, dest, name);
	}
	if (o->set & MOUNT_ATTR_RDONLY)
		mount_plan_add(p, MOUNT_OP_SEAL, dest)->options.set = MOUNT_ATTR_RDONLY;
}

bool cgroup_mount_is_forced(const struct mount_plan_input *in, const char *dest)
{
	const char *path = annotations_force_v1(in->spec);
	cleanup_free char *clean = path ? path_clean(path) : NULL;

	return str_eq(clean, dest);
}

int cgroup_mount_plan(const struct mount_plan_input *in, const char *dest,
		      const struct mount_options *o, struct mount_plan *p, struct error *err)
{
	const struct cgroup *cg = in->cgroup;
	bool own_namespace = in->spec->linux_.namespaces[OCI_NS_CGROUP].wanted;
	bool unified = cg && cgroup_is_unified(cg);

	if (cg && cg->n && cgroup_mount_is_forced(in, dest)) {
		plan_v1(in, dest, o, "name=systemd", p);
	} else if (!cg || cg->n == 0) {
		struct mount_options read_only = *o;

		read_only.recursive_set |= MOUNT_ATTR_RDONLY;
		add_bind(p, "/sys/fs/cgroup", dest, &read_only, true);
	} else if (unified && own_namespace) {
		add_node(p, cg, cgroup_v2_node(cg), dest, o);
	} else if (unified) {
		add_bind(p, cgroup_v2_node(cg)->mount_point, dest, o, false);
	} else {
		plan_v1(in, dest, o, NULL, p);
	}
	return 0;
}
