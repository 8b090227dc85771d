/* SPDX-License-Identifier: Apache-2.0 */

/* Cgroups and processes that change hands. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "runtime/cgroup/driver.h"

static int give(const struct cgroup_node *n, const char *file, uid_t uid, gid_t gid,
		struct error *err)
{
	if (fchownat(n->dir_fd, file, uid, gid, *file ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH) < 0 &&
	    errno != ENOENT) /* of a controller that is not switched on here */
		return error_sys(err, "cannot give cgroup '%s%s%s' to user %u", n->dir,
				 *file ? "/" : "", file, (unsigned)uid);
	return 0;
}

int cgroup_give(const struct cgroup_node *n, uid_t uid, gid_t gid, struct error *err)
{
	static const char usual[] = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n";
	cleanup_free char *known = NULL;
	cleanup_with(strv_free) char **files = NULL;
	struct error ignored;
	int r;

	r = file_read(AT_FDCWD, "/sys/kernel/cgroup/delegate", 1u << 16, &known, NULL, &ignored);
	files = strv_split(r == 0 ? known : usual, "\n", false);
	r = give(n, "", uid, gid, err);
	for (size_t i = 0; r == 0 && i < strv_len(files); i++)
		if (!strchr(files[i], '/'))
			r = give(n, files[i], uid, gid, err);
	return r;
}

int cgroup_delegate(const struct cgroup *cg, uid_t uid, struct error *err)
{
	return cgroup_is_unified(cg) ? cgroup_give(cgroup_v2_node(cg), uid, (gid_t)-1, err) : 0;
}

int cgroup_move(const struct cgroup *cg, pid_t pid, struct error *err)
{
	for (size_t i = 0; i < cg->n; i++) {
		const struct cgroup_node *n = &cg->nodes[i];
		int r = n->driver->v2 ? 0 : cgroup_put(n->dir_fd, pid);

		if (r < 0)
			return error_num(err, -r, "cannot move process %d into cgroup '%s'",
					 (int)pid, n->dir);
	}
	return 0;
}
