/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cgroup/oom.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/file.h"
#include "base/macro.h"
#include "kernel/cgroupfs.h"
#include "runtime/cgroup/cgroup.h"

/* Both files have this key (v1 since 4.13). */
static uint64_t count_kills(const struct cgroup_oom *oom)
{
	const char *file = oom->v2 ? "memory.events" : "memory.oom_control";
	char text[CGROUPFS_FILE_MAX];
	uint64_t value = 0;

	if (oom->dir_fd >= 0 && cgroupfs_read(oom->dir_fd, file, text, sizeof(text)) > 0)
		(void)cgroupfs_key_u64(text, "oom_kill", &value);
	return value;
}

static int open_v1(struct cgroup_oom *oom, struct error *err)
{
	cleanup_fd int control_fd = openat(oom->dir_fd, "memory.oom_control", O_RDONLY | O_CLOEXEC);
	cleanup_fd int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	char text[32];
	int r;

	if (control_fd < 0 || fd < 0)
		return error_sys(err, "cannot watch the memory of the container");
	(void)snprintf(text, sizeof(text), "%d %d", fd, control_fd);
	r = file_poke(oom->dir_fd, "cgroup.event_control", text);
	if (r < 0)
		return error_num(err, -r, "cannot watch the memory of the container");
	oom->fd = take_fd(&fd);
	oom->events = POLLIN;
	return 0;
}

static int open_v2(struct cgroup_oom *oom, struct error *err)
{
	oom->fd = openat(oom->dir_fd, "memory.events", O_RDONLY | O_CLOEXEC);
	if (oom->fd < 0)
		return error_sys(err, "cannot watch the memory of the container");
	oom->events = POLLPRI;
	return 0;
}

int cgroup_oom_open(const struct cgroup *cg, struct cgroup_oom *ret, struct error *err)
{
	struct cgroup_oom oom = { .fd = -EBADF, .dir_fd = -EBADF };
	int r = 0;

	for (size_t i = 0; i < cg->n; i++) {
		const struct cgroup_node *n = &cg->nodes[i];
		bool v2 = cgroup_node_is_v2(n);

		if (n->dir_fd < 0)
			continue;
		if (v2 ? faccessat(n->dir_fd, "memory.events", F_OK, 0) == 0
		       : cgroupfs_list_has(n->controllers, "memory")) {
			oom.dir_fd = n->dir_fd;
			oom.v2 = v2;
		}
	}
	oom.kills = count_kills(&oom);
	if (oom.dir_fd >= 0)
		r = oom.v2 ? open_v2(&oom, err) : open_v1(&oom, err);
	if (r < 0)
		return r;
	*ret = oom;
	return 0;
}

bool cgroup_oom_happened(struct cgroup_oom *oom, bool woken)
{
	uint64_t kills, times;
	char text[CGROUPFS_FILE_MAX];
	bool told = false;

	/* v1 also wakes when the cgroup is removed */
	if (woken && !oom->v2 && read(oom->fd, &times, sizeof(times)) == sizeof(times))
		told = faccessat(oom->dir_fd, "memory.oom_control", F_OK, 0) == 0;
	if (woken && oom->v2) /* reading it is what makes poll wait again */
		(void)!pread(oom->fd, text, sizeof(text), 0);
	kills = count_kills(oom);
	told |= kills > oom->kills;
	oom->kills = MAX(oom->kills, kills);
	return told;
}

void cgroup_oom_close(struct cgroup_oom *oom)
{
	cleanup_close_fd(&oom->fd);
	oom->fd = -EBADF;
}
