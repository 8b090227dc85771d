/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sigstoreSigned: signatures that lie beside the image in its registry, as cosign puts them. The
 * manifest sha256:HEX has its signatures in the image with the tag sha256-HEX.sig: each layer is a
 * signed text, with the signature in an annotation.
 *
 * LIMIT: a key is wanted. Certificates of Fulcio and entries of Rekor are refused; they would need
 * X.509 chains and Merkle proofs.
 * Source: containers-policy.json(5); github.com/sigstore/cosign, specs/SIGNATURE_SPEC.md
 */
#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/pubkey.h"
#include "codec/sha256.h"
#include "codec/stream.h"
#include "image/policy_private.h"
#include "oci/image.h"
#include "registry/registry.h"

#define PAYLOAD_MAX_BYTES (1u << 20)
#define SIGNATURES_MAX	  64
#define PAYLOAD_TYPE	  "application/vnd.dev.cosign.simplesigning.v1+json"
#define SIGNATURE_KEY	  "dev.cosignproject.cosign/signature"
#define SIGNED_TYPE	  "cosign container image signature"

static int check_rule(const struct policy_rule *rule, struct error *err)
{
	static const char *const unsupported[] = { "fulcio",
						   "pki",
						   "rekorPublicKeyPath",
						   "rekorPublicKeyData",
						   "rekorPublicKeyPaths",
						   "rekorPublicKeyDatas" };
	static const char *const fields[] = { "type",	  "keyPath",	    "keyData", "keyPaths",
					      "keyDatas", "signedIdentity", NULL };

	for (size_t i = 0; i < ARRAY_SIZE(unsupported); i++)
		if (json_get(rule->json, unsupported[i]))
			return json_fail_kind(rule->json, ERROR_UNSUPPORTED, err,
					      "'%s' is not supported: only signatures by a key are",
					      unsupported[i]);
	return policy_known_fields(rule->json, fields, err);
}

/* A blob as a whole, verified. Heap. */
static int read_blob(struct registry *registry, const struct oci_descriptor *d, char **ret,
		     struct error *err)
{
	struct stream *stream cleanup_with(stream_close) = NULL;
	cleanup_free char *data = NULL;
	struct digest id, found;
	ssize_t n;
	int r;

	if (digest_parse(d->digest, &id) < 0)
		return error_kind(err, ERROR_INVALID, "'%.80s' is no digest", d->digest);
	if (d->size > PAYLOAD_MAX_BYTES)
		return error_num(err, EFBIG, "a signed text of more than %u bytes",
				 PAYLOAD_MAX_BYTES);
	r = registry_blob_open(registry, &id, d->size, &stream, err);
	if (r < 0)
		return r;
	data = xmalloc(d->size + 1);
	n = stream_read_full(stream, data, d->size, err);
	if (n < 0)
		return (int)n;
	data[n] = '\0';
	found = sha256_digest(data, (size_t)n);
	if ((uint64_t)n != d->size || !digest_eq(&found, &id))
		return error_kind(err, ERROR_INVALID, "'%s' has other bytes than its digest says",
				  id.text);
	*ret = take_ptr(&data);
	return 0;
}

static int check_layer(const struct policy_rule *rule, const struct policy_keys *keys,
		       const struct oci_descriptor *d, struct error *err)
{
	const char *encoded = oci_descriptor_annotation(d, SIGNATURE_KEY);
	cleanup_free char *payload = NULL;
	cleanup_free void *signature = NULL;
	size_t len;
	int r;

	if (!encoded || base64_parse(encoded, &signature, &len) < 0)
		return error_kind(err, ERROR_DENIED, "an attachment without a signature");
	r = read_blob(rule->image->registry, d, &payload, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < keys->n && r == 0; i++)
		r = pubkey_verify(keys->keys[i].data, keys->keys[i].len, payload, d->size,
				  signature, len, err);
	if (r < 0)
		return r;
	if (r == 0)
		return error_kind(err, ERROR_DENIED, "the signature is not by the key of the rule");
	return policy_check_payload(rule, SIGNED_TYPE, payload, d->size, err);
}

/* One good signature is enough; the reason for the last bad one stays in err. */
static int check_layers(const struct policy_rule *rule, const struct policy_keys *keys,
			const struct registry_manifest *m, struct error *err)
{
	struct oci_manifest manifest;
	int r = oci_manifest_parse(m->json, m->len, rule->arena, &manifest, err);

	if (r < 0)
		return r;
	r = error_kind(err, ERROR_DENIED, "there is no signature in the attachment");
	for (size_t i = 0; i < MIN(manifest.n_layers, (size_t)SIGNATURES_MAX) && r < 0; i++)
		if (str_eq(manifest.layers[i].media_type, PAYLOAD_TYPE))
			r = check_layer(rule, keys, &manifest.layers[i], err);
	return r;
}

/* The signatures of one manifest. ERROR_NOT_FOUND: it has none. */
static int check_attached(const struct policy_rule *rule, const struct policy_keys *keys,
			  const struct digest *id, struct error *err)
{
	cleanup_free char *tag = xasprintf("sha256-%s.sig", digest_hex(id));
	struct registry_manifest m = { 0 };
	int r = registry_manifest_get(rule->image->registry, tag, &m, err);

	if (r < 0)
		return r;
	r = check_layers(rule, keys, &m, err);
	registry_manifest_done(&m);
	return r;
}

int policy_check_sigstore(const struct policy_rule *rule, struct error *err)
{
	struct error last = { 0 };
	struct policy_keys keys = { 0 };
	int r = check_rule(rule, err);

	if (r >= 0)
		r = policy_read_keys(rule, &keys, err);
	if (r < 0)
		return r;
	error_kind(&last, ERROR_DENIED, "no signature is attached to '%s'",
		   rule->image->ids[0].text);
	for (size_t i = 0; i < rule->image->n_ids; i++) {
		r = check_attached(rule, &keys, &rule->image->ids[i], err);
		if (r >= 0)
			return 0;
		if (err->kind != ERROR_NOT_FOUND)
			last = *err;
	}
	*err = last;
	return error_number(&last);
}
