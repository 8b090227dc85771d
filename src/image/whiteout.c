/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer's archive says "not there" with files of special names (image-spec layer.md,
 * "Whiteouts"); overlayfs says it with a character device 0:0 and with an attribute on a directory
 * (Documentation/filesystems/overlayfs.rst). Since 5.8 everybody may make that device.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"
#include "image/unpack_private.h"

#define PREFIX	    ".wh."
#define META_PREFIX ".wh..wh."
#define OPAQUE_NAME ".wh..wh..opq"

enum whiteout_kind whiteout_kind(const char *name)
{
	if (!str_after(name, PREFIX))
		return WHITEOUT_NONE;
	if (str_eq(name, OPAQUE_NAME))
		return WHITEOUT_OPAQUE;
	return str_after(name, META_PREFIX) ? WHITEOUT_IGNORED : WHITEOUT_FILE;
}

bool whiteout_is(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

int whiteout_make_opaque(struct unpack *u, int dir_fd, const char *name, struct error *err)
{
	const char *attribute =
		u->flags & UNPACK_USERNS ? "user.overlay.opaque" : "trusted.overlay.opaque";
	cleanup_fd int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return error_sys(err, "cannot open directory '%s'", name);
	if (fsetxattr(fd, attribute, "y", 1, 0) < 0)
		return error_sys(err, "cannot set %s%s", attribute,
				 errno == EOPNOTSUPP ? ", which the file system does not keep: "
						       "choose another --root"
						     : "");
	return 0;
}

int whiteout_make(struct unpack *u, const struct unpack_entry *e, struct error *err)
{
	const char *name = e->name + sizeof(PREFIX) - 1;
	struct stat st;

	if (whiteout_kind(e->name) == WHITEOUT_IGNORED)
		return 0;
	if (str_empty(name) || str_eq(name, ".") || str_eq(name, ".."))
		return error_kind(err, ERROR_INVALID, "it is a whiteout of nothing");
	if (mknodat(e->parent_fd, name, S_IFCHR, makedev(0, 0)) == 0)
		return 0;
	if (errno != EEXIST)
		return error_sys(err, "cannot make a whiteout");

	/* The layer has the name as well: a file hides the one below anyway, a directory must be
	 * told to. A whiteout never removes what its own layer holds (layer.md). */
	if (fstatat(e->parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_sys(err, "cannot stat '%s'", name);
	return S_ISDIR(st.st_mode) ? whiteout_make_opaque(u, e->parent_fd, name, err) : 0;
}
