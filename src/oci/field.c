/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/field.h"

#include <string.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "oci/spec.h"

/* Words */

const struct oci_word *oci_words_find(const struct oci_words *words, const char *name)
{
	size_t low = 0, high = words->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(name, words->list[mid].name);

		if (order == 0)
			return &words->list[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

const char *oci_words_name(const struct oci_words *words, int value)
{
	for (size_t i = 0; i < words->n; i++)
		if (words->list[i].value == value)
			return words->list[i].name;
	return NULL;
}

const char *oci_pairs_get(const struct oci_pair *pairs, size_t n, const char *key)
{
	while (n-- > 0)
		if (str_eq(pairs[n].key, key))
			return pairs[n].value;
	return NULL;
}

/*
 * Reading. at is the member in the struct, target the struct itself: some fields fill a second
 * member.
 */
struct read {
	const struct oci_field *f;
	const struct json *v;
	struct arena *arena;
	char *target;
	struct error *err;
};

static void set_count(const struct read *r, size_t n)
{
	if (r->f->n_offset)
		*(size_t *)(r->target + r->f->n_offset) = n;
}

static int expect(const struct read *r, enum json_type type)
{
	if (r->v->type == type)
		return 0;
	return json_fail(r->v, r->err, type == JSON_ARRAY ? "not an array" : "not an object");
}

#define DEFINE_READ(name, type)                                  \
	static int read_##name(const struct read *r, void *at)   \
	{                                                        \
		return json_to_##name(r->v, (type *)at, r->err); \
	}

DEFINE_READ(string, const char *)
DEFINE_READ(bool, bool)
DEFINE_READ(u16, uint16_t)
DEFINE_READ(i32, int32_t)
DEFINE_READ(u32, uint32_t)
DEFINE_READ(i64, int64_t)
DEFINE_READ(u64, uint64_t)

static int read_opt_i64(const struct read *r, void *at)
{
	struct opt_i64 *opt = at;

	opt->set = true;
	return json_to_i64(r->v, &opt->value, r->err);
}

static int read_opt_u64(const struct read *r, void *at)
{
	struct opt_u64 *opt = at;

	opt->set = true;
	return json_to_u64(r->v, &opt->value, r->err);
}

static int find_word(const struct read *r, int *ret_value)
{
	const struct oci_word *word;
	const char *name;
	int res = json_to_string(r->v, &name, r->err);

	if (res < 0)
		return res;
	word = oci_words_find(r->f->words, name);
	if (word)
		*ret_value = word->value;
	else if (*name || !r->f->absent) /* Go programs write an absent word as "", too */
		return json_fail(r->v, r->err, "unknown %s '%s'", r->f->words->what, name);
	else
		*ret_value = (int)r->f->absent;
	return 0;
}

static int read_word(const struct read *r, void *at)
{
	return find_word(r, (int *)at);
}

static int read_char(const struct read *r, void *at)
{
	int value = 0;
	int res = find_word(r, &value);

	*(char *)at = (char)value;
	return res;
}

static int read_strings(const struct read *r, void *at)
{
	bool single = r->f->or_string && r->v->type == JSON_STRING;
	const char **strings;
	const struct json *c;
	size_t n = 0;
	int res = single ? 0 : expect(r, JSON_ARRAY);

	if (res < 0)
		return res;
	strings = arena_alloc(r->arena, ((single ? 1 : (size_t)r->v->n) + 1) * sizeof(*strings));
	if (single)
		res = json_to_string(r->v, &strings[n++], r->err);
	json_foreach(c, r->v) {
		res = json_to_string(c, &strings[n++], r->err);
		if (res < 0)
			break;
	}
	if (res < 0)
		return res;
	*(const char *const **)at = strings;
	set_count(r, n);
	return 0;
}

static int read_keys(const struct read *r, void *at)
{
	const char **strings;
	const struct json *c;
	size_t n = 0;
	int res = expect(r, JSON_OBJECT);

	if (res < 0)
		return res;
	strings = arena_alloc(r->arena, ((size_t)r->v->n + 1) * sizeof(*strings));
	json_foreach(c, r->v)
		strings[n++] = c->key;
	*(const char *const **)at = strings;
	set_count(r, n);
	return 0;
}

static int read_u32s(const struct read *r, void *at)
{
	uint32_t *numbers;
	const struct json *c;
	size_t n = 0;
	int res = expect(r, JSON_ARRAY);

	if (res < 0)
		return res;
	numbers = arena_alloc(r->arena, r->v->n * sizeof(*numbers));
	json_foreach(c, r->v) {
		res = json_to_u32(c, &numbers[n++], r->err);
		if (res < 0)
			return res;
	}
	*(const uint32_t **)at = numbers;
	set_count(r, n);
	return 0;
}

static int read_pairs(const struct read *r, void *at)
{
	struct oci_pair *pairs;
	const struct json *c;
	size_t n = 0;
	int res = expect(r, JSON_OBJECT);

	if (res < 0)
		return res;
	pairs = arena_alloc(r->arena, r->v->n * sizeof(*pairs));
	json_foreach(c, r->v) {
		pairs[n].key = c->key;
		pairs[n].value = "";
		if (c->type != JSON_NULL) { /* Go reads it as the empty string */
			res = json_to_string(c, &pairs[n].value, r->err);
			if (res < 0)
				return res;
		}
		n++;
	}
	*(const struct oci_pair **)at = pairs;
	set_count(r, n);
	return 0;
}

static int read_object(const struct read *r, void *at)
{
	if (r->f->set_offset)
		*(bool *)(r->target + r->f->set_offset) = true;
	return oci_table_parse(r->f->table, r->v, r->arena, at, r->err);
}

static int read_pointer(const struct read *r, void *at)
{
	void *object = arena_alloc(r->arena, r->f->table->size);

	*(const void **)at = object;
	return oci_table_parse(r->f->table, r->v, r->arena, object, r->err);
}

static int read_list(const struct read *r, void *at, enum json_type type)
{
	const struct json *c;
	char *item;
	int res = expect(r, type);

	if (res < 0)
		return res;
	item = arena_alloc(r->arena, r->v->n * r->f->table->size);
	*(const void **)at = item;
	set_count(r, r->v->n);
	json_foreach(c, r->v) {
		if (type == JSON_OBJECT)
			*(const char **)item = c->key;
		res = oci_table_parse(r->f->table, c, r->arena, item, r->err);
		if (res < 0)
			return res;
		item += r->f->table->size;
	}
	return 0;
}

static int read_objects(const struct read *r, void *at)
{
	return read_list(r, at, JSON_ARRAY);
}

static int read_named(const struct read *r, void *at)
{
	return read_list(r, at, JSON_OBJECT);
}

static int read_custom(const struct read *r, void *at)
{
	return r->f->parse(r->v, r->arena, r->target, r->err);
}

static int (*const readers[OCI_FIELD_TYPE_COUNT])(const struct read *r, void *at) = {
	[OCI_FIELD_STRING] = read_string,   [OCI_FIELD_BOOL] = read_bool,
	[OCI_FIELD_U16] = read_u16,	    [OCI_FIELD_I32] = read_i32,
	[OCI_FIELD_U32] = read_u32,	    [OCI_FIELD_I64] = read_i64,
	[OCI_FIELD_U64] = read_u64,	    [OCI_FIELD_OPT_I64] = read_opt_i64,
	[OCI_FIELD_OPT_U64] = read_opt_u64, [OCI_FIELD_WORD] = read_word,
	[OCI_FIELD_STRINGS] = read_strings, [OCI_FIELD_KEYS] = read_keys,
	[OCI_FIELD_U32S] = read_u32s,	    [OCI_FIELD_PAIRS] = read_pairs,
	[OCI_FIELD_OBJECT] = read_object,   [OCI_FIELD_POINTER] = read_pointer,
	[OCI_FIELD_OBJECTS] = read_objects, [OCI_FIELD_NAMED] = read_named,
	[OCI_FIELD_CUSTOM] = read_custom,   [OCI_FIELD_CHAR] = read_char,
};

static void set_absent(const struct oci_field *f, void *at)
{
	switch (f->type) {
	case OCI_FIELD_I64:
		*(int64_t *)at = f->absent;
		break;
	case OCI_FIELD_CHAR:
		*(char *)at = (char)f->absent;
		break;
	case OCI_FIELD_WORD:
	case OCI_FIELD_I32:
		*(int32_t *)at = (int32_t)f->absent;
		break;
	default:
		break; /* zero already */
	}
}

int oci_table_parse(const struct oci_table *table, const struct json *obj, struct arena *arena,
		    void *target, struct error *err)
{
	if (obj->type != JSON_OBJECT)
		return json_fail(obj, err, "not an object");
	for (size_t i = 0; i < table->n; i++) {
		const struct oci_field *f = &table->fields[i];
		struct read r = { f, json_get(obj, f->key), arena, target, err };
		void *at = r.target + f->offset;
		int res;

		if (!r.v && f->required)
			return json_fail_missing(obj, f->key, err);
		if (!r.v) {
			set_absent(f, at);
			continue;
		}
		res = readers[f->type](&r, at);
		if (res < 0)
			return res;
	}
	return 0;
}

int oci_document_parse(const struct oci_table *table, const char *text, size_t len,
		       struct arena *arena, void *target, struct error *err)
{
	const struct json *root;
	int r = json_parse(text, len, arena, &root, err);

	return r < 0 ? r : oci_table_parse(table, root, arena, target, err);
}

/* Writing */

static size_t get_count(const struct oci_field *f, const char *target)
{
	const void *at = target + f->offset;

	if (f->n_offset)
		return *(const size_t *)(target + f->n_offset);
	return f->type == OCI_FIELD_STRINGS ? strv_len(*(char *const *const *)at) : 0;
}

static void write_i64(const struct oci_field *f, int64_t value, struct json_writer *w)
{
	if (f->always || value != f->absent)
		json_add_i64(w, f->key, value);
}

static void write_u64(const struct oci_field *f, uint64_t value, struct json_writer *w)
{
	if (f->always || value != 0)
		json_add_u64(w, f->key, value);
}

static void write_string(const struct oci_field *f, const char *s, struct json_writer *w)
{
	if (s || f->always)
		json_add_string(w, f->key, s ? s : "");
}

static void write_word(const struct oci_field *f, int value, struct json_writer *w)
{
	/* required words have no meaning when absent */
	if (f->required || f->always || value != f->absent)
		json_add_string(w, f->key, oci_words_name(f->words, value));
}

static void write_object(const struct oci_field *f, const void *object, bool even_empty,
			 struct json_writer *w)
{
	struct json_writer before = *w;
	size_t len = w->out->len;

	json_begin_object(w, f->key);
	oci_table_format(f->table, object, w);
	if (!w->has_members && !even_empty) { /* as if it had not been begun */
		*w = before;
		w->out->len = len;
		w->out->data[len] = '\0';
		return;
	}
	json_end(w);
}

/* One member of an array or a map, by the kind of its list. */
static void write_member(const struct oci_field *f, const void *first, size_t i,
			 struct json_writer *w)
{
	const char *item;

	switch (f->type) {
	case OCI_FIELD_STRINGS:
		json_add_string(w, NULL, ((const char *const *)first)[i]);
		break;
	case OCI_FIELD_U32S:
		json_add_u64(w, NULL, ((const uint32_t *)first)[i]);
		break;
	case OCI_FIELD_PAIRS:
		json_add_string(w, ((const struct oci_pair *)first)[i].key,
				((const struct oci_pair *)first)[i].value);
		break;
	case OCI_FIELD_KEYS:
		json_begin_object(w, ((const char *const *)first)[i]);
		json_end(w);
		break;
	default: /* OBJECTS, NAMED */
		item = (const char *)first + i * f->table->size;
		json_begin_object(w,
				  f->type == OCI_FIELD_NAMED ? *(const char *const *)item : NULL);
		oci_table_format(f->table, item, w);
		json_end(w);
	}
}

static void write_list(const struct oci_field *f, const void *first, size_t n,
		       struct json_writer *w)
{
	bool is_map = f->type == OCI_FIELD_KEYS || f->type == OCI_FIELD_PAIRS ||
		      f->type == OCI_FIELD_NAMED;

	if (!first)
		n = 0;
	/* an empty list of words that was given is not the same as none: it clears a default */
	if (n == 0 && !f->always && (!first || f->type != OCI_FIELD_STRINGS))
		return;
	if (is_map)
		json_begin_object(w, f->key);
	else
		json_begin_array(w, f->key);
	for (size_t i = 0; i < n; i++)
		write_member(f, first, i, w);
	json_end(w);
}

static void write_scalar(const struct oci_field *f, const void *at, struct json_writer *w)
{
	switch (f->type) {
	case OCI_FIELD_STRING:
		write_string(f, *(const char *const *)at, w);
		break;
	case OCI_FIELD_BOOL:
		if (f->always || *(const bool *)at)
			json_add_bool(w, f->key, *(const bool *)at);
		break;
	case OCI_FIELD_U16:
		write_u64(f, *(const uint16_t *)at, w);
		break;
	case OCI_FIELD_I32:
		write_i64(f, *(const int32_t *)at, w);
		break;
	case OCI_FIELD_U32:
		write_u64(f, *(const uint32_t *)at, w);
		break;
	case OCI_FIELD_I64:
		write_i64(f, *(const int64_t *)at, w);
		break;
	case OCI_FIELD_U64:
		write_u64(f, *(const uint64_t *)at, w);
		break;
	case OCI_FIELD_OPT_I64:
		if (((const struct opt_i64 *)at)->set)
			json_add_i64(w, f->key, ((const struct opt_i64 *)at)->value);
		break;
	case OCI_FIELD_OPT_U64:
		if (((const struct opt_u64 *)at)->set)
			json_add_u64(w, f->key, ((const struct opt_u64 *)at)->value);
		break;
	case OCI_FIELD_WORD:
		write_word(f, *(const int *)at, w);
		break;
	case OCI_FIELD_CHAR:
		write_word(f, *(const char *)at, w);
		break;
	default: /* write_field() has the others */
		break;
	}
}

static void write_field(const struct oci_field *f, const char *target, struct json_writer *w)
{
	const void *at = target + f->offset;

	switch (f->type) {
	case OCI_FIELD_STRINGS:
	case OCI_FIELD_KEYS:
	case OCI_FIELD_U32S:
	case OCI_FIELD_PAIRS:
	case OCI_FIELD_OBJECTS:
	case OCI_FIELD_NAMED:
		write_list(f, *(const void *const *)at, get_count(f, target), w);
		break;
	case OCI_FIELD_OBJECT:
		write_object(
			f, at,
			f->always || (f->set_offset && *(const bool *)(target + f->set_offset)), w);
		break;
	case OCI_FIELD_POINTER:
		if (*(const void *const *)at)
			write_object(f, *(const void *const *)at, true, w);
		break;
	case OCI_FIELD_CUSTOM:
		f->format(f, target, w);
		break;
	default:
		write_scalar(f, at, w);
		break;
	}
}

void oci_table_format(const struct oci_table *table, const void *target, struct json_writer *w)
{
	for (size_t i = 0; i < table->n; i++)
		write_field(&table->fields[i], target, w);
}
