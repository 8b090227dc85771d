/* SPDX-License-Identifier: Apache-2.0 */
#include "base/units.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"

#define NS_PER_S INT64_C(1000000000)

/*
 * A decimal number without sign, exactly: its whole part and its first nine decimals. Binary
 * floating point would make 0.1 s or 1.1 cpus a number the user did not write.
 */
struct decimal {
	int64_t whole;
	int64_t nano;
};

static int decimal_read(const char **text, struct decimal *ret)
{
	int64_t scale = NS_PER_S / 10;
	struct decimal d = { 0 };
	const char *p = *text;
	bool any = false;

	for (; *p >= '0' && *p <= '9'; p++, any = true)
		if (__builtin_mul_overflow(d.whole, INT64_C(10), &d.whole) ||
		    __builtin_add_overflow(d.whole, (int64_t)(*p - '0'), &d.whole))
			return -ERANGE;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++, any = true, scale /= 10)
			d.nano += scale * (*p - '0');
	if (!any)
		return -EINVAL;
	*text = p;
	*ret = d;
	return 0;
}

/* d x unit as a whole number, decimals beyond it cut off. */
static int decimal_scale(const struct decimal *d, int64_t unit, int64_t *ret)
{
	__int128 value = (__int128)d->whole * unit + (__int128)d->nano * unit / NS_PER_S;

	if (value > INT64_MAX)
		return -ERANGE;
	*ret = (int64_t)value;
	return 0;
}

int units_parse_bytes(const char *text, int64_t *ret_bytes)
{
	static const char prefixes[] = "kmgtp";
	const char *p = text, *prefix;
	struct decimal d;
	int64_t unit = 1;
	int r = decimal_read(&p, &d);

	if (r < 0)
		return r;
	if (*p == ' ')
		p++;
	prefix = *p ? strchr(prefixes, *p | 0x20) : NULL;
	if (prefix) {
		unit = INT64_C(1) << (10 * (prefix - prefixes + 1));
		p++;
		if (*p == 'i' || *p == 'I')
			p++;
	}
	if (*p == 'b' || *p == 'B')
		p++;
	if (*p)
		return -EINVAL;
	return decimal_scale(&d, unit, ret_bytes);
}

int units_parse_nano(const char *text, int64_t *ret_nano)
{
	const char *p = text, *point = strchr(text, '.');
	struct decimal d;
	int r = decimal_read(&p, &d);

	if (r < 0)
		return r;
	if (*p || (point && strlen(point) > 10))
		return -EINVAL;
	return decimal_scale(&d, NS_PER_S, ret_nano);
}

int units_parse_duration(const char *text, int64_t *ret_ns)
{
	static const struct {
		const char *name; /* longer before its own beginning */
		int64_t ns;
	} units[] = {
		{ "ns", 1 },
		{ "us", 1000 },
		{ "\u00b5s", 1000 },
		{ "ms", 1000000 },
		{ "s", NS_PER_S },
		{ "m", 60 * NS_PER_S },
		{ "h", 3600 * NS_PER_S },
	};
	const char *p = text;
	int64_t total = 0;

	if (strcmp(text, "0") == 0) {
		*ret_ns = 0;
		return 0;
	}
	do {
		struct decimal d;
		int64_t ns = 0;
		size_t i;
		int r = decimal_read(&p, &d);

		if (r < 0)
			return r;
		for (i = 0; i < ARRAY_SIZE(units); i++)
			if (strncmp(p, units[i].name, strlen(units[i].name)) == 0)
				break;
		if (i == ARRAY_SIZE(units))
			return -EINVAL;
		p += strlen(units[i].name);
		if (decimal_scale(&d, units[i].ns, &ns) < 0 ||
		    __builtin_add_overflow(total, ns, &total))
			return -ERANGE;
	} while (*p);
	*ret_ns = total;
	return 0;
}

static char *format_scaled(double value, double base, const char *const *names, size_t n_names,
			   int digits, char *buf)
{
	size_t i = 0;

	for (; value >= base && i + 1 < n_names; i++)
		value /= base;
	(void)snprintf(buf, UNITS_TEXT_MAX, "%.*g%s", digits, value, names[i]);
	return buf;
}

char *units_format_bytes(double bytes, char *buf)
{
	static const char *const names[] = { "B",   "KiB", "MiB", "GiB", "TiB",
					     "PiB", "EiB", "ZiB", "YiB" };

	return format_scaled(bytes, 1024, names, ARRAY_SIZE(names), 4, buf);
}

char *units_format_size(double bytes, int digits, char *buf)
{
	static const char *const names[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB" };

	return format_scaled(bytes, 1000, names, ARRAY_SIZE(names), digits, buf);
}

char *units_format_duration(int64_t ns, char *buf)
{
	int64_t seconds = ns / NS_PER_S, minutes = seconds / 60;
	int64_t hours = (seconds + 1800) / 3600; /* rounded, as docker does */

	if (seconds < 1)
		(void)snprintf(buf, UNITS_TEXT_MAX, "Less than a second");
	else if (seconds == 1)
		(void)snprintf(buf, UNITS_TEXT_MAX, "1 second");
	else if (seconds < 60)
		(void)snprintf(buf, UNITS_TEXT_MAX, "%lld seconds", (long long)seconds);
	else if (minutes == 1)
		(void)snprintf(buf, UNITS_TEXT_MAX, "About a minute");
	else if (minutes < 60)
		(void)snprintf(buf, UNITS_TEXT_MAX, "%lld minutes", (long long)minutes);
	else if (hours == 1)
		(void)snprintf(buf, UNITS_TEXT_MAX, "About an hour");
	else if (hours < 48)
		(void)snprintf(buf, UNITS_TEXT_MAX, "%lld hours", (long long)hours);
	else if (hours < 24 * 7 * 2)
		(void)snprintf(buf, UNITS_TEXT_MAX, "%lld days", (long long)hours / 24);
	else if (hours < 24 * 30 * 2)
		(void)snprintf(buf, UNITS_TEXT_MAX, "%lld weeks", (long long)hours / 24 / 7);
	else if (hours < 24 * 365 * 2)
		(void)snprintf(buf, UNITS_TEXT_MAX, "%lld months", (long long)hours / 24 / 30);
	else
		(void)snprintf(buf, UNITS_TEXT_MAX, "%lld years",
			       (long long)(seconds / 3600) / 24 / 365);
	return buf;
}
