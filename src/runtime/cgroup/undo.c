/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An update that fails half way leaves the old limits: before each write the file is read, and its
 * content becomes a value that can be written back.
 *
 *	one value	memory.max, cpu.max, cpuset.cpus: the content itself
 *	a line a key	io.max, rdma.max, net_prio.ifpriomap, *weight_device: the key's line; if it has
 *			none, the word that takes the limit away
 *	several values	memory.oom_control, io.weight: the first line holds what was written
 */
#include <ctype.h>
#include <string.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/cgroup/limits.h"
#include "runtime/cgroup/resources.h"

#define FILE_MAX_BYTES (1u << 20)

/* What a device without a limit is written as. */
static const struct {
	const char *file, *none;
} defaults[] = {
	{ "blkio.bfq.weight_device", "default" },
	{ "blkio.throttle.read_bps_device", "0" },
	{ "blkio.throttle.read_iops_device", "0" },
	{ "blkio.throttle.write_bps_device", "0" },
	{ "blkio.throttle.write_iops_device", "0" },
	{ "io.bfq.weight", "default" },
	{ "io.max", "rbps=max wbps=max riops=max wiops=max" },
	{ "io.weight", "default" },
};

static char *line_of_key(const char *text, const char *key, size_t len)
{
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (strncmp(line, key, len) == 0 && line[len] == ' ')
			return xstrndup(line, strcspn(line, "\n"));
	return NULL;
}

/* "8:0 rbps=1", "eth0 5", "mlx5_0 hca_handle=2": the file has a line for each first word. */
static char *keyed_value(const char *file, const char *before, const char *value)
{
	size_t len = strcspn(value, " ");
	char *line = line_of_key(before, value, len);

	for (size_t i = 0; !line && i < ARRAY_SIZE(defaults); i++)
		if (str_eq(defaults[i].file, file))
			line = xasprintf("%.*s %s", (int)len, value, defaults[i].none);
	return line;
}

char *cgroup_undo_value(const char *file, const char *before, const char *value)
{
	size_t first = strcspn(before, "\n");

	if (str_eq(file, "memory.oom_control")) { /* "oom_kill_disable 0" */
		const char *digit = memchr(before, ' ', first);

		return digit ? xstrndup(digit + 1, 1) : NULL;
	}
	if (strchr(value, ' ') && !str_eq(file, "cpu.max"))
		return keyed_value(file, before, value);
	return xstrndup(before, first);
}

void cgroup_undo_note(struct cgroup_undo *undo, const struct cgroup *cg,
		      const struct cgroup_write *w)
{
	const char *const files[] = { w->file, w->other_file };
	const char *const values[] = { w->value, w->other_value };

	for (size_t i = 0; i < ARRAY_SIZE(files) && files[i]; i++) {
		cleanup_free char *before = NULL;
		struct error ignored;
		char *value;

		if (file_read(cg->nodes[w->place].dir_fd, files[i], FILE_MAX_BYTES, &before, NULL,
			      &ignored) < 0)
			continue;
		value = cgroup_undo_value(files[i], before, values[i]);
		if (!value)
			return;
		undo->values =
			array_grow(undo->values, undo->n, &undo->capacity, sizeof(*undo->values));
		undo->values[undo->n++] = (struct cgroup_undo_value){ w->place, files[i], value };
		return;
	}
}

void cgroup_undo_restore(const struct cgroup_undo *undo, const struct cgroup *cg)
{
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = undo->n; i-- > 0;) {
			const struct cgroup_undo_value *v = &undo->values[i];

			(void)file_poke(cg->nodes[v->place].dir_fd, v->file, v->value);
		}
}

void cgroup_undo_done(struct cgroup_undo *undo)
{
	for (size_t i = 0; i < undo->n; i++)
		free(undo->values[i].value);
	free(undo->values);
	*undo = (struct cgroup_undo){ 0 };
}
