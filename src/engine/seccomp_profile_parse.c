/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "engine/seccomp_profile.h"
#include "kernel/capability.h"
#include "oci/words.h"

/* Docker's profile format: the OCI section with conditions on machine and capabilities. */

static int get_word(const struct json *obj, const char *key, const struct oci_words *words,
		    bool required, int *ret, struct error *err)
{
	const struct json *v = json_get(obj, key);
	const struct oci_word *word;
	const char *name;
	int r;

	if (!v)
		return required ? json_fail_missing(obj, key, err) : 0;
	r = json_to_string(v, &name, err);
	if (r < 0)
		return r;
	word = oci_words_find(words, name);
	if (!word)
		return json_fail(v, err, "unknown word '%s'", name);
	*ret = (int)word->value;
	return 0;
}

static int get_number(const struct json *obj, const char *key, struct opt_u64 *ret,
		      struct error *err)
{
	ret->set = json_get(obj, key) != NULL;
	return json_get_u64(obj, key, &ret->value, err);
}

static int parse_arg(const struct json *v, struct oci_seccomp_arg *ret, struct error *err)
{
	int op = 0;
	uint32_t index = 0;
	int r = json_get_u32(v, "index", &index, err);

	if (r >= 0)
		r = json_get_u64(v, "value", &ret->value, err);
	if (r >= 0)
		r = json_get_u64(v, "valueTwo", &ret->value_two, err);
	if (r >= 0)
		r = get_word(v, "op", &oci_seccomp_op_words, true, &op, err);
	ret->index = index;
	ret->op = (enum oci_seccomp_op)op;
	return r;
}

static int parse_args(const struct json *rule, struct arena *arena,
		      struct seccomp_profile_rule *ret, struct error *err)
{
	const struct json *list = NULL, *v;
	struct oci_seccomp_arg *args;
	int r = json_get_array(rule, "args", &list, err);

	if (r < 0 || !list)
		return r;
	args = arena_alloc(arena, (list->n + 1) * sizeof(*args));
	json_foreach(v, list) {
		r = parse_arg(v, &args[ret->n_args++], err);
		if (r < 0)
			return r;
	}
	ret->args = args;
	return 0;
}

static int parse_kernel(const struct json *filter, uint32_t *ret, struct error *err)
{
	const char *text = NULL;
	unsigned major, minor;
	char behind;
	int r = json_get_string(filter, "minKernel", &text, err);

	if (r < 0 || str_empty(text))
		return r;
	if (sscanf(text, "%5u.%5u%c", &major, &minor, &behind) != 2 || minor > UINT16_MAX)
		return json_fail(json_get(filter, "minKernel"), err,
				 "'%s' is not a version like 4.8", text);
	*ret = SECCOMP_KERNEL(major, minor);
	return 0;
}

static int parse_filter(const struct json *rule, const char *key, struct arena *arena,
			struct seccomp_profile_filter *ret, struct error *err)
{
	const struct json *filter = NULL;
	const char *const *caps = NULL;
	size_t n_arches = 0;
	int r = json_get_object(rule, key, &filter, err);

	if (r < 0 || !filter)
		return r;
	r = json_get_strings(filter, "caps", arena, &caps, NULL, err);
	for (; r >= 0 && caps && *caps; caps++) {
		int cap = capability_parse(*caps, strlen(*caps));

		if (cap < 0)
			return json_fail(filter, err, "unknown capability '%s'", *caps);
		ret->caps |= CAPABILITY_BIT(cap);
	}
	if (r >= 0)
		r = json_get_strings(filter, "arches", arena, &ret->arches, &n_arches, err);
	if (!n_arches)
		ret->arches = NULL;
	return r < 0 ? r : parse_kernel(filter, &ret->min_kernel, err);
}

static int parse_names(const struct json *rule, struct arena *arena,
		       struct seccomp_profile_rule *ret, struct error *err)
{
	const char *name = NULL, **names;
	int r = json_get_strings(rule, "names", arena, &ret->names, &ret->n_names, err);

	if (r >= 0)
		r = json_get_string(rule, "name", &name, err); /* of old profiles */
	if (r < 0 || str_empty(name))
		return r;
	if (ret->n_names)
		return json_fail(rule, err, "both 'name' and 'names' are given");
	names = arena_alloc(arena, 2 * sizeof(*names));
	names[0] = name;
	ret->names = names;
	ret->n_names = 1;
	return 0;
}

static int parse_rule(const struct json *v, struct arena *arena, struct seccomp_profile_rule *ret,
		      struct error *err)
{
	int action = 0;
	int r = parse_names(v, arena, ret, err);

	if (r >= 0)
		r = get_word(v, "action", &oci_seccomp_action_words, true, &action, err);
	if (r >= 0)
		r = get_number(v, "errnoRet", &ret->errno_ret, err);
	if (r >= 0)
		r = parse_args(v, arena, ret, err);
	if (r >= 0)
		r = parse_filter(v, "includes", arena, &ret->includes, err);
	if (r >= 0)
		r = parse_filter(v, "excludes", arena, &ret->excludes, err);
	ret->action = (enum oci_seccomp_action)action;
	return r;
}

static int parse_rules(const struct json *doc, struct arena *arena, struct seccomp_profile *p,
		       struct error *err)
{
	const struct json *list = NULL, *v;
	struct seccomp_profile_rule *rules;
	int r = json_get_array(doc, "syscalls", &list, err);

	if (r < 0 || !list)
		return r;
	rules = arena_alloc(arena, (list->n + 1) * sizeof(*rules));
	json_foreach(v, list) {
		r = parse_rule(v, arena, &rules[p->n_rules++], err);
		if (r < 0)
			return r;
	}
	p->rules = rules;
	return 0;
}

/* One line of archMap: the architecture and its subArchitectures in one list. */
static int parse_arch(const struct json *v, struct arena *arena, const char *const **ret,
		      struct error *err)
{
	const char *arch = NULL, **list;
	const char *const *sub = NULL;
	size_t n = 0;
	int r = json_get_string(v, "architecture", &arch, err);

	if (r >= 0)
		r = json_get_strings(v, "subArchitectures", arena, &sub, &n, err);
	if (r < 0)
		return r;
	if (!arch)
		return json_fail_missing(v, "architecture", err);
	list = arena_alloc(arena, (n + 2) * sizeof(*list));
	list[0] = arch;
	for (size_t i = 0; i < n; i++)
		list[i + 1] = sub[i];
	*ret = list;
	return 0;
}

static int parse_arches(const struct json *doc, struct arena *arena, struct seccomp_profile *p,
			struct error *err)
{
	const struct json *list = NULL, *v;
	const char *const **map;
	size_t n = 0;
	int r = json_get_strings(doc, "architectures", arena, &p->architectures, &n, err);

	if (!n)
		p->architectures = NULL;
	if (r >= 0)
		r = json_get_array(doc, "archMap", &list, err);
	if (r < 0 || !list || !list->n)
		return r;
	if (n)
		return json_fail(list, err, "both 'architectures' and 'archMap' are given");
	map = arena_alloc(arena, (list->n + 1) * sizeof(*map));
	p->arch_map = map;
	json_foreach(v, list) {
		r = parse_arch(v, arena, map++, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int parse_flags(const struct json *doc, struct arena *arena, struct seccomp_profile *p,
		       struct error *err)
{
	const char *const *names = NULL;
	int r = json_get_strings(doc, "flags", arena, &names, NULL, err);

	if (r < 0 || !names)
		return r;
	p->has_flags = true;
	for (; *names; names++) {
		const struct oci_word *word = oci_words_find(&oci_seccomp_flag_words, *names);

		if (!word)
			return json_fail(json_get(doc, "flags"), err, "unknown flag '%s'", *names);
		p->flags |= (unsigned)word->value;
	}
	return 0;
}

static int parse_profile(const struct json *doc, struct arena *arena, struct seccomp_profile *p,
			 struct error *err)
{
	int action = 0;
	int r = get_word(doc, "defaultAction", &oci_seccomp_action_words, true, &action, err);

	p->default_action = (enum oci_seccomp_action)action;
	if (r >= 0)
		r = get_number(doc, "defaultErrnoRet", &p->default_errno_ret, err);
	if (r >= 0)
		r = json_get_string(doc, "listenerPath", &p->listener_path, err);
	if (r >= 0)
		r = json_get_string(doc, "listenerMetadata", &p->listener_metadata, err);
	if (r >= 0)
		r = parse_flags(doc, arena, p, err);
	if (r >= 0)
		r = parse_arches(doc, arena, p, err);
	if (r >= 0)
		r = parse_rules(doc, arena, p, err);
	return r;
}

int seccomp_profile_parse(const char *json, size_t len, const char *name, uint64_t caps,
			  struct arena *arena, const struct oci_seccomp **ret_seccomp,
			  struct error *err)
{
	struct seccomp_machine machine = seccomp_machine_this();
	struct seccomp_profile profile = { 0 };
	const struct json *doc;
	int r;

	r = json_parse(json, len, arena, &doc, err);
	if (r >= 0)
		r = parse_profile(doc, arena, &profile, err);
	if (r < 0)
		return error_prefix(err, r, "decoding seccomp profile failed: %s", name);
	*ret_seccomp = seccomp_profile_resolve(&profile, &machine, caps, arena);
	return 0;
}

int seccomp_profile_load(const char *path, uint64_t caps, struct arena *arena,
			 const struct oci_seccomp **ret_seccomp, struct error *err)
{
	cleanup_free char *text = NULL;
	size_t len;
	int r;

	r = file_read(AT_FDCWD, path, SECCOMP_PROFILE_MAX_BYTES, &text, &len, err);
	if (r < 0)
		return error_prefix(err, r, "opening seccomp profile (%s) failed", path);
	return seccomp_profile_parse(text, len, path, caps, arena, ret_seccomp, err);
}
