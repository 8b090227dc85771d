/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/value.h"

#include <stdint.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "base/units.h"

static int invalid(const struct option *o, const char *value, const char *why, struct error *err)
{
	return error_kind(err, ERROR_INVALID, "invalid argument \"%s\" for \"--%s\" flag: %s",
			  value, o->name, why);
}

static int64_t *field_of(void *target, const struct option *o)
{
	return (int64_t *)((char *)target + o->offset);
}

int value_bytes(void *target, const struct option *o, const char *value, struct error *err)
{
	if (units_parse_bytes(value, field_of(target, o)) < 0)
		return invalid(o, value, "invalid size (a number with b, k, m or g)", err);
	return 0;
}

int value_bytes_or_none(void *target, const struct option *o, const char *value, struct error *err)
{
	if (str_eq(value, "-1")) {
		*field_of(target, o) = -1;
		return 0;
	}
	return value_bytes(target, o, value, err);
}

int value_i64(void *target, const struct option *o, const char *value, struct error *err)
{
	if (str_to_i64(value, field_of(target, o)) < 0)
		return invalid(o, value, "not a whole number", err);
	return 0;
}

int value_nano(void *target, const struct option *o, const char *value, struct error *err)
{
	if (units_parse_nano(value, field_of(target, o)) < 0)
		return invalid(o, value, "not a decimal number", err);
	return 0;
}

int value_check_filter(void *target UNUSED, const struct option *o, const char *value,
		       struct error *err)
{
	if (strchr(value, '='))
		return 0;
	return error_kind(
		err, ERROR_INVALID,
		"invalid argument \"%s\" for \"%s--%s\" flag: bad format of filter (expected name=value)",
		value, o->short_name ? "-f, " : "", o->name);
}
