/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fd.h"
#include "base/macro.h"
#include "base/sock.h"
#include "monitor/attach.h"

struct fixture {
	struct event_loop loop;
	struct attach_server server;
	struct attach_packet packet; /* the last received */
	char input[64];
	size_t input_len;
	bool input_is_full;
	int taken[ATTACH_STREAMS], eofs, resizes, recorded, settled;
	struct attach_size size;
};

static struct fixture *of(struct attach_server *s)
{
	return container_of(s, struct fixture, server);
}

static void on_taken(struct attach_server *s, int stream)
{
	of(s)->taken[stream]++;
}

static bool on_input(struct attach_server *s, const char *data, size_t n)
{
	struct fixture *f = of(s);

	memcpy(f->input + f->input_len, data, n);
	f->input_len += n;
	return !f->input_is_full;
}

static void on_input_eof(struct attach_server *s)
{
	of(s)->eofs++;
}

static void on_resize(struct attach_server *s, const struct attach_size *size)
{
	of(s)->resizes++;
	of(s)->size = *size;
}

static void on_recorded(struct attach_server *s)
{
	of(s)->recorded++;
}

static void on_settled(struct attach_server *s)
{
	of(s)->settled++;
}

static const struct attach_events events = {
	.taken = on_taken,
	.input = on_input,
	.input_eof = on_input_eof,
	.resize = on_resize,
	.recorded = on_recorded,
	.settled = on_settled,
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err;

	assert_int_equal(event_loop_init(&f->loop, &err), 0);
	attach_server_init(&f->server, &f->loop, &events);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	attach_server_done(&f->server);
	event_loop_done(&f->loop);
	free(f);
	return 0;
}

static void turn(struct fixture *f)
{
	struct error err;

	while (event_loop_once(&f->loop, 0, &err) > 0)
		;
}

static void say(int fd, uint32_t type, const void *body, size_t n)
{
	const uint32_t head[] = { type, 0 };

	assert_int_equal(sock_send_parts(fd, head, sizeof(head), body, n), 0);
}

/* A client that has said HELLO and got its WELCOME; its end of the socket, non-blocking. */
static int join(struct fixture *f, uint32_t want)
{
	const struct attach_hello hello = { ATTACH_VERSION, want };
	struct attach_packet welcome;
	struct error err;
	int ours, theirs;

	assert_int_equal(sock_pair(SOCK_SEQPACKET | SOCK_NONBLOCK, &ours, &theirs, &err), 0);
	assert_int_equal(attach_server_adopt(&f->server, theirs, &err), 0);
	say(ours, ATTACH_HELLO, &hello, sizeof(hello));
	turn(f);
	assert_int_equal(sock_recv(ours, &welcome, sizeof(welcome), NULL, NULL),
			 ATTACH_HEAD_SIZE + sizeof(welcome.welcome));
	assert_int_equal(welcome.type, ATTACH_WELCOME);
	return ours;
}

/* The body's size of the next packet, which is in f->packet; -EAGAIN: none. */
static ssize_t hear(struct fixture *f, int fd)
{
	ssize_t n = sock_recv(fd, &f->packet, sizeof(f->packet), NULL, NULL);

	return n > 0 ? n - (ssize_t)ATTACH_HEAD_SIZE : n;
}

static void test_output_reaches_those_who_want_it(void **state)
{
	struct fixture *f = *state;
	cleanup_fd int both = join(f, ATTACH_WANT_OUTPUT), errors = join(f, ATTACH_WANT_STDERR);

	assert_true(attach_offer(&f->server, 0, "out", 3));
	assert_true(attach_offer(&f->server, 1, "err", 3));
	assert_int_equal(hear(f, both), 3);
	assert_int_equal(f->packet.type, ATTACH_STDOUT);
	assert_memory_equal(f->packet.data, "out", 3);
	assert_int_equal(hear(f, both), 3);
	assert_int_equal(f->packet.type, ATTACH_STDERR);
	assert_int_equal(hear(f, errors), 3);
	assert_int_equal(f->packet.type, ATTACH_STDERR);
	assert_int_equal(hear(f, errors), -EAGAIN);
}

/* Offer until the client's socket is full; how many chunks it got. */
static int fill(struct fixture *f, const char *chunk)
{
	int n = 0;

	while (attach_offer(&f->server, 0, chunk, ATTACH_DATA_MAX))
		n++;
	return n;
}

static void test_a_slow_client_holds_the_stream_and_misses_nothing(void **state)
{
	static char chunk[ATTACH_DATA_MAX];
	struct fixture *f = *state;
	cleanup_fd int slow = join(f, ATTACH_WANT_OUTPUT), fast = join(f, ATTACH_WANT_OUTPUT);
	int n = fill(f, chunk), got = 0;

	turn(f);
	assert_int_equal(f->taken[0], 0);
	while (hear(f, fast) > 0)
		;
	turn(f);
	assert_int_equal(f->taken[0], 0); /* the slow one still has not */
	while (hear(f, slow) > 0) {
		got++;
		turn(f);
	}
	assert_int_equal(f->taken[0], 1);
	assert_int_equal(got, n + 1);
}

static void test_a_slow_client_that_dies_sets_the_stream_free(void **state)
{
	static char chunk[ATTACH_DATA_MAX];
	struct fixture *f = *state;
	int slow = join(f, ATTACH_WANT_OUTPUT);

	(void)fill(f, chunk);
	close(slow);
	turn(f);
	assert_int_equal(f->taken[0], 1);
	assert_int_equal(f->server.n_peers, 0);
}

static void test_input_and_resize_arrive(void **state)
{
	const struct attach_size size = { .rows = 24, .cols = 80 };
	struct fixture *f = *state;
	cleanup_fd int c = join(f, ATTACH_WANT_STDIN);

	say(c, ATTACH_STDIN, "typed", 5);
	say(c, ATTACH_RESIZE, &size, sizeof(size));
	say(c, ATTACH_STDIN_EOF, NULL, 0);
	turn(f);
	assert_memory_equal(f->input, "typed", 5);
	assert_int_equal(f->size.cols, 80);
	assert_int_equal(f->eofs, 1);
}

static void test_input_waits_while_the_container_takes_none(void **state)
{
	struct fixture *f = *state;
	cleanup_fd int c = join(f, ATTACH_WANT_STDIN);

	f->input_is_full = true;
	say(c, ATTACH_STDIN, "one", 3);
	say(c, ATTACH_STDIN, "two", 3);
	turn(f);
	assert_int_equal(f->input_len, 3);
	f->input_is_full = false;
	attach_input_done(&f->server);
	turn(f);
	assert_memory_equal(f->input, "onetwo", 6);
}

static void test_input_of_a_client_that_did_not_ask_is_dropped(void **state)
{
	struct fixture *f = *state;
	cleanup_fd int c = join(f, ATTACH_WANT_STDOUT);

	say(c, ATTACH_STDIN, "typed", 5);
	turn(f);
	assert_int_equal(f->input_len, 0);
}

static void test_a_leaving_client_ends_its_input(void **state)
{
	struct fixture *f = *state;
	int c = join(f, ATTACH_WANT_STDIN);

	close(c);
	turn(f);
	assert_int_equal(f->eofs, 1);
}

static void test_the_exit_comes_after_all_output(void **state)
{
	static char chunk[ATTACH_DATA_MAX];
	const struct monitor_exit status = { .code = 3 };
	struct fixture *f = *state;
	cleanup_fd int c = join(f, ATTACH_WANT_OUTPUT);
	uint32_t last = 0;
	ssize_t n;

	(void)fill(f, chunk);
	attach_end(&f->server, &status);
	assert_false(attach_is_flushed(&f->server));
	while ((n = hear(f, c)) > 0) {
		last = f->packet.type;
		turn(f);
	}
	assert_int_equal(n, 0); /* hung up */
	assert_int_equal(last, ATTACH_EXIT);
	assert_int_equal(f->packet.exit.code, 3);
	assert_true(attach_is_flushed(&f->server));
}

static void test_a_late_client_hears_the_exit_at_once(void **state)
{
	const struct monitor_exit status = { .code = 5 };
	struct fixture *f = *state;
	int c;

	attach_end(&f->server, &status);
	c = join(f, ATTACH_WANT_EXIT);
	assert_int_equal(hear(f, c), sizeof(status));
	assert_int_equal(f->packet.exit.code, 5);
	assert_true(attach_has_recorder(&f->server));
	say(c, ATTACH_RECORDED, NULL, 0);
	turn(f);
	assert_int_equal(f->recorded, 1);
	close(c);
	turn(f);
	assert_false(attach_has_recorder(&f->server));
}

static void test_another_version_is_refused_with_a_reason(void **state)
{
	const struct attach_hello hello = { .version = 99 };
	cleanup_fd int ours = -EBADF;
	struct fixture *f = *state;
	struct error err;
	int theirs;

	assert_int_equal(sock_pair(SOCK_SEQPACKET | SOCK_NONBLOCK, &ours, &theirs, &err), 0);
	assert_int_equal(attach_server_adopt(&f->server, theirs, &err), 0);
	say(ours, ATTACH_HELLO, &hello, sizeof(hello));
	turn(f);
	assert_int_equal(hear(f, ours), sizeof(struct error));
	assert_int_equal(f->packet.type, ATTACH_REFUSED);
	assert_int_equal(f->packet.error.kind, ERROR_UNSUPPORTED);
	assert_int_equal(f->server.n_peers, 0);
}

static void test_noise_drops_only_its_client(void **state)
{
	struct fixture *f = *state;
	cleanup_fd int good = join(f, ATTACH_WANT_OUTPUT), bad = join(f, ATTACH_WANT_OUTPUT);

	assert_int_equal(sock_send(bad, "xy", 2, NULL, 0), 0);
	turn(f);
	assert_int_equal(f->server.n_peers, 1);
	assert_true(attach_offer(&f->server, 0, "still", 5));
	assert_int_equal(hear(f, good), 5);
	assert_int_equal(hear(f, bad), 0);
}

#define ATTACH_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ATTACH_TEST(test_output_reaches_those_who_want_it),
		ATTACH_TEST(test_a_slow_client_holds_the_stream_and_misses_nothing),
		ATTACH_TEST(test_a_slow_client_that_dies_sets_the_stream_free),
		ATTACH_TEST(test_input_and_resize_arrive),
		ATTACH_TEST(test_input_waits_while_the_container_takes_none),
		ATTACH_TEST(test_input_of_a_client_that_did_not_ask_is_dropped),
		ATTACH_TEST(test_a_leaving_client_ends_its_input),
		ATTACH_TEST(test_the_exit_comes_after_all_output),
		ATTACH_TEST(test_a_late_client_hears_the_exit_at_once),
		ATTACH_TEST(test_another_version_is_refused_with_a_reason),
		ATTACH_TEST(test_noise_drops_only_its_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
