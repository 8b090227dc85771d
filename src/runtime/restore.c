/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A container out of files that `checkpoint` wrote: everything of a creation up to its process,
 * which criu makes, as a child of ours (--restore-sibling) and in the container's cgroup.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"
#include "codec/json.h"
#include "oci/spec.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/creation.h"
#include "runtime/criu.h"
#include "runtime/runtime.h"
#include "runtime/statedir.h"

#define ROOT_MOUNT "criu-root"
#define PID_FILE   "restore.pid"

/* LIMIT: hooks would have to run in the middle of criu's work, which takes its RPC protocol. */
static int refuse_unsupported(const struct oci_spec *spec, struct error *err)
{
	static const enum oci_ns joined[] = { OCI_NS_USER,  OCI_NS_IPC,	   OCI_NS_UTS,
					      OCI_NS_MOUNT, OCI_NS_CGROUP, OCI_NS_TIME };
	const struct oci_hooks *h = &spec->hooks;

	if (spec->process && spec->process->terminal)
		return error_kind(err, ERROR_UNSUPPORTED,
				  "not supported yet: restore of a container with a terminal");
	if (h->n[OCI_HOOK_PRESTART] || h->n[OCI_HOOK_CREATE_RUNTIME] ||
	    h->n[OCI_HOOK_CREATE_CONTAINER] || h->n[OCI_HOOK_START_CONTAINER])
		return error_kind(err, ERROR_UNSUPPORTED,
				  "not supported yet: restore of a container with hooks");
	if (spec->linux_.n_net_devices || spec->linux_.has_intel_rdt)
		return error_kind(err, ERROR_UNSUPPORTED,
				  "not supported yet: restore of a container with linux.netDevices "
				  "or linux.intelRdt");
	for (size_t i = 0; i < ARRAY_SIZE(joined); i++)
		if (spec->linux_.namespaces[joined[i]].path)
			return error_kind(err, ERROR_UNSUPPORTED,
					  "not supported yet: restore into '%s'",
					  spec->linux_.namespaces[joined[i]].path);
	return 0;
}

static bool is_directory(const struct mount_op *op)
{
	struct stat st;

	return op->kind == MOUNT_OP_FS || stat(op->source, &st) < 0 || S_ISDIR(st.st_mode);
}

/* Is there something mounted above op's destination before? Then the rootfs does not matter. */
static bool is_covered(const struct mount_plan *plan, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		const char *below = str_after(plan->ops[index].dest, plan->ops[i].dest);

		if (plan->ops[i].kind == MOUNT_OP_FS && below && *below == '/')
			return true;
	}
	return false;
}

static int make_mount_point(int root_fd, const struct mount_op *op, struct error *err)
{
	cleanup_free char *parent = xstrndup(op->dest, (size_t)(path_base(op->dest) - op->dest));
	cleanup_fd int fd = -EBADF;
	int r;

	if (is_directory(op))
		return path_mkdir_in_root(root_fd, op->dest, 0755, NULL, err);
	r = path_mkdir_in_root(root_fd, parent, 0755, NULL, err);
	if (r < 0)
		return r;
	fd = path_open_in_root(root_fd, op->dest, O_CREAT | O_RDONLY | O_NONBLOCK, 0644);
	return fd < 0 && fd != -EACCES ? error_num(err, -fd, "cannot make '%s'", op->dest) : 0;
}

/* criu only mounts: on another copy of the image nothing has made them yet. */
static int make_mount_points(const struct creation *c, struct error *err)
{
	cleanup_fd int root_fd = open(c->plan.rootfs_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	if (root_fd < 0)
		return error_sys(err, "cannot open rootfs '%s'", c->plan.rootfs_path);
	for (size_t i = 0; i < c->plan.n && r >= 0; i++) {
		const struct mount_op *op = &c->plan.ops[i];

		if ((op->kind == MOUNT_OP_FS || op->kind == MOUNT_OP_BIND) &&
		    !is_covered(&c->plan, i))
			r = make_mount_point(root_fd, op, err);
	}
	return r;
}

static void add_mounts(const struct creation *c, struct criu_call *call)
{
	criu_add_value(call, "--external", "mnt[/dev/null]:/dev/null");
	for (size_t i = 0; i < c->plan.n; i++) {
		const struct mount_op *op = &c->plan.ops[i];
		cleanup_free char *value = NULL;
		bool bound_node = op->kind == MOUNT_OP_DEVICE && (op->flags & MOUNT_OP_F_BIND_NODE);

		if (op->kind != MOUNT_OP_BIND && !bound_node)
			continue;
		value = xasprintf("mnt[%s]:%s", op->dest, op->source);
		criu_add_value(call, "--external", value);
	}
}

static void add_inherited(struct criu_call *call, int fd, const char *key)
{
	cleanup_free char *value = xasprintf("fd[%d]:%s", fd, key);

	criu_add_value(call, "--inherit-fd", value);
}

static void add_namespaces(const struct creation *c, struct criu_call *call)
{
	static const struct {
		enum oci_ns ns;
		const char *key;
	} rows[] = { { OCI_NS_NET, CRIU_EXTERNAL_NET }, { OCI_NS_PID, CRIU_EXTERNAL_PID } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		call->keep_fds[i] = c->namespaces.join_fd[rows[i].ns];
		if (call->keep_fds[i] > 0)
			add_inherited(call, call->keep_fds[i], rows[i].key);
	}
}

/* Our 0, 1 and 2 in the place of those it had. */
static int add_descriptors(struct criu_call *call, struct arena *arena, struct error *err)
{
	const char *images = call->argv[3]; /* criu_call_init() put it there */
	cleanup_free char *path = path_join(images, CRIU_DESCRIPTORS_FILE);
	cleanup_free char *text = NULL;
	const struct json *doc, *v;
	const char *name;
	size_t len;
	int fd = 0;
	int r = file_read(AT_FDCWD, path, 1u << 20, &text, &len, err);

	if (r >= 0)
		r = json_parse(text, len, arena, &doc, err);
	if (r < 0)
		return error_prefix(err, r, "'%s' is not a checkpoint", images);
	json_foreach(v, doc) {
		r = json_to_string(v, &name, err);
		if (r < 0)
			return error_prefix(err, r, "'%s'", path);
		if (fd < CRIU_DESCRIPTORS && (str_after(name, "pipe:") || str_after(name, "file[")))
			add_inherited(call, fd, name);
		fd++;
	}
	return 0;
}

/* Limits are ours (cgroup_make()); criu puts tasks of sub-cgroups in their places below. */
static void add_cgroups(const struct creation *c, struct criu_call *call)
{
	for (size_t i = 0; i < c->cgroup->n; i++) {
		const struct cgroup_node *n = &c->cgroup->nodes[i];
		cleanup_free char *value = cgroup_node_is_v2(n)
						   ? xstrdup(n->path)
						   : xasprintf("%s:%s", n->controllers, n->path);

		criu_add_value(call, "--cgroup-root", value);
	}
}

static int fill_call(struct creation *c, const struct runtime_criu_options *o, const char *dir,
		     struct criu_call *call, struct error *err)
{
	cleanup_free char *pid_file = path_join(dir, PID_FILE);
	int r = criu_call_init(call, "restore", o, err);

	call->log_name = "restore.log";
	call->cgroup = c->cgroup;
	call->rootfs_path = c->plan.rootfs_path;
	if (r < 0)
		return r;
	criu_add_value(call, "--log-file", call->log_name);
	criu_add(call, "--restore-detached");
	criu_add(call, "--restore-sibling");
	criu_add_value(call, "--pidfile", pid_file);
	criu_add_value(call, "--root", call->root_mount_path);
	criu_add(call, "--evasive-devices");
	if (o->lsm_profile)
		criu_add_value(call, "--lsm-profile", o->lsm_profile);
	if (o->lsm_mount_context)
		criu_add_value(call, "--lsm-mount-context", o->lsm_mount_context);
	add_cgroups(c, call);
	add_mounts(c, call);
	add_namespaces(c, call);
	return add_descriptors(call, c->spec->arena, err);
}

static int take_pid(struct creation *c, struct error *err)
{
	cleanup_free char *text = NULL;
	int r = file_read(c->container->dir_fd, PID_FILE, 64, &text, NULL, err);

	if (r < 0)
		return r;
	c->pid = (pid_t)strtol(text, NULL, 10);
	c->pidfd = proc_open(c->pid);
	(void)unlinkat(c->container->dir_fd, PID_FILE, 0); /* delete would find it, too */
	if (c->pidfd < 0)
		return error_num(err, -c->pidfd, "cannot open restored process %d", (int)c->pid);
	return 0;
}

static int restore(struct creation *c, const struct runtime_criu_options *o, struct error *err)
{
	__attribute__((cleanup(criu_call_done))) struct criu_call call = { 0 };
	cleanup_free char *joined = path_join(c->container->root_path, c->container->id);
	cleanup_free char *dir = realpath(joined, NULL); /* --root may be relative */
	cleanup_free char *mount_path = dir ? path_join(dir, ROOT_MOUNT) : NULL;
	int r;

	if (!dir || mkdir(mount_path, 0700) < 0)
		return error_sys(err, "cannot make a mount point in '%s'", joined);
	r = make_mount_points(c, err);
	if (r < 0)
		return r;
	call.root_mount_path = mount_path;
	r = fill_call(c, o, dir, &call, err);
	if (r >= 0)
		r = criu_run(&call, err);
	(void)rmdir(mount_path); /* in our mount namespace it is only a directory */
	return r < 0 ? r : take_pid(c, err);
}

int runtime_restore(const struct runtime_create_options *o, const struct runtime_criu_options *criu,
		    pid_t *ret_pid, int *ret_pidfd, struct error *err)
{
	struct creation c;
	int r = creation_prepare(o, &c, err);

	if (r >= 0)
		r = refuse_unsupported(c.spec, err);
	if (r >= 0)
		r = restore(&c, criu, err);
	if (r >= 0)
		r = creation_record(&c, err);
	return creation_finish(&c, r, ret_pid, ret_pidfd, err);
}
