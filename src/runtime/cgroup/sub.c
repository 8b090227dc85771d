/* SPDX-License-Identifier: Apache-2.0 */

/* Where exec enters: the container's own cgroups, or cgroups below them that it made itself. */
#include <fcntl.h>
#include <string.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "kernel/cgroupfs.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/cgroup/driver.h"

static bool node_has(const struct cgroup_node *n, const char *controller)
{
	if (!*controller)
		return cgroup_node_is_v2(n);
	return !cgroup_node_is_v2(n) && cgroupfs_list_has(n->controllers, controller);
}

/* Each controller at most once, and somewhere. */
static int check_controllers(const struct cgroup *cg, char *const *subs, struct error *err)
{
	cleanup_with(strv_free) char **seen = NULL;

	for (size_t i = 0; subs[i]; i++) {
		cleanup_free char *list = xstrndup(subs[i], strcspn(subs[i], ":"));
		cleanup_with(strv_free) char **words = strv_split(list, ",", true);

		for (size_t k = 0; k < strv_len(words); k++) {
			bool found = false;

			for (size_t j = 0; j < cg->n; j++)
				found |= node_has(&cg->nodes[j], words[k]);
			if (!found)
				return error_kind(err, ERROR_INVALID,
						  "--cgroup %s: the container has no cgroup with "
						  "controller '%s'",
						  subs[i], words[k]);
			if (strv_has(seen, words[k]))
				return error_kind(err, ERROR_INVALID,
						  "--cgroup %s: controller '%s' is given twice",
						  subs[i], words[k]);
			seen = strv_push(seen, words[k]);
		}
	}
	return 0;
}

static int check_subs(const struct cgroup *cg, char *const *subs, struct error *err)
{
	if (!subs || !subs[0] || (!subs[1] && !strchr(subs[0], ':')))
		return 0;
	for (size_t i = 0; subs[i]; i++) {
		const char *colon = strchr(subs[i], ':');

		if (!colon)
			return error_kind(err, ERROR_INVALID,
					  "--cgroup %s: several need a controller each, as in "
					  "memory:path",
					  subs[i]);
		if (strchr(colon + 1, ':'))
			return error_kind(err, ERROR_INVALID, "--cgroup %s: not CONTROLLER:PATH",
					  subs[i]);
	}
	return check_controllers(cg, subs, err);
}

/* The sub-cgroup that is meant for this hierarchy, or NULL: the container's own. */
static const char *find_sub(const struct cgroup_node *n, char *const *subs)
{
	for (size_t i = 0; subs && subs[i]; i++) {
		const char *colon = strchr(subs[i], ':');
		cleanup_free char *list = NULL;
		cleanup_with(strv_free) char **words = NULL;

		if (!colon)
			return subs[i];
		list = xstrndup(subs[i], (size_t)(colon - subs[i]));
		words = strv_split(list, ",", true);
		for (size_t k = 0; k < strv_len(words); k++)
			if (node_has(n, words[k]))
				return colon + 1;
	}
	return NULL;
}

/* "/a" is meant below the container's cgroup, too. */
static int open_sub(const struct cgroup_node *n, const char *sub, int *ret_fd, struct error *err)
{
	const char *relative = sub + strspn(sub, "/");
	int fd = path_open_beneath(n->dir_fd, *relative ? relative : ".", O_PATH | O_DIRECTORY, 0);

	if (fd < 0)
		return error_num(err, -fd, "cannot open sub-cgroup '%s' of '%s'", sub, n->dir);
	*ret_fd = fd;
	return 0;
}

int cgroup_open_enter(struct cgroup *cg, char *const *subs, struct error *err)
{
	int r = check_subs(cg, subs, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < cg->n; i++) {
		struct cgroup_node *n = &cg->nodes[i];
		const char *sub = find_sub(n, subs);
		cleanup_fd int sub_fd = -EBADF;

		if (n->dir_fd < 0)
			return error_kind(err, ERROR_NOT_FOUND, "cgroup '%s' is gone", n->dir);
		if (sub) {
			r = open_sub(n, sub, &sub_fd, err);
			if (r < 0)
				return r;
		}
		r = n->driver->open_enter(n, sub ? sub_fd : n->dir_fd, err);
		if (r < 0)
			return r;
	}
	return 0;
}
