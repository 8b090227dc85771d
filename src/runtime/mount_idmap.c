/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Id-mapped mounts: files that the file system holds as id A appear as id B in the mount. The kernel
 * takes the mapping from a user namespace whose uid_map has A inside and B outside, so one is made
 * for as long as it takes to open it:
 *
 *	creator ──clone3(NEWUSER)──▶ holder: waits for the end of a pipe
 *	   writes both maps, opens /proc/HOLDER/ns/user
 *	   closes the pipe ───────▶ gone; the namespace lives on in the mount
 *
 * Only the host's root may map the ids of the host's file systems, so all of this is the creator's.
 * Sources: mount_setattr(2) "ID-mapped mounts"; runtime-spec config.md "Mounts"; crun.1 "idmap mount
 * options" for idmap=uids=A-B-COUNT#...;gids=...
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "kernel/mountapi.h"
#include "kernel/syscall.h"
#include "oci/spec.h"
#include "runtime/namespaces.h"
#include "runtime/rootfs.h"

struct mount_idmap {
	size_t index;	      /* of mounts[] */
	bool container;	      /* that of the user namespace which the container joins */
	struct oci_linux ids; /* only the two maps */
};

/* One "A-B-COUNT"; "@A-B-COUNT": B is an id of the container. */
static int parse_range(char *text, const struct oci_id_map *outer, size_t n_outer,
		       struct oci_id_map *ret)
{
	bool relative = *text == '@';
	char *first = relative ? text + 1 : text;
	char *second = strchr(first, '-');
	char *third = second ? strchr(second + 1, '-') : NULL;

	if (!third)
		return -EINVAL;
	*second++ = *third++ = '\0';
	if (str_to_u32(first, &ret->container_id) < 0 || str_to_u32(second, &ret->host_id) < 0 ||
	    str_to_u32(third, &ret->size) < 0)
		return -EINVAL;
	for (size_t i = 0; relative && i < n_outer; i++) {
		uint32_t offset = ret->host_id - outer[i].container_id;

		if (ret->host_id < outer[i].container_id || offset >= outer[i].size)
			continue;
		ret->host_id = outer[i].host_id + offset;
		return ret->size <= outer[i].size - offset ? 0 : -ERANGE;
	}
	return relative ? -ERANGE : 0;
}

static int parse_ranges(const char *text, const struct oci_id_map *outer, size_t n_outer,
			struct arena *arena, const struct oci_id_map **ret, size_t *ret_n)
{
	cleanup_with(strv_free) char **words = strv_split(text, "#", true);
	size_t n = strv_len(words);
	struct oci_id_map *maps = arena_alloc(arena, (n + 1) * sizeof(*maps));

	for (size_t i = 0; i < n; i++) {
		int r = parse_range(words[i], outer, n_outer, &maps[i]);

		if (r < 0)
			return r;
	}
	*ret = maps;
	*ret_n = n;
	return 0;
}

/* crun's option. */
static int parse_text(const struct mount_plan_input *in, const char *text, struct arena *arena,
		      struct mount_idmap *map, struct error *err)
{
	cleanup_with(strv_free) char **words = strv_split(text, ";", false);
	const struct oci_linux *l = &in->spec->linux_;
	struct oci_linux *ids = &map->ids;
	int r = 0;

	for (size_t i = 0; r == 0 && words && words[i]; i++) {
		const char *uids = str_after(words[i], "uids="),
			   *gids = str_after(words[i], "gids=");

		if (uids)
			r = parse_ranges(uids, l->uid_maps, l->n_uid_maps, arena, &ids->uid_maps,
					 &ids->n_uid_maps);
		else if (gids)
			r = parse_ranges(gids, l->gid_maps, l->n_gid_maps, arena, &ids->gid_maps,
					 &ids->n_gid_maps);
		else
			r = -EINVAL;
	}
	if (r == -ERANGE)
		return error_kind(err, ERROR_INVALID,
				  "mounts[%zu].options: 'idmap=%s' names ids that the container's "
				  "user namespace does not have",
				  map->index, text);
	if (r < 0 || !ids->n_uid_maps || !ids->n_gid_maps)
		return error_kind(err, ERROR_INVALID,
				  "mounts[%zu].options: 'idmap=%s' is not like "
				  "'idmap=uids=0-1000-1;gids=0-1000-1'",
				  map->index, text);
	return 0;
}

static int check_maps(const struct mount_idmap *map, struct error *err)
{
	const struct oci_linux *ids = &map->ids;
	char field[64];
	int r;

	if (!ids->n_uid_maps || !ids->n_gid_maps)
		return error_kind(err, ERROR_INVALID,
				  "mounts[%zu]: an id-mapped mount needs both uidMappings and "
				  "gidMappings",
				  map->index);
	(void)snprintf(field, sizeof(field), "mounts[%zu].uidMappings", map->index);
	r = oci_id_maps_check(field, ids->uid_maps, ids->n_uid_maps, err);
	if (r < 0)
		return r;
	(void)snprintf(field, sizeof(field), "mounts[%zu].gidMappings", map->index);
	return oci_id_maps_check(field, ids->gid_maps, ids->n_gid_maps, err);
}

/* What the container has is taken where the mount names nothing. */
static int take_containers(const struct mount_plan_input *in, struct mount_idmap *map,
			   struct error *err)
{
	const struct oci_linux *l = &in->spec->linux_;

	if (!in->user_namespace)
		return error_kind(
			err, ERROR_INVALID,
			"mounts[%zu].options: idmap needs uidMappings and gidMappings, or "
			"a container with a user namespace",
			map->index);
	map->container = l->namespaces[OCI_NS_USER].path || in->running;
	if (map->container)
		return 0;
	map->ids.uid_maps = l->uid_maps;
	map->ids.n_uid_maps = l->n_uid_maps;
	map->ids.gid_maps = l->gid_maps;
	map->ids.n_gid_maps = l->n_gid_maps;
	return check_maps(map, err);
}

int mount_idmap_plan(const struct mount_plan_input *in, const struct oci_mount *m, size_t i,
		     struct mount_plan *p, struct mount_op *op, struct error *err)
{
	const struct mount_options *o = &op->options;
	bool listed = m->n_uid_maps || m->n_gid_maps;
	struct mount_idmap *map;
	int r;

	if (!o->idmap && !listed)
		return 0;
	if (op->kind != MOUNT_OP_BIND && op->kind != MOUNT_OP_ROOT_BIND)
		return error_kind(err, ERROR_INVALID,
				  "mounts[%zu]: '%s' is not a bind mount, only these can be "
				  "id-mapped",
				  i, m->destination);
	if (listed && o->idmap_text)
		return error_kind(err, ERROR_INVALID,
				  "mounts[%zu].options: 'idmap=%s' beside uidMappings", i,
				  o->idmap_text);
	map = arena_alloc(p->arena, sizeof(*map));
	map->index = i;
	if (listed) {
		map->ids.uid_maps = m->uid_maps;
		map->ids.n_uid_maps = m->n_uid_maps;
		map->ids.gid_maps = m->gid_maps;
		map->ids.n_gid_maps = m->n_gid_maps;
		r = check_maps(map, err);
	} else if (o->idmap_text) {
		r = parse_text(in, o->idmap_text, p->arena, map, err);
		if (r >= 0)
			r = check_maps(map, err);
	} else {
		r = take_containers(in, map, err);
	}
	if (r < 0)
		return r;
	op->idmap = map;
	p->needs_creator = true;
	return 0;
}

/* Application, in the creator */

static void hold(int read_fd, int write_fd)
{
	char c;

	close(write_fd); /* ours would keep the pipe open */
	while (read(read_fd, &c, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

static int make_namespace(const struct oci_linux *ids, int *ret_fd, struct error *err)
{
	struct clone_args args = { .flags = CLONE_NEWUSER | CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
				   .exit_signal = SIGCHLD };
	cleanup_fd int pidfd = -EBADF;
	struct proc_status status;
	struct error ignored;
	char path[64];
	int fds[2], made = -EBADF, r;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_sys(err, "cannot make a pipe");
	args.pidfd = (uint64_t)(uintptr_t)&made;
	pid = sys_clone3(&args);
	if (pid == 0)
		hold(fds[0], fds[1]);
	r = pid < 0 ? error_sys(err, "cannot make a user namespace") : 0;
	pidfd = made;
	if (r >= 0)
		r = idmap_setup(pid, ids, err);
	if (r >= 0) {
		(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
		*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
		if (*ret_fd < 0)
			r = error_sys(err, "cannot open '%s'", path);
	}
	close(fds[0]);
	close(fds[1]);
	if (pid > 0)
		(void)proc_wait(pidfd, &status,
				&ignored); /* it ends by the pipe, whatever it says */
	return r;
}

static bool same_map(const struct oci_id_map *a, size_t n_a, const struct oci_id_map *b, size_t n_b)
{
	return n_a == n_b && memcmp(a, b, n_a * sizeof(*a)) == 0;
}

static bool same_ids(const struct mount_idmap *a, const struct mount_idmap *b)
{
	const struct oci_linux *x = &a->ids, *y = &b->ids;

	return a->container == b->container &&
	       same_map(x->uid_maps, x->n_uid_maps, y->uid_maps, y->n_uid_maps) &&
	       same_map(x->gid_maps, x->n_gid_maps, y->gid_maps, y->n_gid_maps);
}

static int map_ids(const struct mount_op *op, int userns_fd, struct error *err)
{
	int r = mount_set_attributes(op->source_fd, op->options.recursive_idmap, MOUNT_ATTR_IDMAP,
				     0, 0, userns_fd);

	if (r == -EINVAL)
		return error_kind(err, ERROR_UNSUPPORTED,
				  "mounts[%zu]: the file system of '%s' cannot be id-mapped%s",
				  op->idmap->index, op->source,
				  op->options.recursive_idmap ? ", or one that is mounted below"
							      : "");
	if (r < 0)
		return error_num(err, -r, "mounts[%zu]: cannot map the ids of '%s'",
				 op->idmap->index, op->source);
	return 0;
}

int mount_idmap_check(const struct mount_op *op, struct error *err)
{
	if (!op->idmap || geteuid() == 0)
		return 0;
	return error_kind(err, ERROR_DENIED, "mounts[%zu]: only root can make id-mapped mounts",
			  op->idmap->index);
}

int mount_idmap_apply(const struct mount_plan *p, int userns_fd, struct error *err)
{
	const struct mount_idmap *last = NULL; /* pods have many mounts with one mapping */
	cleanup_fd int own_fd = -EBADF;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < p->n; i++) {
		const struct mount_op *op = &p->ops[i];

		if (!op->idmap)
			continue;
		if (!op->idmap->container && !(last && same_ids(last, op->idmap))) {
			cleanup_close_fd(&own_fd);
			own_fd = -EBADF;
			r = make_namespace(&op->idmap->ids, &own_fd, err);
			if (r < 0)
				return error_prefix(err, r, "mounts[%zu].uidMappings, gidMappings",
						    op->idmap->index);
			last = op->idmap;
		}
		r = map_ids(op, op->idmap->container ? userns_fd : own_fd, err);
	}
	return r;
}
