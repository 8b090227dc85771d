/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "engine/handle.h"
#include "engine/runtime_client.h"
#include "image/snapshot.h"
#include "image/store.h"

#define OS_RELEASE_MAX_BYTES (64u << 10)

/* PRETTY_NAME of os-release(5). */
static void read_os_name(char *ret, size_t size)
{
	cleanup_free char *text = NULL;
	char *save = NULL, *line;

	(void)snprintf(ret, size, "Linux");
	if (file_read(AT_FDCWD, "/etc/os-release", OS_RELEASE_MAX_BYTES, &text, NULL, NULL) < 0)
		return;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *value = str_after(line, "PRETTY_NAME=");
		size_t quoted = value && (*value == '"' || *value == '\'') ? 1 : 0;

		if (value && strlen(value) >= 2 * quoted)
			(void)snprintf(ret, size, "%.*s", (int)(strlen(value) - 2 * quoted),
				       value + quoted);
	}
}

static int count_containers(struct engine *e, struct engine_info *info, struct error *err)
{
	struct container_list list;
	int r = engine_list(e, true, &list, err);

	if (r < 0)
		return r;
	info->containers = list.n;
	for (size_t i = 0; i < list.n; i++) {
		info->running += list.items[i].state == CONTAINER_STATE_RUNNING;
		info->paused += list.items[i].state == CONTAINER_STATE_PAUSED;
	}
	info->stopped = info->containers - info->running - info->paused;
	container_list_done(&list);
	return 0;
}

static int count_images(struct engine *e, struct engine_info *info, struct error *err)
{
	struct image_store *store;
	struct image_list list;
	int r = engine_images(e, &store, err);

	if (r < 0)
		return r;
	r = image_list(store, &list, err);
	if (r < 0)
		return r;
	info->images = list.n;
	image_list_done(&list);
	return 0;
}

static void describe_host(struct engine_info *info)
{
	struct utsname u;
	struct sysinfo memory;
	struct statfs fs;

	if (uname(&u) == 0) {
		(void)snprintf(info->kernel, sizeof(info->kernel), "%s", u.release);
		(void)snprintf(info->arch, sizeof(info->arch), "%.31s", u.machine);
		(void)snprintf(info->hostname, sizeof(info->hostname), "%.64s", u.nodename);
	}
	read_os_name(info->os, sizeof(info->os));
	info->cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	if (sysinfo(&memory) == 0)
		info->memory_bytes = (uint64_t)memory.totalram * memory.mem_unit;
	info->cgroup_version = statfs("/sys/fs/cgroup", &fs) == 0 &&
					       (unsigned long)fs.f_type == CGROUP2_SUPER_MAGIC
				       ? "2"
				       : "1";
	info->cgroup_driver = "cgroupfs";
}

int engine_info(struct engine *e, struct engine_info *ret_info, struct error *err)
{
	struct engine_info info = { 0 };
	struct image_store *images;
	const char *runtime;
	int r = count_containers(e, &info, err);

	if (r >= 0)
		r = count_images(e, &info, err);
	if (r >= 0)
		r = engine_images(e, &images, err);
	if (r >= 0)
		r = runtime_program(e, NULL, &runtime, err);
	if (r < 0)
		return r;
	(void)snprintf(info.runtime_path, sizeof(info.runtime_path), "%s", runtime);
	info.storage_driver = image_store_driver(images);
	info.rootless = e->rootless;
	describe_host(&info);
	*ret_info = info;
	return 0;
}
