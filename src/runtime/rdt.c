/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/rdt.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "kernel/mountinfo.h"
#include "oci/spec.h"

#define FIELD(name)	   "linux.intelRdt." name
#define SCHEMATA_MAX_BYTES (64u << 10)

static void take_mount_point(void *ret_root, const struct mountinfo *m)
{
	char **root = ret_root;

	if (!*root && str_eq(m->fs_type, "resctrl"))
		*root = xstrdup(m->mount_point);
}

int rdt_find_root(char **ret_root, struct error *err)
{
	cleanup_fd int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	cleanup_free char *root = NULL;
	int r;

	if (fd < 0)
		return error_sys(err, "cannot open '/proc/self/mountinfo'");
	r = mountinfo_walk(fd, "resctrl", take_mount_point, &root, err);
	if (r < 0)
		return r;
	*ret_root = take_ptr(&root);
	return 0;
}

void rdt_done(struct rdt *r)
{
	cleanup_close_fd(&r->group_fd);
	cleanup_close_fd(&r->monitor_fd);
	free(r->group);
	free(r->monitor);
	strv_free(r->lines);
	*r = (struct rdt)RDT_INIT;
}

/* Plan */

/* The field that the user wrote, for the message. */
static const char *first_field(const struct oci_linux *c)
{
	if (c->rdt_clos_id)
		return FIELD("closID");
	if (c->rdt_l3_schema)
		return FIELD("l3CacheSchema");
	if (c->rdt_mem_schema)
		return FIELD("memBwSchema");
	if (c->n_rdt_schemata)
		return FIELD("schemata");
	return c->rdt_enable_monitoring ? FIELD("enableMonitoring") : "linux.intelRdt";
}

static int check_mem_schema(const char *schema, const char *field, struct error *err)
{
	if (str_empty(schema) || (str_after(schema, "MB:") && !strchr(schema, '\n')))
		return 0;
	return error_kind(err, ERROR_INVALID,
			  "%s: '%s' is not one line that begins with MB:", field, schema);
}

/* The lines of l3CacheSchema (those of MB: only without a memBwSchema), memBwSchema, schemata. */
static char **schema_lines(const char *l3, const char *mem, const char *const *more, size_t n)
{
	cleanup_with(strv_free) char **l3_lines = strv_split(l3 ? l3 : "", "\n", false);
	char **lines = NULL;

	for (size_t i = 0; i < strv_len(l3_lines); i++)
		if (str_empty(mem) || !str_after(l3_lines[i], "MB:"))
			lines = strv_push(lines, l3_lines[i]);
	if (!str_empty(mem))
		lines = strv_push(lines, mem);
	for (size_t i = 0; i < n; i++)
		lines = strv_push(lines, more[i]);
	return lines;
}

static int check(const struct oci_linux *c, const char *root, struct error *err)
{
	if (!root)
		return error_kind(err, ERROR_UNSUPPORTED,
				  "cannot set %s: no resctrl file system is mounted (it takes a "
				  "processor and a kernel with Intel RDT, and a mount of type "
				  "resctrl on /sys/fs/resctrl)",
				  first_field(c));
	for (size_t i = 0; i < c->n_rdt_schemata; i++)
		if (strchr(c->rdt_schemata[i], '\n'))
			return error_kind(err, ERROR_INVALID,
					  FIELD("schemata") "[%zu]: not one line", i);
	return check_mem_schema(c->rdt_mem_schema, FIELD("memBwSchema"), err);
}

int rdt_plan(const struct oci_linux *c, const char *id, const char *root, struct rdt *ret,
	     struct error *err)
{
	bool named = !str_empty(c->rdt_clos_id);
	int r;

	if (!c->has_intel_rdt)
		return 0;
	r = check(c, root, err);
	if (r < 0)
		return r;
	ret->lines = schema_lines(c->rdt_l3_schema, c->rdt_mem_schema, c->rdt_schemata,
				  c->n_rdt_schemata);
	ret->group = str_eq(c->rdt_clos_id, "/") ? xstrdup(root)
						 : path_join(root, named ? c->rdt_clos_id : id);
	ret->must_exist = named && !ret->lines;
	if (c->rdt_enable_monitoring) {
		cleanup_free char *groups = path_join(ret->group, "mon_groups");

		ret->monitor = path_join(groups, id);
	}
	ret->own = named ? ret->monitor : ret->group;
	return 0;
}

/* Schemata */

/* The kernel's reason for a refused write is in a file of its own. */
static void add_reason(const struct rdt *r, char *reason, size_t size)
{
	cleanup_free char *text = NULL;
	cleanup_free char *parent = path_join(r->group, "..");
	const char *const dirs[] = { r->group, parent };
	struct error ignored;

	*reason = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(dirs) && !text; i++) {
		cleanup_free char *path = path_join(dirs[i], "info/last_cmd_status");

		if (file_read(AT_FDCWD, path, 4096, &text, NULL, &ignored) < 0)
			continue;
		text[strcspn(text, "\n")] = '\0';
		(void)snprintf(reason, size, ": %s", text);
	}
}

static int write_schemata(const struct rdt *r, char *const *lines, struct error *err)
{
	cleanup_free char *path = path_join(r->group, "schemata");
	cleanup_free char *joined = strv_join(lines, "\n");
	cleanup_free char *text = xasprintf("%s\n", joined);
	char reason[200];
	int result = file_poke(AT_FDCWD, path, text);

	if (result >= 0)
		return 0;
	add_reason(r, reason, sizeof(reason));
	for (char *p = joined; *p; p++)
		*p = *p == '\n' ? ' ' : *p;
	return error_num(err, -result, "cannot write '%s' to '%s'%s", joined, path, reason);
}

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

/* "0= 100" and "0=100", "00ff" and "FF" are the same: the kernel pads what it shows. */
static bool same_value(const char *a, size_t a_len, const char *b, size_t b_len)
{
	while (a_len > 1 && (*a == ' ' || *a == '0')) {
		a++;
		a_len--;
	}
	while (b_len > 1 && (*b == ' ' || *b == '0')) {
		b++;
		b_len--;
	}
	return a_len == b_len && strncasecmp(a, b, a_len) == 0;
}

/* The value of domain "0" in "0=ff;1=f"; NULL if it is not there. */
static const char *find_domain(const char *domains, const char *id, size_t id_len, size_t *ret_len)
{
	for (const char *p = domains; *p && *p != '\n';) {
		size_t len = strcspn(p, ";\n");
		const char *equals = memchr(p, '=', len);

		if (equals && same_value(p, (size_t)(equals - p), id, id_len)) {
			*ret_len = len - (size_t)(equals + 1 - p);
			return equals + 1;
		}
		p += len + (p[len] == ';');
	}
	return NULL;
}

/* Does the line of the same resource hold all domains of this one? */
static bool has_schema(const char *text, const char *schema)
{
	size_t name_len = strcspn(schema, ":");
	const char *there = NULL;

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *start = skip_blanks(line);

		if (strncmp(start, schema, name_len) == 0 && start[name_len] == ':')
			there = start + name_len + 1;
	}
	if (!there || schema[name_len] != ':')
		return false;
	for (const char *p = schema + name_len + 1; *p;) {
		size_t len = strcspn(p, ";"), there_len;
		const char *equals = memchr(p, '=', len);
		const char *value =
			equals ? find_domain(there, p, (size_t)(equals - p), &there_len) : NULL;

		if (!value ||
		    !same_value(value, there_len, equals + 1, len - (size_t)(equals + 1 - p)))
			return false;
		p += len + (p[len] == ';');
	}
	return true;
}

/* Another container may be in the class: its limits are not ours to change. */
static int compare_schemata(const struct rdt *r, struct error *err)
{
	cleanup_free char *path = path_join(r->group, "schemata");
	cleanup_free char *text = NULL;
	int result = file_read(AT_FDCWD, path, SCHEMATA_MAX_BYTES, &text, NULL, err);

	if (result < 0)
		return result;
	for (size_t i = 0; i < strv_len(r->lines); i++)
		if (!has_schema(text, r->lines[i]))
			return error_kind(err, ERROR_CONFLICT,
					  FIELD("closID") ": '%s' exists and its schemata are not "
							  "'%s'",
					  r->group, r->lines[i]);
	return 0;
}

/* Make */

static int make_group(struct rdt *r, struct error *err)
{
	bool own = r->own == r->group;

	if (r->must_exist) {
		if (access(r->group, F_OK) < 0)
			return error_sys(
				err, FIELD("closID") ": without limits the class '%s' must exist",
				r->group);
		return 0;
	}
	if (r->make_dir(r->group, 0755) == 0) {
		r->made_group = true;
		return r->lines ? write_schemata(r, r->lines, err) : 0;
	}
	if (errno == ENOSPC)
		return error_sys(err, "linux.intelRdt: the processor has no more classes for '%s'",
				 r->group);
	if (errno != EEXIST)
		return error_sys(err, "linux.intelRdt: cannot make '%s'", r->group);
	if (own)
		return error_kind(err, ERROR_CONFLICT,
				  "linux.intelRdt: '%s' exists already; remove it, or name it as "
				  "closID",
				  r->group);
	return compare_schemata(r, err);
}

static int make_monitor(struct rdt *r, struct error *err)
{
	if (!r->monitor)
		return 0;
	if (r->make_dir(r->monitor, 0755) == 0) {
		r->made_monitor = true;
		return 0;
	}
	if (errno == ENOENT)
		return error_kind(err, ERROR_UNSUPPORTED,
				  FIELD("enableMonitoring") ": this processor or kernel does not "
							    "monitor");
	return error_sys(err, FIELD("enableMonitoring") ": cannot make '%s'", r->monitor);
}

void rdt_undo(struct rdt *r)
{
	if (r->made_monitor)
		(void)rmdir(r->monitor); /* a failure is being reported already */
	if (r->made_group)
		(void)rmdir(r->group);
	r->made_monitor = r->made_group = false;
}

int rdt_make(struct rdt *r, struct error *err)
{
	int result;

	if (!r->group)
		return 0;
	result = make_group(r, err);
	if (result >= 0)
		result = make_monitor(r, err);
	if (result < 0)
		rdt_undo(r);
	return result;
}

int rdt_remove(const char *dir, struct error *err)
{
	if (rmdir(dir) == 0 || errno == ENOENT)
		return 0;
	return error_sys(err, "cannot remove '%s'", dir);
}

/* Enter */

static int open_tasks(const char *dir, int *ret_fd, struct error *err)
{
	cleanup_free char *path = path_join(dir, "tasks");

	*ret_fd = open(path, O_WRONLY | O_CLOEXEC);
	return *ret_fd < 0 ? error_sys(err, "cannot open '%s'", path) : 0;
}

int rdt_open_enter(struct rdt *r, struct error *err)
{
	int result = r->group ? open_tasks(r->group, &r->group_fd, err) : 0;

	if (result >= 0 && r->monitor)
		result = open_tasks(r->monitor, &r->monitor_fd, err);
	return result;
}

int rdt_enter(const struct rdt *r, struct error *err)
{
	/* the class first: a monitoring group takes only members of its own; 0 is the writer */
	if (r->group_fd >= 0 && write(r->group_fd, "0", 1) != 1)
		return error_sys(err, "cannot enter the class of linux.intelRdt");
	if (r->monitor_fd >= 0 && write(r->monitor_fd, "0", 1) != 1)
		return error_sys(err, "cannot enter the monitoring group of linux.intelRdt");
	return 0;
}

/* Update */

int rdt_update(const struct rdt *r, const char *l3_schema, const char *mem_schema,
	       char **ret_before, struct error *err)
{
	cleanup_with(strv_free) char **lines = schema_lines(l3_schema, mem_schema, NULL, 0);
	cleanup_free char *path = NULL;
	cleanup_free char *before = NULL;
	int result = check_mem_schema(mem_schema, "mem-bw-schema", err);

	if (result < 0)
		return result;
	if (!r->group)
		return error_kind(err, ERROR_CONFLICT,
				  "the container was made without linux.intelRdt: it has no class "
				  "to limit");
	path = path_join(r->group, "schemata");
	result = file_read(AT_FDCWD, path, SCHEMATA_MAX_BYTES, &before, NULL, err);
	if (result >= 0)
		result = write_schemata(r, lines, err);
	if (result < 0)
		return result;
	*ret_before = take_ptr(&before);
	return 0;
}

void rdt_restore(const struct rdt *r, const char *before)
{
	cleanup_free char *path = path_join(r->group, "schemata");

	(void)file_poke(AT_FDCWD, path, before); /* the failure of the rest is reported */
}
