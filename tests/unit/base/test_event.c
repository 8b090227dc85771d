/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/macro.h"

struct fixture {
	struct event_loop loop;
	struct event_source a, b, signals;
	struct event_timer first, second;
	int pipe_a[2], pipe_b[2];
	int runs_a, runs_b, fired, order, got_signal;
	bool remove_other;
};

static int set_up(void **state)
{
	static struct fixture f;
	struct error err;

	f = (struct fixture){ 0 };
	assert_int_equal(event_loop_init(&f.loop, &err), 0);
	assert_int_equal(pipe2(f.pipe_a, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(pipe2(f.pipe_b, O_CLOEXEC | O_NONBLOCK), 0);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	event_loop_done(&f->loop);
	for (int i = 0; i < 2; i++) {
		close(f->pipe_a[i]);
		close(f->pipe_b[i]);
	}
	return 0;
}

static void a_ready(struct event_loop *loop, struct event_source *source, uint32_t events)
{
	struct fixture *f = container_of(source, struct fixture, a);

	f->runs_a++;
	if (f->remove_other)
		event_remove(loop, &f->b);
}

static void b_ready(struct event_loop *loop, struct event_source *source, uint32_t events)
{
	struct fixture *f = container_of(source, struct fixture, b);

	f->runs_b++;
	if (f->remove_other)
		event_remove(loop, &f->a);
}

static void watch_both(struct fixture *f)
{
	struct error err;

	assert_int_equal(event_add(&f->loop, &f->a, f->pipe_a[0], EPOLLIN, a_ready, &err), 0);
	assert_int_equal(event_add(&f->loop, &f->b, f->pipe_b[0], EPOLLIN, b_ready, &err), 0);
}

static void test_a_ready_source_is_called_until_it_is_read(void **state)
{
	struct fixture *f = *state;
	struct error err;

	watch_both(f);
	assert_int_equal(write(f->pipe_a[1], "x", 1), 1);
	assert_int_equal(event_loop_once(&f->loop, 0, &err), 1);
	assert_int_equal(event_loop_once(&f->loop, 0, &err), 1);
	assert_int_equal(f->runs_a, 2);
	assert_int_equal(f->runs_b, 0);
}

static void test_a_source_removed_in_the_same_round_is_not_called(void **state)
{
	struct fixture *f = *state;
	struct error err;

	watch_both(f);
	f->remove_other = true;
	assert_int_equal(write(f->pipe_a[1], "x", 1), 1);
	assert_int_equal(write(f->pipe_b[1], "x", 1), 1);
	assert_int_equal(event_loop_once(&f->loop, 0, &err), 1);
	assert_int_equal(f->runs_a + f->runs_b, 1);
}

static void test_a_paused_source_does_not_report_its_hang_up(void **state)
{
	struct fixture *f = *state;
	struct error err;

	watch_both(f);
	event_set(&f->loop, &f->a, 0);
	close(f->pipe_a[1]);
	assert_int_equal(event_loop_once(&f->loop, 0, &err), 0);
	event_set(&f->loop, &f->a, EPOLLIN);
	assert_int_equal(event_loop_once(&f->loop, 0, &err), 1);
	assert_int_equal(f->runs_a, 1);
	f->pipe_a[1] = dup(f->pipe_b[1]);
}

static void first_fired(struct event_loop *loop, struct event_timer *timer)
{
	struct fixture *f = container_of(timer, struct fixture, first);

	f->fired++;
	f->order = f->order * 10 + 1;
}

static void second_fired(struct event_loop *loop, struct event_timer *timer)
{
	struct fixture *f = container_of(timer, struct fixture, second);

	f->fired++;
	f->order = f->order * 10 + 2;
}

static void test_timers_fire_once_in_the_order_of_their_times(void **state)
{
	struct fixture *f = *state;
	int64_t before = clock_monotonic_ns();
	struct error err;

	event_timer_set(&f->loop, &f->second, 4, second_fired);
	event_timer_set(&f->loop, &f->first, 2, first_fired);
	while (f->fired < 2)
		assert_true(event_loop_once(&f->loop, -1, &err) >= 0);
	assert_int_equal(f->order, 12);
	assert_true(clock_monotonic_ns() - before >= 4000000);
	assert_int_equal(event_loop_once(&f->loop, 0, &err), 0);
	assert_int_equal(f->fired, 2);
}

static void test_a_cancelled_timer_does_not_fire(void **state)
{
	struct fixture *f = *state;
	struct error err;

	event_timer_set(&f->loop, &f->first, 1, first_fired);
	event_timer_set(&f->loop, &f->second, 1, second_fired);
	event_timer_cancel(&f->loop, &f->first);
	while (f->fired < 1)
		assert_true(event_loop_once(&f->loop, -1, &err) >= 0);
	assert_int_equal(f->order, 2);
}

static void signal_ready(struct event_loop *loop, struct event_source *source, uint32_t events)
{
	struct fixture *f = container_of(source, struct fixture, signals);

	f->got_signal = event_signal_read(source);
	assert_int_equal(event_signal_read(source), 0);
	event_loop_stop(loop);
}

static void test_signals_arrive_as_events(void **state)
{
	struct fixture *f = *state;
	struct error err;
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	assert_int_equal(event_add_signals(&f->loop, &f->signals, &mask, signal_ready, &err), 0);
	assert_int_equal(raise(SIGUSR1), 0);
	assert_int_equal(event_loop_run(&f->loop, &err), 0);
	assert_int_equal(f->got_signal, SIGUSR1);
	close(f->signals.fd);
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_ready_source_is_called_until_it_is_read,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_source_removed_in_the_same_round_is_not_called, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_paused_source_does_not_report_its_hang_up,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_timers_fire_once_in_the_order_of_their_times,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_cancelled_timer_does_not_fire, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_signals_arrive_as_events, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
