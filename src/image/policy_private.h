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

/* A key of the rule: the file of "keyPath" or the base64 of "keyData"; in the rule's arena. */
int policy_read_key(const struct policy_rule *rule, const char *path_field, const char *data_field,
		    const char **ret, size_t *ret_len, struct error *err);
