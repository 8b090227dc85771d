/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Making a container's cgroup, and writing limits:
 *
 *	find	which hierarchies are mounted, where the container's directory lies in each
 *	make	the directories; v2: switch on the controllers above it
 *	plan	the limits (resources.c, pure), which says what is missing before anything is
 *written write	limits and device rules; open what the child needs to enter
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "kernel/cgroupfs.h"
#include "kernel/idmap.h"
#include "oci/spec.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/cgroup/device_list.h"
#include "runtime/cgroup/driver.h"
#include "runtime/cgroup/limits.h"
#include "runtime/cgroup/resources.h"

/* Directories */

static bool is_denied(int r)
{
	return r == -EACCES || r == -EPERM || r == -EROFS;
}

/* Nobody expects limits from a user without rights over cgroups. */
bool cgroup_is_rootless(const struct cgroup *cg)
{
	if (cg->rootless != RUNTIME_ROOTLESS_AUTO)
		return cg->rootless == RUNTIME_ROOTLESS_TRUE;
	return geteuid() != 0 || idmap_own_extent() != IDMAP_ALL;
}

static int make_parents(struct cgroup_node *n, size_t mount_len, struct error *err)
{
	cleanup_free char *path = xstrdup(n->dir);

	for (char *p = path + mount_len + 1; (p = strchr(p, '/')); p++) {
		int r;

		*p = '\0';
		r = mkdir(path, 0755) < 0 ? -errno : 0;
		if (r < 0 && r != -EEXIST)
			return error_num(err, -r, "cannot make cgroup '%s'", path);
		/* also one that was there: another engine's cpuset may be empty */
		r = r == 0 || cgroupfs_list_has(n->controllers, "cpuset")
			    ? n->driver->prepare(path, r == 0, err)
			    : 0;
		if (r < 0)
			return r;
		*p = '/';
	}
	return 0;
}

/* A directory that is there already must be empty: two containers in one would kill each other. */
static int check_unused(const struct cgroup_node *n, struct error *err)
{
	cleanup_free char *procs = path_join(n->dir, "cgroup.procs");
	char first[32];
	ssize_t r = cgroupfs_read(AT_FDCWD, procs, first, sizeof(first));

	if (r > 0) {
		(void)error_kind(err, ERROR_CONFLICT, "cgroup '%s' is in use by other processes",
				 n->dir);
		return -EBUSY;
	}
	return 0;
}

static int make_node(struct cgroup_node *n, bool adopted, struct error *err)
{
	size_t mount_len = strlen(n->mount_point);
	int r = mkdir(n->dir, 0755) < 0 ? -errno : 0;

	if (r == -ENOENT) {
		r = make_parents(n, mount_len, err);
		if (r < 0)
			return r;
		r = mkdir(n->dir, 0755) < 0 ? -errno : 0;
	}
	if (r == -EEXIST) {
		r = adopted ? 0 : check_unused(n, err);
		if (r < 0)
			return r;
	} else if (r < 0) {
		return error_num(err, -r, "cannot make cgroup '%s'", n->dir);
	} else {
		n->created = true;
	}
	if (cgroupfs_list_has(n->controllers, "cpuset") && !n->driver->v2) {
		r = n->driver->prepare(n->dir, false, err);
		if (r < 0)
			return r;
	}
	n->dir_fd = open(n->dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (n->dir_fd < 0)
		return error_sys(err, "cannot open cgroup '%s'", n->dir);
	return 0;
}

/* Controllers of v2 */

/* The file's words with commas between them; "" if it cannot be read. Heap. */
char *cgroup_read_controllers(const char *dir)
{
	cleanup_free char *path = path_join(dir, "cgroup.controllers");
	char text[512];

	if (cgroupfs_read(AT_FDCWD, path, text, sizeof(text)) < 0)
		return xstrdup("");
	for (char *p = text; *p; p++)
		if (*p == ' ')
			*p = ',';
	return xstrdup(text);
}

static bool lists_all(const char *have, const char *wanted)
{
	cleanup_with(strv_free) char **words = strv_split(wanted, ",", false);

	for (size_t i = 0; i < strv_len(words); i++)
		if (!cgroupfs_list_has(have, words[i]))
			return false;
	return true;
}

/* Switch controllers on for the children of dir. One that cannot be is missed by who needs it. */
static void enable_in(const char *dir, const char *wanted)
{
	cleanup_free char *path = path_join(dir, "cgroup.subtree_control");
	cleanup_with(strv_free) char **words = strv_split(wanted, ",", false);
	cleanup_buf struct buf all = { 0 };
	int r;

	for (size_t i = 0; i < strv_len(words); i++)
		buf_printf(&all, "%s+%s", i ? " " : "", words[i]);
	r = file_poke(AT_FDCWD, path, buf_str(&all));
	/* EBUSY: dir has processes of its own. One by one, cpu and pids would be taken, and turn dir
	 * into the root of a threaded tree, in which no container can live. */
	if (r == 0 || r == -EBUSY)
		return;
	for (size_t i = 0; i < strv_len(words); i++) {
		cleanup_free char *one = xasprintf("+%s", words[i]);

		r = file_poke(AT_FDCWD, path, one);
		if (r < 0)
			log_debug("cannot enable '%s' below '%s': %s", words[i], dir, strerror(-r));
	}
}

/* In top, and in what lies between it and dir. */
static void enable_between(const char *top, const char *dir, const char *wanted)
{
	cleanup_free char *path = xstrdup(dir);

	for (char *p = path + strlen(top); p; p = strchr(p + 1, '/')) {
		char saved = *p;

		*p = '\0';
		enable_in(*path ? path : "/", wanted);
		*p = saved;
	}
}

void cgroup_enable_below(const struct cgroup_node *n, const char *dir)
{
	cleanup_free char *all = cgroup_read_controllers(n->dir);

	if (*all)
		enable_between(n->dir, dir, all);
}

/*
 * The container's directory gets the wanted controllers from above. Usually a neighbour was here
 * before and nothing is to be done.
 */
static void enable_controllers(struct cgroup_node *n, const char *wanted)
{
	if (!*wanted || lists_all(n->controllers, wanted))
		return;
	enable_between(n->mount_point, n->dir, wanted);
	free(n->controllers);
	n->controllers = cgroup_read_controllers(n->dir);
}

/* On a pure v2 host every controller, as docker does: statistics need them too. On a hybrid host
 * only those that v1 does not have and a limit asks for. */
static int enable_for(struct cgroup *cg, const struct oci_resources *resources, bool hybrid)
{
	for (size_t i = 0; i < cg->n; i++) {
		struct cgroup_node *n = &cg->nodes[i];
		cleanup_free char *available = NULL;

		if (!n->driver->v2)
			continue;
		available = cgroup_read_controllers(n->mount_point);
		free(n->controllers);
		n->controllers = *available ? cgroup_read_controllers(n->dir) : xstrdup("");
		if (!hybrid || resources->n_hugepage_limits || resources->n_rdma ||
		    resources->n_unified)
			enable_controllers(n, available);
	}
	return 0;
}

/* Limits */

static int check_devices(const struct oci_resources *resources, struct error *err)
{
	for (size_t i = 0; i < resources->n_devices; i++) {
		const struct oci_device_rule *d = &resources->devices[i];

		if (d->major > UINT32_MAX || d->minor > UINT32_MAX)
			return error_kind(
				err, ERROR_INVALID,
				"linux.resources.devices[%zu]: device number is too large", i);
	}
	return 0;
}

int cgroup_apply_devices(const struct cgroup *cg, const struct oci_resources *resources, bool fresh,
			 struct error *err)
{
	const struct cgroup_node *node = NULL;
	struct device_list list;
	int r = check_devices(resources, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < cg->n; i++) {
		const struct cgroup_node *n = &cg->nodes[i];

		if (cgroupfs_list_has(n->controllers, "devices") || (!node && n->driver->v2))
			node = n;
	}
	if (!node) /* create refuses this to root; a user cannot make device nodes anyway */
		return 0;
	device_list_build(resources->devices, resources->n_devices, &list);
	r = node->driver->set_devices(node, &list, fresh, err);
	device_list_done(&list);
	if (r < 0 && is_denied(r) && cgroup_is_rootless(cg))
		return 0;
	return r;
}

/* Create */

static int locate_nodes(const struct cgroupfs *fs, const char *path, const char *id,
			struct cgroup *cg, struct error *err)
{
	cleanup_free char *own_text = NULL;

	cg->nodes = xrealloc(cg->nodes, (cg->n + fs->n + 1) * sizeof(*cg->nodes));
	if (str_empty(path) || path[0] != '/') {
		int r = file_read(AT_FDCWD, "/proc/self/cgroup", 1u << 20, &own_text, NULL, err);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < fs->n; i++) {
		const struct cgroupfs_hierarchy *h = &fs->h[i];
		cleanup_free char *own = own_text ? cgroupfs_parse_own(own_text, h) : NULL;
		struct cgroup_node *n = &cg->nodes[cg->n++];
		int r;

		*n = (struct cgroup_node){
			.driver = h->v2 ? &cgroup_v2 : &cgroup_v1,
			.controllers = xstrdup(h->controllers),
			.mount_point = xstrdup(h->mount_point),
			.dir_fd = -EBADF,
			.enter_fd = -EBADF,
		};
		r = cgroup_path_resolve(h, own, path, id, &n->path, &n->dir, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static void drop_node(struct cgroup *cg, size_t i)
{
	struct cgroup_node *n = &cg->nodes[i];

	if (n->created)
		(void)rmdir(n->dir); /* made, but of no use to us */
	free(n->controllers);
	free(n->dir);
	free(n->mount_point);
	free(n->path);
	cleanup_close_fd(&n->dir_fd);
	memmove(n, n + 1, (cg->n - i - 1) * sizeof(*n));
	cg->n--;
}

/* For a user without rights: go on with the hierarchies that let us. */
static int make_nodes(struct cgroup *cg, struct error *err)
{
	for (size_t i = 0; i < cg->n;) {
		int r = make_node(&cg->nodes[i], cg->adopted, err);

		if (r == 0)
			r = cg->nodes[i].driver->open_enter(&cg->nodes[i], cg->nodes[i].dir_fd,
							    err);
		if (r == 0) {
			i++;
			continue;
		}
		if (cg->adopted || !is_denied(r) || !cgroup_is_rootless(cg))
			return r;
		log_debug("no rights in cgroup hierarchy '%s'", cg->nodes[i].mount_point);
		drop_node(cg, i);
	}
	return 0;
}

/* One that could be asked for a cgroup. */
static bool has_user_manager(void)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	cleanup_free char *path = dir ? path_join(dir, "systemd/private") : NULL;

	return path && access(path, F_OK) == 0;
}

static int set_up(struct cgroup *cg, const struct oci_resources *resources, size_t n_mounted,
		  struct error *err)
{
	cleanup_cgroup_plan struct cgroup_plan plan = { 0 };
	bool hybrid = !cgroup_is_unified(cg);
	int r = make_nodes(cg, err);

	if (r < 0)
		return r;
	(void)enable_for(cg, resources, hybrid);
	r = cgroup_plan_limits(cg, resources, &plan, err);
	if (r == -EOPNOTSUPP && cg->n < n_mounted) {
		(void)error_prefix(
			err, r,
			"this host delegates no cgroup to the user%s, so limits cannot be "
			"set",
			has_user_manager() ? " here (systemd-run --user --scope -p "
					     "Delegate=yes gives one)"
					   : "");
		err->kind = ERROR_DENIED;
	}
	if (r == 0)
		r = cgroup_write_plan(cg, &plan, NULL, err);
	if (r == 0)
		r = cgroup_apply_devices(cg, resources, true, err);
	return r;
}

int cgroup_locate(const char *path, const char *id, struct cgroup **ret_cgroup, struct error *err)
{
	cleanup_with(cgroup_close) struct cgroup *cg = cgroup_new_empty();
	struct cgroupfs fs;
	int r = cgroupfs_detect(&fs, err);

	if (r < 0)
		return r;
	r = locate_nodes(&fs, path, id, cg, err);
	cgroupfs_done(&fs);
	for (size_t i = 0; i < cg->n && r == 0; i++)
		r = check_unused(&cg->nodes[i], err);
	if (r < 0)
		return r;
	*ret_cgroup = take_ptr(&cg);
	return 0;
}

int cgroup_locate_named(struct cgroup *cg, const char *name, const char *path, const char *id,
			struct error *err)
{
	struct cgroupfs all;
	int r;

	for (size_t i = 0; i < cg->n; i++)
		if (!cg->nodes[i].driver->v2 && cgroupfs_list_has(cg->nodes[i].controllers, name))
			return 0;
	r = cgroupfs_detect_all(&all, err);
	if (r < 0)
		return r;
	r = error_kind(err, ERROR_UNSUPPORTED,
		       "this host has no hierarchy of cgroup v1 called '%s' (mount -t cgroup -o "
		       "none,%s cgroup DIRECTORY makes one)",
		       name, name);
	for (size_t i = 0; i < all.n && r < 0; i++) {
		const struct cgroupfs one = { .h = &all.h[i], .n = 1 };

		if (!all.h[i].v2 && str_eq(all.h[i].controllers, name)) {
			r = locate_nodes(&one, path, id, cg, err);
			break;
		}
	}
	cgroupfs_done(&all);
	return r < 0 ? r : check_unused(&cg->nodes[cg->n - 1], err);
}

int cgroup_make(struct cgroup *cg, const struct oci_resources *resources, struct error *err)
{
	int r = set_up(cg, resources, cg->n, err);

	if (r >= 0)
		return 0;
	for (size_t i = 0; i < cg->n; i++)
		if (cg->nodes[i].created)
			(void)cgroup_tree_remove(cg->nodes[i].dir); /* keep the failure */
	return r;
}
