/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/macro.h"
#include "base/str.h"
#include "base/units.h"

#define NS_PER_SECOND INT64_C(1000000000)

static int64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t); /* cannot fail for the two clocks below */
	return t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

int64_t clock_real_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

int64_t clock_monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static char *put_digits(char *p, long value, int digits)
{
	for (int i = digits - 1; i >= 0; i--) {
		p[i] = (char)('0' + value % 10);
		value /= 10;
	}
	return p + digits;
}

/*
 * Year, month and day of a count of days since 1970-01-01, on a calendar whose years begin in
 * March, so that the leap day is a year's last. gmtime_r(3) would read /etc/localtime and keep it
 * on the heap, which the monitor of each container would pay for.
 */
static char *put_date(char *p, int64_t days)
{
	int64_t shifted = days + 719468; /* from 0000-03-01 */
	int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	long day_of_era = (long)(shifted - era * 146097);
	long year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	long day = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	long month = (5 * day + 2) / 153; /* 0 is March */
	long year = (long)(era * 400) + year_of_era + (month >= 10);

	p = put_digits(p, year, 4);
	*p++ = '-';
	p = put_digits(p, month < 10 ? month + 3 : month - 9, 2);
	*p++ = '-';
	return put_digits(p, day - (153 * month + 2) / 5 + 1, 2);
}

char *clock_format(int64_t real_ns, char *buf)
{
	int64_t seconds = real_ns / NS_PER_SECOND;
	long ns = (long)(real_ns % NS_PER_SECOND);
	long of_day;
	char *p;

	if (ns < 0) {
		ns += NS_PER_SECOND;
		seconds--;
	}
	of_day = (long)(((seconds % 86400) + 86400) % 86400);
	p = put_date(buf, (seconds - of_day) / 86400);
	*p++ = 'T';
	p = put_digits(p, of_day / 3600, 2);
	*p++ = ':';
	p = put_digits(p, of_day / 60 % 60, 2);
	*p++ = ':';
	p = put_digits(p, of_day % 60, 2);
	*p++ = '.';
	p = put_digits(p, ns, 9);
	*p++ = 'Z';
	*p = '\0';
	return buf;
}

char *clock_format_trimmed(int64_t real_ns, char *buf)
{
	size_t n = strlen(clock_format(real_ns, buf)) - 1; /* without the Z */

	while (buf[n - 1] == '0')
		n--;
	if (buf[n - 1] == '.')
		n--;
	buf[n] = 'Z';
	buf[n + 1] = '\0';
	return buf;
}

/* The inverse of put_date(); timegm(3) would read /etc/localtime, too. */
static int64_t days_of(const struct tm *tm)
{
	int64_t year = tm->tm_year + 1900LL - (tm->tm_mon < 2);
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t month = (tm->tm_mon + 10) % 12; /* 0 is March */
	int64_t day_of_year = (153 * month + 2) / 5 + tm->tm_mday - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - 719468;
}

static int parse_offset(const char *p, int64_t *ret_seconds)
{
	int hours, minutes, sign;

	if ((*p == 'Z' || *p == 'z') && !p[1]) {
		*ret_seconds = 0;
		return 0;
	}
	if ((*p != '+' && *p != '-') || strlen(p) != 6 || p[3] != ':')
		return -EINVAL;
	sign = *p == '-' ? -1 : 1;
	if (sscanf(p + 1, "%2d:%2d", &hours, &minutes) != 2)
		return -EINVAL;
	*ret_seconds = sign * (hours * 3600L + minutes * 60L);
	return 0;
}

int clock_parse(const char *text, int64_t *ret_ns)
{
	struct tm tm = { 0 };
	const char *p = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t ns = 0, offset, seconds, whole;

	if (!p)
		return -EINVAL;
	if (*p == '.') {
		int64_t scale = NS_PER_SECOND / 10;

		for (p++; isdigit((unsigned char)*p); p++, scale /= 10)
			ns += (*p - '0') * scale;
	}
	if (parse_offset(p, &offset) < 0)
		return -EINVAL;
	seconds = days_of(&tm) * 86400 + tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec;
	if (__builtin_mul_overflow(seconds - offset, NS_PER_SECOND, &whole) ||
	    __builtin_add_overflow(whole, ns, &whole))
		return -EINVAL;
	*ret_ns = whole;
	return 0;
}

int clock_parse_bound(const char *text, int64_t now_ns, int64_t *ret_ns)
{
	static const char *const endings[] = { "Z", "T00:00:00Z" }; /* of a time, of a date */
	char whole[CLOCK_TEXT_MAX + sizeof("T00:00:00Z")];
	int64_t number;

	if (clock_parse(text, ret_ns) == 0)
		return 0;
	if (str_to_i64(text, &number) == 0 && number < INT64_MAX / NS_PER_SECOND &&
	    number > INT64_MIN / NS_PER_SECOND) {
		*ret_ns = number * NS_PER_SECOND;
		return 0;
	}
	if (units_parse_duration(text, &number) == 0) {
		*ret_ns = now_ns - number;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(endings) && strlen(text) < CLOCK_TEXT_MAX; i++) {
		(void)snprintf(whole, sizeof(whole), "%s%s", text, endings[i]);
		if (clock_parse(whole, ret_ns) == 0)
			return 0;
	}
	return -EINVAL;
}
