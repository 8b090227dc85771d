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
 *
 * An archive or layout has its path for a name, and the directories above; docker's archives have
 * none but [""].
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
	const struct json *member, *other;

	if (object->type != JSON_OBJECT)
		return json_fail(object, err, "not an object");
	json_foreach(member, object) {
		size_t i = 0;

		while (fields[i] && !str_eq(fields[i], member->key))
			i++;
		if (!fields[i])
			return json_fail_kind(member, ERROR_UNSUPPORTED, err, "not known here");
		json_foreach(other, object) {
			if (other == member)
				break;
			if (str_eq(other->key, member->key))
				return json_fail(member, err, "there twice");
		}
	}
	return 0;
}

/* Scopes */

/* "*.example.com", "*.com" for "www.example.com:5000": a port says nothing here. */
static const struct json *find_wildcard(const struct json *scopes, const char *domain)
{
	cleanup_free char *host = xstrndup(domain, strcspn(domain, ":"));

	for (const char *dot = strchr(host, '.'); dot; dot = strchr(dot + 1, '.')) {
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

/* The path, then the directories above it but "/", which is not allowed as a scope. */
static const struct json *find_path(const struct json *scopes, const char *path)
{
	cleanup_free char *at = path ? xstrdup(path) : NULL;
	const struct json *found = NULL;

	while (at && *at && !found) {
		found = json_get(scopes, at);
		*strrchr(at, '/') = '\0'; /* absolute: there is one */
	}
	return found ? found : json_get(scopes, "");
}

static int find_rules(const struct policy *p, const struct policy_image *image,
		      const struct json **ret, struct error *err)
{
	const struct json *transports = NULL, *scopes = NULL, *rules;
	int r = json_get_object(p->root, "transports", &transports, err);

	if (r >= 0)
		r = json_get_object(transports, image->transport, &scopes, err);
	if (r < 0)
		return r;
	rules = image->ref ? find_scope(scopes, image->ref) : find_path(scopes, image->path);
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
	bool wants_signature;
} requirements[] = {
	{ "insecureAcceptAnything", accept, false },
	{ "reject", reject, false },
	{ "signedBy", policy_check_simple, true },
	{ "sigstoreSigned", policy_check_sigstore, true },
};

/* Keys may be binary. */
static const char *keep(struct arena *arena, const void *data, size_t len)
{
	return memcpy(arena_alloc(arena, len + 1), data, len);
}

static int read_key_file(const struct policy_rule *rule, const char *path, struct policy_key *ret,
			 struct error *err)
{
	cleanup_free char *text = NULL;
	int r = file_read(AT_FDCWD, path, KEY_MAX_BYTES, &text, &ret->len, err);

	if (r == 0)
		ret->data = keep(rule->arena, text, ret->len);
	return r;
}

static int take_key(const struct policy_rule *rule, const struct json *value, bool is_path,
		    struct policy_keys *ret, struct error *err)
{
	struct policy_key *key = &ret->keys[ret->n];
	cleanup_free void *data = NULL;
	const char *text = NULL;
	int r = json_to_string(value, &text, err);

	if (r >= 0 && ret->n == ARRAY_SIZE(ret->keys))
		return json_fail(value, err, "more than %zu keys", ARRAY_SIZE(ret->keys));
	if (r >= 0 && is_path)
		r = read_key_file(rule, text, key, err);
	else if (r >= 0 && base64_parse(text, &data, &key->len) < 0)
		return json_fail(value, err, "not base64");
	if (r < 0)
		return r;
	if (data)
		key->data = keep(rule->arena, data, key->len);
	ret->n++;
	return 0;
}

int policy_read_keys(const struct policy_rule *rule, struct policy_keys *ret, struct error *err)
{
	static const char *const one[] = { "keyPath", "keyData" };
	static const char *const many[] = { "keyPaths", "keyDatas" };
	size_t fields = 0;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(one) && r >= 0; i++) {
		const struct json *single = json_get(rule->json, one[i]), *list = NULL, *item;

		fields += single != NULL;
		if (single)
			r = take_key(rule, single, i == 0, ret, err);
		if (r >= 0)
			r = json_get_array(rule->json, many[i], &list, err);
		fields += list != NULL;
		json_foreach(item, list) {
			if (r >= 0)
				r = take_key(rule, item, i == 0, ret, err);
		}
	}
	if (r >= 0 && (fields != 1 || ret->n == 0))
		return json_fail(rule->json, err,
				 "exactly one of 'keyPath', 'keyPaths' and 'keyData' is wanted");
	return r;
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
			return requirements[i].wants_signature && !rule->image->ref
				       ? error_kind(err, ERROR_DENIED, "it has no signatures")
				       : requirements[i].check(rule, err);
	return json_fail_kind(rule->json, ERROR_UNSUPPORTED, err,
			      "the requirement '%.64s' is not known here", type);
}

/* "'IMAGE' is refused by 'reject' of 'docker.io' in 'FILE': REASON" */
static int COLD refuse(const struct policy *p, const struct policy_rule *rule, int r,
		       struct error *err)
{
	const struct policy_image *image = rule->image;
	cleanup_free char *name =
		image->ref ? reference_format(image->ref)
			   : xasprintf("%s:%s", image->transport, image->path ? image->path : "-");
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
	r = find_rules(&p, image, &rules, err);
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
