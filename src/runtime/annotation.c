/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/annotation.h"

#include "base/macro.h"
#include "base/str.h"
#include "oci/spec.h"

const char *annotations_value(const struct oci_spec *spec, const char *key)
{
	for (size_t i = 0; i < spec->n_annotations; i++)
		if (str_eq(spec->annotations[i].key, key))
			return str_empty(spec->annotations[i].value) ? NULL
								     : spec->annotations[i].value;
	return NULL;
}

bool annotations_keep_groups(const struct oci_spec *spec)
{
	return str_eq(annotations_value(spec, "run.oci.keep_original_groups"), "1");
}

const char *annotations_criu_config(const struct oci_spec *spec)
{
	const char *value = oci_spec_annotation(spec, "org.criu.config");

	if (!value)
		return "/etc/criu/runc.conf";
	return *value ? value : NULL;
}

const char *annotations_mount_context(const struct oci_spec *spec)
{
	const char *value = annotations_value(spec, "run.oci.mount_context_type");

	return value ? value : "context";
}

static int check_mount_context(const struct oci_spec *spec, struct error *err)
{
	static const char *const words[] = { "context", "defcontext", "fscontext", "rootcontext" };
	const char *value = annotations_mount_context(spec);

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_eq(value, words[i]))
			return 0;
	return error_kind(err, ERROR_INVALID,
			  "annotation run.oci.mount_context_type: '%s' is not context, defcontext, "
			  "fscontext or rootcontext",
			  value);
}

const char *annotations_subgroup(const struct oci_spec *spec)
{
	return annotations_value(spec, "run.oci.systemd.subgroup");
}

const char *annotations_delegate(const struct oci_spec *spec)
{
	return annotations_value(spec, "run.oci.delegate-cgroup");
}

const char *annotations_force_v1(const struct oci_spec *spec)
{
	return annotations_value(spec, "run.oci.systemd.force_cgroup_v1");
}

/* A cgroup that is really below. */
static int check_below(const struct oci_spec *spec, const char *key, struct error *err)
{
	const char *value = annotations_value(spec, key);
	cleanup_with(strv_free) char **parts = NULL;
	bool good = true;

	if (!value)
		return 0;
	parts = strv_split(value + (*value == '/'), "/", true);
	for (size_t i = 0; i < strv_len(parts); i++)
		good = good && *parts[i] && !str_eq(parts[i], ".") && !str_eq(parts[i], "..");
	if (good)
		return 0;
	return error_kind(err, ERROR_INVALID, "annotation %s: '%s' is no path of a cgroup below",
			  key, value);
}

/* crun has handlers as libraries that Debian, for one, does not build. To run the program as an ordinary
 * process, as crun does then, is not what "krun" asks for. */
static int refuse_handler(const struct oci_spec *spec, struct error *err)
{
	const char *value = annotations_value(spec, "run.oci.handler");

	if (!value)
		return 0;
	return error_kind(err, ERROR_UNSUPPORTED,
			  "annotation run.oci.handler: there is no handler '%s' here, and without "
			  "it the program would be an ordinary process (take the annotation away "
			  "if that is meant)",
			  value);
}

int annotations_check(const struct oci_spec *spec, struct error *err)
{
	int r = refuse_handler(spec, err);

	if (r >= 0)
		r = check_below(spec, "run.oci.systemd.subgroup", err);
	if (r >= 0)
		r = check_below(spec, "run.oci.delegate-cgroup", err);
	return r < 0 ? r : check_mount_context(spec, err);
}
