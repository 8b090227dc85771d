/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/executable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

/* 0, or why execve of path would be in vain, as -errno. */
static int check(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	/* with the effective ids, which execve uses; ENOSYS: a kernel before 5.8 */
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 && errno != ENOSYS)
		return -errno;
	return 0;
}

static int refuse(const char *name, int r, struct error *err)
{
	if (r == -EISDIR || r == -EACCES || r == -EPERM || r == -ETXTBSY)
		return error_kind(err, ERROR_CMD_NOT_RUNNABLE, "exec: \"%s\": %s", name,
				  r == -EISDIR ? "is a directory: permission denied"
					       : "permission denied");
	if (r == -ENOENT)
		return error_kind(err, ERROR_CMD_NOT_FOUND,
				  "exec: \"%s\": stat %s: no such file or directory", name, name);
	if (r == -ENOTDIR)
		return error_kind(err, ERROR_CMD_NOT_RUNNABLE,
				  "exec: \"%s\": stat %s: not a directory", name, name);
	error_num(err, -r, "exec: \"%s\"", name);
	err->kind = ERROR_CMD_NOT_RUNNABLE;
	return r;
}

static int take(const char *dir, size_t dir_len, const char *name, char ret_path[PATH_MAX])
{
	int n;

	if (dir_len == 0) /* an empty element is the current directory, as for execvp(3) */
		n = snprintf(ret_path, PATH_MAX, "./%s", name);
	else
		n = snprintf(ret_path, PATH_MAX, "%.*s/%s", (int)dir_len, dir, name);
	return n < PATH_MAX ? check(ret_path) : -ENAMETOOLONG;
}

int executable_find(const char *name, const char *path, char ret_path[PATH_MAX], struct error *err)
{
	int r;

	if (strchr(name, '/')) {
		r = strlen(name) < PATH_MAX ? check(name) : -ENAMETOOLONG;
		if (r < 0)
			return refuse(name, r, err);
		memcpy(ret_path, name, strlen(name) + 1);
		return 0;
	}
	while (*name && path && *path) {
		size_t len = strcspn(path, ":");

		if (take(path, len, name, ret_path) == 0)
			return 0;
		path += len + (path[len] == ':');
	}
	return error_kind(err, ERROR_CMD_NOT_FOUND,
			  "%sexec: \"%s\": executable file not found in $PATH",
			  *name ? "" : "process.args[0]: ", name);
}
