/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

char *clock_format(int64_t real_ns, char *buf)
{
	time_t seconds = real_ns / NS_PER_SECOND;
	long ns = (long)(real_ns % NS_PER_SECOND);
	struct tm tm;
	size_t n;

	if (ns < 0) {
		ns += NS_PER_SECOND;
		seconds--;
	}
	gmtime_r(&seconds, &tm);
	n = strftime(buf, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(buf + n, CLOCK_TEXT_MAX - n, ".%09ldZ", ns);
	return buf;
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
	int64_t ns = 0, offset;

	if (!p)
		return -EINVAL;
	if (*p == '.') {
		int64_t scale = NS_PER_SECOND / 10;

		for (p++; isdigit((unsigned char)*p); p++, scale /= 10)
			ns += (*p - '0') * scale;
	}
	if (parse_offset(p, &offset) < 0)
		return -EINVAL;
	*ret_ns = ((int64_t)timegm(&tm) - offset) * NS_PER_SECOND + ns;
	return 0;
}
