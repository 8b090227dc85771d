/* SPDX-License-Identifier: Apache-2.0 */
#include "base/macro.h"
#include "codec/json.h"
#include "oci/spec.h"
#include "oci/spec_table.h"
#include "oci/words.h"

/* config-linux.md "Seccomp" */

static int parse_flags(const struct json *v, struct arena *arena, void *target, struct error *err)
{
	struct oci_seccomp *seccomp = target;
	const struct json *c;

	if (v->type != JSON_ARRAY)
		return json_fail(v, err, "not an array");
	json_foreach(c, v) {
		const struct oci_word *word;
		const char *name;
		int r = json_to_string(c, &name, err);

		if (r < 0)
			return r;
		word = oci_words_find(&oci_seccomp_flag_words, name);
		if (!word)
			return json_fail(c, err, "unknown seccomp flag '%s'", name);
		seccomp->flags |= (unsigned)word->value;
	}
	seccomp->has_flags = true;
	return 0;
}

static void format_flags(const struct oci_field *f, const void *target, struct json_writer *w)
{
	const struct oci_seccomp *seccomp = target;

	if (!seccomp->has_flags && !seccomp->flags)
		return;
	json_begin_array(w, f->key);
	for (size_t i = 0; i < oci_seccomp_flag_words.n; i++)
		if (seccomp->flags & (unsigned)oci_seccomp_flag_words.list[i].value)
			json_add_string(w, NULL, oci_seccomp_flag_words.list[i].name);
	json_end(w);
}

static const struct oci_field arg_fields[] = {
	{ FIELD_U32("index", oci_seccomp_arg, index), .required = true, .always = true },
	{ FIELD_U64("value", oci_seccomp_arg, value), .always = true },
	{ FIELD_U64("valueTwo", oci_seccomp_arg, value_two) },
	{ FIELD_WORD("op", oci_seccomp_arg, op, enum oci_seccomp_op, oci_seccomp_op_words),
	  .required = true },
};
static const struct oci_table arg_table = OCI_TABLE(arg_fields, sizeof(struct oci_seccomp_arg));

static const struct oci_field rule_fields[] = {
	{ FIELD_STRINGS("names", oci_seccomp_rule, names, n_names), .required = true },
	{ FIELD_WORD("action", oci_seccomp_rule, action, enum oci_seccomp_action,
		     oci_seccomp_action_words),
	  .required = true },
	{ FIELD_OPT_U64("errnoRet", oci_seccomp_rule, errno_ret) },
	{ FIELD_OBJECTS("args", oci_seccomp_rule, args, n_args, oci_seccomp_arg, arg_table) },
};
static const struct oci_table rule_table = OCI_TABLE(rule_fields, sizeof(struct oci_seccomp_rule));

static const struct oci_field seccomp_fields[] = {
	{ FIELD_WORD("defaultAction", oci_seccomp, default_action, enum oci_seccomp_action,
		     oci_seccomp_action_words),
	  .required = true },
	{ FIELD_OPT_U64("defaultErrnoRet", oci_seccomp, default_errno_ret) },
	{ FIELD_STRINGS("architectures", oci_seccomp, architectures, n_architectures) },
	{ FIELD_CUSTOM("flags", parse_flags, format_flags) },
	{ FIELD_STRING("listenerPath", oci_seccomp, listener_path) },
	{ FIELD_STRING("listenerMetadata", oci_seccomp, listener_metadata) },
	{ FIELD_OBJECTS("syscalls", oci_seccomp, rules, n_rules, oci_seccomp_rule, rule_table) },
};
const struct oci_table oci_seccomp_table = OCI_TABLE(seccomp_fields, sizeof(struct oci_seccomp));
