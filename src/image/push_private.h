/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A push in work: push.c decides what goes where, push_blob.c brings blobs there. */

#include <pthread.h>
#include "image/blob_places.h"
#include "image/push.h"
#include "image/reference.h"
#include "image/stop.h"
#include "image/store_private.h"

struct registry;

struct push {
	struct image_store *store;
	const struct reference *ref;
	const struct image_push_options *options;
	struct registry *registry;
	struct stop stop;
	struct signer signer;
	char *repository; /* "docker.io/library/nginx" */
	struct blob_places places;
	pthread_mutex_t lock; /* of news */
	struct blob_places news;
};

struct push_blob {
	struct digest local; /* in the store */
	uint64_t local_bytes;
	enum compression pack; /* COMPRESSION_NONE: as it is */
	char label[16];	       /* of its line; "": it has none */
	struct digest sent;    /* at the registry; set when it is there */
	uint64_t sent_bytes;
};

/* Brings all blobs to the registry, several at a time. The first failure ends it. */
int push_blobs(struct push *p, struct push_blob *blobs, size_t n, struct error *err);
