/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image_inspect.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "engine/engine.h"
#include "engine/handle.h"
#include "image/reference.h"
#include "image/store.h"
#include "oci/image.h"

/* {"80/tcp":{}}: docker's sets are objects with empty values; an empty set is left out. */
static void add_set(struct json_writer *w, const char *key, const char *const *items, size_t n)
{
	if (n == 0)
		return;
	json_begin_object(w, key);
	for (size_t i = 0; i < n; i++) {
		json_begin_object(w, items[i]);
		json_end(w);
	}
	json_end(w);
}

static int compare_pairs(const void *a, const void *b)
{
	return strcmp(((const struct oci_pair *)a)->key, ((const struct oci_pair *)b)->key);
}

/* By name, as Go writes a map. */
static void add_labels(struct json_writer *w, const struct oci_image_run *run)
{
	cleanup_free struct oci_pair *sorted = NULL;

	if (run->n_labels == 0) {
		json_add_null(w, "Labels");
		return;
	}
	sorted = xcalloc(run->n_labels, sizeof(*sorted));
	memcpy(sorted, run->labels, run->n_labels * sizeof(*sorted));
	qsort(sorted, run->n_labels, sizeof(*sorted), compare_pairs);
	json_begin_object(w, "Labels");
	for (size_t i = 0; i < run->n_labels; i++)
		json_add_string(w, sorted[i].key, sorted[i].value);
	json_end(w);
}

static void add_list(struct json_writer *w, const char *key, const char *const *items, size_t n)
{
	if (n == 0)
		json_add_null(w, key);
	else
		json_add_strings(w, key, items, n);
}

static void add_healthcheck(struct json_writer *w, const struct oci_healthcheck *h)
{
	json_begin_object(w, "Healthcheck");
	json_add_strings(w, "Test", h->test, h->n_test);
	if (h->interval_ns)
		json_add_i64(w, "Interval", h->interval_ns);
	if (h->timeout_ns)
		json_add_i64(w, "Timeout", h->timeout_ns);
	if (h->start_period_ns)
		json_add_i64(w, "StartPeriod", h->start_period_ns);
	if (h->start_interval_ns)
		json_add_i64(w, "StartInterval", h->start_interval_ns);
	if (h->retries)
		json_add_i64(w, "Retries", h->retries);
	json_end(w);
}

static void add_config(struct json_writer *w, const struct oci_image_run *run)
{
	json_begin_object(w, "Config");
	json_add_string(w, "User", run->user ? run->user : "");
	add_set(w, "ExposedPorts", run->exposed_ports, run->n_exposed_ports);
	add_list(w, "Env", run->env, run->n_env);
	add_list(w, "Cmd", run->cmd, run->n_cmd);
	if (run->healthcheck)
		add_healthcheck(w, run->healthcheck);
	if (run->args_escaped)
		json_add_bool(w, "ArgsEscaped", true);
	if (run->n_volumes == 0)
		json_add_null(w, "Volumes");
	add_set(w, "Volumes", run->volumes, run->n_volumes);
	json_add_string(w, "WorkingDir", run->working_dir ? run->working_dir : "");
	add_list(w, "Entrypoint", run->entrypoint, run->n_entrypoint);
	add_list(w, "OnBuild", run->on_build, run->n_on_build);
	add_labels(w, run);
	if (run->stop_signal)
		json_add_string(w, "StopSignal", run->stop_signal);
	if (run->n_shell > 0)
		json_add_strings(w, "Shell", run->shell, run->n_shell);
	json_end(w);
}

/* Only what has a tag; what was pulled by digest is in RepoDigests. */
static void add_names(struct json_writer *w, const struct image *image)
{
	json_begin_array(w, "RepoTags");
	for (size_t i = 0; image->names && image->names[i]; i++) {
		cleanup_reference struct reference ref = { 0 };
		cleanup_free char *familiar = NULL;
		struct error ignored; /* names in the index are references */

		if (reference_parse(image->names[i], &ref, &ignored) < 0 || !ref.tag || ref.digest)
			continue;
		familiar = reference_familiar(&ref);
		json_add_string(w, NULL, familiar);
	}
	json_end(w);
	json_begin_array(w, "RepoDigests");
	for (size_t i = 0; image->repo_digests && image->repo_digests[i]; i++) {
		cleanup_free char *familiar = reference_familiar_text(image->repo_digests[i]);

		if (familiar)
			json_add_string(w, NULL, familiar);
	}
	json_end(w);
}

static void add_storage(struct json_writer *w, struct image_store *store, const struct image *image)
{
	cleanup_with(strv_free) char **dirs = NULL;
	cleanup_buf struct buf lower = { 0 };

	/* overlay's order: the top layer first */
	image_layer_paths(store, image, &dirs);
	for (size_t i = 1; i < image->n_layers; i++)
		buf_printf(&lower, "%s%s", lower.len ? ":" : "", dirs[i]);
	json_begin_object(w, "GraphDriver");
	json_begin_object(w, "Data");
	if (lower.len > 0)
		json_add_string(w, "LowerDir", buf_str(&lower));
	if (image->n_layers > 0)
		json_add_string(w, "UpperDir", dirs[0]);
	json_end(w);
	json_add_string(w, "Name", "overlay2");
	json_end(w);
	json_begin_object(w, "RootFS");
	json_add_string(w, "Type", "layers");
	json_begin_array(w, "Layers");
	for (size_t i = 0; i < image->n_layers; i++)
		json_add_string(w, NULL, image->layers[i].diff_id.text);
	json_end(w);
	json_end(w);
}

/* docker has no other place for it, either. */
static const char *last_comment(const struct oci_image_config *c)
{
	const char *comment = c->n_history > 0 ? c->history[c->n_history - 1].comment : NULL;

	return comment ? comment : "";
}

void image_inspect_format(const struct engine *e, const struct image *image, struct buf *out)
{
	const struct oci_image_config *c = image->config;
	char time[CLOCK_TEXT_MAX];
	struct json_writer w;

	json_writer_init(&w, out, NULL);
	json_begin_object(&w, NULL);
	json_add_string(&w, "Id", image->id.text);
	add_names(&w, image);
	json_add_string(&w, "Parent", "");
	json_add_string(&w, "Comment", last_comment(c));
	json_add_string(&w, "Created",
			c->created	    ? c->created
			: image->created_ns ? clock_format(image->created_ns, time)
					    : "");
	json_add_string(&w, "DockerVersion", c->docker_version ? c->docker_version : "");
	json_add_string(&w, "Author", c->author ? c->author : "");
	add_config(&w, &c->config);
	json_add_string(&w, "Architecture", c->platform.architecture);
	if (c->platform.variant)
		json_add_string(&w, "Variant", c->platform.variant);
	json_add_string(&w, "Os", c->platform.os);
	json_add_u64(&w, "Size", image->size_bytes);
	json_add_u64(&w, "VirtualSize", image->size_bytes);
	add_storage(&w, e->images, image);
	json_begin_object(&w, "Metadata");
	json_add_string(&w, "LastTagTime",
			image->tagged_ns ? clock_format_trimmed(image->tagged_ns, time)
					 : "0001-01-01T00:00:00Z");
	json_end(&w);
	json_begin_object(&w, "Descriptor");
	json_add_string(&w, "mediaType", image->manifest_type);
	json_add_string(&w, "digest", image->manifest_id.text);
	json_add_u64(&w, "size", image->manifest_bytes);
	json_end(&w);
	json_end(&w);
}
