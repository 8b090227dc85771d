/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Which verb is allowed in which state of a container. */

#include "base/error.h"
#include "runtime/statedir.h"

enum lifecycle_verb {
	LIFECYCLE_START,
	LIFECYCLE_KILL,
	LIFECYCLE_DELETE, /* without force */
	LIFECYCLE_PAUSE,
	LIFECYCLE_RESUME,
	LIFECYCLE_EXEC,
	LIFECYCLE_UPDATE,
	LIFECYCLE_VERB_COUNT,
};

/* 0, or ERROR_CONFLICT with a sentence that says what the container is. */
int lifecycle_check(enum lifecycle_verb verb, enum container_status status, const char *id,
		    struct error *err);
