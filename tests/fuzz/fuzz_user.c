/* SPDX-License-Identifier: Apache-2.0 */
/*
 * passwd, group and subuid files of images: one input is "USER\n" and then the bytes of all three.
 * What comes out is in range, and bounded.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/user.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(int dir_fd, const char *name, const uint8_t *data, size_t size)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
}

static void resolve(int root_fd, const char *spec)
{
	char *const more[] = { (char *)spec, NULL };
	struct user_id_range *ranges;
	struct user_identity id;
	struct error err;
	char home[64];
	size_t n;

	if (user_resolve(root_fd, spec, &id, &err) == 0) {
		assert(id.uid <= USER_ID_MAX && id.gid <= USER_ID_MAX && id.home);
		if (user_add_groups(root_fd, more, &id, &err) == 0)
			assert(id.n_groups <= USER_GROUPS_MAX);
		(void)user_home(root_fd, id.uid, home, sizeof(home)); /* bounded is what counts */
		assert(memchr(home, '\0', sizeof(home)));
		user_identity_done(&id);
	}
	if (user_subids(root_fd, "/etc/group", spec, 0, &ranges, &n, &err) == 0) {
		for (size_t i = 0; i < n; i++)
			assert(ranges[i].first + ranges[i].count >= ranges[i].first);
		free(ranges);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char dir[] = "/tmp/berth-fuzz-user-XXXXXX";
	char spec[64] = "";
	size_t len = 0;
	int root_fd, etc_fd;

	assert(mkdtemp(dir));
	root_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert(mkdirat(root_fd, "etc", 0755) == 0);
	etc_fd = openat(root_fd, "etc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	while (len < size && len < sizeof(spec) - 1 && data[len] != '\n')
		len++;
	memcpy(spec, data, len);
	put(etc_fd, "passwd", data + len, size - len);
	put(etc_fd, "group", data + len, size - len);

	resolve(root_fd, spec);

	assert(unlinkat(etc_fd, "passwd", 0) == 0 && unlinkat(etc_fd, "group", 0) == 0);
	assert(unlinkat(root_fd, "etc", AT_REMOVEDIR) == 0 && rmdir(dir) == 0);
	close(etc_fd);
	close(root_fd);
	return 0;
}
