/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Room for removals on a full disk. A removal writes before it frees: the index, the database's log.
 * So a little is kept aside in ROOT/images/reserve, and given up when a removal meets a full disk.
 */

struct engine;

/* Makes the reserve if it is missing and there is room; costs one access(2) if it is there. */
void reserve_keep(struct engine *e);

/* Before a removal: gives it up if the disk or its inodes are used up. */
void reserve_release_if_full(struct engine *e);
