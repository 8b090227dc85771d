/* SPDX-License-Identifier: Apache-2.0 */
#define STR_IMPLEMENTATION
#include "base/str.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <strings.h>

#include "base/mem.h"

const char *str_after(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s && strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

static int digits_to_u64(const char *s, unsigned base, uint64_t *ret)
{
	uint64_t value = 0;

	if (!s || !*s)
		return -EINVAL;
	for (; *s; s++) {
		unsigned digit = (unsigned)*s - '0';

		if (digit >= base)
			return -EINVAL;
		if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit, &value))
			return -ERANGE;
	}
	*ret = value;
	return 0;
}

int str_to_u64(const char *s, uint64_t *ret)
{
	return digits_to_u64(s, 10, ret);
}

int str_to_i64(const char *s, int64_t *ret)
{
	bool negative = s && *s == '-';
	uint64_t value = 0;
	int r = digits_to_u64(negative ? s + 1 : s, 10, &value);

	if (r < 0)
		return r;
	if (value > (uint64_t)INT64_MAX + (negative ? 1 : 0))
		return -ERANGE;
	*ret = negative ? (int64_t)(0 - value) : (int64_t)value;
	return 0;
}

int str_to_u32(const char *s, uint32_t *ret)
{
	uint64_t value;
	int r = str_to_u64(s, &value);

	if (r < 0)
		return r;
	if (value > UINT32_MAX)
		return -ERANGE;
	*ret = (uint32_t)value;
	return 0;
}

int str_to_int(const char *s, int *ret)
{
	int64_t value;
	int r = str_to_i64(s, &value);

	if (r < 0)
		return r;
	if (value < INT_MIN || value > INT_MAX)
		return -ERANGE;
	*ret = (int)value;
	return 0;
}

int str_to_octal(const char *s, unsigned *ret)
{
	uint64_t value;
	int r = digits_to_u64(s, 8, &value);

	if (r < 0)
		return r;
	if (value > UINT_MAX)
		return -ERANGE;
	*ret = (unsigned)value;
	return 0;
}

int str_to_bool(const char *s, bool *ret)
{
	static const char *const yes[] = { "1", "t", "true", "y", "yes", "on" };
	static const char *const no[] = { "0", "f", "false", "n", "no", "off" };

	for (size_t i = 0; s && i < ARRAY_SIZE(yes); i++) {
		if (strcasecmp(s, yes[i]) == 0) {
			*ret = true;
			return 0;
		}
		if (strcasecmp(s, no[i]) == 0) {
			*ret = false;
			return 0;
		}
	}
	return -EINVAL;
}

int str_index(const char *const *table, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(table[i], s))
			return (int)i;
	return -1;
}

size_t strv_len(char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}

char **strv_free(char **v)
{
	for (size_t i = 0; v && v[i]; i++)
		free(v[i]);
	free(v);
	return NULL;
}

char **strv_copy(char *const *v)
{
	size_t n = strv_len(v), capacity = 4;
	char **copy;

	while (capacity < n + 1) /* as strv_push() has it: copies grow, too */
		capacity *= 2;
	copy = xcalloc(capacity, sizeof(*copy));

	for (size_t i = 0; v && v[i]; i++)
		copy[i] = xstrdup(v[i]);
	return copy;
}

char **strv_push_owned(char **v, char *s)
{
	size_t n = strv_len(v);

	/* doubling by powers of two: the capacity follows from the length */
	if (!v || (n + 1 >= 4 && ((n + 1) & n) == 0))
		v = xrealloc(v, (v ? (n + 1) * 2 : 4) * sizeof(*v));
	v[n] = s;
	v[n + 1] = NULL;
	return v;
}

char **strv_push(char **v, const char *s)
{
	return strv_push_owned(v, xstrdup(s));
}

char **strv_split(const char *s, const char *seps, bool keep_empty)
{
	char **v = xcalloc(4, sizeof(*v));

	while (s) {
		size_t n = strcspn(s, seps);

		if (n > 0 || keep_empty)
			v = strv_push_owned(v, xstrndup(s, n));
		s = s[n] ? s + n + 1 : NULL;
	}
	return v;
}

char *strv_join(char *const *v, const char *sep)
{
	size_t len = 1;
	char *joined, *end;

	for (size_t i = 0; v && v[i]; i++)
		len += strlen(v[i]) + strlen(sep);
	joined = end = xmalloc(len);
	*end = '\0';
	for (size_t i = 0; v && v[i]; i++) {
		if (i > 0)
			end = stpcpy(end, sep);
		end = stpcpy(end, v[i]);
	}
	return joined;
}

bool strv_has(char *const *v, const char *s)
{
	for (size_t i = 0; v && v[i]; i++)
		if (str_eq(v[i], s))
			return true;
	return false;
}
