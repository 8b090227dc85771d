/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/userdir.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/path.h"
#include "base/user.h"

/* A directory that the environment names; relative ones are to be ignored (the specification). */
static const char *directory_of(const char *variable)
{
	const char *path = getenv(variable);

	return path && path[0] == '/' ? path : NULL;
}

char *userdir_home(const char *below)
{
	const char *home = directory_of("HOME");
	cleanup_fd int root_fd = -EBADF;
	char of_passwd[PATH_MAX] = "/";

	if (home)
		return path_join(home, below);
	root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	(void)user_home(root_fd, geteuid(), of_passwd, sizeof(of_passwd)); /* "/" then */
	return path_join(of_passwd, below);
}

char *userdir_config(const char *below)
{
	const char *config = directory_of("XDG_CONFIG_HOME");
	cleanup_free char *own = NULL;

	if (config)
		return path_join(config, below);
	own = userdir_home(".config");
	return path_join(own, below);
}

char *userdir_runtime(const char *below)
{
	const char *dir = directory_of("XDG_RUNTIME_DIR");

	return dir ? path_join(dir, below) : NULL;
}
