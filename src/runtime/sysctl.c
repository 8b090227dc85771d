/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"
#include "runtime/procfs.h"

/* Parameters that exist once a namespace; a name that ends in "." is a prefix. namespaces(7) */
static const struct {
	const char *name;
	enum oci_ns ns;
} namespaced[] = {
	{ "fs.mqueue.", OCI_NS_IPC },	   { "kernel.domainname", OCI_NS_UTS },
	{ "kernel.hostname", OCI_NS_UTS }, { "kernel.msgmax", OCI_NS_IPC },
	{ "kernel.msgmnb", OCI_NS_IPC },   { "kernel.msgmni", OCI_NS_IPC },
	{ "kernel.sem", OCI_NS_IPC },	   { "kernel.shm_rmid_forced", OCI_NS_IPC },
	{ "kernel.shmall", OCI_NS_IPC },   { "kernel.shmmax", OCI_NS_IPC },
	{ "kernel.shmmni", OCI_NS_IPC },   { "net.", OCI_NS_NET },
	{ "user.", OCI_NS_USER },
};

/*
 * sysctl(8): "net.ipv4.ip_forward" or "net/ipv4/ip_forward"; with slashes as separators a dot is
 * part of a name ("net/ipv4/conf/eth0.1/forwarding"), and with dots a slash stands for it.
 */
static int to_path(const char *key, char *path, size_t size)
{
	const char *first = key + strcspn(key, "./");
	char separator = *first;
	int n = snprintf(path, size, "sys/%s", key);

	if (n < 0 || (size_t)n >= size)
		return -ENAMETOOLONG;
	for (char *p = path + 4; *p; p++) {
		if (*p == separator)
			*p = '/';
		else if (*p == '/')
			*p = '.';
	}
	return strstr(path, "..") ? -EINVAL : 0; /* no sysctl is called so */
}

static bool matches(const char *path, const char *name)
{
	size_t i;

	for (i = 0; name[i]; i++)
		if (path[i] != (name[i] == '.' ? '/' : name[i]))
			return false;
	return i > 0 && (name[i - 1] == '.' || path[i] == '\0');
}

int sysctl_check(const struct oci_linux *config, struct error *err)
{
	for (size_t i = 0; i < config->n_sysctl; i++) {
		const char *key = config->sysctl[i].key;
		bool known = false;
		char path[256];

		if (to_path(key, path, sizeof(path)) < 0)
			return error_kind(err, ERROR_INVALID, "linux.sysctl: invalid name '%s'",
					  key);
		for (size_t k = 0; k < ARRAY_SIZE(namespaced) && !known; k++)
			known = matches(path + 4, namespaced[k].name) &&
				config->namespaces[namespaced[k].ns].wanted;
		if (!known)
			return error_kind(
				err, ERROR_INVALID,
				"linux.sysctl: '%s' is not in a separate kernel namespace", key);
	}
	return 0;
}

int sysctl_apply(const struct oci_linux *config, int own_proc_fd, int proc_fd, struct error *err)
{
	for (size_t i = 0; i < config->n_sysctl; i++) {
		const struct oci_pair *s = &config->sysctl[i];
		cleanup_fd int fd = -EBADF;
		char path[256];
		size_t len = strlen(s->value);
		int r = to_path(s->key, path, sizeof(path));

		if (r >= 0 && own_proc_fd >= 0)
			fd = procfs_open(own_proc_fd, path, O_WRONLY);
		if (r >= 0 && fd < 0) /* it may be read-only, or show processes alone */
			r = fd = procfs_open(proc_fd, path, O_WRONLY);
		if (r < 0)
			return error_num(err, -r, "linux.sysctl: cannot open '%s'", s->key);
		if (write(fd, s->value, len) != (ssize_t)len)
			return error_sys(err, "linux.sysctl: cannot set '%s' to '%s'", s->key,
					 s->value);
	}
	return 0;
}
