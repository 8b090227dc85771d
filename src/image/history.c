/* SPDX-License-Identifier: Apache-2.0 */
#include "image/history.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "image/layer_info.h"
#include "image/store_private.h"
#include "oci/image.h"

struct walk {
	struct image_store *store;
	const struct image *image;
	struct image_history *history;
	size_t next_layer;
};

static void add_row(struct walk *w, const struct oci_history *step)
{
	struct image_history_row *row = &w->history->rows[w->history->n++];

	*row = (struct image_history_row){
		.created_by = step && step->created_by ? step->created_by : "",
		.comment = step && step->comment ? step->comment : "",
	};
	if (step && step->created)
		(void)clock_parse(step->created, &row->created_ns); /* a date for a table */
}

static int add_layer(struct walk *w, const struct oci_history *step, struct error *err)
{
	const struct image_layer *layer = &w->image->layers[w->next_layer++];
	struct layer_info info;
	int r = layer_info_load(w->store->root_fd, &layer->diff_id, &info, err);

	if (r < 0)
		return error_prefix(err, r, "layer %s", layer->diff_id.text);
	add_row(w, step);
	w->history->rows[w->history->n - 1].layer = layer;
	w->history->rows[w->history->n - 1].size_bytes = info.unpacked_bytes;
	return 0;
}

static int walk(struct walk *w, struct error *err)
{
	const struct oci_image_config *c = w->image->config;
	size_t steps = 0;
	int r = 0;

	for (size_t i = 0; i < c->n_history; i++)
		steps += !c->history[i].empty_layer;
	while (w->image->n_layers - w->next_layer > steps && r == 0)
		r = add_layer(w, NULL, err);
	for (size_t i = 0; i < c->n_history && r == 0; i++) {
		bool has_layer = !c->history[i].empty_layer && w->next_layer < w->image->n_layers;

		if (has_layer)
			r = add_layer(w, &c->history[i], err);
		else
			add_row(w, &c->history[i]);
	}
	return r;
}

int image_history(struct image_store *store, const struct image *image, struct image_history *ret,
		  struct error *err)
{
	size_t most = image->config->n_history + image->n_layers;
	struct image_history history = {
		.rows = mem_try_alloc(MAX(most, (size_t)1), sizeof(*history.rows)),
	};
	struct walk w = { .store = store, .image = image, .history = &history };
	int r = history.rows ? walk(&w, err) : error_oom(err);

	if (r < 0) {
		image_history_done(&history);
		return r;
	}
	for (size_t i = 0; i < history.n / 2; i++) {
		struct image_history_row row = history.rows[i];

		history.rows[i] = history.rows[history.n - 1 - i];
		history.rows[history.n - 1 - i] = row;
	}
	*ret = history;
	return 0;
}

void image_history_done(struct image_history *h)
{
	free(h->rows);
	*h = (struct image_history){ 0 };
}
