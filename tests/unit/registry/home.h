/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A user's home for a test: an empty directory that the environment names, gone afterwards. */

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/dir.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"

static int home_setup(void **state)
{
	char template[] = "/tmp/berth-home-XXXXXX";
	char *home = mkdtemp(template);

	assert(home);
	*state = xstrdup(home);
	setenv("HOME", home, 1);
	setenv("XDG_RUNTIME_DIR", home, 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("DOCKER_CONFIG");
	unsetenv("REGISTRY_AUTH_FILE");
	unsetenv("CONTAINERS_REGISTRIES_CONF");
	return 0;
}

static int home_teardown(void **state)
{
	struct error err;
	int r = dir_remove_tree(AT_FDCWD, *state, &err);

	free(*state);
	return r;
}

/* Writes home/name, with its directories. */
static UNUSED void home_write(void **state, const char *name, const char *text, mode_t mode)
{
	cleanup_free char *path = path_join(*state, name);
	cleanup_free char *dir = xstrndup(path, (size_t)(path_base(path) - path));
	struct error err;

	assert(path_mkdir_all(dir, 0700, &err) == 0);
	assert(file_write_atomic(AT_FDCWD, path, text, strlen(text), mode, 0, &err) == 0);
	assert(chmod(path, mode) == 0);
}

static UNUSED char *home_read(void **state, const char *name)
{
	cleanup_free char *path = path_join(*state, name);
	struct error err;
	char *text = NULL;

	assert(file_read(AT_FDCWD, path, 1 << 20, &text, NULL, &err) == 0);
	return text;
}
