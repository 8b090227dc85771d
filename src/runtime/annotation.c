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

int annotations_check(const struct oci_spec *spec, bool systemd, struct error *err)
{
	static const struct {
		const char *key;
		bool systemd; /* means something only there */
	} not_yet[] = {
		{ "run.oci.delegate-cgroup", false },
		{ "run.oci.handler", false },
		{ "run.oci.systemd.force_cgroup_v1", true },
		{ "run.oci.systemd.subgroup", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(not_yet); i++)
		if ((systemd || !not_yet[i].systemd) && annotations_value(spec, not_yet[i].key))
			return error_kind(err, ERROR_UNSUPPORTED,
					  "not supported yet: annotation %s", not_yet[i].key);
	return check_mount_context(spec, err);
}
