/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/device_word.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "base/units.h"

/* A --device directory or a privileged /dev: more nodes than any machine has. */
#define DEVICES_MAX	 16384
#define DEVICE_DEPTH_MAX 8

struct collector {
	struct arena *arena;
	struct oci_device *nodes;
	const char **host_paths; /* of each node */
	size_t n, capacity;
};

static void add_node(struct collector *c, const char *path, const struct stat *st)
{
	size_t capacity = c->capacity;

	c->nodes = array_grow(c->nodes, c->n, &c->capacity, sizeof(*c->nodes));
	c->host_paths = array_grow(c->host_paths, c->n, &capacity, sizeof(*c->host_paths));
	c->host_paths[c->n] = path = arena_strdup(c->arena, path);
	c->nodes[c->n++] = (struct oci_device){
		.path = path,
		.type = S_ISBLK(st->st_mode) ? 'b' : 'c',
		.major = major(st->st_rdev),
		.minor = minor(st->st_rdev),
		.file_mode = { true, st->st_mode & 07777 },
		.uid = st->st_uid,
		.gid = st->st_gid,
	};
}

static bool is_device(const struct stat *st)
{
	return S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode);
}

/*
 * Device nodes below a directory. What the runtime mounts or makes in /dev itself is left out, and
 * nodes that vanish meanwhile.
 */
static int add_directory(struct collector *c, int dir_fd, const char *path, unsigned depth,
			 struct error *err)
{
	static const char *const own[] = { "pts",  "shm",     "fd",   "mqueue",
					   ".lxc", "console", "ptmx", ".lxd-mounts" };
	cleanup_dir DIR *dir = fdopendir(dir_fd);
	struct dirent *entry;

	if (!dir) {
		close(dir_fd);
		return error_sys(err, "cannot read directory '%s'", path);
	}
	while ((entry = readdir(dir))) {
		cleanup_free char *name = path_join(path, entry->d_name);
		struct stat st;
		int fd;

		if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, "..") ||
		    str_index(own, ARRAY_SIZE(own), entry->d_name) >= 0)
			continue;
		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (is_device(&st) && c->n < DEVICES_MAX) {
			add_node(c, name, &st);
		} else if (S_ISDIR(st.st_mode) && depth < DEVICE_DEPTH_MAX) {
			fd = openat(dirfd(dir), entry->d_name,
				    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			if (fd >= 0) {
				int r = add_directory(c, fd, name, depth + 1, err);

				if (r < 0)
					return r;
			}
		}
	}
	return 0;
}

static unsigned access_bits(const char *mode)
{
	unsigned access = 0;

	for (; *mode; mode++) {
		const char *at = strchr("rwm", *mode);
		unsigned bit = at ? 1u << (at - "rwm") : 0;

		/* OCI_DEVICE_READ, _WRITE, _MKNOD are 1, 2, 4 in this order; no letter twice */
		if (!bit || (access & bit))
			return 0;
		access |= bit;
	}
	return access;
}

struct rules {
	struct oci_device_rule *items;
	size_t n, capacity;
};

static void add_rule(struct rules *rules, const struct oci_device_rule *rule)
{
	rules->items = array_grow(rules->items, rules->n, &rules->capacity, sizeof(*rules->items));
	rules->items[rules->n++] = *rule;
}

/* The nodes found from index first on move from below `from` to below `to`, and may be used. */
static void grant(struct collector *c, size_t first, const char *from, const char *to,
		  unsigned access, struct rules *rules)
{
	for (size_t i = first; i < c->n; i++) {
		struct oci_device *d = &c->nodes[i];

		d->path = arena_printf(c->arena, "%s%s", to, d->path + strlen(from));
		add_rule(rules, &(struct oci_device_rule){ .allow = true,
							   .type = d->type,
							   .major = d->major,
							   .minor = d->minor,
							   .access = access });
	}
}

static int add_device(struct collector *c, struct rules *rules, const char *text, struct error *err)
{
	cleanup_with(strv_free) char **parts = strv_split(text, ":", true);
	size_t n = strv_len(parts), first = c->n;
	const char *host = n > 0 ? parts[0] : "", *inside = host, *mode = "rwm";
	cleanup_fd int fd = -EBADF;
	struct stat st;

	if (n == 2 && access_bits(parts[1]))
		mode = parts[1];
	else if (n >= 2)
		inside = parts[1];
	if (n == 3)
		mode = parts[2];
	if (n < 1 || n > 3 || host[0] == '\0' || inside[0] == '\0')
		return error_kind(err, ERROR_INVALID, "invalid device specification: %s", text);
	if (!access_bits(mode))
		return error_kind(err, ERROR_INVALID, "invalid device mode: %s", mode);
	if (host[0] != '/')
		return error_kind(err, ERROR_UNSUPPORTED,
				  "not supported yet: device '%s' (CDI names); give a path", host);
	if (inside[0] != '/')
		return error_kind(err, ERROR_INVALID, "%s is not an absolute path", inside);

	fd = open(host, O_PATH | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_kind(err, ERROR_NOT_FOUND,
				  "error gathering device information while adding custom device "
				  "\"%s\": no such file or directory",
				  host);
	if (is_device(&st)) {
		add_node(c, host, &st);
	} else if (S_ISDIR(st.st_mode)) {
		int dir_fd = open(host, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

		if (dir_fd < 0)
			return error_sys(err, "cannot open directory '%s'", host);
		r = add_directory(c, dir_fd, host, 0, err);
		if (r < 0)
			return r;
	} else {
		return error_kind(err, ERROR_INVALID,
				  "error gathering device information while adding custom device "
				  "\"%s\": not a device node",
				  host);
	}
	grant(c, first, host, inside, access_bits(mode), rules);
	return 0;
}

static int device_number(const char *text, int64_t *ret)
{
	if (str_eq(text, "*")) {
		*ret = -1;
		return 0;
	}
	return str_to_i64(text, ret) == 0 && *ret >= 0 ? 0 : -EINVAL;
}

/* "c 189:* rmw" */
static int parse_rule(const char *text, struct oci_device_rule *ret, struct error *err)
{
	cleanup_with(strv_free) char **parts = strv_split(text, " :", true);

	*ret = (struct oci_device_rule){ .allow = true };
	if (strv_len(parts) != 4 || strlen(parts[0]) != 1 || !strchr("abc", parts[0][0]) ||
	    device_number(parts[1], &ret->major) < 0 || device_number(parts[2], &ret->minor) < 0 ||
	    !access_bits(parts[3]))
		return error_kind(err, ERROR_INVALID, "invalid device cgroup format '%s'", text);
	ret->type = parts[0][0];
	ret->access = access_bits(parts[3]);
	return 0;
}

static int collect(struct collector *c, struct rules *rules, char *const *devices,
		   char *const *rule_words, bool privileged, struct error *err)
{
	struct oci_device_rule rule = { .type = 'a', .major = -1, .minor = -1, .access = 7 };
	int r, fd;

	rule.allow = privileged;
	add_rule(rules, &rule);
	if (privileged) {
		fd = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return error_sys(err, "cannot open '/dev'");
		return add_directory(c, fd, "/dev", 0, err);
	}
	for (size_t i = 0; i < strv_len(devices); i++) {
		r = add_device(c, rules, devices[i], err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < strv_len(rule_words); i++) {
		r = parse_rule(rule_words[i], &rule, err);
		if (r < 0)
			return r;
		add_rule(rules, &rule);
	}
	return 0;
}

int device_words_parse(char *const *devices, char *const *rules, bool privileged,
		       struct arena *arena, struct device_words *ret, struct error *err)
{
	struct collector c = { .arena = arena };
	struct rules list = { 0 };
	int r = collect(&c, &list, devices, rules, privileged, err);

	if (r == 0) {
		struct oci_device *nodes = arena_alloc(arena, (c.n + 1) * sizeof(*nodes));
		struct oci_device_rule *items = arena_alloc(arena, (list.n + 1) * sizeof(*items));

		const char **host_paths = arena_alloc(arena, (c.n + 1) * sizeof(*host_paths));

		if (c.n > 0) {
			memcpy(nodes, c.nodes, c.n * sizeof(*nodes));
			memcpy(host_paths, c.host_paths, c.n * sizeof(*host_paths));
		}
		if (list.n > 0)
			memcpy(items, list.items, list.n * sizeof(*items));
		*ret = (struct device_words){ nodes, host_paths, c.n, items, list.n };
	}
	free(c.nodes);
	free(c.host_paths);
	free(list.items);
	return r;
}

/* "PATH:VALUE" of a block device. */
static int split_block(const char *text, struct arena *arena, struct stat *ret_st,
		       const char **ret_value, struct error *err)
{
	const char *colon = strrchr(text, ':');
	const char *path = colon ? arena_strndup(arena, text, (size_t)(colon - text)) : text;

	if (!colon || !colon[1])
		return error_kind(err, ERROR_INVALID, "bad format: %s", text);
	if (!str_after(path, "/dev/"))
		return error_kind(err, ERROR_INVALID, "bad format for device path: %s", text);
	if (stat(path, ret_st) < 0)
		return error_sys(err, "cannot find device '%s'", path);
	if (!S_ISBLK(ret_st->st_mode))
		return error_kind(err, ERROR_INVALID, "'%s' is no block device", path);
	*ret_value = colon + 1;
	return 0;
}

int device_throttle_parse(char *const *words, bool is_count, struct arena *arena,
			  const struct oci_throttle **ret, size_t *ret_n, struct error *err)
{
	size_t n = strv_len(words);
	struct oci_throttle *list = arena_alloc(arena, (n + 1) * sizeof(*list));

	for (size_t i = 0; i < n; i++) {
		const char *value = NULL;
		int64_t rate = 0;
		struct stat st;
		int r = split_block(words[i], arena, &st, &value, err);

		if (r < 0)
			return r;
		r = is_count ? str_to_i64(value, &rate) : units_parse_bytes(value, &rate);
		if (r < 0 || rate < 0)
			return error_kind(err, ERROR_INVALID,
					  "invalid rate for device: %s. The correct format is "
					  "<device-path>:<number>%s",
					  words[i], is_count ? "" : "[<unit>]");
		list[i] = (struct oci_throttle){ major(st.st_rdev), minor(st.st_rdev),
						 (uint64_t)rate };
	}
	*ret = list;
	*ret_n = n;
	return 0;
}

int device_weight_parse(char *const *words, struct arena *arena,
			const struct oci_weight_device **ret, size_t *ret_n, struct error *err)
{
	size_t n = strv_len(words);
	struct oci_weight_device *list = arena_alloc(arena, (n + 1) * sizeof(*list));

	for (size_t i = 0; i < n; i++) {
		const char *value = NULL;
		uint64_t weight = 0;
		struct stat st;
		int r = split_block(words[i], arena, &st, &value, err);

		if (r < 0)
			return r;
		if (str_to_u64(value, &weight) < 0 ||
		    (weight != 0 && (weight < 10 || weight > 1000)))
			return error_kind(err, ERROR_INVALID, "invalid weight for device: %s",
					  words[i]);
		list[i] = (struct oci_weight_device){ .major = major(st.st_rdev),
						      .minor = minor(st.st_rdev),
						      .weight = { true, weight } };
	}
	*ret = list;
	*ret_n = n;
	return 0;
}
