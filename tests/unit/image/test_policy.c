/* SPDX-License-Identifier: Apache-2.0 */
/* The policy, before a registry that is only played: attachments are what a test says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "../registry/home.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/str.h"
#include "codec/pubkey.h"
#include "codec/sha256.h"
#include "codec/stream.h"
#include "image/policy.h"
#include "image/reference.h"
#include "registry/registry.h"
#include "signature_data.h"

#define SIGNED "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define OTHER  "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* The registry of the tests: one attachment, of the manifest SIGNED. */
static struct {
	const char *signature; /* base64; NULL: nothing is attached */
	const char *text;
	bool damaged; /* the blob is not what its digest says */
} attached;

int registry_manifest_get(struct registry *r, const char *reference, struct registry_manifest *ret,
			  struct error *err)
{
	cleanup_buf struct buf json = { 0 };
	struct digest id;

	if (!attached.signature ||
	    !str_eq(reference,
		    "sha256-"
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.sig"))
		return error_kind(err, ERROR_NOT_FOUND, "manifest unknown");
	id = sha256_digest(attached.text, strlen(attached.text));
	buf_printf(
		&json,
		"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\","
		"\"digest\":\"%s\",\"size\":1},\"layers\":[{\"mediaType\":"
		"\"application/vnd.dev.cosign.simplesigning.v1+json\",\"digest\":\"%s\",\"size\":%zu,"
		"\"annotations\":{\"dev.cosignproject.cosign/signature\":\"%s\"}}]}",
		id.text, id.text, strlen(attached.text), attached.signature);
	*ret = (struct registry_manifest){ .media_type = xstrdup(
						   "application/vnd.oci.image.manifest.v1+json") };
	ret->len = json.len;
	ret->json = buf_take(&json);
	return 0;
}

void registry_manifest_done(struct registry_manifest *m)
{
	free(m->json);
	free(m->media_type);
}

int registry_blob_open(struct registry *r, const struct digest *id, uint64_t bytes,
		       struct stream **ret, struct error *err)
{
	static char changed[4096];

	strncpy(changed, attached.text, sizeof(changed) - 1);
	changed[5] = (char)(attached.damaged ? 'X' : changed[5]);
	*ret = stream_from_memory(changed, strlen(attached.text));
	return 0;
}

static int setup(void **state)
{
	memset(&attached, 0, sizeof(attached));
	return home_setup(state);
}

/* "ok", or the error. */
static char *check(void **state, const char *policy, const char *name, const char *digest)
{
	cleanup_free char *path = path_join(*state, "policy.json");
	cleanup_reference struct reference ref = { 0 };
	struct digest ids[2];
	struct error err = { 0 };
	const struct policy_image image = {
		.transport = "docker", .ref = &ref, .ids = ids, .n_ids = 2
	};

	home_write(state, "policy.json", policy, 0644);
	assert_int_equal(reference_parse(name, &ref, &err), 0);
	assert_int_equal(digest_parse(OTHER, &ids[0]), 0);
	assert_int_equal(digest_parse(digest, &ids[1]), 0);
	if (policy_check(path, &image, &err) == 0)
		return xstrdup("ok");
	return xasprintf("error %d: %s", (int)err.kind, err.msg);
}

static void assert_allowed(void **state, const char *policy, const char *name)
{
	cleanup_free char *text = check(state, policy, name, SIGNED);

	assert_string_equal(text, "ok");
}

static void assert_refused_digest(void **state, const char *policy, const char *name,
				  const char *digest, enum error_kind kind, const char *part)
{
	cleanup_free char *text = check(state, policy, name, digest);
	cleanup_free char *start = xasprintf("error %d: ", (int)kind);

	if (!str_after(text, start) || !strstr(text, part))
		fail_msg("'%s' instead of '%s...%s'", text, start, part);
}

static void assert_refused(void **state, const char *policy, const char *name, enum error_kind kind,
			   const char *part)
{
	assert_refused_digest(state, policy, name, SIGNED, kind, part);
}

/* Scopes */

#define ACCEPT "[{\"type\":\"insecureAcceptAnything\"}]"
#define REJECT "[{\"type\":\"reject\"}]"

static void test_without_a_file_everything_is_allowed(void **state)
{
	struct reference ref = { (char *)"example.com", (char *)"x", (char *)"1", NULL };
	struct digest id;
	const struct policy_image image = {
		.transport = "docker", .ref = &ref, .ids = &id, .n_ids = 1
	};
	struct error err = { 0 };

	if (access("/etc/containers/policy.json", F_OK) == 0)
		skip();
	assert_int_equal(digest_parse(SIGNED, &id), 0);
	assert_int_equal(policy_check(NULL, &image, &err), 0);
}

static void test_the_users_file_counts(void **state)
{
	struct reference ref = { (char *)"example.com", (char *)"x", (char *)"1", NULL };
	struct digest id;
	const struct policy_image image = {
		.transport = "docker", .ref = &ref, .ids = &id, .n_ids = 1
	};
	struct error err = { 0 };

	assert_int_equal(digest_parse(SIGNED, &id), 0);
	home_write(state, ".config/containers/policy.json", "{\"default\":" REJECT "}", 0644);
	assert_true(policy_check(NULL, &image, &err) < 0);
	assert_int_equal(err.kind, ERROR_DENIED);
	assert_non_null(
		strstr(err.msg, "'example.com/x:1' is refused by 'reject' of 'default' in '"));
	assert_non_null(strstr(err.msg, ".config/containers/policy.json': nothing is allowed"));
}

static void test_the_most_exact_scope_counts_alone(void **state)
{
	static const char policy[] =
		"{\"default\":" REJECT ",\"transports\":{\"docker\":{"
		"\"docker.io\":" ACCEPT ",\"docker.io/team\":" REJECT
		",\"docker.io/team/app\":" ACCEPT ","
		"\"docker.io/team/app:bad\":" REJECT ",\"docker.io/x@" OTHER "\":" REJECT ","
		"\"*.example.com\":" ACCEPT ",\"*.sub.example.com\":" REJECT "}}}";

	assert_allowed(state, policy, "nginx");
	assert_refused(state, policy, "team/other", ERROR_DENIED, "'reject' of 'docker.io/team'");
	assert_allowed(state, policy, "team/app");
	assert_allowed(state, policy, "team/app/deep:bad");
	assert_refused(state, policy, "team/app:bad", ERROR_DENIED, "of 'docker.io/team/app:bad'");
	assert_allowed(state, policy, "www.example.com/x");
	assert_refused(state, policy, "a.sub.example.com/x", ERROR_DENIED, "'*.sub.example.com'");
	assert_allowed(state, policy, "www.example.com:5000/x");
	assert_refused(state, policy, "a.sub.example.com:5000/x", ERROR_DENIED,
		       "'*.sub.example.com'");
	assert_refused(state, policy, "example.com/x", ERROR_DENIED, "of 'default'");
	assert_refused(state, policy, "docker.io.evil.org/x", ERROR_DENIED, "of 'default'");
	assert_allowed(state,
		       "{\"default\":" REJECT ",\"transports\":{\"docker\":{\"\":" ACCEPT "}}}",
		       "example.com/x");
}

static void test_all_requirements_must_be_met(void **state)
{
	assert_refused(
		state,
		"{\"default\":[{\"type\":\"insecureAcceptAnything\"},{\"type\":\"reject\"}]}", "x",
		ERROR_DENIED, "'reject' of 'default'");
}

static void test_what_is_not_understood_is_refused(void **state)
{
	static const struct {
		const char *policy, *message;
		enum error_kind kind;
	} faults[] = {
		{ "{}", "default: missing", ERROR_INVALID },
		{ "{\"default\":[]}", "not a list of requirements", ERROR_INVALID },
		{ "{\"default\":" ACCEPT ",\"more\":1}", "more: not known here",
		  ERROR_UNSUPPORTED },
		{ "{\"default\":[{}]}", "type: missing", ERROR_INVALID },
		{ "{\"default\":[{\"type\":\"signedLater\"}]}", "'signedLater' is not known",
		  ERROR_UNSUPPORTED },
		{ "{\"default\":[{\"type\":\"insecureAcceptAnything\",\"but\":1}]}",
		  "but: not known", ERROR_UNSUPPORTED },
		{ "{\"default\":[{\"type\":\"sigstoreSigned\",\"fulcio\":{}}]}",
		  "'fulcio' is not supported", ERROR_UNSUPPORTED },
		{ "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyData\":\"eA==\",\"rekorPublicKeyPath\":\"/x\"}]}",
		  "'rekorPublicKeyPath' is not supported", ERROR_UNSUPPORTED },
		{ "{\"default\":[{\"type\":\"sigstoreSigned\"}]}",
		  "exactly one of 'keyPath', 'keyPaths' and 'keyData'", ERROR_INVALID },
		{ "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/nonexistent\"}]}",
		  "cannot open '/nonexistent'", ERROR_INTERNAL },
		{ "{\"default\":[{\"type\":\"signedBy\",\"keyType\":\"X509Certificates\"}]}",
		  "'X509Certificates' is not known", ERROR_UNSUPPORTED },
		{ "{\"default\":[{\"type\":\"reject\",\"type\":\"insecureAcceptAnything\"}]}",
		  "type: there twice", ERROR_INVALID },
		{ "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyData\":\"eA==\",\"keyDatas\":[\"eA==\"]}]}",
		  "exactly one of", ERROR_INVALID },
		{ "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyDatas\":[]}]}", "exactly one of",
		  ERROR_INVALID },
		{ "{\"default\":", "the text ends too early", ERROR_INVALID },
	};

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		assert_refused(state, faults[i].policy, "x", faults[i].kind, faults[i].message);
}

/* Archives and layouts */

static char *check_file(void **state, const char *policy, const char *transport, const char *path)
{
	cleanup_free char *policy_path = path_join(*state, "policy.json");
	const struct policy_image image = { .transport = transport, .path = path };
	struct error err = { 0 };

	home_write(state, "policy.json", policy, 0644);
	return policy_check(policy_path, &image, &err) == 0 ? xstrdup("ok") : xstrdup(err.msg);
}

static void test_archives_go_by_their_transport_and_path(void **state)
{
	static const char policy[] =
		"{\"default\":" REJECT ",\"transports\":{\"docker\":{\"\":" ACCEPT "},"
		"\"docker-archive\":{\"\":" ACCEPT ",\"/srv\":" REJECT "},"
		"\"oci-archive\":{\"/srv/good\":" ACCEPT ",\"/srv/good/bad.tar\":" REJECT "},"
		"\"oci\":{\"\":[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyData\":\"eA==\"}]}}}";
	static const struct {
		const char *transport, *path, *expected; /* a part of the refusal, or "ok" */
	} rows[] = {
		{ "docker-archive", NULL, "ok" },
		{ "oci-archive", "/srv/good/a.tar", "ok" },
		{ "oci-archive", "/srv/good/deep/a.tar", "ok" },
		{ "oci-archive", "/srv/good/bad.tar", "by 'reject' of '/srv/good/bad.tar'" },
		{ "oci-archive", "/srv/goodness/a.tar", "by 'reject' of 'default'" },
		{ "oci-archive", NULL, "'oci-archive:-' is refused by 'reject' of 'default'" },
		{ "oci", "/srv/good", "'oci:/srv/good' is refused by 'signedBy' of ''" },
		{ "oci", "/srv/good", "it has no signatures" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *text =
			check_file(state, policy, rows[i].transport, rows[i].path);

		if (!strstr(text, rows[i].expected))
			fail_msg("'%s' instead of '%s'", text, rows[i].expected);
	}
}

/* sigstore */

static char *sigstore_policy(const char *key, const char *identity)
{
	cleanup_free char *data = base64_format(key, strlen(key));

	return xasprintf("{\"default\":[{\"type\":\"sigstoreSigned\",\"keyData\":\"%s\"%s%s}]}",
			 data, *identity ? ",\"signedIdentity\":" : "", identity);
}

#define REPOSITORY "{\"type\":\"matchRepository\"}"

static void test_attached_signatures_by_a_key_are_good(void **state)
{
	static const struct {
		const char *key, *signature;
	} pairs[] = { { ec_key, ec_signature },
		      { rsa_key, rsa_signature },
		      { ed_key, ed_signature } };

	attached.text = cosign_text;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		cleanup_free char *policy = sigstore_policy(pairs[i].key, REPOSITORY);

		attached.signature = pairs[i].signature;
		assert_allowed(state, policy, "app:1");
		assert_refused(state, policy, "other:1", ERROR_DENIED,
			       "the signature is for 'docker.io/library/app'");
		assert_refused_digest(state, policy, "app:1", OTHER, ERROR_DENIED,
				      "no signature is attached to '" OTHER "'");
	}
}

static void test_one_of_several_keys_is_enough(void **state)
{
	cleanup_free char *ed = base64_format(ed_key, strlen(ed_key));
	cleanup_free char *ec = base64_format(ec_key, strlen(ec_key));
	cleanup_free char *policy =
		xasprintf("{\"default\":[{\"type\":\"sigstoreSigned\",\"keyDatas\":[\"%s\",\"%s\"],"
			  "\"signedIdentity\":" REPOSITORY "}]}",
			  ed, ec);
	cleanup_free char *path = path_join(*state, "ec.pem");
	cleanup_free char *files =
		xasprintf("{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPaths\":[\"%s\"],"
			  "\"signedIdentity\":" REPOSITORY "}]}",
			  path);

	attached.text = cosign_text;
	attached.signature = ec_signature;
	assert_allowed(state, policy, "app:1");
	home_write(state, "ec.pem", ec_key, 0644);
	assert_allowed(state, files, "app:1");
	attached.signature = rsa_signature;
	assert_refused(state, policy, "app:1", ERROR_DENIED, "not by the key of the rule");
}

static void test_bad_attachments_are_refused(void **state)
{
	cleanup_free char *policy = sigstore_policy(ec_key, REPOSITORY);
	cleanup_free char *exact = sigstore_policy(ec_key, "");
	cleanup_free char *odd = sigstore_policy(x25519_key, REPOSITORY);
	cleanup_free char *garbage = sigstore_policy("no key", REPOSITORY);

	attached.text = cosign_text;
	assert_refused(state, policy, "app:1", ERROR_DENIED, "no signature is attached to");
	attached.signature = rsa_signature;
	assert_refused(state, policy, "app:1", ERROR_DENIED, "not by the key of the rule");
	attached.signature = "%";
	assert_refused(state, policy, "app:1", ERROR_DENIED, "an attachment without a signature");
	attached.signature = ec_signature;
	assert_refused(state, exact, "app:1", ERROR_DENIED,
		       "the signature is for 'docker.io/library/app'");
	assert_refused(state, odd, "app:1", ERROR_UNSUPPORTED, "neither of ECDSA nor of RSA");
	assert_refused(state, garbage, "app:1", ERROR_INVALID, "no public key in PEM");
	attached.damaged = true;
	assert_refused(state, policy, "app:1", ERROR_INVALID,
		       "has other bytes than its digest says");
	attached.damaged = false;
	attached.text = simple_text; /* signed for another purpose, or not at all */
	assert_refused(state, policy, "app:1", ERROR_DENIED, "not by the key of the rule");
}

/* simple signing */

static char *simple_policy(const char *key, const char *identity)
{
	return xasprintf("{\"default\":[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyData\":"
			 "\"%s\"%s%s}]}",
			 key, *identity ? ",\"signedIdentity\":" : "", identity);
}

/* The lookaside of the home, with one message. */
static void put_message(void **state, const char *message)
{
	cleanup_free char *yaml = xasprintf(
		"docker:\n  docker.io:\n    lookaside: file://%s/sigs/\n", (char *)*state);
	cleanup_free void *data = NULL;
	cleanup_free char *path = path_join(
		*state,
		"sigs/library/app@sha256=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/signature-1");
	struct error err;
	size_t len;

	home_write(state, ".config/containers/registries.d/x.yaml", yaml, 0644);
	home_write(
		state,
		"sigs/library/app@sha256=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/signature-1",
		"", 0644);
	assert_int_equal(base64_parse(message, &data, &len), 0);
	assert_int_equal(file_write_atomic(AT_FDCWD, path, data, len, 0644, 0, &err), 0);
}

static void need_gpg(void)
{
	if (access("/usr/bin/gpg", X_OK) < 0)
		skip();
}

static void test_a_good_message_beside_the_registry_is_enough(void **state)
{
	cleanup_free char *policy = simple_policy(good_key, "");

	need_gpg();
	put_message(state, good_message);
	assert_allowed(state, policy, "app:1");
	assert_refused(state, policy, "app:2", ERROR_DENIED,
		       "the signature is for 'docker.io/library/app:1'");
	assert_refused_digest(state, policy, "app:1", OTHER, ERROR_DENIED,
			      "there is no signature of '" OTHER);
}

static void test_bad_messages_are_refused(void **state)
{
	cleanup_free char *good = simple_policy(good_key, ""), *old = simple_policy(old_key, "");
	cleanup_free char *none = simple_policy("eA==", "");

	need_gpg();
	put_message(state, old_message);
	assert_refused(state, good, "app:1", ERROR_DENIED, "the signature is not good");
	assert_refused(state, old, "app:1", ERROR_DENIED, "the signature is not good");
	put_message(state, both_message);
	assert_refused(state, good, "app:1", ERROR_DENIED, "the signature is not good");
	put_message(state, "bm90IHNpZ25lZA==");
	assert_refused(state, good, "app:1", ERROR_DENIED, "the signature is not good");
	put_message(state, good_message);
	assert_refused(state, none, "app:1", ERROR_INVALID, "no OpenPGP key");
	/* not unpacked as a whole: gpg found no signature behind the first megabyte */
	put_message(state, large_message);
	assert_refused(state, good, "app:1", ERROR_DENIED, "gpg says NODATA");
}

static void test_the_identity_says_which_name_was_to_be_signed(void **state)
{
	static const struct {
		const char *identity, *name;
		bool allowed;
	} cases[] = {
		{ "{\"type\":\"matchExact\"}", "app:1", true },
		{ "{\"type\":\"matchExact\"}", "app@" SIGNED, false },
		{ "{\"type\":\"matchRepoDigestOrExact\"}", "app:1", true },
		{ "{\"type\":\"matchRepoDigestOrExact\"}", "app@" SIGNED, true },
		{ "{\"type\":\"matchRepoDigestOrExact\"}", "app:2", false },
		{ "{\"type\":\"matchRepository\"}", "app:2", true },
		{ "{\"type\":\"exactReference\",\"dockerReference\":\"docker.io/library/app:1\"}",
		  "app:2", true },
		{ "{\"type\":\"exactReference\",\"dockerReference\":\"app:3\"}", "app:1", false },
		{ "{\"type\":\"exactRepository\",\"dockerRepository\":\"app\"}", "app:9", true },
		{ "{\"type\":\"exactRepository\",\"dockerRepository\":\"apps\"}", "app:1", false },
		{ "{\"type\":\"remapIdentity\",\"prefix\":\"docker.io/library/app\",\"signedPrefix\":\"docker.io/library/app\"}",
		  "app:1", true },
		{ "{\"type\":\"remapIdentity\",\"prefix\":\"docker.io\",\"signedPrefix\":\"quay.io\"}",
		  "app:1", false },
	};

	need_gpg();
	put_message(state, good_message);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *policy = simple_policy(good_key, cases[i].identity);

		if (cases[i].allowed)
			assert_allowed(state, policy, cases[i].name);
		else
			assert_refused(state, policy, cases[i].name, ERROR_DENIED,
				       "the signature is for");
	}
	put_message(state, good_message);
	{
		cleanup_free char *policy = simple_policy(good_key, "{\"type\":\"matchAnything\"}");

		assert_refused(state, policy, "app:1", ERROR_UNSUPPORTED,
			       "'matchAnything' is not known");
	}
}

int main(void)
{
#define AT_HOME(test) cmocka_unit_test_setup_teardown(test, setup, home_teardown)
	const struct CMUnitTest tests[] = {
		AT_HOME(test_without_a_file_everything_is_allowed),
		AT_HOME(test_the_users_file_counts),
		AT_HOME(test_the_most_exact_scope_counts_alone),
		AT_HOME(test_all_requirements_must_be_met),
		AT_HOME(test_what_is_not_understood_is_refused),
		AT_HOME(test_archives_go_by_their_transport_and_path),
		AT_HOME(test_attached_signatures_by_a_key_are_good),
		AT_HOME(test_one_of_several_keys_is_enough),
		AT_HOME(test_bad_attachments_are_refused),
		AT_HOME(test_a_good_message_beside_the_registry_is_enough),
		AT_HOME(test_bad_messages_are_refused),
		AT_HOME(test_the_identity_says_which_name_was_to_be_signed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
