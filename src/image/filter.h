/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Conditions on images as docker's --filter words them, "KEY=VALUE":
 *
 *     key           the image                                                        several of them
 *     before        is older than the image VALUE                                    all
 *     dangling      has (true) no name                                               the last
 *     id            has an id that begins so                                         one of them
 *     label         has the label KEY or KEY=VALUE; "label!": has it not             all
 *     reference     has a name that the pattern matches                              one of them
 *     since         is younger than the image VALUE                                  all
 *     until         was made before a time or so long ago                            all
 */

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "image/store.h"

struct image_filter {
	int64_t after_ns, before_ns; /* bounds of the creation, themselves not within */
	int dangling;		     /* -1: not asked */
	char **ids;		     /* digits */
	char **references;	     /* patterns of familiar names */
	char **labels, **not_labels; /* "KEY" or "KEY=VALUE" */
};

/* Which of the keys a command takes. */
enum image_filter_set {
	IMAGE_FILTER_LIST,  /* all but "label!", which docker's `images` does not have */
	IMAGE_FILTER_PRUNE, /* dangling, label, label!, until */
};

/*
 * words    strv, or NULL: everything passes
 * Errors   ERROR_INVALID in docker's words for an unknown key or a bad value; ERROR_NOT_FOUND for an
 *          image of before and since that is not there
 */
int image_filter_parse(struct image_store *store, char *const *words, enum image_filter_set set,
		       struct image_filter *ret, struct error *err);
void image_filter_done(struct image_filter *f);
#define cleanup_image_filter __attribute__((cleanup(image_filter_done)))

/*
 * 1 if the image passes, 0 if not, -errno. Names are another matter, image_filter_name(). Reads the
 * image's config only if a label is asked for.
 */
int image_filter_match(const struct image_filter *f, struct image_store *store,
		       const struct image_row *row, struct error *err);

/* Does one of the image's names, normalised, pass? Without references, every one does. */
bool image_filter_name(const struct image_filter *f, const char *name);

/* Is word, "KEY" or "KEY=VALUE", about this label? For containers, too. */
bool image_filter_label(const char *word, const char *key, const char *value);
