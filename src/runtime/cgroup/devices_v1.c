/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The devices controller of cgroup v1 has a default and a list of exceptions from it. Writing "a"
 * sets the default and clears the list. Source: Documentation/admin-guide/cgroup-v1/devices.rst.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "runtime/cgroup/device_list.h"
#include "runtime/cgroup/devices.h"

static void format_number(int64_t n, char *out, size_t size)
{
	if (n < 0)
		(void)snprintf(out, size, "*");
	else
		(void)snprintf(out, size, "%lld", (long long)n);
}

/* "c 1:3 rwm". A rule for both kinds with a number needs one line per kind: the controller takes
 * 'a' for everything. */
static int write_rule(int fd, const struct oci_device_rule *r, char type)
{
	char text[80], major[24], minor[24];
	int n;

	format_number(r->major, major, sizeof(major));
	format_number(r->minor, minor, sizeof(minor));
	n = snprintf(text, sizeof(text), "%c %s:%s %s%s%s", type, major, minor,
		     r->access & OCI_DEVICE_READ ? "r" : "",
		     r->access & OCI_DEVICE_WRITE ? "w" : "",
		     r->access & OCI_DEVICE_MKNOD ? "m" : "");
	return write(fd, text, (size_t)n) < 0 ? -errno : 0;
}

static int write_rules(const int fds[2], const struct device_list *list, struct error *err)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct oci_device_rule *rule = &list->rules[i];
		int fd = fds[rule->allow];
		int r = 0;

		if (rule->type != 'b')
			r = write_rule(fd, rule, 'c');
		if (r == 0 && rule->type != 'c')
			r = write_rule(fd, rule, 'b');
		if (r < 0)
			return error_num(err, -r, "cannot %s device '%c %lld:%lld' in the cgroup",
					 rule->allow ? "allow" : "deny", rule->type,
					 (long long)rule->major, (long long)rule->minor);
	}
	return 0;
}

int devices_v1_apply(int dir_fd, const struct device_list *list, bool fresh, struct error *err)
{
	cleanup_fd int deny_fd = -EBADF;
	cleanup_fd int allow_fd = -EBADF;
	int fds[2], obstacle = device_list_v1_obstacle(list);

	if (obstacle >= 0)
		return error_kind(
			err, ERROR_UNSUPPORTED,
			"linux.resources.devices: cgroup v1 cannot take '%c %lld:%lld' out of a rule with a wildcard",
			list->rules[obstacle].type, (long long)list->rules[obstacle].major,
			(long long)list->rules[obstacle].minor);
	if (fresh && list->default_allow && list->n == 0)
		return 0; /* as the parent, which may itself be limited */

	deny_fd = openat(dir_fd, "devices.deny", O_WRONLY | O_CLOEXEC);
	allow_fd = openat(dir_fd, "devices.allow", O_WRONLY | O_CLOEXEC);
	if (deny_fd < 0 || allow_fd < 0)
		return error_sys(err, "cannot open the device rules of the cgroup");
	fds[false] = deny_fd;
	fds[true] = allow_fd;
	if (write(fds[list->default_allow], "a", 1) < 0)
		return error_sys(err, "cannot %s all devices in the cgroup",
				 list->default_allow ? "allow" : "deny");
	return write_rules(fds, list, err);
}
