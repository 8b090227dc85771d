/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Sets of processors and memory nodes as cpuset(7) "List format" writes them: "0-3,7". */

#include <stddef.h>

#define BITLIST_LONG_BITS     (8 * sizeof(unsigned long))
#define BITLIST_LONGS(n_bits) (((n_bits) + BITLIST_LONG_BITS - 1) / BITLIST_LONG_BITS)

/*
 * bits: cleared, then filled; n_bits: its size, a multiple of BITLIST_LONG_BITS. Spaces around the
 * commas are fine. Pure, no allocation.
 * Returns  how many are set (0 for an empty text); -EINVAL: not a list; -ERANGE: a number >= n_bits
 */
int bitlist_parse(const char *text, unsigned long *bits, size_t n_bits);
