/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/place.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "base/user.h"
#include "engine/engine.h"

#define ROOT_DEFAULT  "/var/lib/berth"
#define STATE_DEFAULT "/run/berth"
#define TMP_STATE     "/tmp/berth-%u" /* a user's, who has no other */

/* The first that names something; it made absolute. Heap. */
static int choose(const char *configured, const char *variable, const char *fallback, char **ret,
		  struct error *err)
{
	const char *path = configured ? configured : getenv(variable);
	char cwd[PATH_MAX];
	cleanup_free char *joined = NULL;

	if (str_empty(path))
		path = fallback;
	if (path[0] != '/') {
		if (!getcwd(cwd, sizeof(cwd)))
			return error_sys(err, "cannot find the current directory for '%s'", path);
		joined = path_join(cwd, path);
	}
	*ret = path_clean(joined ? joined : path);
	return 0;
}

/* A directory that the environment names; relative ones are to be ignored (the specification). */
static const char *directory_of(const char *variable)
{
	const char *path = getenv(variable);

	return path && path[0] == '/' ? path : NULL;
}

static char *user_root(uid_t uid)
{
	const char *data = directory_of("XDG_DATA_HOME"), *home = directory_of("HOME");
	cleanup_fd int root_fd = -EBADF;
	char of_passwd[PATH_MAX] = "/";

	if (data)
		return path_join(data, "berth");
	if (!home) {
		root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		(void)user_home(root_fd, uid, of_passwd, sizeof(of_passwd)); /* "/" then */
		home = of_passwd;
	}
	return path_join(home, ".local/share/berth");
}

/* Has somebody, as systemd-logind does, made the directory for this user? */
static bool is_own_directory(const char *path, uid_t uid)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == uid;
}

static char *user_state(uid_t uid)
{
	const char *run = directory_of("XDG_RUNTIME_DIR");
	cleanup_free char *of_login = NULL;

	if (run)
		return path_join(run, "berth");
	of_login = xasprintf("/run/user/%u", uid);
	if (is_own_directory(of_login, uid))
		return path_join(of_login, "berth");
	return xasprintf(TMP_STATE "/berth", uid);
}

/* In /tmp somebody else may have been faster with our name. */
static int check_tmp(const char *state_path, uid_t uid, struct error *err)
{
	cleanup_free char *dir = xasprintf(TMP_STATE, uid);
	struct stat st;

	if (!str_after(state_path, dir) || (mkdir(dir, 0700) < 0 && errno == ENOENT))
		return 0; /* elsewhere; without /tmp the next step says so */
	if (lstat(dir, &st) < 0)
		return error_sys(err, "cannot make '%s'", dir);
	if (!S_ISDIR(st.st_mode) || st.st_uid != uid || (st.st_mode & 077))
		return error_kind(err, ERROR_DENIED,
				  "'%s' is not yours alone: choose another directory with --state "
				  "or XDG_RUNTIME_DIR",
				  dir);
	return 0;
}

int place_choose(const struct engine_config *config, char **ret_root, char **ret_state,
		 struct error *err)
{
	uid_t uid = geteuid();
	cleanup_free char *own_root = uid ? user_root(uid) : NULL;
	cleanup_free char *own_state = uid ? user_state(uid) : NULL;
	cleanup_free char *root = NULL;
	int r = choose(config->root_path, "BERTH_ROOT", uid ? own_root : ROOT_DEFAULT, &root, err);

	if (r >= 0)
		r = choose(config->state_path, "BERTH_STATE", uid ? own_state : STATE_DEFAULT,
			   ret_state, err);
	if (r >= 0 && uid)
		r = check_tmp(*ret_state, uid, err);
	if (r >= 0)
		*ret_root = take_ptr(&root);
	return r;
}
