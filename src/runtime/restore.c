/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A container out of files that `checkpoint` wrote: everything of a creation up to its process,
 * which criu makes, as a child of ours and in the container's cgroup. Hooks are those of runc: prestart and
 * createRuntime again, when the namespaces are made; the others are of containers that start.
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
#include "runtime/annotation.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/creation.h"
#include "runtime/criu.h"
#include "runtime/runtime.h"
#include "runtime/statedir.h"
#include "runtime/tty.h"

#define ROOT_MOUNT "criu-root"

/*
 * What criu can join: criu(8) "--join-ns". Of user namespaces it says itself that this is dangerous and not
 * tested; runc passes them on all the same. linux.netDevices are in the images with their namespace: criu makes
 * them anew, if it can.
 */
static int refuse_unsupported(const struct oci_spec *spec, struct error *err)
{
	static const struct {
		enum oci_ns ns;
		const char *name;
	} rows[] = { { OCI_NS_CGROUP, "cgroup" },
		     { OCI_NS_MOUNT, "mount" },
		     { OCI_NS_USER, "user" } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *path = spec->linux_.namespaces[rows[i].ns].path;

		if (path)
			return error_kind(err, ERROR_UNSUPPORTED,
					  "linux.namespaces: cannot restore into the %s namespace "
					  "'%s': criu joins ipc, network, pid, time and uts "
					  "namespaces only (without the path a new one is made)",
					  rows[i].name, path);
	}
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
	criu_add_string(call, CRIU_OPTION_EXTERNAL, "mnt[/dev/null]:/dev/null");
	for (size_t i = 0; i < c->plan.n; i++) {
		const struct mount_op *op = &c->plan.ops[i];
		cleanup_free char *value = NULL;
		bool bound_node = op->kind == MOUNT_OP_DEVICE && (op->flags & MOUNT_OP_F_BIND_NODE);

		if (op->kind != MOUNT_OP_BIND && !bound_node)
			continue;
		value = xasprintf("mnt[%s]:%s", op->dest, op->source);
		criu_add_string(call, CRIU_OPTION_EXTERNAL, value);
	}
}

/* Two were named in the dump, as nothing of them is in it; criu enters the others at our word. */
static void add_namespaces(const struct creation *c, struct criu_call *call)
{
	static const struct {
		enum oci_ns ns;
		const char *key;
	} rows[] = { { OCI_NS_NET, CRIU_EXTERNAL_NET }, { OCI_NS_PID, CRIU_EXTERNAL_PID } },
	  entered[] = { { OCI_NS_IPC, "ipc" }, { OCI_NS_TIME, "time" }, { OCI_NS_UTS, "uts" } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		call->keep_fds[i] = c->namespaces.join_fd[rows[i].ns];
		if (call->keep_fds[i] > 0)
			criu_add_inherited(&call->options, rows[i].key, call->keep_fds[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(entered); i++) {
		const char *path = c->spec->linux_.namespaces[entered[i].ns].path;

		if (path)
			criu_add_joined(&call->options, entered[i].key, path);
	}
}

/* Our 0, 1 and 2 in the place of those it had. */
static int add_descriptors(struct criu_call *call, struct arena *arena, struct error *err)
{
	cleanup_free char *path = path_join(call->images_path, CRIU_DESCRIPTORS_FILE);
	cleanup_free char *text = NULL;
	const struct json *doc, *v;
	const char *name;
	size_t len;
	int fd = 0;
	int r = file_read(AT_FDCWD, path, 1u << 20, &text, &len, err);

	if (r >= 0)
		r = json_parse(text, len, arena, &doc, err);
	if (r < 0)
		return error_prefix(err, r, "'%s' is not a checkpoint", call->images_path);
	json_foreach(v, doc) {
		r = json_to_string(v, &name, err);
		if (r < 0)
			return error_prefix(err, r, "'%s'", path);
		if (fd < CRIU_DESCRIPTORS && (str_after(name, "pipe:") || str_after(name, "file[")))
			criu_add_inherited(&call->options, name, fd);
		fd++;
	}
	return 0;
}

/* Limits are ours (cgroup_make()); criu puts tasks of sub-cgroups in their places below. */
static void add_cgroups(const struct creation *c, struct criu_call *call)
{
	for (size_t i = 0; i < c->cgroup->n; i++) {
		const struct cgroup_node *n = &c->cgroup->nodes[i];

		criu_add_cgroup_root(&call->options, cgroup_node_is_v2(n) ? NULL : n->controllers,
				     n->path);
	}
}

/* systemd wants a process to begin a scope with: criu itself, which makes the others. */
static int place(void *arg, pid_t pid, struct error *err)
{
	struct creation *c = arg;
	int r;

	c->pid = pid;
	r = creation_place_init(c, err);
	c->pid = 0;
	return r;
}

static int run_hooks(struct creation *c, const struct criu_response *response, int fd UNUSED,
		     struct error *err)
{
	/* a child of ours from now on, whatever becomes of criu: undoing a creation ends it */
	c->pidfd = proc_open(response->pid);
	if (c->pidfd < 0)
		return error_num(err, -c->pidfd, "cannot open process %d", (int)response->pid);
	return creation_run_hooks(c, response->pid, err);
}

static int hand_terminal_over(struct creation *c, const struct criu_response *response UNUSED,
			      int fd, struct error *err)
{
	if (c->init.console_fd < 0)
		return error_kind(err, ERROR_INVALID,
				  "the container had a terminal, but process.terminal is not set");
	return tty_send(c->init.console_fd, fd, err);
}

/* Moments of criu's work that are ours, too. */
static int notified(void *arg, const struct criu_response *response, int fd, struct error *err)
{
	static const struct {
		const char *script;
		int (*serve)(struct creation *c, const struct criu_response *response, int fd,
			     struct error *err);
	} rows[] = {
		{ "orphan-pts-master", hand_terminal_over },
		{ "setup-namespaces", run_hooks }, /* they are there, nothing is in them yet */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (str_eq(rows[i].script, response->script))
			return rows[i].serve(arg, response, fd, err);
	return 0;
}

static int fill_call(struct creation *c, const struct runtime_criu_options *o,
		     struct criu_call *call, struct error *err)
{
	int r = criu_call_init(call, CRIU_RESTORE, o, err);

	call->cgroup = c->unit ? NULL : c->cgroup;
	call->rdt = &c->rdt;
	call->rootfs_path = c->plan.rootfs_path;
	call->begin = place;
	call->notify = notified;
	call->arg = c;
	if (r < 0)
		return r;
	criu_add_number(call, CRIU_OPTION_RESTORE_SIBLING, true);
	criu_add_string(call, CRIU_OPTION_ROOT, call->root_mount_path);
	criu_add_number(call, CRIU_OPTION_EVASIVE_DEVICES, true);
	criu_add_number(call, CRIU_OPTION_ORPHAN_PTS_MASTER, true);
	criu_add_string(call, CRIU_OPTION_CONFIG_FILE, annotations_criu_config(c->spec));
	criu_add_string(call, CRIU_OPTION_LSM_PROFILE, o->lsm_profile);
	criu_add_string(call, CRIU_OPTION_LSM_MOUNT_CONTEXT, o->lsm_mount_context);
	add_cgroups(c, call);
	add_mounts(c, call);
	add_namespaces(c, call);
	return add_descriptors(call, c->spec->arena, err);
}

static int take_pid(struct creation *c, pid_t pid, struct error *err)
{
	c->pid = pid;
	if (c->pidfd < 0)
		c->pidfd = proc_open(pid);
	return c->pidfd < 0 ? error_num(err, -c->pidfd, "cannot open restored process %d", (int)pid)
			    : 0;
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
	r = fill_call(c, o, &call, err);
	if (r >= 0)
		r = criu_run(&call, err);
	(void)rmdir(mount_path); /* in our mount namespace it is only a directory */
	return r < 0 ? r : take_pid(c, call.pid, err);
}

int runtime_restore(const struct runtime_create_options *o, const struct runtime_criu_options *criu,
		    pid_t *ret_pid, int *ret_pidfd, struct error *err)
{
	struct creation c;
	int r = creation_prepare(o, &c, err);

	if (r >= 0)
		r = refuse_unsupported(c.spec, err);
	c.restored = true;
	if (r >= 0)
		r = restore(&c, criu, err);
	if (r >= 0)
		r = creation_record(&c, err);
	return creation_finish(&c, r, ret_pid, ret_pidfd, err);
}
