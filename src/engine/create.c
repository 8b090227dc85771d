/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new container: look everything up, then write its directory, then its row. The row is last, so
 * what a crash leaves is a directory without a row, which engine_check() removes; while it is being
 * made the directory is locked, so that engine_check() leaves it alone.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/dir.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "base/user.h"
#include "codec/json.h"
#include "engine/bundle.h"
#include "engine/container_config.h"
#include "engine/document.h"
#include "engine/handle.h"
#include "engine/recover.h"
#include "engine/rootfs_user.h"
#include "engine/selinux_label.h"
#include "engine/spec_build.h"
#include "image/platform.h"
#include "image/reference.h"
#include "image/snapshot.h"
#include "image/store.h"
#include "kernel/selinux.h"
#include "oci/image.h"

#define NAME_ATTEMPTS 16

extern char **environ;

struct creation {
	struct engine *e;
	const struct container_options *options;
	struct arena *arena;
	struct container_config config;
	struct image *image;		      /* NULL with --rootfs */
	const struct oci_image_run *run;      /* of the image, or NULL */
	char **lowerdirs;		      /* strv, top first */
	const struct snapshot_driver *driver; /* NULL with --rootfs */
	struct snapshot_mount mount;
	char *dir_path, *rootfs_path, *init_path;
	int containers_fd, dir_fd;
	int hold_fd; /* of the image, until the row says that it is in use */
	char **warnings;
	bool cidfile_written;
};

static void creation_done(struct creation *k)
{
	image_free(k->image);
	strv_free(k->lowerdirs);
	snapshot_mount_done(&k->mount);
	free(k->dir_path);
	free(k->rootfs_path);
	free(k->init_path);
	cleanup_close_fd(&k->containers_fd);
	cleanup_close_fd(&k->dir_fd);
	cleanup_close_fd(&k->hold_fd);
	strv_free(k->warnings);
	arena_free(k->arena);
}

static void warn(struct creation *k, char *sentence)
{
	k->warnings = strv_push_owned(k->warnings, sentence);
}

/* Image */

static int image_missing(const char *name, struct error *err)
{
	cleanup_free char *full = reference_normalise(name);
	cleanup_free char *familiar = full ? reference_familiar_text(full) : NULL;

	return error_kind(err, ERROR_NOT_FOUND, "No such image: %s", familiar ? familiar : name);
}

#define PLATFORM_TEXT_MAX 64

/* "linux/arm/v7" */
static void platform_text(const char *os, const char *architecture, const char *variant, char *buf)
{
	(void)snprintf(buf, PLATFORM_TEXT_MAX, "%.15s/%.15s%s%.15s", os ? os : "linux",
		       architecture ? architecture : "unknown", str_empty(variant) ? "" : "/",
		       variant ? variant : "");
}

static void image_platform_text(const struct creation *k, char *buf)
{
	struct platform host;

	if (k->image) {
		const struct oci_platform *p = &k->image->config->platform;

		platform_text(p->os, p->architecture, p->variant, buf);
	} else {
		platform_host(&host);
		platform_text(host.os, host.architecture, host.variant, buf);
	}
}

static int check_platform(struct creation *k, struct error *err)
{
	const struct oci_platform *p = &k->image->config->platform;
	char host_text[PLATFORM_TEXT_MAX], image_text[PLATFORM_TEXT_MAX];
	struct platform wanted;

	if (k->options->platform)
		return platform_check(k->options->platform, p, k->options->image, err);
	image_platform_text(k, image_text);
	platform_host(&wanted);
	if (platform_match(&wanted, p))
		return 0;
	platform_text(wanted.os, wanted.architecture, wanted.variant, host_text);
	warn(k, xasprintf("The requested image's platform (%s) does not match the detected host "
			  "platform (%s) and no specific platform was requested",
			  image_text, host_text));
	return 0;
}

/* Only our runtime knows that a lower directory can be an image. */
static int check_layer_kinds(const struct creation *k, struct error *err)
{
	for (char *const *layer = k->lowerdirs; k->options->runtime && layer && *layer; layer++) {
		struct stat st;

		if (stat(*layer, &st) == 0 && S_ISREG(st.st_mode))
			return error_kind(err, ERROR_UNSUPPORTED,
					  "runtime '%s' cannot mount layers that are EROFS images: "
					  "remove the image and bring it again with "
					  "--storage-driver overlay2",
					  k->options->runtime);
	}
	return 0;
}

static int find_image(struct creation *k, struct error *err)
{
	struct image_store *store;
	int r = engine_images(k->e, &store, err);

	if (r < 0)
		return r;
	r = image_lookup(store, k->options->image, &k->image, err);
	if (r < 0)
		return err->kind == ERROR_NOT_FOUND ? image_missing(k->options->image, err) : r;
	k->run = &k->image->config->config;
	k->config.image_id = k->image->id.text;
	r = check_platform(k, err);
	if (r < 0)
		return r;
	r = image_lowerdirs(store, k->image, &k->lowerdirs, err);
	return r < 0 ? r : check_layer_kinds(k, err);
}

static int find_rootfs(struct creation *k, struct error *err)
{
	cleanup_free char *path = realpath(k->options->rootfs, NULL);
	struct stat st;

	if (!path || stat(path, &st) < 0)
		return error_sys(err, "cannot find rootfs '%s'", k->options->rootfs);
	if (!S_ISDIR(st.st_mode))
		return error_num(err, ENOTDIR, "cannot use rootfs '%s'", k->options->rootfs);
	k->config.image_id = "";
	k->lowerdirs = strv_push(NULL, path);
	k->rootfs_path = take_ptr(&path);
	return 0;
}

/* Names */

/* Who shares a network is known by the same names in it: docker's rule. */
static int adopt_names(struct creation *k, const char *other, struct error *err)
{
	cleanup_free char *dir = container_dir_path(k->e, other);
	struct document document;
	const char *hostname = NULL;
	int r = container_document(k->e, other, k->arena, &document, err);

	if (r < 0)
		return r;
	r = json_get_string(json_get(document.root, "Config"), "Hostname", &hostname, err);
	if (r < 0)
		return r;
	if (hostname)
		k->config.hostname = arena_strdup(k->arena, hostname);
	k->config.etc_dir = arena_strdup(k->arena, dir);
	return 0;
}

/* container:NAME in --network, --pid, ... becomes container:ID, which stays true after a rename. */
static int resolve_containers(struct creation *k, struct error *err)
{
	for (size_t i = 0; i < OCI_NS_COUNT; i++) {
		struct namespace_mode *mode = &k->config.ns[i];
		struct record other;
		int r;

		if (mode->kind != NAMESPACE_CONTAINER)
			continue;
		r = container_find(k->e, mode->container, k->arena, &other, err);
		if (r < 0)
			return r;
		mode->container = other.id;
		if (i == OCI_NS_NET)
			r = adopt_names(k, other.id, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Who shares processes or ipc with a container has its label, or the policy would keep them apart. */
static int make_labels(struct creation *k, struct error *err)
{
	const char *joined = NULL;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < OCI_NS_COUNT; i++) {
		const struct namespace_mode *mode = &k->config.ns[i];
		struct document document;

		if (mode->kind != NAMESPACE_CONTAINER || (i != OCI_NS_PID && i != OCI_NS_IPC))
			continue;
		r = container_document(k->e, mode->container, k->arena, &document, err);
		if (r >= 0)
			r = json_get_string(document.root, "ProcessLabel", &joined, err);
	}
	return r < 0 ? r : selinux_labels_make(&k->config, joined, err);
}

static void host_warnings(struct creation *k)
{
	const struct container_options *o = k->options;

	if (k->config.ns[OCI_NS_IPC].kind == NAMESPACE_CONTAINER && o->runtime)
		warn(k, xasprintf("/dev/shm is not shared with the other container by '%s', only "
				  "System V IPC and message queues are",
				  o->runtime));
	if (!k->config.cgroup_v2)
		return;
	if (o->memory_swappiness >= 0)
		warn(k, xstrdup("Your kernel does not support memory swappiness capabilities or "
				"the cgroup is not mounted. Memory swappiness discarded."));
	if (o->oom_kill_disable)
		warn(k, xstrdup("Your kernel does not support OomKillDisable. OomKillDisable "
				"discarded."));
}

static int gather(struct creation *k, struct error *err)
{
	struct container_config *c = &k->config;
	struct statfs fs;
	int r = container_options_check(k->options, err);

	if (r < 0)
		return r;
	r = recover_once_per_boot(k->e, err);
	if (r < 0)
		return r;
	c->arena = k->arena;
	c->options = k->options;
	c->created_ns = clock_real_ns();
	c->ids = idmap_own_extent();
	c->cgroup_v2 = statfs("/sys/fs/cgroup", &fs) == 0 &&
		       (unsigned long)fs.f_type == CGROUP2_SUPER_MAGIC;
	if (k->options->cidfile && access(k->options->cidfile, F_OK) == 0)
		return error_kind(err, ERROR_CONFLICT,
				  "container ID file found, make sure the other container isn't "
				  "running or delete %s",
				  k->options->cidfile);
	r = id_new(c->id, err);
	if (r < 0)
		return r;
	r = k->options->rootfs ? find_rootfs(k, err) : find_image(k, err);
	if (r < 0)
		return r;
	r = container_config_merge(c, k->run, environ, err);
	if (r < 0)
		return r;
	r = resolve_containers(k, err);
	if (r < 0)
		return r;
	host_warnings(k);
	c->no_mqueue = c->ids != IDMAP_ALL && c->ns[OCI_NS_IPC].kind == NAMESPACE_HOST &&
		       access("/dev/mqueue", F_OK) < 0;
	r = bundle_check_sources(c, err);
	if (r < 0)
		return r;
	r = make_labels(k, err);
	return r < 0 ? r : selinux_relabel_sources(c, err);
}

/* Directory */

static int make_dir(struct creation *k, struct error *err)
{
	int r = engine_subdir(k->e, "containers", &k->containers_fd, err);

	if (r < 0)
		return r;
	k->dir_path = container_dir_path(k->e, k->config.id);
	if (mkdirat(k->containers_fd, k->config.id, 0700) < 0)
		return error_sys(err, "cannot make '%s'", k->dir_path);
	r = container_dir_open(k->e, k->config.id, &k->dir_fd, err);
	return r < 0 ? r : container_lock(k->dir_fd, true, err);
}

static int make_snapshot(struct creation *k, struct error *err)
{
	unsigned flags = k->options->auto_remove ? SNAPSHOT_VOLATILE : 0;

	if (k->rootfs_path)
		return 0;
	if (k->config.ids != IDMAP_ALL)
		flags |= SNAPSHOT_USERXATTR;
	k->driver = snapshot_choose(k->containers_fd);
	k->rootfs_path = path_join(k->dir_path, "rootfs");
	return k->driver->create(k->dir_fd, k->dir_path, k->lowerdirs, flags, &k->mount, err);
}

static int make_volumes(struct creation *k, struct error *err)
{
	const char *label = k->config.security.mount_label;
	char name[sizeof(SPEC_VOLUMES_DIR) + 24];
	int r = 0;

	if (k->config.n_volumes > 0 && mkdirat(k->dir_fd, SPEC_VOLUMES_DIR, 0700) < 0)
		return error_sys(err, "cannot make '%s/" SPEC_VOLUMES_DIR "'", k->dir_path);
	for (size_t i = 0; r >= 0 && i < k->config.n_volumes; i++) {
		(void)snprintf(name, sizeof(name), SPEC_VOLUMES_DIR "/%zu", i);
		if (mkdirat(k->dir_fd, name, 0755) < 0)
			return error_sys(err, "cannot make '%s/%s'", k->dir_path, name);
		if (label)
			r = selinux_set_label(k->dir_fd, name, label, err);
	}
	return r;
}

/* With one id there is one user, who has no right to change his groups. */
static int check_one_id(struct creation *k, const struct user_identity *user, struct error *err)
{
	if (user->uid == 0 && user->gid == 0 && user->n_groups == 0)
		return 0;
	return error_kind(
		err, ERROR_DENIED,
		"cannot run as user '%s'%s: you have one id alone, which is root's in the "
		"container; others take lines of yours in /etc/subuid and /etc/subgid, and "
		"newuidmap (package uidmap)",
		k->config.user, strv_len(k->options->group_add) ? " with other groups" : "");
}

static int write_spec(struct creation *k, struct error *err)
{
	cleanup_user_identity struct user_identity user = { 0 };
	cleanup_buf struct buf text = { 0 };
	struct spec_paths paths = { .dir = k->dir_path,
				    .rootfs = k->rootfs_path,
				    .mount_type = k->mount.type,
				    .mount_source = k->mount.source,
				    .mount_options = (const char *const *)k->mount.options,
				    .n_mount_options = strv_len(k->mount.options) };
	struct oci_spec spec;
	int r;

	if (k->options->init) {
		r = engine_program("berth-init", &k->init_path, err);
		if (r < 0)
			return r;
		paths.init = k->init_path;
	}
	r = rootfs_user_resolve(k->lowerdirs, k->dir_fd, k->config.user, k->options->group_add,
				&user, err);
	if (r == 0)
		r = k->config.ids == IDMAP_ONE ? check_one_id(k, &user, err)
					       : user_add_primary_group(&user, err);
	if (r < 0)
		return r;
	spec_build(&k->config, &paths, &user, &spec);
	r = oci_spec_check(&spec, err);
	if (r < 0)
		return r;
	oci_spec_format(&spec, NULL, &text);
	return bundle_write(k->dir_fd, FILE_CONFIG, &text, 0600, err);
}

static int write_document(struct creation *k, struct error *err)
{
	bool logs = !str_eq(k->options->log_driver, "none");
	cleanup_free char *log_path = logs ? path_join(k->dir_path, FILE_LOG) : NULL;
	struct document_paths paths = { .dir = k->dir_path,
					.log_path = logs ? log_path : "",
					.driver = k->driver ? k->driver->name : "",
					.mount = &k->mount };
	cleanup_buf struct buf text = { 0 };

	document_format(&k->config, &paths, &text);
	return bundle_write(k->dir_fd, FILE_DOCUMENT, &text, 0600, err);
}

/* Row */

/* "sh -c 'echo hi'": words with blanks in quotes, as docker ps shows them. */
static const char *command_text(const struct container_config *c)
{
	cleanup_buf struct buf text = { 0 };

	for (size_t i = 0; i < c->n_args; i++)
		buf_printf(&text, i > 0 && strchr(c->args[i], ' ') ? "%s'%s'" : "%s%s",
			   i > 0 ? " " : "", c->args[i]);
	return arena_strdup(c->arena, buf_str(&text));
}

static const char *labels_text(const struct container_config *c)
{
	cleanup_buf struct buf text = { 0 };
	struct json_writer w;

	json_writer_init(&w, &text, NULL);
	json_add_strings(&w, NULL, c->labels, c->n_labels);
	return arena_strdup(c->arena, buf_str(&text));
}

static const char *mounts_text(const struct container_config *c)
{
	cleanup_buf struct buf text = { 0 };
	struct json_writer w;

	json_writer_init(&w, &text, NULL);
	json_begin_array(&w, NULL);
	for (size_t i = 0; i < c->n_mounts; i++)
		if (c->mounts[i].type == MOUNT_WORD_BIND)
			json_add_string(&w, NULL, c->mounts[i].source);
	json_end(&w);
	return arena_strdup(c->arena, buf_str(&text));
}

static const char *network_text(const struct container_config *c)
{
	const struct namespace_mode *mode = &c->ns[OCI_NS_NET];

	switch (mode->kind) {
	case NAMESPACE_HOST:
		return "host";
	case NAMESPACE_CONTAINER:
		return arena_printf(c->arena, "container:%s", mode->container);
	case NAMESPACE_PRIVATE:
		break;
	}
	return "none";
}

static int add_row(struct creation *k, struct error *err)
{
	const struct container_config *c = &k->config;
	char platform[PLATFORM_TEXT_MAX], name[ID_NAME_MAX];
	struct record record = {
		.id = c->id,
		.image = k->options->image,
		.image_id = c->image_id,
		.command = command_text(c),
		.network = network_text(c),
		.labels = labels_text(c),
		.mounts = mounts_text(c),
		.platform = platform,
		.created_ns = c->created_ns,
		.flags = (k->options->tty ? RECORD_TTY : 0) |
			 (k->options->interactive ? RECORD_STDIN : 0) |
			 (k->options->auto_remove ? RECORD_AUTO_REMOVE : 0),
		.state = CONTAINER_STATE_CREATED,
		.name = k->options->name,
	};
	struct db *db;
	int r = engine_db(k->e, &db, err);

	if (r < 0)
		return r;
	image_platform_text(k, platform);
	if (record.name)
		return db_insert(db, &record, err);
	for (unsigned attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
		r = id_name_new(attempt, name, err);
		if (r < 0)
			return r;
		record.name = name;
		r = db_insert(db, &record, err);
		if (r >= 0 || err->kind != ERROR_CONFLICT)
			return r;
	}
	return r;
}

/* The image was looked up a while ago. From here on its layers are opened. */
static int hold_image(struct creation *k, struct error *err)
{
	struct image_store *store;
	int r = k->image ? engine_images(k->e, &store, err) : 0;

	if (r == 0 && k->image)
		r = image_hold(store, k->image, &k->hold_fd, err);
	return r < 0 && err->kind == ERROR_NOT_FOUND ? image_missing(k->options->image, err) : r;
}

static int insert_row(struct creation *k, struct error *err)
{
	int r = add_row(k, err);

	cleanup_close_fd(&k->hold_fd);
	k->hold_fd = -EBADF;
	return r;
}

static int write_cidfile(struct creation *k, struct error *err)
{
	int r;

	if (!k->options->cidfile)
		return 0;
	r = file_write_atomic(AT_FDCWD, k->options->cidfile, k->config.id, ID_LEN, 0644,
			      FILE_WRITE_EXCL, err);
	k->cidfile_written = r >= 0;
	return r;
}

static int write_etc(struct creation *k, struct error *err)
{
	return k->config.etc_dir ? 0 : bundle_write_etc(&k->config, k->dir_fd, err);
}

static int write_all(struct creation *k, struct error *err)
{
	static int (*const steps[])(struct creation *, struct error *) = {
		make_dir,	write_etc,
		hold_image, /* nobody removes it */
		make_snapshot,	make_volumes,
		write_spec, /* wants the snapshot's mount */
		write_document, write_cidfile,
		insert_row, /* last: now it exists, and uses the image */
	};
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(steps); i++)
		r = steps[i](k, err);
	return r;
}

static void undo(struct creation *k)
{
	if (k->cidfile_written)
		(void)unlink(k->options->cidfile); /* the failure is reported already */
	if (k->dir_fd >= 0)
		(void)dir_remove_tree(k->containers_fd, k->config.id, NULL); /* as above */
}

/* Whatever failed then, it is the image that is missing. */
static bool has_lost_image(struct creation *k)
{
	cleanup_fd int hold = -EBADF;
	struct image_store *store;
	struct error err;

	return k->image && engine_images(k->e, &store, &err) == 0 &&
	       image_hold(store, k->image, &hold, &err) < 0 && err.kind == ERROR_NOT_FOUND;
}

int engine_create(struct engine *e, const struct container_options *o,
		  struct engine_created *ret_created, struct error *err)
{
	__attribute__((cleanup(creation_done))) struct creation k = {
		.e = e,
		.options = o,
		.arena = arena_new(),
		.containers_fd = -EBADF,
		.dir_fd = -EBADF,
		.hold_fd = -EBADF,
	};
	int r = gather(&k, err);

	if (r >= 0) {
		r = write_all(&k, err);
		if (r < 0)
			undo(&k);
	}
	if (r < 0)
		return has_lost_image(&k) ? image_missing(o->image, err) : r;
	memcpy(ret_created->id, k.config.id, sizeof(k.config.id));
	ret_created->warnings = take_ptr(&k.warnings);
	return 0;
}
