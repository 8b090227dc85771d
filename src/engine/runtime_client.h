/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The engine's use of an OCI runtime's command line, ours or a foreign one. */

#include "engine/engine.h"

struct arena;
struct record;

/* The program: of the container (HostConfig.Runtime), else the engine's berth-runtime. Borrowed
 * from e or the argument. */
int runtime_program(struct engine *e, const char *of_container, const char **ret_path,
		    struct error *err);

/* runtime_program() of an existing container; the string is the arena's or e's. */
int container_runtime(struct engine *e, const struct record *r, struct arena *arena,
		      const char **ret_path, struct error *err);

/*
 * RUNTIME --root ROOT VERB... ID, waited for. What it says on stderr becomes the error.
 * verb   NULL-terminated words: { "delete", "--force", NULL }
 */
int runtime_call(struct engine *e, const char *of_container, const char *const *verb,
		 const char *id, struct error *err);
