/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Deletion in two steps. What must be gone at once is renamed into a directory on the same file
 * system, ROOT/trash (dir_move_to_trash()); it is deleted by whoever gets to it. One process at a
 * time sweeps: it holds flock(2) on the directory. One that is killed half way leaves the rest to
 * the next.
 */

#include <stdbool.h>
#include "base/error.h"

/*
 * Deletes everything if that costs little: a caller who waits does not notice.
 *
 * trash_fd   the directory, open for reading; borrowed, nobody else's open file description
 * Returns    0: it is empty, or another process sweeps and sees to everything that is there now;
 *            TRASH_LEFT: it is for trash_sweep(); -errno
 */
#define TRASH_LEFT 1
int trash_sweep_small(int trash_fd, struct error *err);

/* Deletes everything, also what comes meanwhile. 0 as above, or -errno for what cannot be deleted. */
int trash_sweep(int trash_fd, struct error *err);

/* Is there something that no living process deletes? */
bool trash_is_left(int trash_fd);
