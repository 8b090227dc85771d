/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The pull that `run` and `create` begin with where the image is not there. */

#include <stdbool.h>
#include "base/error.h"

struct engine;

/*
 * Pulls name with docker's lines on stderr. is_missing: says first that it is not there.
 *
 * platform   or NULL
 */
int pull_for_run(struct engine *e, const char *name, const char *platform, bool is_missing,
		 bool quiet, struct error *err);
