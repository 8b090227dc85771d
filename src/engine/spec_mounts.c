/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mounts of a container, in the order in which they are made: its root, what every Linux
 * program expects, the three files of /etc, --init, the user's own sorted by depth.
 */
#include "engine/spec_build.h"

#include "base/mem.h"
#include "base/str.h"

#define SHM_SIZE_DEFAULT  (INT64_C(64) << 20)
#define SYSTEM_MOUNTS_MAX 16

struct mount_list {
	struct arena *arena;
	struct oci_mount *items;
	size_t n;
};

static void add(struct mount_list *list, const char *destination, const char *type,
		const char *source, const char *const *options, size_t n_options)
{
	list->items[list->n++] = (struct oci_mount){ .destination = destination,
						     .type = type,
						     .source = source,
						     .options = options,
						     .n_options = n_options };
}

#define WORDS(...)                              \
	((const char *const[]){ __VA_ARGS__ }), \
		sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *)

/* add() with literal options, which are copied. */
static void add_copy(struct mount_list *list, const char *destination, const char *type,
		     const char *source, const char *const *options, size_t n_options)
{
	const char **copy = arena_alloc(list->arena, (n_options + 1) * sizeof(*copy));

	for (size_t i = 0; i < n_options; i++)
		copy[i] = arena_strdup(list->arena, options[i]);
	add(list, destination, type, source, copy, n_options);
}

static void add_bind(struct mount_list *list, const char *source, const char *destination,
		     const char *access, bool recursive, const char *propagation)
{
	add_copy(list, destination, "bind", source,
		 WORDS(recursive ? "rbind" : "bind", access, propagation));
}

static bool user_mounts_on(const struct container_config *c, const char *destination)
{
	for (size_t i = 0; i < c->n_mounts; i++)
		if (str_eq(c->mounts[i].destination, destination))
			return true;
	return false;
}

static void add_shm_and_mqueue(const struct container_config *c, struct mount_list *list)
{
	int64_t size = c->options->shm_size ? c->options->shm_size : SHM_SIZE_DEFAULT;

	/* An mqueue mount shows the ipc namespace of its mounter: right for joined ones, too. The
	 * host's can be bound by an ordinary user, not mounted: a host without one has none. */
	if (!c->no_mqueue)
		add_copy(list, "/dev/mqueue", "mqueue", "mqueue",
			 WORDS("nosuid", "noexec", "nodev"));
	if (user_mounts_on(c, SPEC_SHM_PATH) || str_eq(c->options->ipc, "none"))
		return;
	if (c->ns[OCI_NS_IPC].kind == NAMESPACE_HOST)
		add_bind(list, SPEC_SHM_PATH, SPEC_SHM_PATH, "rw", true, "rprivate");
	else
		/* a joined container's is put in its place by join_containers() */
		add_copy(list, SPEC_SHM_PATH, "tmpfs", SPEC_SHM_SOURCE,
			 WORDS("nosuid", "noexec", "nodev", "mode=1777",
			       arena_printf(list->arena, "size=%lld", (long long)size)));
}

/* A namespace of the host's, whose file system an ordinary user can bind but not mount. */
static bool is_foreign(const struct container_config *c, enum oci_ns ns)
{
	return c->ids != IDMAP_ALL && c->ns[ns].kind == NAMESPACE_HOST;
}

static void add_system(const struct container_config *c, struct mount_list *list)
{
	bool privileged = c->options->privileged;
	const char *access = privileged ? "rw" : "ro";
	const char *cgroup_access = privileged || c->security.writable_cgroups ? "rw" : "ro";

	if (is_foreign(c, OCI_NS_PID))
		add_copy(list, "/proc", "bind", "/proc",
			 WORDS("rbind", "rslave", "nosuid", "noexec", "nodev"));
	else
		add_copy(list, "/proc", "proc", "proc", WORDS("nosuid", "noexec", "nodev"));
	add_copy(list, "/dev", "tmpfs", "tmpfs",
		 WORDS("nosuid", "strictatime", "mode=755", "size=65536k"));
	add_copy(list, "/dev/pts", "devpts", "devpts",
		 WORDS("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620",
		       c->ids == IDMAP_ONE ? "gid=0" : "gid=5"));
	if (is_foreign(c, OCI_NS_NET))
		add_copy(list, "/sys", "bind", "/sys",
			 WORDS("rbind", "rslave", "nosuid", "noexec", "nodev", access));
	else
		add_copy(list, "/sys", "sysfs", "sysfs",
			 WORDS("nosuid", "noexec", "nodev", access));
	add_copy(list, "/sys/fs/cgroup", "cgroup", "cgroup",
		 WORDS("nosuid", "noexec", "nodev", cgroup_access));
	add_shm_and_mqueue(c, list);
}

static void add_etc(const struct container_config *c, const struct spec_paths *paths,
		    struct mount_list *list)
{
	static const char *const names[] = { "resolv.conf", "hostname", "hosts" };
	const char *dir = c->etc_dir ? c->etc_dir : paths->dir;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *destination = arena_printf(list->arena, "/etc/%s", names[i]);

		if (!user_mounts_on(c, destination))
			add_bind(list, arena_printf(list->arena, "%s/%s", dir, names[i]),
				 destination, "rw", true, "rprivate");
	}
}

static void add_user(const struct container_config *c, struct mount_list *list)
{
	for (size_t i = 0; i < c->n_mounts; i++) {
		const struct mount_word *m = &c->mounts[i];
		size_t n = 0;

		if (m->type == MOUNT_WORD_TMPFS) {
			while (m->options[n])
				n++;
			add(list, m->destination, "tmpfs", "tmpfs", m->options, n);
		} else {
			add_bind(list, m->source, m->destination,
				 m->read_only_below ? "rro"
				 : m->read_only	    ? "ro"
						    : "rw",
				 m->recursive, m->propagation);
		}
	}
}

/* Nodes cannot be made in a user namespace, but the host's can be bound. */
static void add_devices(const struct container_config *c, struct mount_list *list)
{
	for (size_t i = 0; c->ids != IDMAP_ALL && i < c->devices.n_nodes; i++)
		add_copy(list, c->devices.nodes[i].path, "bind", c->devices.host_paths[i],
			 WORDS("bind", "nosuid", "noexec", "rprivate"));
}

static bool is_below_a_users(const struct container_config *c, const char *path)
{
	for (size_t i = 0; i < c->n_mounts; i++) {
		const char *rest = str_after(path, c->mounts[i].destination);

		if (rest && *rest == '/')
			return true;
	}
	return false;
}

/*
 * The image's volumes: directories of the container's own, which the runtime fills with what the image
 * has there. Those below a mount of the user's come after it.
 */
static void add_volumes(const struct container_config *c, const struct spec_paths *paths,
			bool below, struct mount_list *list)
{
	for (size_t i = 0; i < c->n_volumes; i++)
		if (!user_mounts_on(c, c->volumes[i]) &&
		    is_below_a_users(c, c->volumes[i]) == below)
			add_copy(list, c->volumes[i], "bind",
				 arena_printf(list->arena, "%s/" SPEC_VOLUMES_DIR "/%zu",
					      paths->dir, i),
				 WORDS("rbind", "rw", "rprivate", "berth.fill"));
}

void spec_build_mounts(const struct container_config *c, const struct spec_paths *paths,
		       const struct oci_mount **ret, size_t *ret_n)
{
	struct mount_list list = { .arena = c->arena };

	list.items = arena_alloc(
		c->arena, (c->n_mounts + c->n_volumes + c->devices.n_nodes + SYSTEM_MOUNTS_MAX) *
				  sizeof(*list.items));
	if (paths->mount_type)
		add(&list, "/", paths->mount_type, paths->mount_source, paths->mount_options,
		    paths->n_mount_options);
	add_system(c, &list);
	add_etc(c, paths, &list);
	if (paths->init)
		add_bind(&list, paths->init, SPEC_INIT_PATH, "ro", false, "rprivate");
	add_devices(c, &list);
	add_volumes(c, paths, false, &list);
	add_user(c, &list);
	add_volumes(c, paths, true, &list);
	*ret = list.items;
	*ret_n = list.n;
}
