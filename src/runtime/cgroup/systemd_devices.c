/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Device rules as DevicePolicy and DeviceAllow. systemd can only allow, by number or by the name that
 * a driver's major number has in /proc/devices; who is allowed something must be allowed it by both,
 * systemd's rules and ours in the cgroup. So it is told at least what ours allow: rules that it cannot
 * express with that promise are left to ours alone.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "kernel/dbus_message.h"
#include "oci/spec.h"
#include "runtime/cgroup/device_list.h"
#include "runtime/cgroup/systemd.h"

#define GROUP_MAX 64

/* The name of a major number: "pts". Those that are paths are no names of groups. */
static bool find_group(const char *text, char type, int64_t major, char *group)
{
	bool in_section = false;

	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n");
		unsigned number;
		char name[GROUP_MAX];

		if (str_after(line, "Character devices:"))
			in_section = type == 'c';
		else if (str_after(line, "Block devices:"))
			in_section = type == 'b';
		else if (in_section && sscanf(line, "%u %63s", &number, name) == 2 &&
			 number == major && name[0] != '/') {
			(void)snprintf(group, GROUP_MAX, "%s", name);
			return true;
		}
		line += n + (line[n] == '\n');
	}
	return false;
}

/* What systemd calls the devices of a rule. false: it has no word for them. */
static bool name_devices(const struct oci_device_rule *r, char type, const char *proc_devices,
			 char *name, size_t size)
{
	const char *kind = type == 'c' ? "char" : "block";
	char group[GROUP_MAX];

	if (r->major < 0 && r->minor >= 0)
		return false;
	if (r->major < 0)
		(void)snprintf(name, size, "%s-*", kind);
	else if (r->minor >= 0)
		(void)snprintf(name, size, "/dev/%s/%" PRId64 ":%" PRId64, kind, r->major,
			       r->minor);
	else if (find_group(proc_devices, type, r->major, group))
		(void)snprintf(name, size, "%s-%s", kind, group);
	else
		return false;
	return true;
}

static bool add_rule(struct buf *b, const struct oci_device_rule *r, char type,
		     const char *proc_devices)
{
	char name[GROUP_MAX + 16], access[4] = "";

	if (r->type != type && r->type != 'a')
		return true;
	if (!name_devices(r, type, proc_devices, name, sizeof(name)))
		return false;
	if (r->access & OCI_DEVICE_READ)
		strcat(access, "r");
	if (r->access & OCI_DEVICE_WRITE)
		strcat(access, "w");
	if (r->access & OCI_DEVICE_MKNOD)
		strcat(access, "m");
	dbus_align(b, 8);
	dbus_add_string(b, name);
	dbus_add_string(b, access);
	return true;
}

/* The rules as an array of (name, access). false: not expressible. */
static bool add_list(struct buf *b, const struct device_list *list, const char *proc_devices)
{
	struct dbus_array a = dbus_open_array(b, 8);
	bool ok = !list->default_allow;

	for (size_t i = 0; ok && i < list->n; i++) {
		const struct oci_device_rule *r = &list->rules[i];

		if (r->allow) /* what a later rule takes away again, ours refuse */
			ok = add_rule(b, r, 'c', proc_devices) && add_rule(b, r, 'b', proc_devices);
	}
	dbus_close_array(b, a);
	return ok;
}

/* Everything, in the words of a list. */
static void add_everything(struct buf *b)
{
	struct oci_device_rule all = { true, 'a', -1, -1,
				       OCI_DEVICE_READ | OCI_DEVICE_WRITE | OCI_DEVICE_MKNOD };
	const struct device_list list = { .rules = &all, .n = 1 };

	systemd_begin_property(b, "DeviceAllow", "a(ss)");
	(void)add_list(b, &list, ""); /* wildcards need no names */
}

void systemd_add_devices(struct buf *b, const struct oci_resources *r,
			 const struct systemd_host *host)
{
	cleanup_buf struct buf allow = { 0 };
	struct device_list list;
	bool expressible;

	device_list_build(r->devices, r->n_devices, &list);
	systemd_begin_property(&allow, "DeviceAllow", "a(ss)");
	expressible = add_list(&allow, &list, host->proc_devices);
	device_list_done(&list);
	if (!expressible) { /* what was strict stays so: systemd 252 keeps its program under "auto" */
		buf_clear(&allow);
		add_everything(&allow);
	}

	systemd_begin_property(b, "DevicePolicy", "s");
	dbus_add_string(b, expressible || !host->fresh ? "strict" : "auto");
	systemd_begin_property(b, "DeviceAllow", "a(ss)"); /* none: those from before go */
	dbus_close_array(b, dbus_open_array(b, 8));
	if (expressible || !host->fresh) {
		dbus_align(b, 8);
		buf_add(b, allow.data, allow.len); /* began at a multiple of 8, too */
	}
}
