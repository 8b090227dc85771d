/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/macro.h"
#include "base/mem.h"
#include "codec/json.h"
#include "oci/spec.h"
#include "oci/spec_table.h"
#include "oci/words.h"

/* config.md "Process" */

/* Capabilities: five lists of names, kept as five bit sets. */

static const char *const cap_set_keys[OCI_CAP_SET_COUNT] = {
	[OCI_CAP_BOUNDING] = "bounding",       [OCI_CAP_EFFECTIVE] = "effective",
	[OCI_CAP_INHERITABLE] = "inheritable", [OCI_CAP_PERMITTED] = "permitted",
	[OCI_CAP_AMBIENT] = "ambient",
};

static int parse_cap_set(const struct json *array, uint64_t *set, struct error *err)
{
	const struct json *c;

	json_foreach(c, array) {
		const struct oci_word *word;
		const char *name;
		int r = json_to_string(c, &name, err);

		if (r < 0)
			return r;
		word = oci_words_find(&oci_capability_words, name);
		if (word)
			*set |= UINT64_C(1) << word->value;
		else /* written for another kernel: config.md asks for a warning, not a refusal */
			log_warning("ignoring unknown capability '%s'", name);
	}
	return 0;
}

static int parse_capabilities(const struct json *v, struct arena *arena, void *target,
			      struct error *err)
{
	struct oci_process *process = target;
	struct oci_capabilities *caps = arena_alloc(arena, sizeof(*caps));

	if (v->type != JSON_OBJECT)
		return json_fail(v, err, "not an object");
	for (size_t i = 0; i < OCI_CAP_SET_COUNT; i++) {
		const struct json *array = NULL;
		int r = json_get_array(v, cap_set_keys[i], &array, err);

		if (r == 0)
			r = parse_cap_set(array, &caps->sets[i], err);
		if (r < 0)
			return r;
	}
	process->capabilities = caps;
	return 0;
}

static void format_capabilities(const struct oci_field *f, const void *target,
				struct json_writer *w)
{
	const struct oci_capabilities *caps = ((const struct oci_process *)target)->capabilities;

	if (!caps)
		return;
	json_begin_object(w, f->key);
	for (size_t i = 0; i < OCI_CAP_SET_COUNT; i++) {
		if (!caps->sets[i])
			continue;
		json_begin_array(w, cap_set_keys[i]);
		for (size_t j = 0; j < oci_capability_words.n; j++)
			if (caps->sets[i] >> oci_capability_words.list[j].value & 1)
				json_add_string(w, NULL, oci_capability_words.list[j].name);
		json_end(w);
	}
	json_end(w);
}

static const struct oci_field console_fields[] = {
	{ FIELD_U16("height", oci_process, console_height), .always = true },
	{ FIELD_U16("width", oci_process, console_width), .always = true },
};
static const struct oci_table console_table = OCI_TABLE(console_fields, 0);

static int parse_console(const struct json *v, struct arena *arena, void *target, struct error *err)
{
	return oci_table_parse(&console_table, v, arena, target, err);
}

static void format_console(const struct oci_field *f, const void *target, struct json_writer *w)
{
	const struct oci_process *process = target;

	if (!process->console_height && !process->console_width)
		return;
	json_begin_object(w, f->key);
	oci_table_format(&console_table, target, w);
	json_end(w);
}

static const struct oci_field user_fields[] = {
	{ FIELD_U32("uid", oci_user, uid), .always = true },
	{ FIELD_U32("gid", oci_user, gid), .always = true },
	{ FIELD_OPT_I64("umask", oci_user, umask) },
	{ FIELD_U32S("additionalGids", oci_user, additional_gids, n_additional_gids) },
};
static const struct oci_table user_table = OCI_TABLE(user_fields, sizeof(struct oci_user));

static const struct oci_field rlimit_fields[] = {
	{ FIELD_WORD("type", oci_rlimit, resource, int, oci_rlimit_words), .required = true },
	{ FIELD_U64("hard", oci_rlimit, hard), .always = true },
	{ FIELD_U64("soft", oci_rlimit, soft), .always = true },
};
static const struct oci_table rlimit_table = OCI_TABLE(rlimit_fields, sizeof(struct oci_rlimit));

static const struct oci_field scheduler_fields[] = {
	{ FIELD_STRING("policy", oci_scheduler, policy), .required = true },
	{ FIELD_I32("nice", oci_scheduler, nice) },
	{ FIELD_I32("priority", oci_scheduler, priority) },
	{ FIELD_STRINGS("flags", oci_scheduler, flags, n_flags) },
	{ FIELD_U64("runtime", oci_scheduler, runtime) },
	{ FIELD_U64("deadline", oci_scheduler, deadline) },
	{ FIELD_U64("period", oci_scheduler, period) },
};
static const struct oci_table scheduler_table = OCI_TABLE(scheduler_fields, 0);

static const struct oci_field io_priority_fields[] = {
	{ FIELD_STRING("class", oci_process, io_priority_class), .required = true },
	{ FIELD_I32("priority", oci_process, io_priority) },
};
static const struct oci_table io_priority_table = OCI_TABLE(io_priority_fields, 0);

static const struct oci_field affinity_fields[] = {
	{ FIELD_STRING("initial", oci_process, cpu_affinity_initial) },
	{ FIELD_STRING("final", oci_process, cpu_affinity_final) },
};
static const struct oci_table affinity_table = OCI_TABLE(affinity_fields, 0);

static const struct oci_field process_fields[] = {
	{ FIELD_BOOL("terminal", oci_process, terminal) },
	{ FIELD_CUSTOM("consoleSize", parse_console, format_console) },
	{ FIELD_EMBEDDED("user", oci_process, user, oci_user, user_table) },
	{ FIELD_STRINGS("args", oci_process, args, n_args) },
	{ FIELD_STRINGS("env", oci_process, env, n_env) },
	{ FIELD_STRING("cwd", oci_process, cwd), .required = true },
	{ FIELD_CUSTOM("capabilities", parse_capabilities, format_capabilities) },
	{ FIELD_OBJECTS("rlimits", oci_process, rlimits, n_rlimits, oci_rlimit, rlimit_table) },
	{ FIELD_BOOL("noNewPrivileges", oci_process, no_new_privileges) },
	{ FIELD_STRING("apparmorProfile", oci_process, apparmor_profile) },
	{ FIELD_OPT_I64("oomScoreAdj", oci_process, oom_score_adj) },
	{ FIELD_EMBEDDED("scheduler", oci_process, scheduler, oci_scheduler, scheduler_table),
	  FIELD_SET(oci_process, scheduler.set) },
	{ FIELD_STRING("selinuxLabel", oci_process, selinux_label) },
	{ FIELD_SECTION("ioPriority", io_priority_table) },
	{ FIELD_SECTION("execCPUAffinity", affinity_table) },
};
const struct oci_table oci_process_table = OCI_TABLE(process_fields, sizeof(struct oci_process));
