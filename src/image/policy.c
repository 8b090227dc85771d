/* SPDX-License-Identifier: Apache-2.0 */
#include "image/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "image/policy_private.h"
#include "image/reference.h"
#include "registry/userdir.h"

/*
 * A policy has rules by scope. For docker.io/library/nginx:1 the first of these that is there counts,
 * alone; all requirements of it must be met:
 *
 *     transports.docker["docker.io/library/nginx:1"], ["docker.io/library/nginx"],
 *         ["docker.io/library"], ["docker.io"], ["*.io"], [""]
 *     default
 */

#define POLICY_MAX_BYTES (1u << 20)
#define KEY_MAX_BYTES	 (1u << 20)
#define SYSTEM_POLICY	 "/etc/containers/policy.json"

struct policy {
	char *path; /* NULL: there is none */
	struct arena *arena;
	const struct json *root;
};

static void policy_done(struct policy *p)
{
	free(p->path);
	p->arena = arena_free(p->arena);
}
#define cleanup_policy __attribute__((cleanup(policy_done)))

/* File */

/* 1 read, 0 there is no such file. */
static int read_policy(struct policy *p, const char *path, struct error *err)
{
	static const char *const fields[] = { "default", "transports", NULL };
	cleanup_free char *text = NULL;
	size_t len;
	int r = file_read(AT_FDCWD, path, POLICY_MAX_BYTES, &text, &len, err);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return r;
	r = json_parse(text, len, p->arena, &p->root, err);
	if (r >= 0)
		r = policy_known_fields(p->root, fields, err);
	if (r >= 0 && !json_get(p->root, "default"))
		r = json_fail_missing(p->root, "default", err);
	if (r < 0)
		return error_prefix(err, r, "'%s'", path);
	p->path = xstrdup(path);
	return 1;
}

static int load_policy(struct policy *p, const char *path, struct error *err)
{
	cleanup_free char *own = userdir_config("containers/policy.json");
	int r;

	p->arena = arena_new();
	if (path) {
		r = read_policy(p, path, err);
		return r ? r : error_num(err, ENOENT, "cannot open '%s'", path);
	}
	r = read_policy(p, own, err);
	return r ? r : read_policy(p, SYSTEM_POLICY, err);
}

int policy_known_fields(const struct json *object, const char *const *fields, struct error *err)
{
	const struct json *member;

	if (object->type != JSON_OBJECT)
		return json_fail(object, err, "not an object");
	json_foreach(member, object) {
		size_t i = 0;

		while (fields[i] && !str_eq(fields[i], member->key))
			i++;
		if (!fields[i])
			return json_fail_kind(member, ERROR_UNSUPPORTED, err, "not known here");
	}
	return 0;
}

/* Scopes */

/* "*.example.com", "*.com" for "www.example.com/x". */
static const struct json *find_wildcard(const struct json *scopes, const char *domain)
{
	for (const char *dot = strchr(domain, '.'); dot; dot = strchr(dot + 1, '.')) {
		cleanup_free char *scope = xasprintf("*%s", dot);
		const struct json *found = json_get(scopes, scope);

		if (found)
			return found;
	}
	return NULL;
}

/* The most exact of the scopes; NULL: none is about this image. */
static const struct json *find_scope(const struct json *scopes, const struct reference *ref)
{
	cleanup_free char *name = xasprintf("%s/%s", ref->domain, ref->path);
	cleanup_free char *exact = ref->digest ? xasprintf("%s@%s", name, ref->digest)
					       : xasprintf("%s:%s", name, ref->tag ? ref->tag : "");
	const struct json *found = json_get(scopes, exact);
	char *slash;

	while (!found) {
		found = json_get(scopes, name);
		slash = strrchr(name, '/');
		if (!slash)
			break;
		*slash = '\0';
	}
	if (!found)
		found = find_wildcard(scopes, ref->domain);
	return found ? found : json_get(scopes, "");
}

static int find_rules(const struct policy *p, const struct reference *ref, const struct json **ret,
		      struct error *err)
{
	const struct json *transports = NULL, *scopes = NULL, *rules;
	int r = json_get_object(p->root, "transports", &transports, err);

	if (r >= 0)
		r = json_get_object(transports, "docker", &scopes, err);
	if (r < 0)
		return r;
	rules = find_scope(scopes, ref);
	if (!rules)
		rules = json_get(p->root, "default");
	if (rules->type != JSON_ARRAY || rules->n == 0)
		return json_fail(rules, err, "not a list of requirements");
	*ret = rules;
	return 0;
}

/* Requirements */

static int accept(const struct policy_rule *rule, struct error *err)
{
	static const char *const fields[] = { "type", NULL };

	return policy_known_fields(rule->json, fields, err);
}

static int reject(const struct policy_rule *rule, struct error *err)
{
	return error_kind(err, ERROR_DENIED, "nothing is allowed");
}

static const struct requirement {
	const char *type;
	int (*check)(const struct policy_rule *rule, struct error *err);
} requirements[] = {
	{ "insecureAcceptAnything", accept },
	{ "reject", reject },
	{ "signedBy", policy_check_simple },
	{ "sigstoreSigned", policy_check_sigstore },
};

/* Keys may be binary. */
static const char *keep(struct arena *arena, const void *data, size_t len)
{
	return memcpy(arena_alloc(arena, len + 1), data, len);
}

int policy_read_key(const struct policy_rule *rule, const char *path_field, const char *data_field,
		    const char **ret, size_t *ret_len, struct error *err)
{
	const char *path = NULL, *encoded = NULL;
	cleanup_free char *text = NULL;
	cleanup_free void *data = NULL;
	int r = json_get_string(rule->json, path_field, &path, err);

	if (r >= 0)
		r = json_get_string(rule->json, data_field, &encoded, err);
	if (r < 0)
		return r;
	if (!path == !encoded)
		return json_fail(rule->json, err, "exactly one of '%s' and '%s' is wanted",
				 path_field, data_field);
	if (path) {
		r = file_read(AT_FDCWD, path, KEY_MAX_BYTES, &text, ret_len, err);
		if (r < 0)
			return r;
		*ret = keep(rule->arena, text, *ret_len);
		return 0;
	}
	if (base64_parse(encoded, &data, ret_len) < 0)
		return json_fail(json_get(rule->json, data_field), err, "not base64");
	*ret = keep(rule->arena, data, *ret_len);
	return 0;
}

static int check_rule(const struct policy_rule *rule, struct error *err)
{
	const char *type = NULL;
	int r = json_get_string(rule->json, "type", &type, err);

	if (r < 0)
		return r;
	if (!type)
		return json_fail_missing(rule->json, "type", err);
	for (size_t i = 0; i < ARRAY_SIZE(requirements); i++)
		if (str_eq(type, requirements[i].type))
			return requirements[i].check(rule, err);
	return json_fail_kind(rule->json, ERROR_UNSUPPORTED, err,
			      "the requirement '%.64s' is not known here", type);
}

/* "'IMAGE' is refused by 'reject' of 'docker.io' in 'FILE': REASON" */
static int COLD refuse(const struct policy *p, const struct policy_rule *rule, int r,
		       struct error *err)
{
	cleanup_free char *name = reference_format(rule->image->ref);
	const char *type = "a requirement", *scope = rule->json->parent->key;
	struct error ignored; /* the type may be what is wrong */

	(void)json_get_string(rule->json, "type", &type, &ignored);
	return error_prefix(err, r, "'%s' is refused by '%.64s' of '%.128s' in '%s'", name, type,
			    scope, p->path);
}

int policy_check(const char *policy_path, const struct policy_image *image, struct error *err)
{
	cleanup_policy struct policy p = { 0 };
	const struct json *rules = NULL, *json;
	int r = load_policy(&p, policy_path, err);

	if (r <= 0)
		return r;
	r = find_rules(&p, image->ref, &rules, err);
	if (r < 0)
		return error_prefix(err, r, "'%s'", p.path);
	json_foreach(json, rules) {
		const struct policy_rule rule = { json, image, p.arena };

		r = check_rule(&rule, err);
		if (r < 0)
			return refuse(&p, &rule, r, err);
	}
	return 0;
}
