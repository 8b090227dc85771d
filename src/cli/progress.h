/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The progress of a pull or push as docker shows it: on a terminal a line for each layer that
 * changes in place, with a bar; elsewhere a line whenever something new happens, without bars.
 */

#include <stdint.h>
#include <stdio.h>
#include "base/macro.h"
#include "image/progress.h"

struct progress_view;

/*
 * out       borrowed; usually stdout
 * columns   width of the terminal; 0: it is none
 */
struct progress_view *progress_view_new(FILE *out, uint16_t columns);
struct progress_view *progress_view_free(struct progress_view *v);
DEFINE_CLEANUP(struct progress_view *, progress_view_free)

/* The same for a file descriptor's terminal, if it is one. */
struct progress_view *progress_view_stdout(void);

/* What to hand to a pull or push; usable by several threads. */
struct progress_sink progress_view_sink(struct progress_view *v);
