/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The container's cgroup during create and run, by whoever makes cgroups:
 *
 *	manager    before init is made        afterwards, while init waits
 *	cgroupfs   located, noted, made       -
 *	systemd    located, noted             scope started with init in it; moved below, if that
 *	                                      is asked for; limits
 *	disabled   -                          -
 */
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/spec.h"
#include "runtime/annotation.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/cgroup/driver.h"
#include "runtime/cgroup/resources.h"
#include "runtime/cgroup/systemd.h"
#include "runtime/creation.h"
#include "runtime/runtime.h"
#include "runtime/statedir.h"

/* For the state file. */
static void note(struct creation *c)
{
	cleanup_with(strv_free) char **lines = cgroup_format(c->cgroup);
	size_t n = strv_len(lines);
	struct container *k = c->container;
	const char **copy = arena_alloc(k->arena, (n + 1) * sizeof(*copy));

	for (size_t i = 0; i < n; i++)
		copy[i] = arena_strdup(k->arena, lines[i]);
	k->cgroups = copy;
	if (c->unit) {
		k->systemd_unit = arena_strdup(k->arena, c->unit->name);
		k->systemd_user = c->unit->user;
	}
}

static int locate(struct creation *c, const char *path, struct error *err)
{
	int r = cgroup_locate(path, c->options->id, &c->cgroup, err);

	if (r < 0 || !annotations_force_v1(c->spec))
		return r;
	r = cgroup_locate_named(c->cgroup, "name=systemd", path, c->options->id, err);
	return r < 0 ? error_prefix(err, r, "annotation run.oci.systemd.force_cgroup_v1") : 0;
}

static int locate_scope(struct creation *c, struct error *err)
{
	const char *below = annotations_subgroup(c->spec);
	cleanup_free char *scope = NULL, *path = NULL;
	int r = systemd_locate(c->spec->linux_.cgroups_path, c->options->id, &c->unit, &scope, err);

	if (r < 0)
		return r;
	path = path_join(scope, below ? below + (*below == '/') : "");
	r = locate(c, below ? path : scope, err);
	if (r == 0)
		c->cgroup->adopted = true;
	return r;
}

/* Without cgroups a limit would be silently none. */
static void warn_of_limits(const struct oci_resources *resources)
{
	cleanup_cgroup_plan struct cgroup_plan plan = { 0 };
	struct error err = { 0 };

	if (cgroup_plan_resources(resources, NULL, 0, &plan, &err) < 0)
		log_warning("%s: cgroups are disabled", err.msg);
}

int creation_locate_cgroup(struct creation *c, struct error *err)
{
	int r = 0;

	switch (c->options->cgroup_manager) {
	case RUNTIME_CGROUP_SYSTEMD:
		r = locate_scope(c, err);
		break;
	case RUNTIME_CGROUP_DISABLED:
		c->cgroup = cgroup_new_empty();
		warn_of_limits(&c->spec->linux_.resources);
		break;
	default:
		r = locate(c, c->spec->linux_.cgroups_path, err);
		break;
	}
	if (r < 0)
		return r;
	c->cgroup->rootless = c->options->rootless;
	note(c);
	return 0;
}

/* Delegation */

static bool is_writable(const struct oci_mount *m)
{
	bool writable = true;

	for (size_t i = 0; i < m->n_options; i++)
		if (str_eq(m->options[i], "ro") || str_eq(m->options[i], "rro"))
			writable = false;
		else if (str_eq(m->options[i], "rw"))
			writable = true;
	return writable;
}

/* Does the container get its cgroup to write into, in a namespace where it is the root? */
static bool is_delegated(const struct oci_spec *spec)
{
	const struct oci_namespace *ns = &spec->linux_.namespaces[OCI_NS_CGROUP];

	if (!ns->wanted || ns->path || !spec->process)
		return false;
	for (size_t i = 0; i < spec->n_mounts; i++) {
		const struct oci_mount *m = &spec->mounts[i];

		if (str_eq(m->destination, "/sys/fs/cgroup") &&
		    (str_eq(m->type, "cgroup") || str_eq(m->type, "cgroup2")))
			return is_writable(m);
	}
	return false;
}

/* The host's number of the user who will run process.args. false: it has none. */
static bool host_uid(const struct oci_spec *spec, uid_t *ret)
{
	const struct oci_linux *l = &spec->linux_;
	uid_t uid = spec->process->user.uid;

	*ret = uid;
	if (!l->namespaces[OCI_NS_USER].wanted)
		return true;
	for (size_t i = 0; i < l->n_uid_maps; i++) {
		const struct oci_id_map *m = &l->uid_maps[i];

		if (uid < m->container_id || uid - m->container_id >= m->size)
			continue;
		*ret = m->host_id + (uid - m->container_id);
		return true;
	}
	return false;
}

static int delegate(struct creation *c, struct error *err)
{
	uid_t uid;
	int r;

	if (!is_delegated(c->spec) || !host_uid(c->spec, &uid) || uid == geteuid())
		return 0;
	r = cgroup_delegate(c->cgroup, uid, err);
	/* a user owns his cgroups and can give nothing away */
	return r < 0 && err->kind == ERROR_DENIED && cgroup_is_rootless(c->cgroup) ? 0 : r;
}

/* Making */

int creation_make_cgroup(struct creation *c, struct error *err)
{
	size_t n = c->cgroup->n;
	int r;

	if (c->options->cgroup_manager != RUNTIME_CGROUP_FS)
		return 0;
	r = cgroup_make(c->cgroup, &c->spec->linux_.resources, err);
	if (r < 0)
		return r;
	c->has_cgroup = true;
	if (c->cgroup->n != n) /* no rights in some */
		note(c);
	return delegate(c, err);
}

int creation_place_init(struct creation *c, struct error *err)
{
	const struct oci_spec *spec = c->spec;
	int r;

	if (!c->unit)
		return 0;
	r = systemd_start(c->unit, c->pid, c->cgroup, &spec->linux_.resources, spec->annotations,
			  spec->n_annotations, err);
	if (r < 0) /* there may be a unit of this name that is not ours */
		return r;
	c->has_cgroup = true;
	if (annotations_subgroup(spec))
		r = cgroup_place(c->cgroup, c->pid, err);
	if (r == 0)
		r = cgroup_make(c->cgroup, &spec->linux_.resources, err);
	if (r == 0)
		r = cgroup_move(c->cgroup, c->pid, err);
	return r == 0 ? delegate(c, err) : r;
}

/* The container's root, on the host; -1 in the host's user namespace. */
static void host_root(const struct oci_linux *l, uid_t *ret_uid, gid_t *ret_gid)
{
	*ret_uid = (uid_t)-1;
	*ret_gid = (gid_t)-1;
	if (!l->namespaces[OCI_NS_USER].wanted)
		return;
	for (size_t i = 0; i < l->n_uid_maps; i++)
		if (l->uid_maps[i].container_id == 0)
			*ret_uid = l->uid_maps[i].host_id;
	for (size_t i = 0; i < l->n_gid_maps; i++)
		if (l->gid_maps[i].container_id == 0)
			*ret_gid = l->gid_maps[i].host_id;
}

int creation_delegate_below(struct creation *c, struct error *err)
{
	const char *name = annotations_delegate(c->spec);
	uid_t uid;
	gid_t gid;

	if (!name || c->options->cgroup_manager == RUNTIME_CGROUP_DISABLED)
		return 0;
	host_root(&c->spec->linux_, &uid, &gid);
	return cgroup_delegate_below(c->cgroup, name, c->pid, uid, gid, err);
}

void creation_remove_cgroup(struct creation *c)
{
	struct error ignored; /* the first failure is the one to report */

	if (!c->has_cgroup)
		return;
	(void)cgroup_kill(c->cgroup, SIGKILL, &ignored);
	if (c->unit)
		(void)systemd_stop(c->unit, &ignored);
	(void)cgroup_destroy(c->cgroup, &ignored);
	if (c->unit)
		cgroup_remove_scope(c->cgroup, c->unit->name);
}
