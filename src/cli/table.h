/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Text in columns as docker aligns it: a least width, three spaces apart, the last one as it
 * comes. */

#include <stddef.h>

struct buf;

/*
 * Aligns lines of tab-separated cells.
 *
 * text       lines ending in '\n', cells separated by '\t'
 * min_width of a column, its padding included
 * out        appended; widths count UTF-8 characters
 */
void table_align(const char *text, size_t min_width, struct buf *out);

#define TABLE_MIN_WIDTH 10 /* docker's for lists */
