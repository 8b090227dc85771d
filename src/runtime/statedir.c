/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/statedir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/dir.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"
#include "codec/json.h"
#include "oci/spec.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/runtime.h"

#define STATE_MAX_BYTES	 (4u << 20) /* annotations may be long */
#define CONTAINER_ID_MAX 1024
#define STATE_FORMAT	 1 /* of state.json */

int container_check_id(const char *id, struct error *err)
{
	size_t n = strlen(id);
	bool ok = n > 0 && n <= CONTAINER_ID_MAX && !str_eq(id, ".") && !str_eq(id, "..");

	for (const char *p = id; ok && *p; p++)
		ok = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
		     (*p >= '0' && *p <= '9') || strchr("_+-.", *p);
	if (!ok)
		return error_kind(err, ERROR_INVALID, "invalid container ID format: '%s'", id);
	return 0;
}

struct container *container_new(const char *root_path, const char *id)
{
	struct arena *arena = arena_new();
	struct container *c = arena_alloc(arena, sizeof(*c));

	c->arena = arena;
	c->dir_fd = -EBADF;
	c->root_path = arena_strdup(arena, root_path ? root_path : RUNTIME_ROOT_DEFAULT);
	c->id = arena_strdup(arena, id);
	return c;
}

struct container *container_free(struct container *c)
{
	if (!c)
		return NULL;
	cleanup_close_fd(&c->dir_fd);
	arena_free(c->arena); /* c itself hangs on it */
	return NULL;
}

static int open_dir(struct container *c)
{
	cleanup_free char *path = path_join(c->root_path, c->id);

	c->dir_fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return c->dir_fd < 0 ? -errno : 0;
}

int container_claim(const char *root_path, const char *id, struct container **ret,
		    struct error *err)
{
	cleanup_with(container_free) struct container *c = NULL;
	cleanup_free char *path = NULL;
	int r = container_check_id(id, err);

	if (r < 0)
		return r;
	c = container_new(root_path, id);
	path = path_join(c->root_path, id);
	r = mkdir(path, 0700);
	if (r < 0 && errno == ENOENT) {
		r = path_mkdir_all(c->root_path, 0700, err);
		if (r < 0)
			return r;
		r = mkdir(path, 0700);
	}
	if (r < 0 && errno == EEXIST)
		return error_kind(err, ERROR_CONFLICT, "container with given ID already exists: %s",
				  id);
	if (r < 0)
		return error_sys(err, "cannot make state directory '%s'", path);
	r = open_dir(c);
	if (r < 0) {
		(void)rmdir(path); /* the failure to open is the one to report */
		return error_num(err, -r, "cannot open state directory '%s'", path);
	}
	*ret = take_ptr(&c);
	return 0;
}

static int read_annotations(struct container *c, const struct json *doc, struct error *err)
{
	const struct json *list = NULL, *v;
	struct oci_pair *pairs;
	int r = json_get_object(doc, "annotations", &list, err);

	if (r < 0 || !list)
		return r;
	pairs = arena_alloc(c->arena, (list->n + 1) * sizeof(*pairs));
	json_foreach(v, list) {
		struct oci_pair *pair = &pairs[c->n_annotations++];

		pair->key = v->key;
		r = json_to_string(v, &pair->value, err);
		if (r < 0)
			return r;
	}
	c->annotations = pairs;
	return 0;
}

static int read_state(struct container *c, const struct json *doc, struct error *err)
{
	int32_t pid = 0;
	int r;

	r = json_get_string(doc, "ociVersion", &c->oci_version, err);
	if (r >= 0)
		r = json_get_string(doc, "bundle", &c->bundle_path, err);
	if (r >= 0)
		r = json_get_string(doc, "rootfs", &c->rootfs_path, err);
	if (r >= 0)
		r = json_get_i32(doc, "pid", &pid, err);
	if (r >= 0)
		r = json_get_u64(doc, "pidStartTicks", &c->pid_start, err);
	if (r >= 0)
		r = json_get_i64(doc, "createdNs", &c->created_ns, err);
	if (r >= 0)
		r = json_get_u32(doc, "ownerUid", &c->owner_uid, err);
	if (r >= 0)
		r = json_get_bool(doc, "noPivot", &c->no_pivot, err);
	if (r >= 0)
		r = json_get_u64(doc, "hostMountsBelow", &c->host_mounts_below, err);
	if (r >= 0)
		r = json_get_bool(doc, "poststop", &c->has_poststop, err);
	if (r >= 0)
		r = json_get_string(doc, "seccompListener", &c->listener_path, err);
	if (r >= 0)
		r = json_get_string(doc, "intelRdt", &c->rdt_path, err);
	if (r >= 0)
		r = json_get_strings(doc, "cgroups", c->arena, &c->cgroups, NULL, err);
	if (r >= 0)
		r = json_get_string(doc, "systemdUnit", &c->systemd_unit, err);
	if (r >= 0)
		r = json_get_bool(doc, "systemdUser", &c->systemd_user, err);
	if (r >= 0)
		r = read_annotations(c, doc, err);
	c->pid = pid;
	return r;
}

int container_parse(struct container *c, const char *text, size_t len, struct error *err)
{
	const struct json *doc;
	int r = json_parse(text, len, c->arena, &doc, err);

	return r < 0 ? r : read_state(c, doc, err);
}

int container_open(const char *root_path, const char *id, struct container **ret, struct error *err)
{
	cleanup_with(container_free) struct container *c = NULL;
	cleanup_free char *text = NULL;
	size_t len = 0;
	int r = container_check_id(id, err);

	if (r < 0)
		return r;
	c = container_new(root_path, id);
	r = open_dir(c);
	if (r == -ENOENT)
		return error_kind(err, ERROR_NOT_FOUND, "container does not exist: %s", id);
	if (r < 0)
		return error_num(err, -r, "cannot open the state of container '%s'", id);
	r = file_read(c->dir_fd, CONTAINER_STATE_FILE, STATE_MAX_BYTES, &text, &len, err);
	if (r == -ENOENT || (r == 0 && len == 0)) { /* claimed a moment ago */
		*ret = take_ptr(&c);
		return 0;
	}
	if (r >= 0)
		r = container_parse(c, text, len, err);
	if (r < 0)
		return error_prefix(err, r, "reading the state of container '%s'", id);
	*ret = take_ptr(&c);
	return 0;
}

static void write_annotations(const struct container *c, struct json_writer *w)
{
	json_begin_object(w, "annotations");
	for (size_t i = 0; i < c->n_annotations; i++)
		json_add_string(w, c->annotations[i].key, c->annotations[i].value);
	json_end(w);
}

/* The first state of a fresh claim needs no temporary name: until it is whole, nobody knows more. */
static int write_first(const struct container *c, const struct buf *text, struct error *err)
{
	cleanup_fd int fd = openat(c->dir_fd, CONTAINER_STATE_FILE,
				   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : fd_write_all(fd, text->data, text->len);

	return r < 0 ? error_num(err, -r, "cannot write the state") : 0;
}

void container_format(const struct container *c, struct buf *out)
{
	struct json_writer w;

	json_writer_init(&w, out, NULL);
	json_begin_object(&w, NULL);
	json_add_u64(&w, "format", STATE_FORMAT);
	json_add_string(&w, "id", c->id);
	json_add_string(&w, "ociVersion", c->oci_version);
	json_add_string(&w, "bundle", c->bundle_path);
	json_add_string(&w, "rootfs", c->rootfs_path);
	json_add_i64(&w, "pid", c->pid);
	json_add_u64(&w, "pidStartTicks", c->pid_start);
	json_add_i64(&w, "createdNs", c->created_ns);
	json_add_u64(&w, "ownerUid", c->owner_uid);
	json_add_bool(&w, "noPivot", c->no_pivot);
	if (c->host_mounts_below)
		json_add_u64(&w, "hostMountsBelow", c->host_mounts_below);
	json_add_bool(&w, "poststop", c->has_poststop);
	if (c->listener_path)
		json_add_string(&w, "seccompListener", c->listener_path);
	if (c->rdt_path)
		json_add_string(&w, "intelRdt", c->rdt_path);
	json_begin_array(&w, "cgroups");
	for (size_t i = 0; c->cgroups && c->cgroups[i]; i++)
		json_add_string(&w, NULL, c->cgroups[i]);
	json_end(&w);
	if (c->systemd_unit) {
		json_add_string(&w, "systemdUnit", c->systemd_unit);
		json_add_bool(&w, "systemdUser", c->systemd_user);
	}
	write_annotations(c, &w);
	json_end(&w);
}

int container_save(const struct container *c, struct error *err)
{
	cleanup_buf struct buf text = { 0 };

	buf_reserve(&text, 2048);
	container_format(c, &text);
	if (c->pid == 0)
		return write_first(c, &text, err);
	return file_write_atomic(c->dir_fd, CONTAINER_STATE_FILE, text.data, text.len, 0600, 0,
				 err);
}

int container_remove(const struct container *c, struct error *err)
{
	static const char *const files[] = { CONTAINER_STATE_FILE, CONTAINER_CONFIG_FILE,
					     CONTAINER_START_SOCK };
	cleanup_free char *path = path_join(c->root_path, c->id);

	/* the usual content by name; whatever a crash left the thorough way */
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		(void)unlinkat(c->dir_fd, files[i], 0);
	if (rmdir(path) == 0 || errno == ENOENT)
		return 0;
	return dir_remove_tree(AT_FDCWD, path, err);
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int container_list(const char *root_path, char ***ret_ids, struct error *err)
{
	const char *path = root_path ? root_path : RUNTIME_ROOT_DEFAULT;
	cleanup_with(strv_free) char **ids = NULL;
	cleanup_dir DIR *dir = opendir(path);
	struct error ignored;
	struct dirent *e;

	if (!dir && errno != ENOENT)
		return error_sys(err, "cannot open '%s'", path);
	while (dir && (e = readdir(dir)))
		if (container_check_id(e->d_name, &ignored) == 0 && e->d_type == DT_DIR)
			ids = strv_push(ids, e->d_name);
	if (ids)
		qsort(ids, strv_len(ids), sizeof(*ids), compare_strings);
	*ret_ids = take_ptr(&ids);
	return 0;
}

int container_config(const struct container *c, struct oci_spec **ret_spec, struct error *err)
{
	int r = oci_spec_load(c->dir_fd, CONTAINER_CONFIG_FILE, ret_spec, err);

	return r < 0 ? error_prefix(err, r, "container '%s'", c->id) : 0;
}

/* The field behind the n-th space after the command name, which may itself hold anything. */
static const char *stat_field(const char *text, int n)
{
	const char *p = strrchr(text, ')');

	while (p && n-- > 0) {
		p = strchr(p, ' ');
		p = p ? p + 1 : NULL;
	}
	return p;
}

int process_start_time(pid_t pid, uint64_t *ret_ticks)
{
	char path[64], text[1024];
	cleanup_fd int fd = -EBADF;
	const char *state, *start;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return n < 0 ? -errno : -ESRCH;
	text[n] = '\0';
	state = stat_field(text, 1);
	start = stat_field(text, 20); /* field 22 of proc_pid_stat(5); 2 is the name */
	if (!state || !start)
		return -EINVAL;
	*ret_ticks = strtoull(start, NULL, 10);
	return *state == 'Z' || *state == 'X' ? -ESRCH : 0;
}

int container_open_init(const struct container *c, int *ret_pidfd, struct error *err)
{
	cleanup_fd int pidfd = -EBADF;
	uint64_t start;
	int r;

	if (c->pid <= 0)
		return 1;
	pidfd = proc_open(c->pid);
	if (pidfd == -ESRCH)
		return 1;
	if (pidfd < 0)
		return error_num(err, -pidfd, "cannot open process %d", (int)c->pid);
	r = process_start_time(c->pid, &start); /* after the open: now the number cannot move on */
	if (r == -ESRCH || (r == 0 && start != c->pid_start))
		return 1;
	if (r < 0)
		return error_num(err, -r, "cannot read the state of process %d", (int)c->pid);
	*ret_pidfd = take_fd(&pidfd);
	return 0;
}

static int is_frozen(const struct container *c, bool *ret_frozen, struct error *err)
{
	cleanup_with(cgroup_close) struct cgroup *cg = NULL;
	int r;

	*ret_frozen = false;
	if (!c->cgroups || !c->cgroups[0])
		return 0;
	r = cgroup_open(c->cgroups, &cg, err);
	return r < 0 ? r : cgroup_frozen(cg, ret_frozen, err);
}

int container_get_status(const struct container *c, enum container_status *ret_status,
			 struct error *err)
{
	cleanup_fd int pidfd = -EBADF;
	bool frozen;
	int r;

	if (c->pid <= 0) {
		*ret_status = CONTAINER_CREATING;
		return 0;
	}
	r = container_open_init(c, &pidfd, err);
	if (r < 0)
		return r;
	if (r == 1) {
		*ret_status = CONTAINER_STOPPED;
		return 0;
	}
	r = is_frozen(c, &frozen, err);
	if (r < 0)
		return r;
	if (frozen)
		*ret_status = CONTAINER_PAUSED;
	else if (faccessat(c->dir_fd, CONTAINER_START_SOCK, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		*ret_status = CONTAINER_CREATED;
	else
		*ret_status = CONTAINER_RUNNING;
	return 0;
}

const char *container_status_name(enum container_status s)
{
	static const char *const names[] = {
		[CONTAINER_CREATING] = "creating", [CONTAINER_CREATED] = "created",
		[CONTAINER_RUNNING] = "running",   [CONTAINER_PAUSED] = "paused",
		[CONTAINER_STOPPED] = "stopped",
	};

	return names[s];
}

void container_format_process_state(const struct container *c, enum container_status s,
				    const char *metadata, struct buf *out)
{
	struct json_writer w;

	json_writer_init(&w, out, NULL);
	json_begin_object(&w, NULL);
	json_add_string(&w, "ociVersion", OCI_VERSION);
	json_begin_array(&w, "fds");
	json_add_string(&w, NULL, "seccompFd");
	json_end(&w);
	if (!str_empty(metadata))
		json_add_string(&w, "metadata", metadata);
	json_begin_object(&w, "state");
	json_add_string(&w, "ociVersion", c->oci_version);
	json_add_string(&w, "id", c->id);
	json_add_string(&w, "status", container_status_name(s));
	json_add_string(&w, "bundle", c->bundle_path);
	if (c->n_annotations)
		write_annotations(c, &w);
	buf_putc(out, ',');
}

void container_format_state(const struct container *c, enum container_status s, pid_t pid,
			    const char *indent, struct buf *out)
{
	struct json_writer w;

	json_writer_init(&w, out, indent);
	json_begin_object(&w, NULL);
	json_add_string(&w, "ociVersion", c->oci_version);
	json_add_string(&w, "id", c->id);
	json_add_string(&w, "status", container_status_name(s));
	if (s != CONTAINER_STOPPED)
		json_add_i64(&w, "pid", pid);
	json_add_string(&w, "bundle", c->bundle_path);
	if (c->n_annotations)
		write_annotations(c, &w);
	json_end(&w);
}
