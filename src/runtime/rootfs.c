/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The plan of a container's file system. The order of the rows:
 *
 *	rootfs        everything else lies beneath it
 *	mounts[]      as listed: later ones may cover or lie inside earlier ones
 *	devices       after the mounts, as /dev usually is one
 *	read-only     before masks, so that the copies carry no mask away
 *	masks
 *	seal          read-only tmpfs and rootfs: only now nothing has to be made in them
 */

#include "runtime/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/spec.h"
#include "runtime/annotation.h"

struct mount_op *mount_plan_add(struct mount_plan *p, enum mount_op_kind kind, const char *dest)
{
	struct mount_op *op;

	p->ops = array_grow(p->ops, p->n, &p->capacity, sizeof(*p->ops));
	op = &p->ops[p->n++];
	*op = (struct mount_op){ .kind = kind, .dest = dest, .source_fd = -EBADF };
	return op;
}

void mount_plan_done(struct mount_plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		cleanup_close_fd(&p->ops[i].source_fd);
	free(p->ops);
	p->arena = arena_free(p->arena);
	*p = (struct mount_plan){ 0 };
}

/* path_clean() into the arena. A relative destination is one from "/" (runtime-spec before 1.2). */
const char *mount_destination(struct arena *arena, const char *path)
{
	cleanup_free char *absolute = path_join("/", path);
	cleanup_free char *clean = path_clean(absolute);

	return arena_strdup(arena, clean);
}

/* Relative host paths in a configuration start at the bundle. */
static const char *host_path(struct arena *arena, const char *bundle_path, const char *path)
{
	cleanup_free char *joined = NULL;

	if (path[0] == '/')
		return path;
	joined = path_join(bundle_path, path);
	return arena_strdup(arena, joined);
}

/*
 * What may be mounted inside /proc: files that tools like lxcfs replace. Everything else there
 * could lead our own writes to attr/, sys/ and the masks astray (CVE-2019-16884, CVE-2019-19921).
 */
static const char *const proc_files[] = {
	"/proc/cpuinfo", "/proc/diskstats", "/proc/loadavg",
	"/proc/meminfo", "/proc/net/dev",   "/proc/slabinfo",
	"/proc/stat",	 "/proc/swaps",	    "/proc/sys/kernel/ns_last_pid",
	"/proc/uptime",
};

static int check_proc(struct mount_op *op, size_t i, struct error *err)
{
	const char *below = str_after(op->dest, "/proc");

	if (!below || (*below && *below != '/'))
		return 0;
	if (*below) {
		if (op->kind == MOUNT_OP_BIND &&
		    str_index(proc_files, ARRAY_SIZE(proc_files), op->dest) >= 0)
			return 0;
		return error_kind(err, ERROR_INVALID,
				  "mounts[%zu]: '%s' cannot be mounted inside /proc", i, op->dest);
	}
	if (op->kind == MOUNT_OP_BIND) {
		op->flags |= MOUNT_OP_F_PROC | MOUNT_OP_F_NO_SYMLINK;
		return 0;
	}
	if (op->kind == MOUNT_OP_FS && !str_eq(op->fs_type, "proc"))
		return error_kind(err, ERROR_INVALID,
				  "mounts[%zu]: '/proc' must be of type proc, not '%s'", i,
				  op->fs_type);
	return 0;
}

/*
 * File systems that show a namespace: one that belongs to another user namespace cannot be mounted
 * anew, the host's mount of it is bound instead. If we are in a user namespace ourselves, as an
 * ordinary user's engine is, only the attempt tells.
 */
static const struct {
	const char *fs_type;
	enum oci_ns ns;
	const char *host_path;
} namespace_fs[] = {
	{ "mqueue", OCI_NS_IPC, "/dev/mqueue" },
	{ "proc", OCI_NS_PID, "/proc" },
	{ "sysfs", OCI_NS_NET, "/sys" },
};

static void plan_foreign_namespace(const struct mount_plan_input *in, struct mount_op *op)
{
	for (size_t i = 0; i < ARRAY_SIZE(namespace_fs); i++) {
		enum oci_ns ns = namespace_fs[i].ns;

		if (str_eq(op->fs_type, namespace_fs[i].fs_type) &&
		    (!in->spec->linux_.namespaces[ns].wanted || in->own[ns]))
			op->host_path = namespace_fs[i].host_path;
	}
	if (op->host_path && in->user_namespace)
		mount_op_bind_host(op);
}

void mount_op_bind_host(struct mount_op *op)
{
	op->kind = MOUNT_OP_BIND;
	op->source = op->host_path;
	op->options.bind = op->options.recursive_bind = true;
	op->options.n_params = 0;
}

/* A read-only tmpfs gets its mount points first. */
static void seal_later(struct mount_op *op, struct mount_op *seal)
{
	*seal = (struct mount_op){ .kind = MOUNT_OP_SEAL,
				   .dest = op->dest,
				   .source_fd = -EBADF,
				   .options.set = MOUNT_ATTR_RDONLY };
	op->options.set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
}

/* Options that mean something for one kind of mount only. */
static int check_options(const struct mount_op *op, size_t i, struct error *err)
{
	const struct mount_options *o = &op->options;
	const char *word = o->copy_symlink    ? "copy-symlink"
			   : o->dest_nofollow ? "dest-nofollow"
			   : o->src_nofollow  ? "src-nofollow"
			   : o->fill	      ? "berth.fill"
					      : NULL;

	if (word && op->kind != MOUNT_OP_BIND)
		return error_kind(err, ERROR_INVALID,
				  "mounts[%zu].options: '%s' is for bind mounts", i, word);
	if (o->copy_up && (op->kind != MOUNT_OP_FS || !str_eq(op->fs_type, "tmpfs")))
		return error_kind(err, ERROR_INVALID,
				  "mounts[%zu].options: tmpcopyup is for type tmpfs", i);
	return 0;
}

/* Nothing lies below a new file system: what is asked for all below is for itself. */
static void fold_recursive(struct mount_options *o)
{
	o->set = (o->set & ~o->recursive_clear) | o->recursive_set;
	o->recursive_set = o->recursive_clear = 0;
}

/*
 * Sources that the child cannot open: what another process sees, and "/" with all below it, as that
 * has the container's own root on top of it by then.
 */
static bool needs_creator(const struct mount_op *op)
{
	if (op->kind != MOUNT_OP_BIND)
		return false;
	return mount_source_is_foreign(op->source) ||
	       (op->options.recursive_bind && op->source[strspn(op->source, "/.")] == '\0');
}

static int set_kind(const struct mount_plan_input *in, struct mount_plan *p, struct mount_op *op,
		    const struct oci_mount *m, size_t i, struct error *err)
{
	const struct mount_options *o = &op->options;

	if (o->remount) {
		op->kind = MOUNT_OP_REMOUNT;
	} else if (o->bind || str_eq(m->type, "bind")) {
		op->kind = MOUNT_OP_BIND;
		if (str_empty(m->source))
			return error_kind(err, ERROR_INVALID, "mounts[%zu].source: missing", i);
		op->source = host_path(p->arena, in->bundle_path, m->source);
	} else {
		op->kind = MOUNT_OP_FS;
		if (str_empty(m->type))
			return error_kind(err, ERROR_INVALID, "mounts[%zu].type: missing", i);
		op->fs_type = m->type;
		op->source = m->source ? m->source : m->type;
		if (str_eq(m->type, "proc") || str_eq(m->type, "sysfs"))
			op->flags |= MOUNT_OP_F_NO_SYMLINK; /* CVE-2023-27561 */
		plan_foreign_namespace(in, op);
	}
	if (op->kind == MOUNT_OP_FS)
		fold_recursive(&op->options);
	else /* words of a file system do nothing in a bind: runc and the kernel let them pass */
		op->options.n_params = 0;
	p->needs_creator |= o->copy_symlink || needs_creator(op);
	return check_options(op, i, err);
}

void mount_op_set_label(const struct mount_plan_input *in, struct mount_plan *p,
			struct mount_op *op)
{
	const char *label = in->spec->linux_.mount_label;
	struct mount_options *o = &op->options;
	struct mount_param *params;

	if (str_empty(label) || str_eq(op->fs_type, "proc") || str_eq(op->fs_type, "sysfs"))
		return; /* the policy labels each of their files */
	if (str_eq(op->fs_type, "mqueue")) {
		op->label = label; /* it is mounted by the kernel already, a context would differ */
		return;
	}
	params = arena_alloc(p->arena, (o->n_params + 1) * sizeof(*params));
	for (size_t i = 0; i < o->n_params; i++)
		params[i] = o->params[i];
	params[o->n_params] = (struct mount_param){ annotations_mount_context(in->spec), label };
	o->params = params;
	o->n_params++;
}

/* seals: gets what becomes read-only at last; NULL for a running container, where nothing comes later. */
static int plan_mount(const struct mount_plan_input *in, struct mount_plan *p, size_t i,
		      struct mount_op *seals, size_t *n_seals, struct error *err)
{
	const struct oci_mount *m = &in->spec->mounts[i];
	const char *dest = mount_destination(p->arena, m->destination);
	struct mount_options options;
	struct mount_op *op;
	int r;

	mount_options_parse(m->options, m->n_options, p->arena, &options);
	if (str_eq(dest, "/"))
		return 0; /* the rootfs itself, planned first */
	if (str_eq(m->type, "cgroup") || str_eq(m->type, "cgroup2") ||
	    cgroup_mount_is_forced(in, dest))
		return cgroup_mount_plan(in, dest, &options, p, err);

	op = mount_plan_add(p, MOUNT_OP_FS, dest);
	op->options = options;
	op->flags = MOUNT_OP_F_USER;
	op->entry = i + 1;
	r = set_kind(in, p, op, m, i, err);
	if (r >= 0)
		r = mount_idmap_plan(in, m, i, p, op, err);
	if (r < 0)
		return r;
	if (op->kind == MOUNT_OP_FS)
		mount_op_set_label(in, p, op);
	if (seals && op->kind == MOUNT_OP_FS && str_eq(op->fs_type, "tmpfs") &&
	    (op->options.set & MOUNT_ATTR_RDONLY))
		seal_later(op, &seals[(*n_seals)++]);
	return check_proc(op, i, err);
}

/* The mount that is the rootfs, onto the operation that binds root.path. */
static int plan_root_mount(const struct mount_plan_input *in, struct mount_plan *p,
			   struct mount_op *op, const struct oci_mount *m, struct error *err)
{
	mount_options_parse(m->options, m->n_options, p->arena, &op->options);
	if (op->options.remount)
		return error_kind(err, ERROR_INVALID, "mounts[0]: '/' cannot be remounted");
	if (op->options.bind || str_eq(m->type, "bind")) {
		if (str_empty(m->source))
			return error_kind(err, ERROR_INVALID, "mounts[0].source: missing");
		op->source = host_path(p->arena, in->bundle_path, m->source);
		return mount_idmap_plan(in, m, 0, p, op, err);
	}
	if (str_empty(m->type))
		return error_kind(err, ERROR_INVALID, "mounts[0].type: missing");
	op->kind = MOUNT_OP_ROOT_FS;
	op->fs_type = m->type;
	op->source = m->source ? m->source : m->type;
	fold_recursive(&op->options);
	mount_op_set_label(in, p, op);
	return mount_idmap_plan(in, m, 0, p, op, err);
}

/* root.path, or the mount whose destination is "/". */
static int plan_root(const struct mount_plan_input *in, struct mount_plan *p, struct error *err)
{
	const struct oci_spec *spec = in->spec;
	struct mount_op *op = mount_plan_add(p, MOUNT_OP_ROOT_BIND, "/");
	int r = 0;

	p->rootfs_path = host_path(p->arena, in->bundle_path, spec->root_path);
	op->source = p->rootfs_path;
	op->options.recursive_bind = true;
	for (size_t i = 0; r >= 0 && i < spec->n_mounts; i++) {
		const struct oci_mount *m = &spec->mounts[i];

		if (!str_eq(mount_destination(p->arena, m->destination), "/"))
			continue;
		if (i > 0)
			return error_kind(
				err, ERROR_INVALID,
				"mounts[%zu]: a mount on '/' is the rootfs and must be the first",
				i);
		r = plan_root_mount(in, p, op, m, err);
	}
	if (r < 0)
		return r;
	/* the root becomes read-only at the end: mount points must be made in it */
	p->root_readonly = spec->root_readonly || (op->options.set & MOUNT_ATTR_RDONLY);
	op->options.set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	return 0;
}

static const struct {
	const char *name;
	uint64_t flag;
} propagations[] = {
	{ "private", MS_PRIVATE },	 { "rprivate", MS_PRIVATE | MS_REC },
	{ "shared", MS_SHARED },	 { "rshared", MS_SHARED | MS_REC },
	{ "slave", MS_SLAVE },		 { "rslave", MS_SLAVE | MS_REC },
	{ "unbindable", MS_UNBINDABLE }, { "runbindable", MS_UNBINDABLE | MS_REC },
};

static int plan_propagation(const struct oci_spec *spec, struct mount_plan *p, struct error *err)
{
	const char *word = spec->linux_.rootfs_propagation;

	if (str_empty(word))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(propagations); i++)
		if (str_eq(word, propagations[i].name))
			p->propagation = propagations[i].flag;
	if (!p->propagation)
		return error_kind(err, ERROR_INVALID,
				  "linux.rootfsPropagation: unknown propagation '%s'", word);
	return 0;
}

/*
 * Where the host's mount with the rootfs is shared, so is the bind of it, when "/" was not made a
 * slave: mounts in the container would appear on the host, and pivot_root(2) refuses it. After the
 * pivot it is shared anew.
 */
static void cut_off_root(struct mount_options *o)
{
	if (!o->propagation && !o->recursive_propagation)
		o->recursive_propagation = MS_SLAVE;
}

static int plan_all(const struct mount_plan_input *in, struct mount_plan *p, struct mount_op *seals,
		    struct error *err)
{
	size_t n_seals = 0;
	int r;

	r = plan_propagation(in->spec, p, err);
	if (r >= 0)
		r = plan_root(in, p, err);
	if (r >= 0 && (p->propagation & MS_SHARED))
		cut_off_root(&p->ops[0].options);
	for (size_t i = 0; r >= 0 && i < in->spec->n_mounts; i++)
		r = plan_mount(in, p, i, seals, &n_seals, err);
	if (r >= 0)
		r = device_plan(in, p, err);
	if (r >= 0)
		r = mask_plan(in, p, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n_seals; i++)
		*mount_plan_add(p, MOUNT_OP_SEAL, NULL) = seals[i];
	if (p->root_readonly)
		mount_plan_add(p, MOUNT_OP_SEAL, "/")->options.set = MOUNT_ATTR_RDONLY;
	return 0;
}

int rootfs_plan(const struct mount_plan_input *in, struct mount_plan *ret, struct error *err)
{
	cleanup_mount_plan struct mount_plan p = { .arena = arena_new() };
	struct mount_op *seals;
	int r;

	if (str_empty(in->spec->root_path))
		return error_kind(err, ERROR_INVALID, "root.path: missing");
	seals = arena_alloc(p.arena, (in->spec->n_mounts + 1) * sizeof(*seals));
	r = plan_all(in, &p, seals, err);
	if (r < 0)
		return r;
	*ret = p;
	p = (struct mount_plan){ 0 };
	return 0;
}

int rootfs_plan_mounts(const struct mount_plan_input *in, struct mount_plan *ret, struct error *err)
{
	cleanup_mount_plan struct mount_plan p = { .arena = arena_new() };

	for (size_t i = 0; i < in->spec->n_mounts; i++) {
		const struct oci_mount *m = &in->spec->mounts[i];
		int r;

		if (str_empty(m->destination))
			return error_kind(err, ERROR_INVALID, "mounts[%zu].destination: missing",
					  i);
		if (str_eq(mount_destination(p.arena, m->destination), "/"))
			return error_kind(
				err, ERROR_INVALID,
				"mounts[%zu].destination: the root of a running container "
				"cannot be mounted over",
				i);
		if (str_eq(m->type, "cgroup") || str_eq(m->type, "cgroup2"))
			return error_kind(err, ERROR_UNSUPPORTED,
					  "mounts[%zu].type: '%s' cannot be added to a running "
					  "container",
					  i, m->type);
		r = plan_mount(in, &p, i, NULL, NULL, err);
		if (r < 0)
			return r;
	}
	*ret = p;
	p = (struct mount_plan){ 0 };
	return 0;
}

/*
 * A clone made on the host is shared with the host where its source is, as all is below systemd. The child's would be
 * slaves, after pivot_prepare(): pivot_root(2) refuses a shared root, and mounts would leave the container.
 */
static int cut_off_source(const struct mount_plan *p, int mount_fd, struct error *err)
{
	uint64_t propagation = p->propagation & MS_PRIVATE ? MS_PRIVATE : MS_SLAVE;
	int r = 0;

	if (!(p->propagation & MS_SHARED))
		r = mount_set_attributes(mount_fd, true, 0, 0, propagation, -1);
	return r < 0 ? error_num(err, -r, "cannot set the propagation") : 0;
}

int mount_plan_open_sources(struct mount_plan *p, struct error *err)
{
	for (size_t i = 0; i < p->n; i++) {
		struct mount_op *op = &p->ops[i];
		bool node = op->kind == MOUNT_OP_DEVICE && (op->flags & MOUNT_OP_F_BIND_NODE);
		int r;

		if (op->kind != MOUNT_OP_BIND && op->kind != MOUNT_OP_ROOT_BIND && !node)
			continue;
		if (op->flags & MOUNT_OP_F_LATE)
			continue;
		r = mount_op_open_source(op, &op->source_fd, err);
		if (r >= 0)
			r = cut_off_source(p, op->source_fd, err);
		if (r < 0)
			return mount_op_error(op, r, err);
	}
	return 0;
}

/* A source that is a symlink and shall be copied, not followed. */
static int copy_link(struct mount_plan *p, struct mount_op *op, struct error *err)
{
	char target[PATH_MAX];
	ssize_t n;

	if (op->kind != MOUNT_OP_BIND || !op->options.copy_symlink)
		return 0;
	n = readlink(op->source, target, sizeof(target) - 1);
	if (n < 0)
		return errno == EINVAL ? 0 : error_sys(err, "cannot read '%s'", op->source);
	target[n] = '\0';
	op->kind = MOUNT_OP_SYMLINK;
	op->flags |= MOUNT_OP_F_SAME_LINK;
	op->source = arena_strdup(p->arena, target);
	return 0;
}

int mount_plan_prepare(struct mount_plan *p, int userns_fd, struct error *err)
{
	for (size_t i = 0; i < p->n; i++) {
		struct mount_op *op = &p->ops[i];
		int r = mount_idmap_check(op, err);

		if (r >= 0)
			r = copy_link(p, op, err);
		if (r >= 0 && op->source_fd < 0 && (op->idmap || needs_creator(op)))
			r = mount_op_open_source(op, &op->source_fd, err);
		if (r < 0)
			return r;
	}
	return mount_idmap_apply(p, userns_fd, err);
}

static const char *const kind_names[] = {
	[MOUNT_OP_ROOT_BIND] = "rootfs bind",
	[MOUNT_OP_ROOT_FS] = "rootfs",
	[MOUNT_OP_FS] = "mount",
	[MOUNT_OP_BIND] = "bind",
	[MOUNT_OP_REMOUNT] = "remount",
	[MOUNT_OP_DIR] = "directory",
	[MOUNT_OP_DEVICE] = "device",
	[MOUNT_OP_SYMLINK] = "symlink",
	[MOUNT_OP_READ_ONLY] = "read-only",
	[MOUNT_OP_MASK] = "mask",
	[MOUNT_OP_SEAL] = "seal",
};

void mount_plan_format(const struct mount_plan *p, struct buf *out)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct mount_op *op = &p->ops[i];

		buf_printf(out, "%s %s", kind_names[op->kind], op->dest);
		if (op->fs_type)
			buf_printf(out, " type %s", op->fs_type);
		else if (op->source)
			buf_printf(out, " from %s%s", op->source,
				   op->options.recursive_bind ? " (recursive)" : "");
		if (op->kind == MOUNT_OP_DEVICE)
			buf_printf(out, " mode %o", (unsigned)op->mode);
		if (op->label)
			buf_printf(out, " label %s", op->label);
		if (op->options.set)
			buf_printf(out, " set %#llx", (unsigned long long)op->options.set);
		for (size_t k = 0; k < op->options.n_params; k++) {
			const struct mount_param *param = &op->options.params[k];

			buf_printf(out, " %s%s%s", param->key, param->value ? "=" : "",
				   param->value ? param->value : "");
		}
		buf_putc(out, '\n');
	}
}
