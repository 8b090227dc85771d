/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/join.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "codec/json.h"
#include "engine/document.h"
#include "engine/handle.h"
#include "engine/namespace_mode.h"
#include "engine/spec_build.h"
#include "kernel/cgroupfs.h"
#include "oci/spec.h"
#include "runtime/cgroup/driver.h"
#include "runtime/cgroup/systemd.h"

/* The pid of the running container that namespace ns of the document comes from; 0: none. */
static int joined_pid(struct engine *e, const struct json *document, enum oci_ns ns,
		      struct arena *arena, int *ret_pid, struct error *err)
{
	const char *field = namespace_mode_field(ns), *word = NULL, *id;
	struct record other;
	int r;

	*ret_pid = 0;
	if (!field)
		return 0;
	r = json_get_string(json_get(document, "HostConfig"), field, &word, err);
	if (r < 0)
		return r;
	id = str_after(word, "container:");
	if (!id)
		return 0;
	r = container_find(e, id, arena, &other, err);
	if (r < 0)
		return r;
	if (!record_is_live(&other))
		return error_kind(err, ERROR_CONFLICT,
				  "cannot join %s namespace of a non running container: %s",
				  spec_namespace_file(ns), other.id);
	*ret_pid = other.pid;
	return 0;
}

/*
 * /dev/shm goes with the ipc namespace: what is mounted there in the other container, and not what
 * spec_build_mounts() or an earlier start left. A mount of the user's own there stays, and where the
 * other has none (--ipc none), ours is our own.
 */
static void share_shm(struct oci_spec *spec, int pid)
{
	static const char *const options[] = { "rbind", "rw", "rprivate" };
	const char *shm = arena_printf(spec->arena, "/proc/%d/root" SPEC_SHM_PATH, pid);
	struct oci_mount *mounts = arena_alloc(spec->arena, (spec->n_mounts + 1) * sizeof(*mounts));

	if (faccessat(AT_FDCWD, shm, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	for (size_t i = 0; i < spec->n_mounts; i++) {
		bool was_shared = str_after(spec->mounts[i].source, "/proc/") &&
				  str_ends(spec->mounts[i].source, "/root" SPEC_SHM_PATH);

		mounts[i] = spec->mounts[i];
		if (!str_eq(mounts[i].destination, SPEC_SHM_PATH) ||
		    (!was_shared && !str_eq(mounts[i].source, SPEC_SHM_SOURCE)))
			continue;
		mounts[i].type = "bind";
		mounts[i].source = shm;
		mounts[i].options = options;
		mounts[i].n_options = ARRAY_SIZE(options);
	}
	spec->mounts = mounts;
}

static int rewrite(int dir_fd, const int *pids, bool own_runtime, struct error *err)
{
	cleanup_with(oci_spec_free) struct oci_spec *spec = NULL;
	cleanup_buf struct buf text = { 0 };
	int r = oci_spec_load(dir_fd, FILE_CONFIG, &spec, err);

	if (r < 0)
		return r;
	for (enum oci_ns ns = 0; ns < OCI_NS_COUNT; ns++)
		if (pids[ns] != 0)
			spec->linux_.namespaces[ns].path = arena_printf(
				spec->arena, "/proc/%d/ns/%s", pids[ns], spec_namespace_file(ns));
	if (pids[OCI_NS_IPC] != 0 && own_runtime) /* others bind out of their own namespace only */
		share_shm(spec, pids[OCI_NS_IPC]);
	oci_spec_format(spec, NULL, &text);
	return file_write_atomic(dir_fd, FILE_CONFIG, text.data, text.len, 0600, 0, err);
}

int join_containers(struct engine *e, const struct document *document, int dir_fd,
		    struct arena *arena, struct error *err)
{
	int pids[OCI_NS_COUNT] = { 0 };
	bool any = false;

	for (enum oci_ns ns = 0; ns < OCI_NS_COUNT; ns++) {
		int r = joined_pid(e, document->root, ns, arena, &pids[ns], err);

		if (r < 0)
			return r;
		any |= pids[ns] != 0;
	}
	return any ? rewrite(dir_fd, pids, !document->runtime, err) : 0;
}

/* The hierarchy that counts memory, and its file; NULL if h does not. */
static const char *oom_file_of(const struct cgroupfs *fs, const struct cgroupfs_hierarchy *h)
{
	if (h->v2)
		return fs->n == 1 ? "memory.events" : NULL;
	return cgroupfs_list_has(h->controllers, "memory") ? "memory.oom_control" : NULL;
}

/* Looks through the mounts: the slow way, for hosts with unusual mount points, and for paths that
 * depend on where we are. */
static char *search_oom_file(const char *path)
{
	cleanup_free char *own_text = NULL;
	struct cgroupfs fs;
	char *file = NULL;

	if (cgroupfs_detect(&fs, NULL) < 0)
		return NULL;
	if (path[0] != '/') /* unreadable: as if we were at the top, as for the runtime */
		(void)file_read(AT_FDCWD, "/proc/self/cgroup", 1u << 20, &own_text, NULL, NULL);
	for (size_t i = 0; i < fs.n && !file; i++) {
		const char *name = oom_file_of(&fs, &fs.h[i]);
		cleanup_free char *own = own_text ? cgroupfs_parse_own(own_text, &fs.h[i]) : NULL;
		cleanup_free char *shown = NULL, *dir = NULL;

		if (name && cgroup_path_resolve(&fs.h[i], own, path, "", &shown, &dir, NULL) >= 0)
			file = path_join(dir, name);
	}
	cgroupfs_done(&fs);
	return file;
}

char *join_oom_file(const char *cgroup_parent, const char *id, bool rootless)
{
	cleanup_free char *path = NULL, *slice = NULL;
	struct statfs root;

	if (cgroup_parent && str_ends(cgroup_parent, ".slice")) {
		/* where a user's manager has its units only that manager knows */
		if (rootless || systemd_slice_path(cgroup_parent, &slice, NULL) < 0)
			return NULL;
		path = xasprintf("%s/berth-%s.scope", slice, id);
	} else {
		path = spec_cgroups_path(cgroup_parent, id, rootless);
	}

	if (rootless || statfs("/sys/fs/cgroup", &root) < 0)
		return search_oom_file(path);
	if ((unsigned long)root.f_type == CGROUP2_SUPER_MAGIC)
		return xasprintf("/sys/fs/cgroup%s/memory.events", path);
	if (access("/sys/fs/cgroup/memory/memory.oom_control", F_OK) == 0)
		return xasprintf("/sys/fs/cgroup/memory%s/memory.oom_control", path);
	return search_oom_file(path);
}
