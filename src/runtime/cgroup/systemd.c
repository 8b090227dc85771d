/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which manager a container's scope belongs to, and what is asked of it. Root talks to pid 1 over the
 * socket that systemd has for systemctl: no bus daemon is needed, and every client is told when jobs
 * end. Others talk to their own manager, `systemd --user`; the system's would refuse them.
 */
#include "runtime/cgroup/systemd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "kernel/cgroupfs.h"
#include "kernel/dbus.h"
#include "kernel/idmap.h"
#include "oci/spec.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/cgroup/driver.h"

#define MANAGER_PATH	  "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"
#define BOOTED_DIR	  "/run/systemd/system" /* sd_booted(3) */
#define DEFAULT_PREFIX	  "berth"
#define JOB_TIMEOUT_MS	  100000 /* longer than the 90 s that systemd gives processes to end */

/* Names */

struct systemd_unit *systemd_unit_new(const char *name, bool user)
{
	struct systemd_unit *u = xcalloc(1, sizeof(*u));

	u->name = xstrdup(name);
	u->user = user;
	return u;
}

struct systemd_unit *systemd_unit_free(struct systemd_unit *u)
{
	if (!u)
		return NULL;
	u->bus = dbus_close(u->bus);
	free(u->name);
	free(u->slice);
	free(u);
	return NULL;
}

int systemd_unit_parse(const char *path, const char *id, bool user, struct systemd_unit **ret,
		       struct error *err)
{
	cleanup_free char *whole = xasprintf(":" DEFAULT_PREFIX ":%s", id);
	cleanup_with(strv_free) char **parts =
		strv_split(str_empty(path) ? whole : path, ":", true);
	struct systemd_unit *u;

	if (strv_len(parts) != 3 || !*parts[2])
		return error_kind(
			err, ERROR_INVALID,
			"linux.cgroupsPath: '%s' is not \"slice:prefix:name\", as systemd "
			"needs it",
			path);
	if (str_ends(parts[2], ".slice"))
		return error_kind(err, ERROR_UNSUPPORTED,
				  "linux.cgroupsPath: '%s' is a slice, and a container is a scope",
				  parts[2]);
	u = xcalloc(1, sizeof(*u));
	u->user = user;
	u->slice = xstrdup(*parts[0] ? parts[0] : user ? "user.slice" : "system.slice");
	u->name = xasprintf("%s-%s.scope", parts[1], parts[2]);
	*ret = u;
	return 0;
}

static int bad_slice(const char *slice, struct error *err)
{
	return error_kind(err, ERROR_INVALID, "'%s' is not the name of a slice", slice);
}

int systemd_slice_path(const char *slice, char **ret_path, struct error *err)
{
	cleanup_buf struct buf path = { 0 };
	size_t n = strlen(slice);

	if (str_eq(slice, "-.slice")) {
		*ret_path = xstrdup("");
		return 0;
	}
	if (!str_ends(slice, ".slice") || n == strlen(".slice") || strchr(slice, '/') ||
	    slice[0] == '-' || strstr(slice, "--") || strstr(slice, "-.slice"))
		return bad_slice(slice, err);
	n -= strlen(".slice");
	for (size_t i = 0; i <= n; i++) /* each dash ends the name of a parent */
		if (i == n || slice[i] == '-')
			buf_printf(&path, "/%.*s.slice", (int)i, slice);
	*ret_path = buf_take(&path);
	return 0;
}

/* Finding the manager */

/* The "unix:path=..." of a bus address. Heap or NULL. */
static char *socket_of(const char *address)
{
	const char *path = address ? strstr(address, "unix:path=") : NULL;

	if (!path)
		return NULL;
	path += strlen("unix:path=");
	return xstrndup(path, strcspn(path, ",;"));
}

static char *user_runtime_dir(void)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");

	return str_empty(dir) ? xasprintf("/run/user/%d", (int)geteuid()) : xstrdup(dir);
}

/* Jobs of others are told on a bus only to who asks for it. */
static int subscribe(struct dbus *bus, struct error *err)
{
	static const struct dbus_call subscribe_call = {
		.destination = "org.freedesktop.systemd1",
		.path = MANAGER_PATH,
		.interface = MANAGER_INTERFACE,
		.member = "Subscribe",
	};
	cleanup_buf struct buf body = { 0 };
	const struct dbus_call match = {
		.destination = "org.freedesktop.DBus",
		.path = "/org/freedesktop/DBus",
		.interface = "org.freedesktop.DBus",
		.member = "AddMatch",
		.types = "s",
		.body = &body,
	};
	int r;

	dbus_add_string(&body, "type='signal',sender='org.freedesktop.systemd1',path='" MANAGER_PATH
			       "',interface='" MANAGER_INTERFACE "',member='JobRemoved'");
	r = dbus_call(bus, &match, NULL, err);
	return r < 0 ? r : dbus_call(bus, &subscribe_call, NULL, err);
}

static int connect_bus(const char *path, struct dbus **ret, struct error *err)
{
	cleanup_with(dbus_close) struct dbus *bus = NULL;
	int r = dbus_connect(path, DBUS_BUS, &bus, err);

	if (r == 0)
		r = subscribe(bus, err);
	if (r < 0)
		return r;
	*ret = take_ptr(&bus);
	return 0;
}

static int connect_system(struct dbus **ret, struct error *err)
{
	cleanup_free char *path = socket_of(getenv("DBUS_SYSTEM_BUS_ADDRESS"));

	if (geteuid() == 0 && dbus_connect("/run/systemd/private", DBUS_PEER, ret, err) == 0)
		return 0;
	return connect_bus(path ? path : "/run/dbus/system_bus_socket", ret, err);
}

static int connect_user(struct dbus **ret, struct error *err)
{
	cleanup_free char *dir = user_runtime_dir();
	cleanup_free char *own = path_join(dir, "systemd/private");
	cleanup_free char *path = socket_of(getenv("DBUS_SESSION_BUS_ADDRESS"));
	cleanup_free char *usual = path_join(dir, "bus");
	int r;

	if (dbus_connect(own, DBUS_PEER, ret, err) == 0)
		return 0;
	r = connect_bus(path ? path : usual, ret, err);
	if (r < 0)
		return error_prefix(err, r,
				    "the user's own systemd cannot be reached (is there a login "
				    "session, or \"loginctl enable-linger\"?)");
	return 0;
}

static int connect_manager(struct systemd_unit *u, struct error *err)
{
	if (u->bus)
		return 0;
	return u->user ? connect_user(&u->bus, err) : connect_system(&u->bus, err);
}

/* Root of a user namespace may have a systemd of its own as pid 1, or only that of the user. */
static bool is_for_user(void)
{
	if (geteuid() == 0 && access("/run/systemd/private", W_OK) == 0)
		return false;
	return geteuid() != 0 || idmap_own_extent() != IDMAP_ALL;
}

/* Calls */

static int call_manager(struct systemd_unit *u, const char *member, const char *types,
			const struct buf *body, struct dbus_message *ret, struct error *err)
{
	const struct dbus_call call = {
		.destination = "org.freedesktop.systemd1",
		.path = MANAGER_PATH,
		.interface = MANAGER_INTERFACE,
		.member = member,
		.types = types,
		.body = body,
	};
	int r = connect_manager(u, err);

	return r < 0 ? r : dbus_call(u->bus, &call, ret, err);
}

/* Below which cgroup the manager makes its units: "" for the root. Heap. */
static int own_cgroup(struct systemd_unit *u, char **ret, struct error *err)
{
	cleanup_dbus_message struct dbus_message answer = { 0 };
	cleanup_buf struct buf body = { 0 };
	const struct dbus_call call = {
		.destination = "org.freedesktop.systemd1",
		.path = MANAGER_PATH,
		.interface = "org.freedesktop.DBus.Properties",
		.member = "Get",
		.types = "ss",
		.body = &body,
	};
	const char *value;
	int r = connect_manager(u, err);

	dbus_add_string(&body, MANAGER_INTERFACE);
	dbus_add_string(&body, "ControlGroup");
	if (r == 0)
		r = dbus_call(u->bus, &call, &answer, err);
	if (r < 0)
		return error_prefix(err, r, "asking systemd for its cgroup");
	if (!str_eq(dbus_read_signature(&answer.body), "s"))
		return error_kind(err, ERROR_INTERNAL, "systemd does not tell its cgroup");
	value = dbus_read_string(&answer.body);
	*ret = xstrdup(str_eq(value, "/") ? "" : value);
	return 0;
}

/* Jobs */

struct job {
	const char *path;
	char result[32];
};

/* JobRemoved(u id, o job, s unit, s result) */
static bool is_end_of(const struct dbus_message *m, void *arg)
{
	struct dbus_reader r = m->body;
	struct job *job = arg;

	if (!str_eq(m->member, "JobRemoved") || !str_eq(m->types, "uoss"))
		return false;
	(void)dbus_read_u32(&r);
	if (!str_eq(dbus_read_string(&r), job->path))
		return false;
	(void)dbus_read_string(&r);
	(void)snprintf(job->result, sizeof(job->result), "%s", dbus_read_string(&r));
	return true;
}

/* answer: of the call that started the job. */
static int wait_job(struct systemd_unit *u, struct dbus_message *answer, struct job *job,
		    struct error *err)
{
	*job = (struct job){ .path = dbus_read_string(&answer->body) };
	return dbus_wait_signal(u->bus, is_end_of, job, JOB_TIMEOUT_MS, err);
}

static void reset_failed(struct systemd_unit *u)
{
	cleanup_buf struct buf body = { 0 };
	struct error ignored;

	dbus_add_string(&body, u->name);
	/* not loaded any more: nothing is to be reset */
	(void)call_manager(u, "ResetFailedUnit", "s", &body, NULL, &ignored);
}

/* Properties */

static void add_string(struct buf *b, const char *name, const char *value)
{
	systemd_begin_property(b, name, "s");
	dbus_add_string(b, value);
}

static void add_bool(struct buf *b, const char *name, bool value)
{
	systemd_begin_property(b, name, "b");
	dbus_add_u32(b, value);
}

static void add_limits(struct buf *b, const struct cgroup *cg, const struct oci_resources *r,
		       bool fresh)
{
	cleanup_free char *devices = NULL;
	struct systemd_host host = { .v2 = cgroup_is_unified(cg),
				     .proc_devices = "",
				     .fresh = fresh };
	struct error ignored;

	if (file_read(AT_FDCWD, "/proc/devices", 1u << 16, &devices, NULL, &ignored) == 0)
		host.proc_devices = devices;
	systemd_add_resources(b, r, &host);
}

static void add_scope(struct buf *b, const struct systemd_unit *u, pid_t pid, bool v2)
{
	struct dbus_array pids;

	add_string(b, "Description", u->name);
	add_string(b, "Slice", u->slice);
	add_bool(b, "Delegate", true);
	systemd_begin_property(b, "PIDs", "au");
	pids = dbus_open_array(b, 4);
	dbus_add_u32(b, (uint32_t)pid);
	dbus_close_array(b, pids);
	add_bool(b, "DefaultDependencies", false);
	add_bool(b, "MemoryAccounting", true);
	add_bool(b, "CPUAccounting", true);
	add_bool(b, v2 ? "IOAccounting" : "BlockIOAccounting", true);
	add_bool(b, "TasksAccounting", true);
	/* a unit that failed (the memory limit was hit) must not stay in the way of the next */
	add_string(b, "CollectMode", "inactive-or-failed");
}

/* Verbs */

bool systemd_is_running(void)
{
	return access(BOOTED_DIR, F_OK) == 0;
}

int systemd_locate(const char *path, const char *id, struct systemd_unit **ret_unit,
		   char **ret_cgroup, struct error *err)
{
	cleanup_with(systemd_unit_free) struct systemd_unit *u = NULL;
	cleanup_free char *slice = NULL, *top = NULL;
	int r;

	if (!systemd_is_running())
		return error_kind(
			err, ERROR_UNSUPPORTED,
			"systemd does not run on this machine and cannot make cgroups: use "
			"--cgroup-manager=cgroupfs instead, without --systemd-cgroup");
	r = systemd_unit_parse(path, id, is_for_user(), &u, err);
	if (r == 0)
		r = systemd_slice_path(u->slice, &slice, err);
	if (r == 0)
		r = own_cgroup(u, &top, err);
	if (r < 0)
		return r;
	*ret_cgroup = xasprintf("%s%s/%s", top, slice, u->name);
	*ret_unit = take_ptr(&u);
	return 0;
}

static int start_once(struct systemd_unit *u, const struct buf *body, struct error *err)
{
	cleanup_dbus_message struct dbus_message answer = { 0 };
	struct job job;
	int r = call_manager(u, "StartTransientUnit", "ssa(sv)a(sa(sv))", body, &answer, err);

	if (r == 0)
		r = wait_job(u, &answer, &job, err);
	if (r == 0 && !str_eq(job.result, "done")) {
		reset_failed(u);
		r = error_kind(err, ERROR_INTERNAL, "the job ended with '%s'", job.result);
	}
	return r;
}

int systemd_start(struct systemd_unit *u, pid_t pid, const struct cgroup *cg,
		  const struct oci_resources *resources, const struct oci_pair *annotations,
		  size_t n_annotations, struct error *err)
{
	cleanup_buf struct buf body = { 0 };
	struct dbus_array properties;
	int r;

	dbus_add_string(&body, u->name);
	dbus_add_string(&body, "replace");
	properties = dbus_open_array(&body, 8);
	add_scope(&body, u, pid, cgroup_is_unified(cg));
	add_limits(&body, cg, resources, true);
	r = systemd_add_annotations(&body, annotations, n_annotations, err);
	if (r < 0)
		return r;
	dbus_close_array(&body, properties);
	dbus_close_array(&body, dbus_open_array(&body, 8)); /* auxiliary units: none */

	r = start_once(u, &body, err);
	if (r < 0 && err->kind == ERROR_CONFLICT) { /* one that failed may be left over */
		reset_failed(u);
		r = start_once(u, &body, err);
	}
	return r < 0 ? error_prefix(err, r, "systemd cannot start '%s'", u->name) : 0;
}

/* Of quota and period, the one that was not given stands in the file. */
static void complete_quota(const struct cgroup *cg, struct oci_resources *r)
{
	char text[64];
	long long quota = -1, period;

	if ((!r->cpu_quota.value && !r->cpu_period.value) || !cgroup_is_unified(cg))
		return;
	if (cgroupfs_read(cgroup_v2_node(cg)->dir_fd, "cpu.max", text, sizeof(text)) <= 0)
		return;
	if (sscanf(text, "max %lld", &period) != 1 &&
	    sscanf(text, "%lld %lld", &quota, &period) != 2)
		return;
	r->cpu_quota = (struct opt_i64){ true, quota };
	r->cpu_period = (struct opt_u64){ true, (uint64_t)period };
}

int systemd_update(struct systemd_unit *u, const struct cgroup *cg,
		   const struct oci_resources *resources, struct error *err)
{
	struct oci_resources all = *resources;
	cleanup_free char *ignored = NULL;
	cleanup_buf struct buf body = { 0 };
	struct dbus_array properties;
	size_t before;
	int r;

	complete_quota(cg, &all);
	dbus_add_string(&body, u->name);
	dbus_add_u32(&body, true); /* not beyond the next boot: it has no file */
	properties = dbus_open_array(&body, 8);
	before = body.len;
	add_limits(&body, cg, &all, false);
	if (body.len == before)
		return 0;
	dbus_close_array(&body, properties);
	r = call_manager(u, "SetUnitProperties", "sba(sv)", &body, NULL, err);
	/* it writes files after the answer, but before it takes the next call */
	if (r == 0)
		r = own_cgroup(u, &ignored, err);
	return r < 0 ? error_prefix(err, r, "systemd cannot change '%s'", u->name) : 0;
}

int systemd_stop(struct systemd_unit *u, struct error *err)
{
	cleanup_dbus_message struct dbus_message answer = { 0 };
	cleanup_buf struct buf body = { 0 };
	struct job job;
	int r;

	dbus_add_string(&body, u->name);
	dbus_add_string(&body, "replace");
	r = call_manager(u, "StopUnit", "ss", &body, &answer, err);
	if (r < 0 && err->kind == ERROR_NOT_FOUND) /* stopped by itself with its last process */
		return 0;
	if (r == 0)
		r = wait_job(u, &answer, &job, err);
	reset_failed(u);
	return r < 0 ? error_prefix(err, r, "systemd cannot stop '%s'", u->name) : 0;
}
