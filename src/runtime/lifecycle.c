/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/lifecycle.h"

#include "base/macro.h"

/* NULL: allowed. Sources: runtime-spec runtime.md "Operations"; the sentences are runc's. */
#define NOT_RUNNING "container not running"

static const char *const
	refusals[LIFECYCLE_VERB_COUNT][CONTAINER_STOPPED + 1] = {
		[LIFECYCLE_START] = {
			[CONTAINER_CREATING] = "cannot start a container that is being created",
			[CONTAINER_RUNNING] = "cannot start an already running container",
			[CONTAINER_PAUSED] = "cannot start an already running container",
			[CONTAINER_STOPPED] = "cannot start a container that has stopped",
		},
		[LIFECYCLE_KILL] = {
			[CONTAINER_CREATING] = NOT_RUNNING,
			[CONTAINER_STOPPED] = NOT_RUNNING,
		},
		[LIFECYCLE_DELETE] = {
			[CONTAINER_RUNNING] = "cannot delete container that is not stopped: running",
			[CONTAINER_PAUSED] = "cannot delete container that is not stopped: paused",
		},
		[LIFECYCLE_PAUSE] = {
			[CONTAINER_CREATING] = NOT_RUNNING,
			[CONTAINER_PAUSED] = "container is already paused",
			[CONTAINER_STOPPED] = NOT_RUNNING,
		},
		[LIFECYCLE_RESUME] = {
			[CONTAINER_CREATING] = "container not paused",
			[CONTAINER_CREATED] = "container not paused",
			[CONTAINER_RUNNING] = "container not paused",
			[CONTAINER_STOPPED] = "container not paused",
		},
		[LIFECYCLE_EXEC] = {
			[CONTAINER_CREATING] = "cannot exec in a container that is being created",
			[CONTAINER_PAUSED] = "cannot exec in a paused container",
			[CONTAINER_STOPPED] = "cannot exec in a stopped container",
		},
		[LIFECYCLE_UPDATE] = {
			[CONTAINER_CREATING] = NOT_RUNNING,
			[CONTAINER_STOPPED] = NOT_RUNNING,
		},
	};

int lifecycle_check(enum lifecycle_verb verb, enum container_status status, const char *id,
		    struct error *err)
{
	const char *refusal = refusals[verb][status];

	if (!refusal)
		return 0;
	return error_kind(err, ERROR_CONFLICT, "%s: %s", refusal, id);
}
