/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include "base/error.h"

struct engine;

/* engine_check() with repair, by the first who makes a container after a boot; then one access(2).
 */
int recover_once_per_boot(struct engine *e, struct error *err);

/*
 * What clients that were killed left of containers that they were making goes from time to time, in
 * the background (engine_sweep()). Is it time? One stat(2).
 */
bool recover_is_due(const struct engine *e);
/* If it is time: removes it. No other repairs, which could meet what others are about to start. */
int recover_half_made(struct engine *e, struct error *err);
