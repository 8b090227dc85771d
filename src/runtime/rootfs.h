/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The file system of a container: rootfs_plan() turns a configuration into an array of operations
 * without touching anything, mount_apply() executes one of them in the container's mount namespace.
 * Whoever prints the plan sees what will be mounted, made and masked, in order.
 *
 * Destinations are resolved beneath the rootfs's fd, one at a time, after everything before them is
 * in place: a symlink in an image leads inside the image or nowhere.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/error.h"
#include "base/macro.h"
#include "oci/spec.h"
#include "runtime/mount_option.h"

struct arena;
struct buf;
struct cgroup;
struct mount_idmap;

enum mount_op_kind {
	MOUNT_OP_ROOT_BIND, /* the rootfs: a bind of source */
	MOUNT_OP_ROOT_FS,   /* the rootfs: a new file system of fs_type ("overlay") */
	MOUNT_OP_FS,	    /* a new file system of fs_type */
	MOUNT_OP_BIND,	    /* a bind of source */
	MOUNT_OP_REMOUNT,   /* attributes of the mount that is at dest */
	MOUNT_OP_DIR,	    /* a directory */
	MOUNT_OP_DEVICE,    /* a device node, or a bind of the host's where nodes are not allowed */
	MOUNT_OP_SYMLINK,   /* dest -> source */
	MOUNT_OP_READ_ONLY, /* a path made read-only */
	MOUNT_OP_MASK,	    /* a path hidden */
	MOUNT_OP_SEAL,	    /* the mount at dest becomes read-only after all is in place */
};

enum mount_op_flag {
	MOUNT_OP_F_OPTIONAL = 1 << 0,	/* dest that is not there: nothing to do */
	MOUNT_OP_F_NO_SYMLINK = 1 << 1, /* no component of dest may be a symlink */
	MOUNT_OP_F_USER = 1 << 2,	/* asked for by mounts[]: rules about /proc apply */
	MOUNT_OP_F_PROC = 1 << 3,	/* a bind that must turn out to be procfs */
	MOUNT_OP_F_BIND_NODE = 1 << 4,	/* DEVICE: bind, do not mknod */
	MOUNT_OP_F_SAME_LINK = 1 << 5,	/* SYMLINK: one that is there must be the same */
	MOUNT_OP_F_LATE = 1 << 6,	/* source is made while init waits: opened by init */
};

struct mount_op {
	enum mount_op_kind kind;
	unsigned flags;
	const char *dest;   /* absolute, clean, in the container */
	const char *source; /* host path, symlink target, or the name of the source */
	const char *fs_type;
	const char *
		host_path; /* FS of a namespace of the host: bound if a new one is denied; or NULL */
	int source_fd;	   /* >= 0: a detached mount made by the parent; wins over source */
	size_t entry;	   /* of mounts[], from 1: for messages; 0: not listed there */
	struct mount_options options;
	const char *label; /* FS: SELinux label of its root, where it takes no "context"; or NULL */
	const struct mount_idmap *idmap; /* BIND: whose ids stand for which; or NULL */
	mode_t mode;			 /* DEVICE, DIR */
	dev_t device;
	uid_t uid;
	gid_t gid;
};

struct mount_plan {
	struct arena *arena;
	struct mount_op *ops;
	size_t n, capacity;
	bool root_readonly;
	bool needs_creator;	 /* some sources can only be opened by mount_plan_prepare() */
	const char *rootfs_path; /* absolute */
	uint64_t propagation;	 /* of "/", MS_SHARED ... with MS_REC where it applies */
};

/* What the plan depends on besides the document. */
struct mount_plan_input {
	const struct oci_spec *spec;
	const char *bundle_path;     /* absolute */
	const struct cgroup *cgroup; /* of the container */
	bool user_namespace;	     /* device nodes must be bound, sources opened by the parent */
	bool own[OCI_NS_COUNT];	     /* a namespace with a path that is the runtime's own */
	bool running;		     /* the container is there already */
};

/*
 * Errors   ERROR_INVALID, ERROR_UNSUPPORTED naming the field by its path
 */
int rootfs_plan(const struct mount_plan_input *in, struct mount_plan *ret, struct error *err);
void mount_plan_done(struct mount_plan *p);
#define cleanup_mount_plan __attribute__((cleanup(mount_plan_done)))

/*
 * in->spec->mounts alone, for a container that runs: destinations are beneath its root as it is now.
 */
int rootfs_plan_mounts(const struct mount_plan_input *in, struct mount_plan *ret,
		       struct error *err);
/* path_clean() of a destination into the arena, from "/" if it is relative. */
const char *mount_destination(struct arena *arena, const char *path);

/* One line an operation. */
void mount_plan_format(const struct mount_plan *p, struct buf *out);

/*
 * In the parent, for a child in a new user namespace: sources that the child's ids may not reach
 * are opened here as detached mounts.
 */
int mount_plan_open_sources(struct mount_plan *p, struct error *err);

/*
 * In the parent, where p->needs_creator: id-mapped sources become detached mounts with their ids
 * mapped, sources that are symlinks to be copied become symlinks.
 *
 * userns_fd  of the container, for mounts that take its mapping and it is not made by us; or -EBADF
 * Errors     name the field: "mounts[2]: ..."
 */
int mount_plan_prepare(struct mount_plan *p, int userns_fd, struct error *err);

/* mount_foreign.c */

/* Is a bind's source what another process sees, /proc/PID/root/...? Then only the creator can open it. */
bool mount_source_is_foreign(const char *source);
/* Such a source as a detached mount, resolved beneath the process's root, in its mount namespace. */
int mount_clone_foreign(const struct mount_op *op, int *ret_mount_fd, struct error *err);

/* mount_idmap.c */

/*
 * Does mounts[i], planned as op, ask for mapped ids? Then op->idmap says which.
 * Errors   ERROR_INVALID naming the field
 */
int mount_idmap_plan(const struct mount_plan_input *in, const struct oci_mount *m, size_t i,
		     struct mount_plan *p, struct mount_op *op, struct error *err);
/* ERROR_DENIED: this caller cannot make them. */
int mount_idmap_check(const struct mount_op *op, struct error *err);
/* Map the ids of the detached mounts of all operations that ask for it. */
int mount_idmap_apply(const struct mount_plan *p, int userns_fd, struct error *err);

/* Bind op->host_path instead of a new file system. */
void mount_op_bind_host(struct mount_op *op);

/* Appends an operation; the strings must live as long as the plan. */
struct mount_op *mount_plan_add(struct mount_plan *p, enum mount_op_kind kind, const char *dest);

/* Parts of the plan that have files of their own. */

/* device.c: /dev nodes and links, linux.devices */
int device_plan(const struct mount_plan_input *in, struct mount_plan *p, struct error *err);
/* mask.c: linux.readonlyPaths, linux.maskedPaths */
int mask_plan(const struct mount_plan_input *in, struct mount_plan *p, struct error *err);
/* linux.mountLabel onto a new file system. */
void mount_op_set_label(const struct mount_plan_input *in, struct mount_plan *p,
			struct mount_op *op);
/* cgroup_mount.c: a mount of type cgroup, or of any type in whose place an annotation wants it */
bool cgroup_mount_is_forced(const struct mount_plan_input *in, const char *dest);
int cgroup_mount_plan(const struct mount_plan_input *in, const char *dest,
		      const struct mount_options *o, struct mount_plan *p, struct error *err);

/* Execution, in the child. Heap memory only where a missing directory must be made. */

struct mounter {
	const char *rootfs_path; /* host directory of the rootfs; borrowed */
	int root_fd;		 /* of the new rootfs, once it is mounted; else -EBADF */
	int null_fd;		 /* the host's /dev/null, verified; -EBADF until needed */
	int empty_fd;  /* a read-only tmpfs without files, to hide directories; -EBADF until needed
			*/
	int parent_fd; /* directory of the last node or link made: most are in /dev; or -EBADF */
	const char *parent_path; /* its path is the first parent_len bytes of this */
	size_t parent_len;
	int *attached; /* gets a copy of the fd of each mount made; NULL: nobody asks */
	size_t n_attached;
	bool on_host; /* no mount namespace: the rootfs is attached to its own directory */
};

/* op->source as a detached mount. */
int mount_op_open_source(const struct mount_op *op, int *ret_fd, struct error *err);

void mounter_init(struct mounter *m, const char *rootfs_path);
void mounter_done(struct mounter *m);

/*
 * Execute one operation.
 * Errors   the message names dest; nothing is mounted on failure
 */
int mount_apply(struct mounter *m, const struct mount_op *op, struct error *err);
/* Puts the field that the operation comes from in front of the error; returns r, which is < 0. */
int mount_op_error(const struct mount_op *op, int r, struct error *err);

/* Open op->dest O_PATH, as the container will see it. -errno, no text. */
int mounter_open(const struct mounter *m, const struct mount_op *op);
/* The directory that holds op->dest, made if missing; *ret_name is the last part. Borrowed fd. */
int mounter_open_parent(struct mounter *m, const struct mount_op *op, const char **ret_name,
			struct error *err);
/* op->dest as a mount point of the kind that source_mode says, made if missing. */
int mounter_open_target(struct mounter *m, const struct mount_op *op, mode_t source_mode,
			int *ret_fd, struct error *err);
/* The host's /dev/null, verified. Borrowed fd or -errno. */
int mounter_null_fd(struct mounter *m, struct error *err);
/* Attach and set the propagation that the options ask for. */
int mounter_attach(struct mounter *m, const struct mount_op *op, int mount_fd, int dest_fd,
		   struct error *err);

/* overlay.c: the options of overlayfs, however many layers and however old the kernel.
 * Returns 0, or 1: the mount is attached on fallback_path already (and ret_mount_fd is its root).
 */
int overlay_mount(const struct mount_op *op, const char *fallback_path, int *ret_mount_fd,
		  struct error *err);

/* mask.c */
int mask_apply(struct mounter *m, const struct mount_op *op, struct error *err);
int read_only_apply(struct mounter *m, const struct mount_op *op, struct error *err);
/* device.c */
int device_apply(struct mounter *m, const struct mount_op *op, struct error *err);
int symlink_apply(struct mounter *m, const struct mount_op *op, struct error *err);

/* pivot.c */

enum pivot_way {
	PIVOT_ROOT,
	PIVOT_FROM_CHROOT, /* as pivot_prepare() found out */
	PIVOT_NOT,	   /* a chroot instead: the host's root is a ramfs */
};

/*
 * Before any mount: cut the new mount namespace off the host's.
 *
 * propagation     MS_... | MS_REC; 0: slave
 * proc_fd         the host's /proc
 * ret_chrooted    the caller's root is not that of the namespace
 */
int pivot_prepare(uint64_t propagation, int proc_fd, bool *ret_chrooted, struct error *err);
/* Attach the new rootfs where pivot_into() can reach it. */
int pivot_attach_root(int root_fd, struct error *err);
/*
 * Move it to its own directory, where a createContainer hook looks for the container's files, until
 * pivot_attach_root() takes it back. 0 or -errno: in a user namespace the path may be out of reach.
 */
int pivot_show_root(int root_fd, const char *rootfs_path);
/* Make the mounter's root the root and current directory of the caller, the host's gone. */
int pivot_into(int root_fd, int proc_fd, enum pivot_way way, struct error *err);
