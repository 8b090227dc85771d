/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/state.h"

#include "base/macro.h"

/* Rows that are not here do nothing: ACTION_NONE is 0. */
static const struct monitor_step table[STATE_COUNT][EVENT_COUNT] = {
	[STATE_CREATING] = {
		[EVENT_CREATED] = { ACTION_TELL_CREATED, STATE_CREATED },
		[EVENT_STARTED] = { ACTION_TELL_STARTED, STATE_RUNNING }, /* made in one go */
		[EVENT_FAILED] = { ACTION_REMOVE, STATE_REMOVING },
		[EVENT_START] = { ACTION_REMEMBER_START, STATE_CREATING },
		/* the runner cannot be stopped half way without leaving things behind */
		[EVENT_ENGINE_GONE] = { ACTION_NONE, STATE_ABORTING },
		[EVENT_TERMINATE] = { ACTION_NONE, STATE_ABORTING },
	},
	[STATE_CREATED] = {
		[EVENT_STARTED] = { ACTION_TELL_STARTED, STATE_RUNNING }, /* start_at_once */
		[EVENT_FAILED] = { ACTION_REMOVE, STATE_REMOVING },
		[EVENT_START] = { ACTION_START, STATE_STARTING },
		[EVENT_ENGINE_GONE] = { ACTION_REMOVE, STATE_REMOVING },
		[EVENT_TERMINATE] = { ACTION_REMOVE, STATE_REMOVING },
	},
	[STATE_STARTING] = {
		[EVENT_STARTED] = { ACTION_TELL_STARTED, STATE_RUNNING },
		[EVENT_FAILED] = { ACTION_REMOVE, STATE_REMOVING },
		[EVENT_TERMINATE] = { ACTION_SIGNAL_INIT, STATE_STARTING },
	},
	[STATE_RUNNING] = {
		[EVENT_INIT_ENDED] = { ACTION_FINISH, STATE_EXITED },
		[EVENT_TERMINATE] = { ACTION_SIGNAL_INIT, STATE_RUNNING },
	},
	[STATE_EXITED] = {
		[EVENT_RECORDED] = { ACTION_SETTLE_RECORDED, STATE_SETTLING },
		[EVENT_TIMEOUT] = { ACTION_SETTLE, STATE_SETTLING },
		[EVENT_REMOVED] = { ACTION_NOTE_REMOVED, STATE_EXITED },
	},
	[STATE_SETTLING] = {
		[EVENT_REMOVED] = { ACTION_REPORT, STATE_REPORTING },
	},
	[STATE_REPORTING] = {
		[EVENT_REPORTED] = { ACTION_FLUSH, STATE_FLUSHING },
	},
	[STATE_ABORTING] = {
		[EVENT_CREATED] = { ACTION_REMOVE, STATE_REMOVING },
		[EVENT_STARTED] = { ACTION_REMOVE, STATE_REMOVING },
		[EVENT_FAILED] = { ACTION_REMOVE, STATE_REMOVING },
	},
	[STATE_REMOVING] = {
		[EVENT_REMOVED] = { ACTION_TELL_FAILED, STATE_FLUSHING },
	},
	[STATE_FLUSHING] = {
		[EVENT_FLUSHED] = { ACTION_STOP, STATE_GONE },
	},
};

struct monitor_step monitor_step(enum monitor_state state, enum monitor_event event)
{
	struct monitor_step step = table[state][event];

	/* an empty row; ABORTING is entered without an action, which is not one */
	if (step.action == ACTION_NONE && step.next == STATE_CREATING)
		step.next = state;
	return step;
}

const char *monitor_state_name(enum monitor_state state)
{
	static const char *const names[STATE_COUNT] = {
		"creating",  "created",	 "starting", "running",	 "exited", "settling",
		"reporting", "aborting", "removing", "flushing", "gone",
	};

	return names[state];
}
