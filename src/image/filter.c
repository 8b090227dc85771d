/* SPDX-License-Identifier: Apache-2.0 */
#include "image/filter.h"

#include <fnmatch.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "image/reference.h"
#include "image/store_private.h"
#include "oci/image.h"

struct parser {
	struct image_store *store;
	struct image_filter *filter;
	struct error *err;
};

static int created_of(struct parser *p, const char *text, int64_t *ret_ns)
{
	cleanup_index struct image_index index = { 0 };
	struct index_entry *entry;
	int r = index_load(p->store->root_fd, &index, p->err);

	if (r == 0)
		r = store_find(&index, text, &entry, NULL, p->err);
	if (r == 0)
		*ret_ns = entry->created_ns;
	return r;
}

static int parse_before(struct parser *p, const char *value)
{
	int64_t ns = 0;
	int r = created_of(p, value, &ns);

	if (r == 0)
		p->filter->before_ns = MIN(p->filter->before_ns, ns);
	return r;
}

static int parse_since(struct parser *p, const char *value)
{
	int64_t ns = 0;
	int r = created_of(p, value, &ns);

	if (r == 0)
		p->filter->after_ns = MAX(p->filter->after_ns, ns);
	return r;
}

static int parse_until(struct parser *p, const char *value)
{
	int64_t ns;

	if (clock_parse_bound(value, clock_real_ns(), &ns) < 0)
		return error_kind(p->err, ERROR_INVALID,
				  "failed to parse value as time or duration: \"%s\"", value);
	p->filter->before_ns = MIN(p->filter->before_ns, ns);
	return 0;
}

static int parse_dangling(struct parser *p, const char *value)
{
	bool truth;

	if (str_to_bool(value, &truth) < 0)
		return error_kind(p->err, ERROR_INVALID, "Invalid filter 'dangling=[%s]'", value);
	p->filter->dangling = truth;
	return 0;
}

static int parse_id(struct parser *p, const char *value)
{
	const char *digits = str_after(value, "sha256:");

	p->filter->ids = strv_push(p->filter->ids, digits ? digits : value);
	return 0;
}

static int parse_label(struct parser *p, const char *value)
{
	p->filter->labels = strv_push(p->filter->labels, value);
	return 0;
}

static int parse_not_label(struct parser *p, const char *value)
{
	p->filter->not_labels = strv_push(p->filter->not_labels, value);
	return 0;
}

/* Are all brackets closed, and all backslashes before something? Where not, nothing could match. */
static bool is_pattern(const char *p)
{
	for (; *p; p++) {
		if (*p == '[')
			p = strchr(p + (p[1] == '^') + 1, ']');
		else if (*p == '\\')
			p++;
		if (!p || !*p)
			return false;
	}
	return true;
}

static int parse_reference(struct parser *p, const char *value)
{
	if (!is_pattern(value))
		return error_kind(p->err, ERROR_INVALID, "syntax error in pattern");
	p->filter->references = strv_push(p->filter->references, value);
	return 0;
}

static const struct {
	const char *key;
	int (*parse)(struct parser *p, const char *value);
	bool list, prune;
} keys[] = {
	{ "before", parse_before, true, false },
	{ "dangling", parse_dangling, true, true },
	{ "id", parse_id, true, false },
	{ "label", parse_label, true, true },
	{ "label!", parse_not_label, false, true },
	{ "reference", parse_reference, true, false },
	{ "since", parse_since, true, false },
	{ "until", parse_until, true, true },
};

static int parse_word(struct parser *p, const char *word, enum image_filter_set set)
{
	const char *equals = strchr(word, '=');

	if (!equals)
		return error_kind(p->err, ERROR_INVALID,
				  "bad format of filter '%s' (expected name=value)", word);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		bool taken = set == IMAGE_FILTER_LIST ? keys[i].list : keys[i].prune;

		if (taken && str_after(word, keys[i].key) == equals)
			return keys[i].parse(p, equals + 1);
	}
	return error_kind(p->err, ERROR_INVALID, "Invalid filter '%.*s'", (int)(equals - word),
			  word);
}

int image_filter_parse(struct image_store *store, char *const *words, enum image_filter_set set,
		       struct image_filter *ret, struct error *err)
{
	struct image_filter filter = { .after_ns = INT64_MIN,
				       .before_ns = INT64_MAX,
				       .dangling = -1 };
	struct parser p = { store, &filter, err };
	int r = 0;

	for (size_t i = 0; r == 0 && words && words[i]; i++)
		r = parse_word(&p, words[i], set);
	if (r < 0)
		image_filter_done(&filter);
	else
		*ret = filter;
	return r;
}

void image_filter_done(struct image_filter *f)
{
	strv_free(f->ids);
	strv_free(f->references);
	strv_free(f->labels);
	strv_free(f->not_labels);
	*f = (struct image_filter){ 0 };
}

bool image_filter_label(const char *word, const char *key, const char *value)
{
	const char *rest = str_after(word, key);

	return rest && (*rest == '\0' || (*rest == '=' && str_eq(rest + 1, value)));
}

static bool has_label(const struct oci_image_run *run, const char *word)
{
	for (size_t i = 0; i < run->n_labels; i++) {
		if (image_filter_label(word, run->labels[i].key, run->labels[i].value))
			return true;
	}
	return false;
}

static int match_labels(const struct image_filter *f, struct image_store *store,
			const struct image_row *row, struct error *err)
{
	cleanup_with(image_free) struct image *image = NULL;
	int r = image_lookup(store, row->id.text, &image, err);

	if (r < 0)
		return err->kind == ERROR_NOT_FOUND ? 0 : r; /* removed since the list was made */
	for (size_t i = 0; f->labels && f->labels[i]; i++) {
		if (!has_label(&image->config->config, f->labels[i]))
			return 0;
	}
	for (size_t i = 0; f->not_labels && f->not_labels[i]; i++) {
		if (has_label(&image->config->config, f->not_labels[i]))
			return 0;
	}
	return 1;
}

static bool match_id(const struct image_filter *f, const struct image_row *row)
{
	for (size_t i = 0; f->ids && f->ids[i]; i++) {
		if (str_after(digest_hex(&row->id), f->ids[i]))
			return true;
	}
	return !f->ids;
}

int image_filter_match(const struct image_filter *f, struct image_store *store,
		       const struct image_row *row, struct error *err)
{
	bool dangling = strv_len(row->names) == 0;

	if (f->dangling >= 0 && dangling != (f->dangling == 1))
		return 0;
	if (f->before_ns != INT64_MAX && row->created_ns >= f->before_ns)
		return 0;
	if (f->after_ns != INT64_MIN && row->created_ns <= f->after_ns)
		return 0;
	if (!match_id(f, row))
		return 0;
	return f->labels || f->not_labels ? match_labels(f, store, row, err) : 1;
}

/* docker's pattern: of "name" or "name:tag", with wildcards within a component of the path. */
bool image_filter_name(const struct image_filter *f, const char *name)
{
	cleanup_reference struct reference ref = { 0 };
	cleanup_free char *whole = NULL, *repository = NULL;
	struct error ignored; /* what is no reference matches nothing */

	if (!f->references)
		return true;
	if (reference_parse(name, &ref, &ignored) < 0)
		return false;
	whole = reference_familiar(&ref);
	repository = reference_familiar_name(&ref);
	for (size_t i = 0; f->references[i]; i++) {
		if (fnmatch(f->references[i], whole, FNM_PATHNAME) == 0 ||
		    fnmatch(f->references[i], repository, FNM_PATHNAME) == 0)
			return true;
	}
	return false;
}
