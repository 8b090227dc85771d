/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The kinds of requirements of a policy, and what their signatures say. */

#include "image/policy.h"

struct arena;
struct json;

/* One requirement that wants a signature, before an image. All borrowed. */
struct policy_rule {
	const struct json *json;
	const struct policy_image *image;
	struct arena *arena; /* for what outlives a call */
};

/* 0: one good signature is there. ERROR_DENIED: none is, with the reason for the last one. */
int policy_check_sigstore(const struct policy_rule *rule, struct error *err);
int policy_check_simple(const struct policy_rule *rule, struct error *err);

/* Fields other than these (NULL-terminated): refused, they might be restrictions. */
int policy_known_fields(const struct json *object, const char *const *fields, struct error *err);

/*
 * What was signed: containers-signature(5), "JSON data format". The payload is to be the signed
 * bytes themselves, verified before.
 *
 * type       "atomic container signature", "cosign container image signature"
 * Errors     ERROR_DENIED: it is for another manifest or, by "signedIdentity" of the rule, for
 *            another name
 */
int policy_check_payload(const struct policy_rule *rule, const char *type, const char *payload,
			 size_t len, struct error *err);

/* The keys of the rule: of "keyPath", "keyData", "keyPaths" or "keyDatas", one of these. */
#define POLICY_KEYS_MAX 64
struct policy_key {
	const char *data; /* in the rule's arena */
	size_t len;
};
struct policy_keys {
	struct policy_key keys[POLICY_KEYS_MAX];
	size_t n;
};
int policy_read_keys(const struct policy_rule *rule, struct policy_keys *ret, struct error *err);
