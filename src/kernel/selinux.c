/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/selinux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"

#define ATTRIBUTE      "security.selinux"
#define DEPTH_MAX      256 /* a descriptor each */
#define FILE_MAX_BYTES (64u << 10)
#define POLICY_DEFAULT "targeted" /* what a config without a word means */

bool selinux_is_enabled(void)
{
	struct statfs fs;

	return statfs("/sys/fs/selinux", &fs) == 0 && (unsigned long)fs.f_type == SELINUX_MAGIC;
}

static int label_fd(int fd, const char *name, const char *label, struct error *err)
{
	/* fsetxattr() refuses O_PATH; the magic link leads to the file itself, even to a symlink */
	if (setxattr(fd_proc_path(fd).s, ATTRIBUTE, label, strlen(label) + 1, 0) == 0)
		return 0;
	return error_sys(err, "cannot give '%s' the SELinux label '%s'", name, label);
}

int selinux_set_label(int dir_fd, const char *name, const char *label, struct error *err)
{
	cleanup_fd int fd = openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return error_sys(err, "cannot open '%s'", name);
	return label_fd(fd, name, label, err);
}

struct walk {
	const char *label;
	dev_t device;
};

static int label_below(const struct walk *w, int fd, const char *name, unsigned depth,
		       struct error *err);

/* dir_fd/name and what is below it. */
static int label_entry(const struct walk *w, int dir_fd, const char *name, unsigned depth,
		       struct error *err)
{
	cleanup_fd int fd = openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_sys(err, "cannot open '%s'", name);
	if (st.st_dev != w->device)
		return 0;
	r = label_fd(fd, name, w->label, err);
	return r < 0 || !S_ISDIR(st.st_mode) ? r : label_below(w, fd, name, depth, err);
}

static int label_below(const struct walk *w, int fd, const char *name, unsigned depth,
		       struct error *err)
{
	cleanup_dir DIR *dir = NULL;
	cleanup_fd int read_fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct dirent *entry;
	int r = 0;

	if (read_fd < 0)
		return error_sys(err, "cannot read '%s'", name);
	if (depth == DEPTH_MAX)
		return error_kind(err, ERROR_UNSUPPORTED, "'%s' is nested too deep to be labelled",
				  name);
	dir = fdopendir(read_fd);
	if (!dir)
		return error_sys(err, "cannot read '%s'", name);
	(void)take_fd(&read_fd); /* dir's now */
	while (r >= 0) {
		errno = 0;
		entry = readdir(dir);
		if (!entry)
			return errno ? error_sys(err, "cannot read '%s'", name) : 0;
		if (!str_eq(entry->d_name, ".") && !str_eq(entry->d_name, ".."))
			r = label_entry(w, fd, entry->d_name, depth + 1, err);
	}
	return r;
}

int selinux_set_labels(const char *path, const char *label, struct error *err)
{
	cleanup_fd int fd = open(path, O_PATH | O_CLOEXEC);
	struct walk w = { .label = label };
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_sys(err, "cannot open '%s'", path);
	w.device = st.st_dev;
	r = label_fd(fd, path, label, err);
	return r < 0 || !S_ISDIR(st.st_mode) ? r : label_below(&w, fd, path, 0, err);
}

/* The value of "KEY=value" or "key = \"value\": both files have such lines. Heap. */
static char *find_value(const char *text, const char *key)
{
	cleanup_with(strv_free) char **lines = strv_split(text, "\n", false);

	for (size_t i = 0; i < strv_len(lines); i++) {
		const char *p = str_after(lines[i] + strspn(lines[i], " \t"), key);

		if (!p)
			continue;
		p += strspn(p, " \t");
		if (*p++ != '=')
			continue;
		p += strspn(p, " \t\"");
		return xstrndup(p, strcspn(p, " \t\r\"#"));
	}
	return NULL;
}

char *selinux_container_context(const char *key)
{
	cleanup_free char *config = NULL, *policy = NULL, *path = NULL, *contexts = NULL;
	struct error ignored;

	if (!selinux_is_enabled())
		return NULL;
	if (file_read(AT_FDCWD, "/etc/selinux/config", FILE_MAX_BYTES, &config, NULL, &ignored) >=
	    0)
		policy = find_value(config, "SELINUXTYPE");
	path = xasprintf("/etc/selinux/%s/contexts/lxc_contexts", policy ? policy : POLICY_DEFAULT);
	if (file_read(AT_FDCWD, path, FILE_MAX_BYTES, &contexts, NULL, &ignored) < 0)
		return NULL;
	return find_value(contexts, key);
}
