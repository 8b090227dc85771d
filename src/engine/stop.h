/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Ending a running container, for stop and remove. */

#include "engine/db.h"
#include "engine/engine.h"

/* SIGKILL, and wait until the end is recorded (or with --rm the container removed). */
int container_kill(struct engine *e, struct record *r, struct error *err);
