/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mount's context hides the labels of what lies below it, but a program's mappings are of the files
 * below: so layers and upper directories have the label of what containers may read
 * (image/store_label.h), as in the stores of docker and podman.
 *
 * LIMIT: two containers may by chance get the same two categories of 1,024, one pair in 523,776.
 * Keeping those in use in the database would lift that.
 */
#include "engine/selinux_label.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"
#include "base/str.h"
#include "kernel/selinux.h"

#define CATEGORIES 1024

/* user:role:type:level; level is NULL in a policy without any. */
struct label {
	const char *user, *role, *type, *level;
};

static bool split(const char *text, struct arena *arena, struct label *ret)
{
	char *rest = arena_strdup(arena, text);
	const char **parts[] = { &ret->user, &ret->role, &ret->type };

	*ret = (struct label){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (!rest)
			return false;
		*parts[i] = rest;
		rest = strchr(rest, ':');
		if (rest)
			*rest++ = '\0';
	}
	ret->level = rest;
	return true;
}

static const char *join(const struct label *l, struct arena *arena)
{
	return arena_printf(arena, "%s:%s:%s%s%s", l->user, l->role, l->type, l->level ? ":" : "",
			    l->level ? l->level : "");
}

/* What the policy says of containers; false: nothing. */
static bool load_defaults(struct arena *arena, struct label *ret_process, struct label *ret_file)
{
	cleanup_free char *process = selinux_container_context("process");
	cleanup_free char *file = selinux_container_context("file");

	return process && file && split(process, arena, ret_process) &&
	       split(file, arena, ret_file);
}

/* "s0" with two categories of its own: "s0:c17,c940". */
static int random_level(const char *level, struct arena *arena, const char **ret, struct error *err)
{
	unsigned short c[2];

	do {
		if (getrandom(c, sizeof(c), 0) != (ssize_t)sizeof(c))
			return error_sys(err, "cannot read random numbers");
		c[0] %= CATEGORIES;
		c[1] %= CATEGORIES;
	} while (c[0] == c[1]);
	*ret = arena_printf(arena, "%.*s:c%u,c%u", (int)strcspn(level, ":"), level, MIN(c[0], c[1]),
			    MAX(c[0], c[1]));
	return 0;
}

int selinux_labels_make(struct container_config *c, const char *joined, struct error *err)
{
	struct selinux_words *w = &c->security.selinux;
	bool asked = w->user || w->role || w->type || w->level || w->filetype;
	struct label process, file, other = { 0 };
	int r = 0;

	if (w->disable ||
	    (!asked && (c->options->privileged || c->ns[OCI_NS_PID].kind == NAMESPACE_HOST ||
			c->ns[OCI_NS_IPC].kind == NAMESPACE_HOST)))
		return 0;
	if (!selinux_is_enabled())
		return asked ? error_kind(
				       err, ERROR_UNSUPPORTED,
				       "--security-opt label: SELinux is not enabled on this host")
			     : 0;
	if (!load_defaults(c->arena, &process, &file))
		return asked ? error_kind(err, ERROR_UNSUPPORTED,
					  "--security-opt label: the host's SELinux policy has no "
					  "labels for containers (contexts/lxc_contexts)")
			     : 0;
	if (!str_empty(joined) && split(joined, c->arena, &other)) {
		process = other;
		file.level = other.level;
	} else if (process.level && !w->level) {
		r = random_level(process.level, c->arena, &process.level, err);
		file.level = process.level;
	}
	if (r < 0)
		return r;
	process.user = w->user ? w->user : process.user;
	process.role = w->role ? w->role : process.role;
	process.type = w->type ? w->type : process.type;
	file.type = w->filetype ? w->filetype : file.type;
	if (w->level)
		process.level = file.level = w->level;
	c->security.selinux_label = join(&process, c->arena);
	c->security.mount_label = join(&file, c->arena);
	return 0;
}

const char *selinux_shared_label(const char *label, struct arena *arena)
{
	struct label l;

	if (!label || !split(label, arena, &l))
		return label;
	if (l.level) /* "s0:c1,c2" */
		l.level = arena_strndup(arena, l.level, strcspn(l.level, ":"));
	return join(&l, arena);
}

/* A host without these labels as they were does not start again. */
static bool is_of_the_system(const char *path)
{
	static const char *const paths[] = {
		"/",	"/bin",	      "/boot",	  "/dev",     "/etc",	  "/home",
		"/lib", "/lib64",     "/media",	  "/opt",     "/proc",	  "/root",
		"/run", "/sbin",      "/srv",	  "/sys",     "/tmp",	  "/usr",
		"/var", "/var/cache", "/var/lib", "/var/log", "/var/run",
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (str_eq(path, paths[i]))
			return true;
	return str_after(path, "/etc/") || str_after(path, "/proc/") || str_after(path, "/sys/") ||
	       str_after(path, "/dev/") || str_after(path, "/usr/") || str_after(path, "/boot/");
}

int selinux_relabel_sources(const struct container_config *c, struct error *err)
{
	const char *own = c->security.mount_label;

	for (size_t i = 0; own && i < c->n_mounts; i++) {
		const struct mount_word *m = &c->mounts[i];
		cleanup_free char *path = m->relabel ? realpath(m->source, NULL) : NULL;
		int r;

		if (!m->relabel)
			continue;
		if (!path)
			return error_sys(err, "cannot find '%s'", m->source);
		if (is_of_the_system(path))
			return error_kind(
				err, ERROR_INVALID,
				"SELinux relabeling of '%s' is not allowed: programs of the "
				"host need it as it is",
				path);
		r = selinux_set_labels(
			path, m->relabel == 'Z' ? own : selinux_shared_label(own, c->arena), err);
		if (r < 0)
			return error_prefix(err, r, "relabelling '%s'", path);
	}
	return 0;
}
