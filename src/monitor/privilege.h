/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a monitor may do while its container runs: it waits, copies bytes, and cleans up at the end. */

/*
 * Give up every capability but those that ending and removing a container takes, core dumps, and the
 * looks of others into our memory. Programs that we execute as root (hooks, the exit command) have
 * theirs again. What cannot be given up is kept: nobody is told.
 */
void privilege_drop(void);
