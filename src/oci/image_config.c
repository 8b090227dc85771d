/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/image.h"

#include <string.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "oci/image_field.h"

/* Image configs (image-spec config.md and docker's additions) and docker save's manifest.json. */

static const struct oci_field healthcheck_fields[] = {
	{ FIELD_STRINGS("Test", oci_healthcheck, test, n_test) },
	{ FIELD_I64("Interval", oci_healthcheck, interval_ns) },
	{ FIELD_I64("Timeout", oci_healthcheck, timeout_ns) },
	{ FIELD_I64("StartPeriod", oci_healthcheck, start_period_ns) },
	{ FIELD_I64("StartInterval", oci_healthcheck, start_interval_ns) },
	{ FIELD_I32("Retries", oci_healthcheck, retries) },
};
static const struct oci_table healthcheck_table =
	OCI_TABLE(healthcheck_fields, sizeof(struct oci_healthcheck));

static const struct oci_field run_fields[] = {
	{ FIELD_STRING("User", oci_image_run, user) },
	{ FIELD_KEYS("ExposedPorts", oci_image_run, exposed_ports, n_exposed_ports) },
	{ FIELD_STRINGS("Env", oci_image_run, env, n_env) },
	{ FIELD_STRINGS("Entrypoint", oci_image_run, entrypoint, n_entrypoint), .or_string = true },
	{ FIELD_STRINGS("Cmd", oci_image_run, cmd, n_cmd), .or_string = true },
	{ FIELD_POINTER("Healthcheck", oci_image_run, healthcheck, oci_healthcheck,
			healthcheck_table) },
	{ FIELD_BOOL("ArgsEscaped", oci_image_run, args_escaped) },
	{ FIELD_KEYS("Volumes", oci_image_run, volumes, n_volumes) },
	{ FIELD_STRING("WorkingDir", oci_image_run, working_dir) },
	{ FIELD_STRINGS("OnBuild", oci_image_run, on_build, n_on_build) },
	{ FIELD_PAIRS("Labels", oci_image_run, labels, n_labels) },
	{ FIELD_STRING("StopSignal", oci_image_run, stop_signal) },
	{ FIELD_OPT_I64("StopTimeout", oci_image_run, stop_timeout_s) },
	{ FIELD_STRINGS("Shell", oci_image_run, shell, n_shell), .or_string = true },
};
static const struct oci_table run_table = OCI_TABLE(run_fields, sizeof(struct oci_image_run));

static int parse_rootfs_type(const struct json *v, struct arena *arena, void *target,
			     struct error *err)
{
	const char *type;
	int r = json_to_string(v, &type, err);

	if (r < 0 || str_eq(type, "layers"))
		return r;
	return json_fail_kind(v, ERROR_UNSUPPORTED, err, "'%s' is not supported, only layers",
			      type);
}

static void format_rootfs_type(const struct oci_field *f, const void *target, struct json_writer *w)
{
	json_add_string(w, f->key, "layers");
}

static int parse_diff_ids(const struct json *v, struct arena *arena, void *target,
			  struct error *err)
{
	struct oci_image_config *config = target;
	const struct json *c;
	const char **ids;
	size_t n = 0;

	if (v->type != JSON_ARRAY)
		return json_fail(v, err, "not an array");
	ids = arena_alloc(arena, ((size_t)v->n + 1) * sizeof(*ids));
	json_foreach(c, v) {
		int r = oci_digest_read(c, &ids[n++], err);

		if (r < 0)
			return r;
	}
	config->diff_ids = ids;
	config->n_diff_ids = n;
	return 0;
}

static void format_diff_ids(const struct oci_field *f, const void *target, struct json_writer *w)
{
	const struct oci_image_config *config = target;

	json_add_strings(w, f->key, config->diff_ids, config->n_diff_ids);
}

static const struct oci_field rootfs_fields[] = {
	{ FIELD_CUSTOM("type", parse_rootfs_type, format_rootfs_type) },
	{ FIELD_CUSTOM("diff_ids", parse_diff_ids, format_diff_ids) }, /* null: no layers */
};
static const struct oci_table rootfs_table = OCI_TABLE(rootfs_fields, 0);

static const struct oci_field history_fields[] = {
	{ FIELD_STRING("created", oci_history, created) },
	{ FIELD_STRING("created_by", oci_history, created_by) },
	{ FIELD_STRING("author", oci_history, author) },
	{ FIELD_STRING("comment", oci_history, comment) },
	{ FIELD_BOOL("empty_layer", oci_history, empty_layer) },
};
static const struct oci_table history_table = OCI_TABLE(history_fields, sizeof(struct oci_history));

static const struct oci_field config_fields[] = {
	{ FIELD_STRING("created", oci_image_config, created) },
	{ FIELD_STRING("author", oci_image_config, author) },
	{ FIELD_STRING("docker_version", oci_image_config, docker_version) },
	{ FIELD_STRING("architecture", oci_image_config, platform.architecture) },
	{ FIELD_STRING("variant", oci_image_config, platform.variant) },
	{ FIELD_STRING("os", oci_image_config, platform.os) },
	{ FIELD_STRING("os.version", oci_image_config, platform.os_version) },
	{ FIELD_STRINGS("os.features", oci_image_config, platform.os_features,
			platform.n_os_features) },
	{ FIELD_EMBEDDED("config", oci_image_config, config, oci_image_run, run_table),
	  .always = true },
	{ FIELD_SECTION("rootfs", rootfs_table), .required = true },
	{ FIELD_OBJECTS("history", oci_image_config, history, n_history, oci_history,
			history_table) },
};
static const struct oci_table config_table =
	OCI_TABLE(config_fields, sizeof(struct oci_image_config));

int oci_image_config_parse(const char *json, size_t len, struct arena *arena,
			   struct oci_image_config *ret_config, struct error *err)
{
	struct oci_image_config config = { 0 };
	int r;

	if (len > OCI_IMAGE_CONFIG_MAX_BYTES)
		return error_kind(err, ERROR_INVALID, "image config: %zu bytes are too much", len);
	r = oci_image_document_parse(&config_table, "image config", json, len, arena, &config, err);
	if (r < 0)
		return r;
	*ret_config = config;
	return 0;
}

void oci_image_config_format(const struct oci_image_config *config, struct buf *out)
{
	oci_image_document_format(&config_table, config, out);
}

/* docker save */

static const struct oci_field archive_fields[] = {
	{ FIELD_STRING("Config", oci_docker_archive_image, config), .required = true },
	{ FIELD_STRINGS("RepoTags", oci_docker_archive_image, repo_tags, n_repo_tags),
	  .always = true },
	{ FIELD_STRINGS("Layers", oci_docker_archive_image, layers, n_layers), .always = true },
};
static const struct oci_table archive_table =
	OCI_TABLE(archive_fields, sizeof(struct oci_docker_archive_image));

/* A name of the archive: relative, and it does not climb. */
static bool is_archive_path(const char *path)
{
	if (!*path || *path == '/')
		return false;
	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && strncmp(path, "..", n) == 0)
			return false;
		path += n;
		path += strspn(path, "/");
	}
	return true;
}

static int check_archive_paths(const struct json *v, const struct oci_docker_archive_image *image,
			       struct error *err)
{
	if (!is_archive_path(image->config))
		return json_fail(json_get(v, "Config"), err, "'%s' is not a path in the archive",
				 image->config);
	for (size_t i = 0; i < image->n_layers; i++)
		if (!is_archive_path(image->layers[i]))
			return json_fail(json_get(v, "Layers"), err,
					 "'%s' is not a path in the archive", image->layers[i]);
	return 0;
}

static int parse_archive(const char *json, size_t len, struct arena *arena,
			 struct oci_docker_archive *archive, struct error *err)
{
	struct oci_docker_archive_image *images;
	const struct json *root, *c;
	size_t n = 0;
	int r;

	if (len > OCI_MANIFEST_MAX_BYTES)
		return error_kind(err, ERROR_INVALID, "%zu bytes are too much", len);
	r = json_parse(json, len, arena, &root, err);
	if (r < 0)
		return r;
	if (root->type != JSON_ARRAY)
		return json_fail(root, err, "not an array");
	images = arena_alloc(arena, root->n * sizeof(*images));
	json_foreach(c, root) {
		if ((r = oci_table_parse(&archive_table, c, arena, &images[n], err)) < 0 ||
		    (r = check_archive_paths(c, &images[n], err)) < 0)
			return r;
		n++;
	}
	*archive = (struct oci_docker_archive){ .images = images, .n_images = n };
	return 0;
}

int oci_docker_archive_parse(const char *json, size_t len, struct arena *arena,
			     struct oci_docker_archive *ret_archive, struct error *err)
{
	struct oci_docker_archive archive = { 0 };
	int r = parse_archive(json, len, arena, &archive, err);

	if (r < 0)
		return error_prefix(err, r, "manifest.json");
	*ret_archive = archive;
	return 0;
}

void oci_docker_archive_format(const struct oci_docker_archive *archive, struct buf *out)
{
	struct json_writer w;

	json_writer_init(&w, out, NULL);
	json_begin_array(&w, NULL);
	for (size_t i = 0; i < archive->n_images; i++) {
		json_begin_object(&w, NULL);
		oci_table_format(&archive_table, &archive->images[i], &w);
		json_end(&w);
	}
	json_end(&w);
}

/* Layout */

int oci_layout_parse(const char *json, size_t len, struct error *err)
{
	struct arena *arena cleanup_with(arena_free) = arena_new();
	const struct json *root;
	const char *version = "";
	int r;

	if ((r = json_parse(json, len, arena, &root, err)) < 0 ||
	    (r = json_get_string(root, "imageLayoutVersion", &version, err)) < 0)
		return error_prefix(err, r, OCI_LAYOUT_FILE);
	if (!str_after(version, "1."))
		return error_kind(err, ERROR_UNSUPPORTED,
				  OCI_LAYOUT_FILE
				  ": layout version '%.32s' is not supported, only 1.x",
				  version);
	return 0;
}
