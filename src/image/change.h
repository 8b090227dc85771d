/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Dockerfile instructions that only change an image's config: `import -c`, `commit -c`. */

#include "base/error.h"

struct arena;
struct oci_image_run;

/*
 * changes   strv of instructions ("CMD [\"sh\"]", "ENV A=1 B=2"), or NULL
 * run       changed; what it points to afterwards is in the arena
 * Errors    ERROR_INVALID naming the instruction
 */
int change_apply(char *const *changes, struct arena *arena, struct oci_image_run *run,
		 struct error *err);
