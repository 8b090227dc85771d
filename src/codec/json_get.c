/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/* The checked getters: a value as a C type, or an error that names its path. */

int json_to_string(const struct json *v, const char **ret, struct error *err)
{
	if (v->type != JSON_STRING)
		return json_fail(v, err, "not a string");
	if (memchr(v->text, '\0', v->n))
		return json_fail(v, err, "contains a NUL character");
	*ret = v->text;
	return 0;
}

int json_to_bool(const struct json *v, bool *ret, struct error *err)
{
	if (v->type != JSON_BOOL)
		return json_fail(v, err, "not true or false");
	*ret = v->truth;
	return 0;
}

static int COLD not_integer(const struct json *v, int r, struct error *err)
{
	if (v->type != JSON_NUMBER)
		return json_fail(v, err, "not a number");
	if (r == -EINVAL && v->text[0] == '-' && v->text[strspn(v->text, "-0123456789")] == '\0')
		return json_fail(v, err, "%.40s is negative", v->text);
	return json_fail(v, err, r == -ERANGE ? "%.40s is out of range" : "%.40s is not an integer",
			 v->text);
}

int json_to_i64(const struct json *v, int64_t *ret, struct error *err)
{
	int r = v->type == JSON_NUMBER ? str_to_i64(v->text, ret) : -EINVAL;

	return r < 0 ? not_integer(v, r, err) : 0;
}

int json_to_u64(const struct json *v, uint64_t *ret, struct error *err)
{
	int r = v->type == JSON_NUMBER ? str_to_u64(v->text, ret) : -EINVAL;

	return r < 0 ? not_integer(v, r, err) : 0;
}

static int to_signed(const struct json *v, int64_t min, int64_t max, int64_t *ret,
		     struct error *err)
{
	int64_t value = 0;
	int r = json_to_i64(v, &value, err);

	if (r < 0)
		return r;
	if (value < min || value > max)
		return not_integer(v, -ERANGE, err);
	*ret = value;
	return 0;
}

int json_to_i32(const struct json *v, int32_t *ret, struct error *err)
{
	int64_t value = 0;
	int r = to_signed(v, INT32_MIN, INT32_MAX, &value, err);

	if (r == 0)
		*ret = (int32_t)value;
	return r;
}

int json_to_u32(const struct json *v, uint32_t *ret, struct error *err)
{
	int64_t value = 0;
	int r = to_signed(v, 0, UINT32_MAX, &value, err);

	if (r == 0)
		*ret = (uint32_t)value;
	return r;
}

int json_to_u16(const struct json *v, uint16_t *ret, struct error *err)
{
	int64_t value = 0;
	int r = to_signed(v, 0, UINT16_MAX, &value, err);

	if (r == 0)
		*ret = (uint16_t)value;
	return r;
}

/* The member, NULL if absent; an obj of another type is an error. */
static int member(const struct json *obj, const char *key, const struct json **ret,
		  struct error *err)
{
	if (obj && obj->type != JSON_OBJECT)
		return json_fail(obj, err, "not an object");
	*ret = json_get(obj, key);
	return 0;
}

#define DEFINE_GETTER(name, type)                                                                  \
	int json_get_##name(const struct json *obj, const char *key, type *ret, struct error *err) \
	{                                                                                          \
		const struct json *v = NULL;                                                       \
		int r = member(obj, key, &v, err);                                                 \
                                                                                                   \
		return r < 0 || !v ? r : json_to_##name(v, ret, err);                              \
	}

DEFINE_GETTER(string, const char *)
DEFINE_GETTER(bool, bool)
DEFINE_GETTER(i64, int64_t)
DEFINE_GETTER(u64, uint64_t)
DEFINE_GETTER(i32, int32_t)
DEFINE_GETTER(u32, uint32_t)

int json_get_object(const struct json *obj, const char *key, const struct json **ret,
		    struct error *err)
{
	const struct json *v = NULL;
	int r = member(obj, key, &v, err);

	if (r < 0 || !v)
		return r;
	if (v->type != JSON_OBJECT)
		return json_fail(v, err, "not an object");
	*ret = v;
	return 0;
}

int json_get_array(const struct json *obj, const char *key, const struct json **ret,
		   struct error *err)
{
	const struct json *v = NULL;
	int r = member(obj, key, &v, err);

	if (r < 0 || !v)
		return r;
	if (v->type != JSON_ARRAY)
		return json_fail(v, err, "not an array");
	*ret = v;
	return 0;
}

int json_get_strings(const struct json *obj, const char *key, struct arena *arena,
		     const char *const **ret, size_t *ret_n, struct error *err)
{
	const struct json *array = NULL, *c;
	const char **strings;
	size_t n = 0;
	int r = json_get_array(obj, key, &array, err);

	if (r < 0 || !array)
		return r;
	strings = arena_alloc(arena, ((size_t)array->n + 1) * sizeof(*strings));
	json_foreach(c, array) {
		r = json_to_string(c, &strings[n++], err);
		if (r < 0)
			return r;
	}
	*ret = strings;
	if (ret_n)
		*ret_n = n;
	return 0;
}
