/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/macro.h"
#include "monitor/state.h"

/* Feed events from CREATING on; the state it ends in. */
static enum monitor_state walk(const enum monitor_event *events, size_t n)
{
	enum monitor_state at = STATE_CREATING;

	for (size_t i = 0; i < n; i++)
		at = monitor_step(at, events[i]).next;
	return at;
}

#define WALK(...)                                         \
	walk((const enum monitor_event[]){ __VA_ARGS__ }, \
	     sizeof((const enum monitor_event[]){ __VA_ARGS__ }) / sizeof(enum monitor_event))

static void test_a_normal_life_ends_gone(void **state)
{
	(void)state;
	assert_int_equal(WALK(EVENT_CREATED, EVENT_START, EVENT_STARTED, EVENT_INIT_ENDED,
			      EVENT_RECORDED, EVENT_REMOVED, EVENT_REPORTED, EVENT_FLUSHED),
			 STATE_GONE);
}

static void test_removal_may_be_done_before_the_record(void **state)
{
	struct monitor_step step = monitor_step(STATE_EXITED, EVENT_REMOVED);

	(void)state;
	assert_int_equal(step.action, ACTION_NOTE_REMOVED);
	assert_int_equal(step.next, STATE_EXITED);
}

static void test_an_engine_that_leaves_before_start_removes_the_container(void **state)
{
	(void)state;
	assert_int_equal(WALK(EVENT_CREATED, EVENT_ENGINE_GONE), STATE_REMOVING);
	assert_int_equal(WALK(EVENT_ENGINE_GONE), STATE_ABORTING);
	assert_int_equal(WALK(EVENT_ENGINE_GONE, EVENT_CREATED), STATE_REMOVING);
	assert_int_equal(WALK(EVENT_ENGINE_GONE, EVENT_FAILED, EVENT_REMOVED, EVENT_FLUSHED),
			 STATE_GONE);
}

static void test_an_engine_that_leaves_later_detaches(void **state)
{
	(void)state;
	assert_int_equal(monitor_step(STATE_RUNNING, EVENT_ENGINE_GONE).action, ACTION_NONE);
	assert_int_equal(monitor_step(STATE_RUNNING, EVENT_ENGINE_GONE).next, STATE_RUNNING);
}

static void test_a_failed_runtime_leads_to_removal_from_every_early_state(void **state)
{
	static const enum monitor_state early[] = { STATE_CREATING, STATE_CREATED, STATE_STARTING };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(early); i++)
		assert_int_equal(monitor_step(early[i], EVENT_FAILED).next, STATE_REMOVING);
}

static void test_sigterm_reaches_a_running_init(void **state)
{
	(void)state;
	assert_int_equal(monitor_step(STATE_RUNNING, EVENT_TERMINATE).action, ACTION_SIGNAL_INIT);
	assert_int_equal(monitor_step(STATE_EXITED, EVENT_TERMINATE).action, ACTION_NONE);
}

static void test_events_that_mean_nothing_change_nothing(void **state)
{
	(void)state;
	for (int s = 0; s < STATE_COUNT; s++) {
		for (int e = 0; e < EVENT_COUNT; e++) {
			struct monitor_step step =
				monitor_step((enum monitor_state)s, (enum monitor_event)e);

			if (step.action == ACTION_NONE && step.next != STATE_ABORTING)
				assert_int_equal(step.next, s);
		}
	}
}

static void test_nothing_leaves_gone(void **state)
{
	(void)state;
	for (int e = 0; e < EVENT_COUNT; e++)
		assert_int_equal(monitor_step(STATE_GONE, (enum monitor_event)e).next, STATE_GONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_normal_life_ends_gone),
		cmocka_unit_test(test_removal_may_be_done_before_the_record),
		cmocka_unit_test(test_an_engine_that_leaves_before_start_removes_the_container),
		cmocka_unit_test(test_an_engine_that_leaves_later_detaches),
		cmocka_unit_test(test_a_failed_runtime_leads_to_removal_from_every_early_state),
		cmocka_unit_test(test_sigterm_reaches_a_running_init),
		cmocka_unit_test(test_events_that_mean_nothing_change_nothing),
		cmocka_unit_test(test_nothing_leaves_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
