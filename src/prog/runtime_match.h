/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* kill --regex and delete --regex: one verb for every container whose id matches. */

#include "base/error.h"

/*
 * Calls one() for each container below root_path whose id matches the POSIX extended regular
 * expression, in the order of their ids. A failure is logged and does not keep the others from
 * their turn.
 * Errors   ERROR_INVALID the pattern; else how many failed. No match is no error.
 */
int match_each(const char *root_path, const char *pattern,
	       int (*one)(const char *id, void *data, struct error *err), void *data,
	       struct error *err);
