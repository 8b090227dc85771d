/* SPDX-License-Identifier: Apache-2.0 */
/* What a signature says: for which manifest it is, and for which name. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "image/policy_private.h"
#include "image/reference.h"

/* Names as text: "domain/path" and, with its tag or digest, the whole. */
struct signed_name {
	char *repository;
	char *full; /* NULL: neither tag nor digest */
};

static void signed_name_done(struct signed_name *n)
{
	free(n->repository);
	free(n->full);
}
#define cleanup_signed_name __attribute__((cleanup(signed_name_done)))

static void take_name(const struct reference *ref, struct signed_name *ret)
{
	ret->repository = xasprintf("%s/%s", ref->domain, ref->path);
	if (ref->digest)
		ret->full = xasprintf("%s@%s", ret->repository, ref->digest);
	else if (ref->tag)
		ret->full = xasprintf("%s:%s", ret->repository, ref->tag);
}

static int parse_name(const char *text, struct signed_name *ret, struct error *err)
{
	cleanup_reference struct reference ref = { 0 };
	int r = reference_parse_bare(text, &ref, err);

	if (r < 0)
		return error_prefix(err, r, "'%.128s'", text);
	take_name(&ref, ret);
	return 0;
}

/* What signedIdentity asks about: the image's own name and the one that was signed. */
struct question {
	const struct json *identity; /* of the rule, or NULL */
	const struct reference *ref;
	struct signed_name own, theirs;
};

static bool same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

static int match_exact(const struct question *q, bool *ret, struct error *err)
{
	*ret = same(q->own.full, q->theirs.full);
	return 0;
}

static int match_repository(const struct question *q, bool *ret, struct error *err)
{
	*ret = same(q->own.repository, q->theirs.repository);
	return 0;
}

/* An image by digest needs no tag: its name has no say in what it is. */
static int match_digest_or_exact(const struct question *q, bool *ret, struct error *err)
{
	return (q->ref->digest ? match_repository : match_exact)(q, ret, err);
}

static int named_field(const struct question *q, const char *field, const char **ret,
		       struct error *err)
{
	int r = json_get_string(q->identity, field, ret, err);

	if (r >= 0 && !*ret)
		return json_fail_missing(q->identity, field, err);
	return r;
}

static int match_exact_reference(const struct question *q, bool *ret, struct error *err)
{
	cleanup_signed_name struct signed_name wanted = { 0 };
	const char *text = NULL;
	int r = named_field(q, "dockerReference", &text, err);

	if (r >= 0)
		r = parse_name(text, &wanted, err);
	if (r >= 0)
		*ret = same(wanted.full, q->theirs.full);
	return r;
}

static int match_exact_repository(const struct question *q, bool *ret, struct error *err)
{
	cleanup_signed_name struct signed_name wanted = { 0 };
	const char *text = NULL;
	int r = named_field(q, "dockerRepository", &text, err);

	if (r >= 0)
		r = parse_name(text, &wanted, err);
	if (r >= 0)
		*ret = same(wanted.repository, q->theirs.repository);
	return r;
}

/* name with prefix replaced, if prefix covers whole parts of it. Heap. */
static char *remap(const char *name, const char *prefix, const char *replacement)
{
	const char *rest = name ? str_after(name, prefix) : NULL;

	if (!name)
		return NULL;
	if (!rest || (*rest && !strchr("/:@", *rest)) || (*rest == ':' && !strchr(prefix, '/')))
		return xstrdup(name); /* "host" does not cover "host:5000" */
	return xasprintf("%s%s", replacement, rest);
}

static int match_remapped(const struct question *q, bool *ret, struct error *err)
{
	const char *prefix = NULL, *signed_prefix = NULL;
	struct question mapped = *q;
	int r = named_field(q, "prefix", &prefix, err);

	if (r >= 0)
		r = named_field(q, "signedPrefix", &signed_prefix, err);
	if (r < 0)
		return r;
	mapped.own.repository = remap(q->own.repository, prefix, signed_prefix);
	mapped.own.full = remap(q->own.full, prefix, signed_prefix);
	r = match_digest_or_exact(&mapped, ret, err);
	signed_name_done(&mapped.own);
	return r;
}

static const struct identity {
	const char *type;
	int (*matches)(const struct question *q, bool *ret, struct error *err);
	const char *fields[4];
} identities[] = {
	{ "exactReference", match_exact_reference, { "type", "dockerReference" } },
	{ "exactRepository", match_exact_repository, { "type", "dockerRepository" } },
	{ "matchExact", match_exact, { "type" } },
	{ "matchRepoDigestOrExact", match_digest_or_exact, { "type" } },
	{ "matchRepository", match_repository, { "type" } },
	{ "remapIdentity", match_remapped, { "type", "prefix", "signedPrefix" } },
};

static int ask_identity(const struct question *q, bool *ret, struct error *err)
{
	const char *type = "matchRepoDigestOrExact";
	int r = json_get_string(q->identity, "type", &type, err);

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(identities); i++) {
		if (!str_eq(type, identities[i].type))
			continue;
		if (q->identity)
			r = policy_known_fields(q->identity, identities[i].fields, err);
		return r < 0 ? r : identities[i].matches(q, ret, err);
	}
	return r < 0 ? r
		     : json_fail_kind(q->identity, ERROR_UNSUPPORTED, err,
				      "the identity '%.64s' is not known here", type);
}

static int check_identity(const struct policy_rule *rule, const char *signed_text,
			  struct error *err)
{
	struct question q = { .ref = rule->image->ref };
	bool matches = false;
	int r = json_get_object(rule->json, "signedIdentity", &q.identity, err);

	if (r >= 0)
		r = parse_name(signed_text, &q.theirs, err);
	if (r >= 0) {
		take_name(rule->image->ref, &q.own);
		r = ask_identity(&q, &matches, err);
	}
	signed_name_done(&q.own);
	signed_name_done(&q.theirs);
	if (r < 0 || matches)
		return r;
	return error_kind(err, ERROR_DENIED, "the signature is for '%.128s'", signed_text);
}

static int check_digest(const struct policy_rule *rule, const char *text, struct error *err)
{
	for (size_t i = 0; i < rule->image->n_ids; i++)
		if (str_eq(rule->image->ids[i].text, text))
			return 0;
	return error_kind(err, ERROR_DENIED, "the signature is for the manifest '%.80s'", text);
}

/* Every field counts: one that is not known might restrict what was signed. */
static int read_payload(const struct json *root, const char *type, const char **ret_digest,
			const char **ret_name, struct error *err)
{
	static const char *const outer[] = { "critical", "optional", NULL };
	static const char *const inner[] = { "type", "image", "identity", NULL };
	static const char *const image[] = { "docker-manifest-digest", NULL };
	static const char *const identity[] = { "docker-reference", NULL };
	const struct json *critical = json_get(root, "critical"), *i, *n;
	const char *found = NULL;
	int r = policy_known_fields(root, outer, err);

	if (r >= 0 && !critical)
		return json_fail_missing(root, "critical", err);
	i = json_get(critical, "image");
	n = json_get(critical, "identity");
	if (r >= 0)
		r = policy_known_fields(critical, inner, err);
	if (r >= 0 && (!i || !n))
		return json_fail_missing(critical, i ? "identity" : "image", err);
	if (r >= 0)
		r = policy_known_fields(i, image, err);
	if (r >= 0)
		r = policy_known_fields(n, identity, err);
	if (r >= 0)
		r = json_get_string(critical, "type", &found, err);
	if (r >= 0 && !str_eq(found, type))
		return json_fail(critical, err, "not a '%s'", type);
	if (r >= 0)
		r = json_get_string(i, image[0], ret_digest, err);
	if (r >= 0)
		r = json_get_string(n, identity[0], ret_name, err);
	if (r >= 0 && (!*ret_digest || !*ret_name))
		return json_fail(critical, err, "names no manifest or no image");
	return r;
}

int policy_check_payload(const struct policy_rule *rule, const char *type, const char *payload,
			 size_t len, struct error *err)
{
	struct arena *arena cleanup_with(arena_free) = arena_new();
	const char *digest = NULL, *name = NULL;
	const struct json *root;
	int r = json_parse(payload, len, arena, &root, err);

	if (r >= 0)
		r = read_payload(root, type, &digest, &name, err);
	if (r < 0)
		return error_prefix(err, r, "the signed text");
	r = check_digest(rule, digest, err);
	return r < 0 ? r : check_identity(rule, name, err);
}
