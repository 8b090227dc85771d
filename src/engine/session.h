/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A session's inside: shared by start.c, which makes one, and session.c. */

#include "engine/attach_client.h"
#include "engine/db.h"
#include "engine/engine.h"
#include "engine/monitor_client.h"

struct engine_session {
	struct engine *e; /* borrowed */
	struct arena *arena;
	struct record record;
	bool is_starter; /* monitor is ours to follow; else we only attached */
	struct monitor_client monitor;
	bool is_attached;
	struct attach_client streams;
	bool has_ended; /* end is known from the streams */
	struct monitor_exit end;
};

/* Empty, for a starter. */
struct engine_session *session_new(struct engine *e);

/* enum engine_start_flag as enum attach_want. */
unsigned session_wants(unsigned flags);
