/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/signal_name.h"

#include <signal.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

/* The kernel's range: libc keeps the first two for itself, containers do not. */
#define RT_MIN 34
#define RT_MAX 64

static int realtime_parse(const char *word)
{
	int base, offset = 0;

	if (strncasecmp(word, "RTMIN", 5) == 0)
		base = RT_MIN;
	else if (strncasecmp(word, "RTMAX", 5) == 0)
		base = RT_MAX;
	else
		return -1;
	word += 5;
	if (*word && (*word != (base == RT_MIN ? '+' : '-') || str_to_int(word + 1, &offset) < 0))
		return -1;
	if (offset < 0 || offset > RT_MAX - RT_MIN)
		return -1;
	return base == RT_MIN ? base + offset : base - offset;
}

int signal_parse(const char *word)
{
	int number;

	if (str_to_int(word, &number) == 0)
		return number >= 1 && number <= RT_MAX ? number : -1;
	if (strncasecmp(word, "SIG", 3) == 0)
		word += 3;
	for (number = 1; number < 32; number++) {
		const char *name = sigabbrev_np(number);

		if (name && strcasecmp(name, word) == 0)
			return number;
	}
	if (strcasecmp(word, "IOT") == 0)
		return SIGABRT;
	if (strcasecmp(word, "CLD") == 0)
		return SIGCHLD;
	return realtime_parse(word);
}
