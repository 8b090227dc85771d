/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/spec_security.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/seccomp_profile.h"
#include "kernel/capability.h"

/* Capabilities */

struct cap_words {
	uint64_t set;
	bool all;
};

static int parse_caps(char *const *words, const char *option, struct arena *arena,
		      struct cap_words *ret, struct error *err)
{
	*ret = (struct cap_words){ 0 };
	for (; words && *words; words++) {
		int cap = capability_parse(*words, strlen(*words));
		char *name;

		if (strcasecmp(*words, "ALL") == 0) {
			ret->all = true;
			continue;
		}
		if (cap >= 0) {
			ret->set |= CAPABILITY_BIT(cap);
			continue;
		}
		name = arena_strdup(arena, *words);
		for (char *c = name; *c; c++)
			*c = (char)toupper((unsigned char)*c);
		return error_kind(err, ERROR_INVALID, "invalid %s: unknown capability: \"%s%s\"",
				  option, str_after(name, "CAP_") ? "" : "CAP_", name);
	}
	return 0;
}

/* Docker's rule: "all" in one list makes the other list the exceptions; a name in both is added. */
static uint64_t combine(const struct cap_words *add, const struct cap_words *drop)
{
	if (add->all)
		return CAPABILITY_ALL & ~drop->set;
	if (drop->all)
		return add->set;
	return (SECURITY_DEFAULT_CAPS & ~drop->set) | add->set;
}

const struct oci_capabilities *security_caps(uint64_t caps, uint32_t uid, struct arena *arena)
{
	struct oci_capabilities *c = arena_alloc(arena, sizeof(*c));

	/*
	 * Inheritable stays empty, else a file capability in an image would give it to every user
	 * (CVE-2022-24769). Other users than root start with none, but a setuid binary may get
	 * them.
	 */
	c->sets[OCI_CAP_BOUNDING] = caps;
	if (uid == 0)
		c->sets[OCI_CAP_EFFECTIVE] = c->sets[OCI_CAP_PERMITTED] = caps;
	return c;
}

/* --security-opt */

struct words {
	struct arena *arena;
	struct security *security;
	const char *seccomp; /* the last seccomp= value, or NULL */
};

static int parse_apparmor(struct words *w, const char *value, struct error *err)
{
	/* LIMIT: no profile of berth's own is loaded; unconfined is what there is without one */
	w->security->apparmor_profile = str_eq(value, "unconfined") ? NULL : value;
	return 0;
}

static int parse_label(struct words *w, const char *value, struct error *err)
{
	struct selinux_words *s = &w->security->selinux;
	const struct {
		const char *prefix;
		const char **part;
	} parts[] = {
		{ "filetype:", &s->filetype }, { "level:", &s->level }, { "role:", &s->role },
		{ "type:", &s->type },	       { "user:", &s->user },
	};

	if (str_eq(value, "disable")) {
		s->disable = true;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const char *rest = str_after(value, parts[i].prefix);

		if (str_empty(rest))
			continue;
		*parts[i].part = rest;
		return 0;
	}
	return error_kind(err, ERROR_INVALID,
			  "invalid --security-opt: label=%s: valid are disable, and user, role, "
			  "type, level, filetype followed by ':' and a value",
			  value);
}

static int parse_bool(const char *name, const char *value, bool *ret, struct error *err)
{
	if (str_to_bool(value, ret) < 0)
		return error_kind(err, ERROR_INVALID, "invalid --security-opt: \"%s=%s\"", name,
				  value);
	return 0;
}

static int parse_no_new_privileges(struct words *w, const char *value, struct error *err)
{
	return parse_bool("no-new-privileges", value, &w->security->no_new_privileges, err);
}

static int parse_writable_cgroups(struct words *w, const char *value, struct error *err)
{
	return parse_bool("writable-cgroups", value, &w->security->writable_cgroups, err);
}

static int parse_seccomp(struct words *w, const char *value, struct error *err)
{
	w->seccomp = value;
	return 0;
}

static int parse_systempaths(struct words *w, const char *value, struct error *err)
{
	if (!str_eq(value, "unconfined"))
		return error_kind(err, ERROR_INVALID, "invalid --security-opt: \"systempaths=%s\"",
				  value);
	w->security->unmask_paths = true;
	return 0;
}

/* Docker's and podman's words; without a function: theirs, and not ours yet. */
static const struct security_word {
	const char *name;
	int (*parse)(struct words *w, const char *value, struct error *err);
	bool is_switch; /* alone it means "=true" */
} security_words[] = {
	{ "apparmor", parse_apparmor },
	{ "label", parse_label },
	{ "mask", NULL },
	{ "no-new-privileges", parse_no_new_privileges, true },
	{ "proc-opts", NULL },
	{ "seccomp", parse_seccomp },
	{ "systempaths", parse_systempaths },
	{ "unmask", NULL },
	{ "writable-cgroups", parse_writable_cgroups, true },
};

static int parse_word(struct words *w, const char *word, struct error *err)
{
	size_t len = strcspn(word, "=");

	if (!word[len]) /* the old form */
		len = strcspn(word, ":");
	for (size_t i = 0; i < ARRAY_SIZE(security_words); i++) {
		const struct security_word *s = &security_words[i];

		if (strlen(s->name) != len || strncmp(s->name, word, len) != 0)
			continue;
		if (!s->parse)
			return error_kind(err, ERROR_UNSUPPORTED,
					  "not supported yet: --security-opt %s", word);
		if (word[len] && word[len + 1])
			return s->parse(w, word + len + 1, err);
		if (!word[len] && s->is_switch)
			return s->parse(w, "true", err);
		break;
	}
	return error_kind(err, ERROR_INVALID, "invalid --security-opt: \"%s\"", word);
}

/* The value is a word, a file, or, from an API client, the profile itself. */
static int choose_seccomp(const struct words *w, bool privileged, uint64_t caps, struct error *err)
{
	const struct oci_seccomp **seccomp = &w->security->seccomp;
	const char *value = w->seccomp;

	if (str_eq(value, "unconfined") || (!value && privileged))
		return 0;
	if (value && value[0] == '{')
		return seccomp_profile_parse(value, strlen(value), "seccomp profile", caps,
					     w->arena, seccomp, err);
	if (value && !str_eq(value, "builtin"))
		return seccomp_profile_load(value, caps, w->arena, seccomp, err);
	*seccomp = seccomp_profile_default(caps, w->arena);
	return 0;
}

int spec_security(const struct security_options *options, struct arena *arena,
		  struct security *ret_security, struct error *err)
{
	struct security security = { 0 };
	struct words w = { .arena = arena, .security = &security };
	struct cap_words add, drop;
	int r;

	r = parse_caps(options->cap_add, "CapAdd", arena, &add, err);
	if (r >= 0)
		r = parse_caps(options->cap_drop, "CapDrop", arena, &drop, err);
	if (r < 0)
		return r;
	security.caps = options->privileged ? CAPABILITY_ALL : combine(&add, &drop);
	security.capabilities = security_caps(security.caps, 0, arena);
	security.unmask_paths = options->privileged;

	for (size_t i = 0; options->security_opts && options->security_opts[i]; i++) {
		r = parse_word(&w, arena_strdup(arena, options->security_opts[i]), err);
		if (r < 0)
			return r;
	}
	r = choose_seccomp(&w, options->privileged, security.caps, err);
	if (r < 0)
		return r;
	*ret_security = security;
	return 0;
}
