/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A load in work. The two formats, OCI layout and docker's manifest.json, become one list of images
 * and one list of layers (load_oci.c, load_docker.c); then load.c brings them into the store.
 */

#include "image/input.h"
#include "image/layer.h"
#include "image/stop.h"
#include "image/store_private.h"
#include "image/transfer.h"
#include "oci/image.h"

#define LOAD_IMAGES_MAX 1000
#define LOAD_LAYERS_MAX 10000 /* of all images together */

/* Where a layer lies: layer_job.source. */
struct load_layer {
	struct input *input;
	const char *path;
	const struct progress_sink *progress;
};

struct load_image {
	char **names; /* strv, normalised */
	struct digest id;
	const char *config_json; /* in the arena, as everything borrowed here */
	size_t config_len;
	const struct oci_image_config *config;
	const char *manifest_json; /* NULL: docker's format has none, load.c writes one */
	size_t manifest_len;
	const char *media_type; /* of the manifest */
	size_t first_job, n_jobs;
	struct index_entry entry; /* what the index will say; its strings are the arena's */
};

struct load {
	struct input *input;
	bool is_directory;
	const char *transport; /* what policy.json calls the format */
	const struct image_load_options *options;
	struct arena *arena;
	struct stop stop;
	struct load_image *images;
	size_t n_images, images_capacity;
	struct layer_job *jobs;
	size_t n_jobs, jobs_capacity;
};

/* Read a format's documents into images and jobs. */
int load_oci_plan(struct load *load, struct error *err);
int load_docker_plan(struct load *load, struct error *err);

/* A document of the input in the arena. */
int load_document(struct load *load, const char *path, const char **ret, size_t *ret_len,
		  struct error *err);
/* Parses a config, checks that it is one for this kind of system, and sets the image's fields. */
int load_config(struct load *load, struct load_image *image, const char *json, size_t len,
		struct error *err);
/* Appends an image: zeroed, first_job set. NULL and *err when there are too many. */
struct load_image *load_add_image(struct load *load, struct error *err);
/* Appends a layer of the image that was added last. */
struct layer_job *load_add_layer(struct load *load, const char *path, struct error *err);
