/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The life of a monitor as a table: in each state, what an event does and where it leads.
 * docs/formats/monitor.md shows it as a picture.
 */

enum monitor_state {
	STATE_CREATING,	 /* the runner makes the container */
	STATE_CREATED,	 /* init waits for START */
	STATE_STARTING,	 /* the runner lets init go */
	STATE_RUNNING,	 /* the user's program runs */
	STATE_EXITED,	 /* the exit file is written; delete runs; somebody should record it */
	STATE_SETTLING,	 /* recorded, or nobody did; delete may still run */
	STATE_REPORTING, /* the exit command runs */
	STATE_ABORTING,	 /* unwanted, but the runner has not answered */
	STATE_REMOVING,	 /* it failed or is unwanted; delete runs */
	STATE_FLUSHING,	 /* the last packets to slow clients */
	STATE_GONE,
	STATE_COUNT,
};

enum monitor_event {
	EVENT_CREATED,	   /* runner: init exists */
	EVENT_STARTED,	   /* runner: execve worked */
	EVENT_FAILED,	   /* runner: an error, or it died */
	EVENT_START,	   /* engine: go on */
	EVENT_ENGINE_GONE, /* it closed its socket before START */
	EVENT_INIT_ENDED,
	EVENT_RECORDED,	 /* an engine has the exit status */
	EVENT_TIMEOUT,	 /* nobody will record it */
	EVENT_REMOVED,	 /* delete is done */
	EVENT_REPORTED,	 /* the exit command is done */
	EVENT_FLUSHED,	 /* no client waits for anything */
	EVENT_TERMINATE, /* SIGTERM */
	EVENT_COUNT,
};

enum monitor_action {
	ACTION_NONE, /* the event means nothing here */
	ACTION_TELL_CREATED,
	ACTION_TELL_STARTED,
	ACTION_REMEMBER_START,
	ACTION_START,
	ACTION_REMOVE,
	ACTION_TELL_FAILED,
	ACTION_SIGNAL_INIT,
	ACTION_FINISH,
	ACTION_NOTE_REMOVED,
	ACTION_SETTLE_RECORDED,
	ACTION_SETTLE,
	ACTION_REPORT,
	ACTION_FLUSH,
	ACTION_STOP,
	ACTION_COUNT,
};

struct monitor_step {
	enum monitor_action action;
	enum monitor_state next;
};

/* What event does in state; ACTION_NONE and the same state if nothing. */
struct monitor_step monitor_step(enum monitor_state state, enum monitor_event event);
