/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "oci/image.h"

#define HEX_A	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_A "\"sha256:" HEX_A "\""
#define DIGEST_B "\"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\""

static int setup(void **state)
{
	*state = arena_new();
	return 0;
}

static int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static const char manifest_text[] =
	"{\"schemaVersion\":2,\"mediaType\":\"" OCI_MEDIA_TYPE_MANIFEST "\","
	"\"config\":{\"mediaType\":\"" OCI_MEDIA_TYPE_CONFIG "\",\"digest\":" DIGEST_A
	",\"size\":7023},"
	"\"layers\":[{\"mediaType\":\"" OCI_MEDIA_TYPE_LAYER_GZIP "\",\"digest\":" DIGEST_B
	",\"size\":32654,\"urls\":[\"https://example.org/x\"],\"annotations\":{\"a\":\"b\"}}],"
	"\"annotations\":{\"org.example.k\":\"v\"}}";

static const char index_text[] =
	"{\"schemaVersion\":2,\"mediaType\":\"" DOCKER_MEDIA_TYPE_INDEX "\",\"manifests\":["
	"{\"mediaType\":\"" DOCKER_MEDIA_TYPE_MANIFEST "\",\"digest\":" DIGEST_A ",\"size\":528,"
	"\"annotations\":{\"" OCI_ANNOTATION_REF_NAME "\":\"latest\"},"
	"\"platform\":{\"architecture\":\"arm\",\"os\":\"linux\",\"variant\":\"v7\"}},"
	"{\"digest\":" DIGEST_B ",\"size\":9223372036854775807}]}";

static const char config_text[] =
	"{\"created\":\"2026-01-02T03:04:05Z\",\"author\":\"A\",\"architecture\":\"amd64\","
	"\"os\":\"linux\",\"config\":{\"User\":\"1000:1000\",\"ExposedPorts\":{\"80/tcp\":{},"
	"\"53/udp\":{}},\"Env\":[\"PATH=/bin\"],\"Entrypoint\":[\"/start\"],\"Cmd\":[\"-v\"],"
	"\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"true\"],\"Interval\":30000000000,"
	"\"StartInterval\":5000000000,\"Retries\":3},\"Volumes\":{\"/data\":{}},"
	"\"WorkingDir\":\"/srv\",\"OnBuild\":[\"RUN true\"],\"Labels\":{\"k\":\"v\"},"
	"\"StopSignal\":\"SIGQUIT\",\"StopTimeout\":3,\"Shell\":[\"/bin/bash\",\"-c\"]},"
	"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[" DIGEST_A "," DIGEST_B "]},"
	"\"history\":[{\"created\":\"2026-01-02T03:04:05Z\",\"created_by\":\"ADD x\"},"
	"{\"comment\":\"none\",\"empty_layer\":true}]}";

static const char archive_text[] =
	"[{\"Config\":\"blobs/sha256/" HEX_A "\",\"RepoTags\":[\"debian:12\",\"debian:latest\"],"
	"\"Layers\":[\"a/layer.tar\",\"b/layer.tar\"]},"
	"{\"Config\":\"c.json\",\"RepoTags\":[],\"Layers\":[]}]";

static void test_a_manifest_is_read_and_written(void **state)
{
	cleanup_buf struct buf out = { 0 };
	struct oci_manifest m;
	struct error err = { 0 };

	assert_int_equal(oci_manifest_parse(manifest_text, strlen(manifest_text), *state, &m, &err),
			 0);
	assert_int_equal(m.config.size, 7023);
	assert_int_equal(m.n_layers, 1);
	assert_string_equal(m.layers[0].media_type, OCI_MEDIA_TYPE_LAYER_GZIP);
	assert_string_equal(oci_descriptor_annotation(&m.layers[0], "a"), "b");
	assert_null(oci_descriptor_annotation(&m.layers[0], "c"));
	oci_manifest_format(&m, &out);
	assert_string_equal(buf_str(&out), manifest_text);
}

static void test_an_index_is_read_and_written(void **state)
{
	cleanup_buf struct buf out = { 0 };
	struct oci_index index;
	struct error err = { 0 };

	assert_int_equal(oci_index_parse(index_text, strlen(index_text), *state, &index, &err), 0);
	assert_int_equal(index.n_manifests, 2);
	assert_true(index.manifests[0].has_platform);
	assert_string_equal(index.manifests[0].platform.variant, "v7");
	assert_string_equal(oci_descriptor_annotation(&index.manifests[0], OCI_ANNOTATION_REF_NAME),
			    "latest");
	assert_false(index.manifests[1].has_platform);
	assert_null(index.manifests[1].media_type);
	oci_index_format(&index, &out);
	buf_clear(&out);
	oci_index_format(&(struct oci_index){ 0 }, &out);
	assert_string_equal(buf_str(&out), "{\"schemaVersion\":2,\"manifests\":[]}");
}

static void test_an_image_config_is_read_and_written(void **state)
{
	cleanup_buf struct buf out = { 0 };
	struct oci_image_config c;
	struct error err = { 0 };

	assert_int_equal(oci_image_config_parse(config_text, strlen(config_text), *state, &c, &err),
			 0);
	assert_string_equal(c.platform.architecture, "amd64");
	assert_int_equal(c.config.n_exposed_ports, 2);
	assert_string_equal(c.config.exposed_ports[1], "53/udp");
	assert_string_equal(c.config.volumes[0], "/data");
	assert_true(c.config.healthcheck->interval_ns == 30000000000);
	assert_int_equal(c.config.stop_timeout_s.value, 3);
	assert_null(c.config.cmd[1]);
	assert_int_equal(c.n_diff_ids, 2);
	assert_true(c.history[1].empty_layer);
	oci_image_config_format(&c, &out);
	assert_string_equal(buf_str(&out), config_text);
}

static void test_a_docker_archive_is_read_and_written(void **state)
{
	cleanup_buf struct buf out = { 0 };
	struct oci_docker_archive archive;
	struct error err = { 0 };

	assert_int_equal(oci_docker_archive_parse(archive_text, strlen(archive_text), *state,
						  &archive, &err),
			 0);
	assert_int_equal(archive.n_images, 2);
	assert_string_equal(archive.images[0].repo_tags[1], "debian:latest");
	oci_docker_archive_format(&archive, &out);
	assert_string_equal(buf_str(&out), archive_text);
}

static void test_old_docker_configs_are_read(void **state)
{
	static const char text[] = "{\"container_config\":{\"Hostname\":\"x\"},\"config\":"
				   "{\"Entrypoint\":\"/start\",\"Cmd\":null,\"Volumes\":null},"
				   "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":null}}";
	struct oci_image_config c;
	struct error err = { 0 };

	assert_int_equal(oci_image_config_parse(text, strlen(text), *state, &c, &err), 0);
	assert_int_equal(c.config.n_entrypoint, 1);
	assert_string_equal(c.config.entrypoint[0], "/start");
	assert_null(c.config.cmd);
	assert_int_equal(c.n_diff_ids, 0);
}

struct bad {
	const char *text;
	enum error_kind kind;
	const char *message;
};

static int parse_manifest(const char *text, void *arena, struct error *err)
{
	struct oci_manifest m;

	return oci_manifest_parse(text, strlen(text), arena, &m, err);
}

static int parse_index(const char *text, void *arena, struct error *err)
{
	struct oci_index index;

	return oci_index_parse(text, strlen(text), arena, &index, err);
}

static int parse_config(const char *text, void *arena, struct error *err)
{
	struct oci_image_config c;

	return oci_image_config_parse(text, strlen(text), arena, &c, err);
}

static int parse_archive(const char *text, void *arena, struct error *err)
{
	struct oci_docker_archive a;

	return oci_docker_archive_parse(text, strlen(text), arena, &a, err);
}

static int parse_layout(const char *text, void *arena, struct error *err)
{
	return oci_layout_parse(text, strlen(text), err);
}

static void assert_bad(int (*parse)(const char *, void *, struct error *), void *arena,
		       const struct bad *table, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct error err = { 0 };

		assert_true(parse(table[i].text, arena, &err) < 0);
		assert_string_equal(err.msg, table[i].message);
		assert_int_equal(err.kind, table[i].kind);
	}
}

#define CONFIG "\"config\":{\"digest\":" DIGEST_A ",\"size\":1}"

static void test_bad_manifests_are_refused(void **state)
{
	static const struct bad table[] = {
		{ "{\"schemaVersion\":1,\"fsLayers\":[]}", ERROR_UNSUPPORTED,
		  "image manifest: schemaVersion: schema 1 is not supported, only 2" },
		{ "{\"schemaVersion\":2}", ERROR_INVALID, "image manifest: config: missing" },
		{ "{\"schemaVersion\":2," CONFIG ",\"layers\":[],\"manifests\":[]}", ERROR_INVALID,
		  "image manifest: manifests: does not belong into this kind of document" },
		{ "{\"schemaVersion\":2," CONFIG ",\"mediaType\":\"" OCI_MEDIA_TYPE_INDEX "\"}",
		  ERROR_INVALID,
		  "image manifest: mediaType: '" OCI_MEDIA_TYPE_INDEX
		  "' is another kind of document" },
		{ "{\"schemaVersion\":2," CONFIG
		  ",\"layers\":[{\"digest\":\"sha256:abc\",\"size\":1}]}",
		  ERROR_INVALID,
		  "image manifest: layers[0].digest: 'sha256:abc' is not a sha256 digest" },
		{ "{\"schemaVersion\":2,\"config\":{\"digest\":\"sha512:00\",\"size\":1}}",
		  ERROR_UNSUPPORTED,
		  "image manifest: config.digest: sha512 is not supported yet, only sha256" },
		{ "{\"schemaVersion\":2,\"config\":{\"digest\":\"../../x\",\"size\":1}}",
		  ERROR_INVALID,
		  "image manifest: config.digest: '../../x' is not a sha256 digest" },
		{ "{\"schemaVersion\":2,\"config\":{\"digest\":" DIGEST_A ",\"size\":-1}}",
		  ERROR_INVALID, "image manifest: config.size: -1 is negative" },
		{ "{\"schemaVersion\":2,\"config\":{\"digest\":" DIGEST_A
		  ",\"size\":9223372036854775808}}",
		  ERROR_INVALID,
		  "image manifest: config.size: 9223372036854775808 is out of range" },
		{ "{\"schemaVersion\":2,\"config\":{\"digest\":" DIGEST_A "}}", ERROR_INVALID,
		  "image manifest: config.size: missing" },
	};

	assert_bad(parse_manifest, *state, table, ARRAY_SIZE(table));
}

static void test_other_bad_documents_are_refused(void **state)
{
	static const struct bad index[] = {
		{ "{\"manifests\":[]}", ERROR_INVALID, "image index: schemaVersion: missing" },
		{ "{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}", ERROR_INVALID,
		  "image index: layers: does not belong into this kind of document" },
	};
	static const struct bad config[] = {
		{ "{}", ERROR_INVALID, "image config: rootfs: missing" },
		{ "{\"rootfs\":{\"type\":\"blobs\"}}", ERROR_UNSUPPORTED,
		  "image config: rootfs.type: 'blobs' is not supported, only layers" },
		{ "{\"rootfs\":{\"diff_ids\":[\"x\"]}}", ERROR_INVALID,
		  "image config: rootfs.diff_ids[0]: 'x' is not a sha256 digest" },
		{ "{\"rootfs\":{},\"config\":{\"Env\":\"A=b\"}}", ERROR_INVALID,
		  "image config: config.Env: not an array" },
	};
	static const struct bad archive[] = {
		{ "{}", ERROR_INVALID, "manifest.json: not an array" },
		{ "[{}]", ERROR_INVALID, "manifest.json: [0].Config: missing" },
		{ "[{\"Config\":\"/etc/passwd\"}]", ERROR_INVALID,
		  "manifest.json: [0].Config: '/etc/passwd' is not a path in the archive" },
		{ "[{\"Config\":\"c\",\"Layers\":[\"a\",\"b/../../c\"]}]", ERROR_INVALID,
		  "manifest.json: [0].Layers: 'b/../../c' is not a path in the archive" },
	};
	static const struct bad layout[] = {
		{ "{\"imageLayoutVersion\":\"2.0.0\"}", ERROR_UNSUPPORTED,
		  "oci-layout: layout version '2.0.0' is not supported, only 1.x" },
		{ "{}", ERROR_UNSUPPORTED,
		  "oci-layout: layout version '' is not supported, only 1.x" },
	};

	assert_bad(parse_index, *state, index, ARRAY_SIZE(index));
	assert_bad(parse_config, *state, config, ARRAY_SIZE(config));
	assert_bad(parse_archive, *state, archive, ARRAY_SIZE(archive));
	assert_bad(parse_layout, *state, layout, ARRAY_SIZE(layout));
}

static void test_the_layout_file_we_write_is_read(void **state)
{
	struct error err = { 0 };

	assert_int_equal(oci_layout_parse(OCI_LAYOUT_TEXT, strlen(OCI_LAYOUT_TEXT), &err), 0);
}

static void test_the_kind_of_a_document_shows(void **state)
{
	static const struct {
		const char *text;
		enum oci_media_kind kind;
	} table[] = {
		{ manifest_text, OCI_MEDIA_MANIFEST },
		{ index_text, OCI_MEDIA_INDEX },
		{ "{\"schemaVersion\":2,\"manifests\":[]}", OCI_MEDIA_INDEX },
		{ "{\"schemaVersion\":2,\"layers\":[]}", OCI_MEDIA_MANIFEST },
		{ "{\"schemaVersion\":1,\"fsLayers\":[]}", OCI_MEDIA_MANIFEST_V1 },
		{ config_text, OCI_MEDIA_OTHER },
		{ "[]", OCI_MEDIA_OTHER },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		enum oci_media_kind kind = OCI_MEDIA_CONFIG;
		struct error err = { 0 };

		if (strcmp(table[i].text, "[]") == 0) { /* no object: no document at all */
			assert_true(oci_document_kind("[]", 2, &kind, &err) < 0);
			continue;
		}
		assert_int_equal(
			oci_document_kind(table[i].text, strlen(table[i].text), &kind, &err), 0);
		assert_int_equal(kind, table[i].kind);
	}
}

static void test_media_types_of_both_families_are_known(void **state)
{
	const struct oci_media_type *t = oci_media_type(DOCKER_MEDIA_TYPE_LAYER_GZIP);

	assert_int_equal(t->kind, OCI_MEDIA_LAYER);
	assert_int_equal(t->compression, OCI_COMPRESSION_GZIP);
	assert_true(t->docker);
	t = oci_media_type("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd");
	assert_int_equal(t->compression, OCI_COMPRESSION_ZSTD);
	assert_true(t->foreign);
	assert_int_equal(oci_media_type("application/vnd.in-toto+json")->kind, OCI_MEDIA_OTHER);
	assert_int_equal(oci_media_type(NULL)->kind, OCI_MEDIA_OTHER);
}

static void test_digests_are_exactly_64_lower_case_digits(void **state)
{
	assert_string_equal(oci_digest_hex("sha256:" HEX_A), HEX_A);
	assert_null(oci_digest_hex("sha256:" HEX_A "a"));
	assert_null(oci_digest_hex("sha256:A" HEX_A));
	assert_null(oci_digest_hex(HEX_A));
	assert_null(oci_digest_hex(""));
	assert_null(oci_digest_hex(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_manifest_is_read_and_written),
		cmocka_unit_test(test_an_index_is_read_and_written),
		cmocka_unit_test(test_an_image_config_is_read_and_written),
		cmocka_unit_test(test_a_docker_archive_is_read_and_written),
		cmocka_unit_test(test_old_docker_configs_are_read),
		cmocka_unit_test(test_bad_manifests_are_refused),
		cmocka_unit_test(test_other_bad_documents_are_refused),
		cmocka_unit_test(test_the_layout_file_we_write_is_read),
		cmocka_unit_test(test_the_kind_of_a_document_shows),
		cmocka_unit_test(test_media_types_of_both_families_are_known),
		cmocka_unit_test(test_digests_are_exactly_64_lower_case_digits),
	};

	return cmocka_run_group_tests_name("image documents", tests, setup, teardown);
}
