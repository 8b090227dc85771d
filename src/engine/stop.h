/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Ending a running container, for stop and remove; and its next beginning, for restart. */

#include "engine/db.h"
#include "engine/engine.h"

/* SIGKILL, and wait until the end is recorded (or with --rm the container removed). */
int container_kill(struct engine *e, struct record *r, struct error *err);

/* engine_start() of a container that the caller holds with container_lock(); *held_fd is taken over. */
int container_start_held(struct engine *e, const char *id, int *held_fd, struct error *err);
