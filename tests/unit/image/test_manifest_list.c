/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "codec/sha256.h"
#include "image/manifest_list.h"

#define MANIFEST "{\"schemaVersion\":2}"

static struct oci_descriptor member(struct arena *arena, const char *reference, const char *type)
{
	struct digest id = sha256_digest(MANIFEST, strlen(MANIFEST));
	const struct oci_descriptor like = {
		.media_type = type,
		.digest = id.text,
		.platform = { .architecture = "amd64", .os = "linux" },
	};

	return manifest_list_member(arena, reference, false, &like, MANIFEST, strlen(MANIFEST));
}

static void put(struct manifest_list *list, const char *reference, const char *type)
{
	struct oci_descriptor d = member(list->arena, reference, type);

	manifest_list_put(list, &d);
}

static void test_docker_s_bytes_come_out(void **state)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct manifest_list list = { .arena = arena };
	cleanup_buf struct buf out = { 0 };
	struct digest id = sha256_digest(MANIFEST, strlen(MANIFEST));
	cleanup_free char *expected = NULL;

	(void)state;
	put(&list, "r/a:1", DOCKER_MEDIA_TYPE_MANIFEST);
	manifest_list_format(&list, &out);
	expected = xasprintf("{\n   \"schemaVersion\": 2,\n   \"mediaType\": "
			     "\"application/vnd.docker.distribution.manifest.list.v2+json\",\n   "
			     "\"manifests\": [\n      {\n         \"mediaType\": "
			     "\"application/vnd.docker.distribution.manifest.v2+json\",\n         "
			     "\"size\": 19,\n         \"digest\": \"%s\",\n         \"platform\": "
			     "{\n            \"architecture\": \"amd64\",\n            \"os\": "
			     "\"linux\"\n         }\n      }\n   ]\n}",
			     id.text);
	assert_string_equal(buf_str(&out), expected);
}

static void test_the_first_member_decides_what_list_it_is(void **state)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct manifest_list list = { .arena = arena };

	(void)state;
	put(&list, "r/a:1", OCI_MEDIA_TYPE_MANIFEST);
	put(&list, "r/b:1", DOCKER_MEDIA_TYPE_MANIFEST);
	assert_string_equal(manifest_list_media_type(&list), OCI_MEDIA_TYPE_INDEX);
	put(&list, "r/a:1", DOCKER_MEDIA_TYPE_MANIFEST); /* replaced, not added */
	assert_int_equal(list.n, 2);
	assert_string_equal(manifest_list_media_type(&list), DOCKER_MEDIA_TYPE_INDEX);
}

static void test_annotations_change_what_they_name(void **state)
{
	static const char *const features[] = { "a", "b", "a", NULL };
	static const struct oci_pair notes[] = { { "k", "v" }, { "k", "w" }, { "l", "" } };
	const struct manifest_change change = { .platform = { .architecture = "arm64",
							      .variant = "v8",
							      .os_features = features,
							      .n_os_features = 3,
							      .features = features,
							      .n_features = 1 },
						.annotations = notes,
						.n_annotations = 3 };
	cleanup_buf struct buf out = { 0 };
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct manifest_list list = { .arena = arena };
	const struct oci_platform *p;
	struct error err;

	(void)state;
	put(&list, "r/a:1", OCI_MEDIA_TYPE_MANIFEST);
	assert_int_equal(manifest_list_annotate(&list, "l", "r/a:1", &change, &err), 0);
	p = &list.members[0].platform;
	assert_string_equal(p->os, "linux");
	assert_string_equal(p->architecture, "arm64");
	assert_string_equal(p->variant, "v8");
	assert_null(p->os_version);
	assert_int_equal(p->n_os_features, 2);
	assert_int_equal(p->n_features, 1);
	manifest_list_format(&list, &out);
	assert_non_null(strstr(buf_str(&out), "\"annotations\": {\n            \"k\": \"w\",\n"
					      "            \"l\": \"\"\n         }"));
	assert_null(strstr(buf_str(&out), "r/a:1")); /* that is the file's */
}

static void test_annotations_make_it_oci_s(void **state)
{
	static const struct oci_pair own = { OCI_ANNOTATION_REF_NAME, "x" }, other = { "k", "v" };
	const struct manifest_change bad = { .annotations = &own, .n_annotations = 1 };
	const struct manifest_change good = { .annotations = &other, .n_annotations = 1 };
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct manifest_list list = { .arena = arena };
	struct error err;

	(void)state;
	put(&list, "r/a:1", DOCKER_MEDIA_TYPE_MANIFEST);
	assert_int_equal(manifest_list_annotate(&list, "l", "r/a:1", &bad, &err), -EINVAL);
	assert_int_equal(err.kind, ERROR_INVALID);
	assert_string_equal(manifest_list_media_type(&list), DOCKER_MEDIA_TYPE_INDEX);
	/* by its digest, too */
	assert_int_equal(manifest_list_annotate(&list, "l", list.members[0].digest, &good, &err),
			 0);
	assert_string_equal(manifest_list_media_type(&list), OCI_MEDIA_TYPE_INDEX);
}

static void test_members_go_by_name_or_digest(void **state)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct manifest_list list = { .arena = arena };

	(void)state;
	put(&list, "r/a:1", OCI_MEDIA_TYPE_MANIFEST);
	put(&list, "r/b:1", OCI_MEDIA_TYPE_MANIFEST);
	put(&list, "r/c:1", OCI_MEDIA_TYPE_MANIFEST);
	assert_false(manifest_list_drop(&list, "r/d:1"));
	assert_true(manifest_list_drop(&list, "r/b:1"));
	assert_int_equal(list.n, 2);
	assert_string_equal(manifest_list_reference(&list.members[1]), "r/c:1");
	assert_true(manifest_list_drop(&list, list.members[0].digest)); /* both have it */
	assert_int_equal(list.n, 0);
}

static void test_a_platform_that_is_none_is_refused(void **state)
{
	static const struct oci_platform bad[] = {
		{ .architecture = "foo" },
		{ .architecture = "amd" },
		{ .architecture = "386 amd64" },
		{ .os = "windoze" },
		{ .architecture = "s390x", .os = "darwin" },
	};
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct manifest_list list = { .arena = arena };
	const struct manifest_change none = { 0 };
	struct error err;

	(void)state;
	put(&list, "r/a:1", OCI_MEDIA_TYPE_MANIFEST);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct manifest_change change = { .platform = bad[i] };

		assert_true(manifest_list_annotate(&list, "l", "r/a:1", &change, &err) < 0);
		assert_int_equal(err.kind, ERROR_INVALID);
	}
	assert_string_equal(list.members[0].platform.architecture, "amd64");
	assert_true(manifest_list_annotate(&list, "l", "r/b:1", &none, &err) < 0);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
}

static void check_file(const char *note, const char *digest, const char *data, bool good)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	cleanup_free char *json =
		xasprintf("{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":"
			  "\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"%s\","
			  "\"size\":19,\"annotations\":{\"%s\":\"r/a:1\"}%s}]}",
			  digest, note, data);
	struct manifest_list list;
	struct error err = { 0 };
	int r = manifest_list_parse(json, strlen(json), arena, &list, &err);

	assert_int_equal(r == 0, good);
	if (!good) {
		assert_int_equal(err.kind, ERROR_INVALID);
		return;
	}
	assert_int_equal(list.n, 1);
	assert_string_equal(manifest_list_reference(&list.members[0]), "r/a:1");
}

static void test_a_damaged_file_is_refused(void **state)
{
	struct digest id = sha256_digest(MANIFEST, strlen(MANIFEST)), other = sha256_digest("", 0);
	const char *data = ",\"data\":\"eyJzY2hlbWFWZXJzaW9uIjoyfQ==\"";

	(void)state;
	check_file(OCI_ANNOTATION_REF_NAME, id.text, data, true);
	check_file(OCI_ANNOTATION_REF_NAME, other.text, data, false);
	check_file(OCI_ANNOTATION_REF_NAME, id.text, "", false);
	check_file(OCI_ANNOTATION_REF_NAME, id.text, ",\"data\":\"!\"", false);
	check_file("other", id.text, data, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_docker_s_bytes_come_out),
		cmocka_unit_test(test_the_first_member_decides_what_list_it_is),
		cmocka_unit_test(test_annotations_change_what_they_name),
		cmocka_unit_test(test_annotations_make_it_oci_s),
		cmocka_unit_test(test_members_go_by_name_or_digest),
		cmocka_unit_test(test_a_platform_that_is_none_is_refused),
		cmocka_unit_test(test_a_damaged_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
