/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signedBy: "simple signing", OpenPGP messages that lie in a place of their own, the lookaside:
 * URL/REPOSITORY@sha256=HEX/signature-1, -2, ... One good one is enough.
 * Source: containers-policy.json(5), containers-signature(5), containers-registries.d(5)
 */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "image/gpg.h"
#include "image/policy_private.h"
#include "image/reference.h"
#include "registry/lookaside.h"

#define SIGNATURES_MAX 64
#define SIGNED_TYPE    "atomic container signature"

static int read_rule(const struct policy_rule *rule, struct policy_keys *ret, struct error *err)
{
	static const char *const fields[] = { "type",	 "keyType",	   "keyPath", "keyPaths",
					      "keyData", "signedIdentity", NULL };
	const char *type = NULL;
	int r = policy_known_fields(rule->json, fields, err);

	if (r >= 0)
		r = json_get_string(rule->json, "keyType", &type, err);
	if (r < 0)
		return r;
	if (!str_eq(type, "GPGKeys"))
		return json_fail_kind(rule->json, ERROR_UNSUPPORTED, err,
				      "the keyType '%.64s' is not known here", type ? type : "");
	return policy_read_keys(rule, ret, err);
}

static int check_message(const struct policy_rule *rule, const struct policy_keys *keys,
			 const char *message, size_t len, struct error *err)
{
	struct gpg_keys ring[POLICY_KEYS_MAX];
	cleanup_free char *text = NULL;
	size_t text_len;
	int r;

	for (size_t i = 0; i < keys->n; i++)
		ring[i] = (struct gpg_keys){ keys->keys[i].data, keys->keys[i].len };
	r = gpg_verify(ring, keys->n, message, len, &text, &text_len, err);

	return r < 0 ? r : policy_check_payload(rule, SIGNED_TYPE, text, text_len, err);
}

/* The signatures of one manifest: 1 a good one, 0 there is none at all, < 0: none is good, and why
 * the last is not. */
static int check_manifest(const struct policy_rule *rule, const struct policy_keys *keys,
			  const struct lookaside *place, const struct digest *id, struct error *err)
{
	struct error reason = { 0 };
	int verdict = 0;

	for (unsigned n = 1; n <= SIGNATURES_MAX; n++) {
		cleanup_free char *message = NULL;
		size_t len;
		int r = lookaside_read(place, id, n, &message, &len, err);

		if (r < 0)
			return r;
		if (r == 0)
			break;
		verdict = check_message(rule, keys, message, len, &reason);
		if (verdict >= 0)
			return 1;
	}
	if (verdict < 0)
		*err = reason;
	return verdict;
}

int policy_check_simple(const struct policy_rule *rule, struct error *err)
{
	cleanup_lookaside struct lookaside place = { 0 };
	struct error last = { 0 };
	struct policy_keys keys = { 0 };
	int r = read_rule(rule, &keys, err);

	if (r >= 0)
		r = lookaside_find(rule->image->ref->domain, rule->image->ref->path, &place, err);
	if (r < 0)
		return r;
	error_kind(&last, ERROR_DENIED, "there is no signature of '%s' in '%s'",
		   rule->image->ids[0].text, place.url);
	for (size_t i = 0; i < rule->image->n_ids; i++) {
		r = check_manifest(rule, &keys, &place, &rule->image->ids[i], err);
		if (r > 0)
			return 0;
		if (r < 0)
			last = *err;
	}
	*err = last;
	return error_number(&last);
}
