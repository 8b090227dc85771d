/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/spec.h"

#include <stdio.h>

#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "codec/json.h"
#include "oci/spec_table.h"

/* config.md "Root" */
static const struct oci_field root_fields[] = {
	{ FIELD_STRING("path", oci_spec, root_path), .required = true },
	{ FIELD_BOOL("readonly", oci_spec, root_readonly) },
};
static const struct oci_table root_table = OCI_TABLE(root_fields, 0);

/* config.md; the order is that in which other programs write it */
static const struct oci_field spec_fields[] = {
	{ FIELD_STRING("ociVersion", oci_spec, version), .required = true },
	{ FIELD_POINTER("process", oci_spec, process, oci_process, oci_process_table) },
	{ FIELD_SECTION("root", root_table), .required = true },
	{ FIELD_STRING("hostname", oci_spec, hostname) },
	{ FIELD_STRING("domainname", oci_spec, domainname) },
	{ FIELD_OBJECTS("mounts", oci_spec, mounts, n_mounts, oci_mount, oci_mount_table) },
	{ FIELD_EMBEDDED("hooks", oci_spec, hooks, oci_hooks, oci_hooks_table) },
	{ FIELD_PAIRS("annotations", oci_spec, annotations, n_annotations) },
	{ FIELD_EMBEDDED("linux", oci_spec, linux_, oci_linux, oci_linux_table) },
};
const struct oci_table oci_spec_table = OCI_TABLE(spec_fields, sizeof(struct oci_spec));

/*
 * Before 1.3 the text left open what a process limit of 0 means, and engines of that time write it
 * for "no limit"; since then it is a limit like others.
 */
static void settle_pids_limit(struct oci_spec *spec)
{
	struct opt_i64 *limit = &spec->linux_.resources.pids_limit;
	unsigned major, minor;

	if (limit->set && limit->value == 0 && spec->version &&
	    sscanf(spec->version, "%u.%u", &major, &minor) == 2 && major == 1 && minor < 3)
		limit->value = -1;
}

int oci_spec_parse(const char *json, size_t len, struct oci_spec **ret_spec, struct error *err)
{
	struct arena *arena cleanup_with(arena_free) = arena_new();
	struct oci_spec *spec = arena_alloc(arena, sizeof(*spec));
	int r;

	if (len > OCI_SPEC_MAX_BYTES)
		return error_kind(err, ERROR_INVALID, "config.json: %zu bytes are too much", len);
	r = oci_document_parse(&oci_spec_table, json, len, arena, spec, err);
	if (r < 0)
		return error_prefix(err, r, "config.json");
	settle_pids_limit(spec);
	spec->arena = take_ptr(&arena);
	*ret_spec = spec;
	return 0;
}

int oci_spec_load(int dir_fd, const char *path, struct oci_spec **ret_spec, struct error *err)
{
	cleanup_free char *text = NULL;
	size_t len;
	int r;

	r = file_read(dir_fd, path, OCI_SPEC_MAX_BYTES, &text, &len, err);
	if (r == -ENOENT) /* known words: callers look for them */
		return error_num(err, ENOENT, "JSON specification file %s not found", path);
	if (r < 0)
		return r;
	return oci_spec_parse(text, len, ret_spec, err);
}

int oci_process_parse(const char *json, size_t len, struct arena *arena,
		      const struct oci_process **ret_process, struct error *err)
{
	struct oci_process *process = arena_alloc(arena, sizeof(*process));
	int r = oci_document_parse(&oci_process_table, json, len, arena, process, err);

	if (r < 0)
		return error_prefix(err, r, "process");
	*ret_process = process;
	return 0;
}

static const struct oci_field mounts_fields[] = {
	{ FIELD_OBJECTS("mounts", oci_spec, mounts, n_mounts, oci_mount, oci_mount_table),
	  .required = true },
};
static const struct oci_table mounts_table = OCI_TABLE(mounts_fields, sizeof(struct oci_spec));

int oci_mounts_parse(const char *json, size_t len, const struct oci_spec *config,
		     struct arena *arena, struct oci_spec *ret, struct error *err)
{
	bool array = json[strspn(json, " \t\r\n")] == '[';
	cleanup_buf struct buf text = { 0 };
	struct oci_spec spec = *config;
	int r;

	spec.mounts = NULL;
	spec.n_mounts = 0;
	if (array)
		buf_puts(&text, "{\"mounts\":");
	buf_add(&text, json, len);
	if (array)
		buf_putc(&text, '}');
	r = oci_document_parse(&mounts_table, text.data, text.len, arena, &spec, err);
	if (r < 0)
		return r;
	*ret = spec;
	return 0;
}

int oci_resources_parse(const char *json, size_t len, struct arena *arena,
			struct oci_resources *ret_resources, struct error *err)
{
	struct oci_resources resources = { 0 };
	int r = oci_document_parse(&oci_resources_table, json, len, arena, &resources, err);

	if (r < 0)
		return error_prefix(err, r, "resources");
	*ret_resources = resources;
	return 0;
}

void oci_spec_format(const struct oci_spec *spec, const char *indent, struct buf *out)
{
	struct json_writer w;

	json_writer_init(&w, out, indent);
	json_begin_object(&w, NULL);
	oci_table_format(&oci_spec_table, spec, &w);
	json_end(&w);
}

struct oci_spec *oci_spec_free(struct oci_spec *spec)
{
	if (spec)
		arena_free(spec->arena); /* the spec itself lies in it */
	return NULL;
}

const char *oci_spec_annotation(const struct oci_spec *spec, const char *key)
{
	return oci_pairs_get(spec->annotations, spec->n_annotations, key);
}
