/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A running container as files, by criu. What leads out of the container is named for it, so that
 * a restore can put something in its place:
 *
 *	bind mounts, bound cgroups        mnt[DESTINATION]:DESTINATION
 *	files masked with /dev/null       mnt[DESTINATION]:/dev/null
 *	joined network, pid namespace     net[INODE]:extRootNetNS, pid[INODE]:extRootPidNS
 *	0, 1, 2 as files of the host      file[MOUNT:INODE], as pipes nothing (descriptors.json)
 *
 * The names are runc's, where it has them.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "codec/json.h"
#include "kernel/mountinfo.h"
#include "oci/spec.h"
#include "runtime/annotation.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/criu.h"
#include "runtime/mount_option.h"
#include "runtime/runtime.h"
#include "runtime/statedir.h"

struct checkpoint {
	struct container *c;
	struct oci_spec *spec;
	const struct runtime_criu_options *options;
	struct criu_call call;
	char **binds;	  /* destinations of mounts[] that are binds */
	char **mount_ids; /* of all mounts of the container, as decimal text */
};

static void checkpoint_done(struct checkpoint *p)
{
	criu_call_done(&p->call);
	p->binds = strv_free(p->binds);
	p->mount_ids = strv_free(p->mount_ids);
	p->spec = oci_spec_free(p->spec);
	p->c = container_free(p->c);
}

static int open_container(struct checkpoint *p, const char *root_path, const char *id,
			  struct error *err)
{
	enum container_status status;
	int r = container_open(root_path, id, &p->c, err);

	if (r >= 0)
		r = container_get_status(p->c, &status, err);
	if (r < 0)
		return r;
	if (status != CONTAINER_RUNNING && status != CONTAINER_PAUSED)
		return error_kind(err, ERROR_CONFLICT,
				  "container cannot be checkpointed in %s state",
				  container_status_name(status));
	return container_config(p->c, &p->spec, err);
}

static void find_binds(struct checkpoint *p)
{
	for (size_t i = 0; i < p->spec->n_mounts; i++) {
		const struct oci_mount *m = &p->spec->mounts[i];
		cleanup_free char *absolute = path_join("/", m->destination);
		struct mount_options options;

		mount_options_parse(m->options, m->n_options, p->spec->arena, &options);
		if (options.bind || str_eq(m->type, "bind"))
			p->binds = strv_push_owned(p->binds, path_clean(absolute));
	}
}

static void add_external(struct checkpoint *p, const char *mount_point, const char *cookie)
{
	cleanup_free char *value = xasprintf("mnt[%s]:%s", mount_point, cookie);

	criu_add_string(&p->call, CRIU_OPTION_EXTERNAL, value);
}

static int add_mounts(struct checkpoint *p, struct error *err)
{
	cleanup_free char *path = xasprintf("/proc/%d/mountinfo", (int)p->c->pid);
	cleanup_free char *text = NULL;
	struct mountinfo m;
	char *cursor;
	int r = file_read(AT_FDCWD, path, MOUNTINFO_MAX_BYTES, &text, NULL, err);

	if (r < 0)
		return r;
	find_binds(p);
	for (cursor = text; mountinfo_next(&cursor, &m) == 1;) {
		bool cgroup = str_eq(m.fs_type, "cgroup") || str_eq(m.fs_type, "cgroup2");

		p->mount_ids = strv_push_owned(p->mount_ids, xasprintf("%d", m.id));
		if (str_eq(m.mount_point, "/"))
			continue; /* criu's --root */
		if (str_eq(m.fs_type, "devtmpfs") && str_eq(m.root, "/null"))
			add_external(p, m.mount_point, "/dev/null");
		else if (cgroup || str_eq(m.fs_type, "devtmpfs") ||
			 strv_has(p->binds, m.mount_point))
			add_external(p, m.mount_point, m.mount_point);
	}
	return 0;
}

static int add_namespace(struct checkpoint *p, enum oci_ns ns, const char *name, const char *key,
			 struct error *err)
{
	cleanup_free char *path = xasprintf("/proc/%d/ns/%s", (int)p->c->pid, name);
	cleanup_free char *value = NULL;
	struct stat st;

	if (!p->spec->linux_.namespaces[ns].path)
		return 0;
	if (stat(path, &st) < 0)
		return error_sys(err, "cannot find namespace '%s'", path);
	value = xasprintf("%s[%llu]:%s", name, (unsigned long long)st.st_ino, key);
	criu_add_string(&p->call, CRIU_OPTION_EXTERNAL, value);
	return 0;
}

static int add_namespaces(struct checkpoint *p, struct error *err)
{
	int r = add_namespace(p, OCI_NS_NET, "net", CRIU_EXTERNAL_NET, err);

	return r < 0 ? r : add_namespace(p, OCI_NS_PID, "pid", CRIU_EXTERNAL_PID, err);
}

/* The id of the mount that a descriptor of init was opened through. Heap, or NULL. */
static char *mount_of(const struct checkpoint *p, int number)
{
	cleanup_free char *path = xasprintf("/proc/%d/fdinfo/%d", (int)p->c->pid, number);
	cleanup_free char *text = NULL;
	struct error ignored;
	const char *id;

	if (file_read(AT_FDCWD, path, 65536, &text, NULL, &ignored) < 0)
		return NULL;
	id = strstr(text, "mnt_id:\t");
	return id ? xstrndup(id + 8, strcspn(id + 8, "\n")) : NULL;
}

/*
 * What init has as 0, 1 or 2, by the name that criu gives it. A file of a mount that the container
 * does not have is the host's: criu is told.
 */
static char *name_descriptor(struct checkpoint *p, int number)
{
	cleanup_free char *path = xasprintf("/proc/%d/fd/%d", (int)p->c->pid, number);
	cleanup_free char *mount_id = mount_of(p, number);
	char target[PATH_MAX] = "";
	struct stat st;
	char *name;

	if (readlink(path, target, sizeof(target) - 1) < 0 || stat(path, &st) < 0)
		return xstrdup("");
	if (target[0] != '/' || !mount_id || strv_has(p->mount_ids, mount_id))
		return xstrdup(target);
	name = xasprintf("file[%lx:%llx]", strtoul(mount_id, NULL, 10),
			 (unsigned long long)st.st_ino);
	criu_add_string(&p->call, CRIU_OPTION_EXTERNAL, name);
	return name;
}

static int add_descriptors(struct checkpoint *p, struct error *err)
{
	cleanup_free char *path = path_join(p->call.images_path, CRIU_DESCRIPTORS_FILE);
	cleanup_buf struct buf text = { 0 };
	struct json_writer w;

	json_writer_init(&w, &text, NULL);
	json_begin_array(&w, NULL);
	for (int i = 0; i < CRIU_DESCRIPTORS; i++) {
		cleanup_free char *name = name_descriptor(p, i);

		json_add_string(&w, NULL, name);
	}
	json_end(&w);
	return file_write_atomic(AT_FDCWD, path, text.data, text.len, 0600, 0, err);
}

static int add_freezer(struct checkpoint *p, struct error *err)
{
	cleanup_with(cgroup_close) struct cgroup *cg = NULL;
	const char *dir = NULL;
	int r = cgroup_open(p->c->cgroups, &cg, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < cg->n; i++)
		if (cgroup_node_is_v2(&cg->nodes[i]) ? !dir
						     : str_eq(cg->nodes[i].controllers, "freezer"))
			dir = cg->nodes[i].dir;
	criu_add_string(&p->call, CRIU_OPTION_FREEZE_CGROUP, dir);
	return 0;
}

static int add_page_server(struct checkpoint *p, struct error *err)
{
	const char *text = p->options->page_server;
	const char *colon = text ? strrchr(text, ':') : NULL;
	cleanup_free char *address = NULL;
	unsigned long port;
	char *end;

	if (!text)
		return 0;
	port = colon ? strtoul(colon + 1, &end, 10) : 0;
	if (!colon || colon == text || port == 0 || port > UINT16_MAX || *end)
		return error_kind(err, ERROR_INVALID, "page server '%s': not ADDRESS:PORT", text);
	address = xstrndup(text, (size_t)(colon - text));
	criu_add_page_server(&p->call.options, address, (unsigned)port);
	return 0;
}

static int add_options(struct checkpoint *p, struct error *err)
{
	const struct runtime_criu_options *o = p->options;

	criu_add_number(&p->call, CRIU_OPTION_PID, (unsigned)p->c->pid);
	criu_add_string(&p->call, CRIU_OPTION_ROOT, p->c->rootfs_path);
	criu_add_number(&p->call, CRIU_OPTION_LEAVE_RUNNING, o->leave_running);
	criu_add_number(&p->call, CRIU_OPTION_TRACK_MEM, o->pre_dump);
	criu_add_string(&p->call, CRIU_OPTION_PARENT_IMAGES, o->parent_path);
	criu_add_string(&p->call, CRIU_OPTION_CONFIG_FILE, annotations_criu_config(p->spec));
	/* process.terminal: nobody in the container has its other end */
	criu_add_number(&p->call, CRIU_OPTION_ORPHAN_PTS_MASTER, true);
	return add_page_server(p, err);
}

/* Whoever brings the memory later waits for this byte. */
static int notified(void *arg, const struct criu_response *response, int fd UNUSED,
		    struct error *err)
{
	const struct checkpoint *p = arg;

	if (p->options->status_fd <= 0 || !str_eq(response->script, "status-ready"))
		return 0;
	return write(p->options->status_fd, "", 1) == 1
		       ? 0
		       : error_sys(err, "--status-fd %d", p->options->status_fd);
}

/* A pre-dump is of memory alone: descriptors and mounts come with the last one. */
static int prepare(struct checkpoint *p, struct error *err)
{
	int r = criu_call_init(&p->call, p->options->pre_dump ? CRIU_PRE_DUMP : CRIU_DUMP,
			       p->options, err);

	p->call.notify = notified;
	p->call.arg = p;
	if (r >= 0)
		r = add_options(p, err);
	if (r >= 0)
		r = add_freezer(p, err);
	if (r >= 0)
		r = add_namespaces(p, err);
	if (r < 0 || p->options->pre_dump)
		return r;
	r = add_mounts(p, err);
	return r < 0 ? r : add_descriptors(p, err);
}

int runtime_checkpoint(const char *root_path, const char *id,
		       const struct runtime_criu_options *options, struct error *err)
{
	__attribute__((cleanup(checkpoint_done))) struct checkpoint p = { .options = options };
	int r = open_container(&p, root_path, id, err);

	if (r >= 0)
		r = prepare(&p, err);
	if (r >= 0)
		r = criu_run(&p.call, err);
	if (r < 0 || options->leave_running || options->pre_dump)
		return r;
	return runtime_delete(root_path, id, true, err); /* criu has killed it */
}
