/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bitlist.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX_DIGITS 9 /* far above every set, far below an overflow */

static const char *skip_spaces(const char *s)
{
	return s + strspn(s, " \t\n");
}

static int parse_number(const char **s, unsigned long *ret)
{
	size_t digits = strspn(*s, "0123456789");

	if (digits == 0 || digits > NUMBER_MAX_DIGITS)
		return digits ? -ERANGE : -EINVAL;
	*ret = strtoul(*s, NULL, 10);
	*s += digits;
	return 0;
}

/* "3" or "0-3" */
static int parse_range(const char **s, unsigned long *bits, size_t n_bits)
{
	unsigned long first, last;
	int r = parse_number(s, &first);

	if (r < 0)
		return r;
	last = first;
	if (**s == '-') {
		(*s)++;
		r = parse_number(s, &last);
		if (r < 0)
			return r;
	}
	if (last < first)
		return -EINVAL;
	if (last >= n_bits)
		return -ERANGE;
	for (unsigned long i = first; i <= last; i++)
		bits[i / BITLIST_LONG_BITS] |= 1UL << i % BITLIST_LONG_BITS;
	return 0;
}

int bitlist_parse(const char *text, unsigned long *bits, size_t n_bits)
{
	const char *s = skip_spaces(text);
	int n = 0;

	memset(bits, 0, n_bits / 8);
	while (*s) {
		int r = parse_range(&s, bits, n_bits);

		if (r < 0)
			return r;
		s = skip_spaces(s);
		if (!*s)
			break;
		if (*s != ',')
			return -EINVAL;
		s = skip_spaces(s + 1);
		if (!*s) /* a comma with nothing behind */
			return -EINVAL;
	}
	for (size_t i = 0; i < n_bits / BITLIST_LONG_BITS; i++)
		n += __builtin_popcountl(bits[i]);
	return n;
}
