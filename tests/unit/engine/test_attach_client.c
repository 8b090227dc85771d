/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fd.h"
#include "base/macro.h"
#include "base/sock.h"
#include "engine/attach_client.h"

/* The test is the monitor: its end of the socket, and the user's three descriptors. */
struct fixture {
	struct attach_client client;
	int monitor;
	int in[2], out[2], errors[2];
	struct attach_io io;
	int inputs;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err;

	assert_int_equal(sock_pair(SOCK_SEQPACKET, &f->client.fd, &f->monitor, &err), 0);
	assert_int_equal(pipe2(f->in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(f->out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(f->errors, O_CLOEXEC), 0);
	f->io = (struct attach_io){ .stdin_fd = f->in[0],
				    .stdout_fd = f->out[1],
				    .stderr_fd = f->errors[1],
				    .arg = f,
				    .extra_fd = -1 };
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	int fds[] = { f->monitor, f->in[0],	f->in[1],    f->out[0],
		      f->out[1],  f->errors[0], f->errors[1] };

	attach_close(&f->client);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	free(f);
	return 0;
}

static void say(struct fixture *f, uint32_t type, const void *body, size_t n)
{
	const uint32_t head[] = { type, 0 };

	assert_int_equal(sock_send_parts(f->monitor, head, sizeof(head), body, n), 0);
}

static void say_exit(struct fixture *f, int code)
{
	const struct monitor_exit status = { .code = code };

	say(f, ATTACH_EXIT, &status, sizeof(status));
}

/* The type of the next packet to the monitor; its body, NUL-terminated, in body. */
static uint32_t heard(struct fixture *f, char *body, size_t size)
{
	struct attach_packet packet;
	ssize_t n = sock_recv(f->monitor, &packet, sizeof(packet), NULL, NULL);

	assert_true(n >= (ssize_t)ATTACH_HEAD_SIZE);
	n -= (ssize_t)ATTACH_HEAD_SIZE;
	assert_true((size_t)n < size);
	memcpy(body, packet.data, (size_t)n);
	body[n] = '\0';
	return packet.type;
}

static int pump(struct fixture *f, struct monitor_exit *status)
{
	struct error err;

	return attach_pump(&f->client, &f->io, status, &err);
}

static void test_streams_go_to_their_descriptors_until_the_exit(void **state)
{
	struct fixture *f = *state;
	struct monitor_exit status;
	char got[16] = "";

	say(f, ATTACH_STDOUT, "out", 3);
	say(f, ATTACH_STDERR, "err", 3);
	say(f, 999, "later versions say more", 23);
	say_exit(f, 7);
	assert_int_equal(pump(f, &status), ATTACH_ENDED);
	assert_int_equal(status.code, 7);
	assert_int_equal(read(f->out[0], got, sizeof(got)), 3);
	assert_memory_equal(got, "out", 3);
	assert_int_equal(read(f->errors[0], got, sizeof(got)), 3);
	assert_memory_equal(got, "err", 3);
}

static ssize_t end_at_input(void *arg, char *data, size_t n)
{
	struct fixture *f = arg;

	f->inputs++;
	return memchr(data, 'q', n) ? -ECANCELED : (ssize_t)n;
}

static void test_a_hook_can_detach(void **state)
{
	struct fixture *f = *state;
	struct monitor_exit status;

	f->io.input = end_at_input;
	assert_int_equal(write(f->in[1], "abcq", 4), 4);
	assert_int_equal(pump(f, &status), ATTACH_DETACHED);
	assert_int_equal(f->inputs, 1);
}

static int exit_when_called(void *arg, struct attach_client *c)
{
	struct fixture *f = arg;

	f->io.extra_fd = -1;
	f->io.extra = NULL;
	say_exit(f, 1);
	return 0;
}

static void test_input_and_its_end_reach_the_monitor(void **state)
{
	struct fixture *f = *state;
	struct monitor_exit status;
	char body[64];

	assert_int_equal(write(f->in[1], "typed", 5), 5);
	close(f->in[1]);
	f->in[1] = -1;
	/* the exit is said only when the extra descriptor was seen, at least a round later */
	f->io.extra_fd = f->errors[0];
	f->io.extra = exit_when_called;
	assert_int_equal(write(f->errors[1], "x", 1), 1);
	assert_int_equal(pump(f, &status), ATTACH_ENDED);
	assert_int_equal(heard(f, body, sizeof(body)), ATTACH_STDIN);
	assert_string_equal(body, "typed");
}

static void test_input_without_room_does_not_stop_output(void **state)
{
	static const char block[ATTACH_DATA_MAX];
	struct fixture *f = *state;
	struct monitor_exit status;
	char got[16];

	/* the client's way to the monitor is full */
	assert_int_equal(fd_set_nonblock(f->client.fd, true), 0);
	while (sock_send(f->client.fd, block, sizeof(block), NULL, 0) == 0)
		;
	assert_int_equal(write(f->in[1], "typed", 5), 5);
	say(f, ATTACH_STDOUT, "out", 3);
	say_exit(f, 0);
	assert_int_equal(pump(f, &status), ATTACH_ENDED);
	assert_int_equal(read(f->out[0], got, sizeof(got)), 3);
}

static void test_a_monitor_that_dies_is_lost(void **state)
{
	struct fixture *f = *state;
	struct monitor_exit status;

	say(f, ATTACH_STDOUT, "last", 4);
	close(f->monitor);
	f->monitor = -1;
	assert_int_equal(pump(f, &status), ATTACH_LOST);
}

static void test_a_resize_is_told(void **state)
{
	struct fixture *f = *state;
	struct attach_size size;
	struct error err;
	char body[64];

	assert_int_equal(attach_resize(&f->client, 24, 80, &err), 0);
	assert_int_equal(heard(f, body, sizeof(body)), ATTACH_RESIZE);
	memcpy(&size, body, sizeof(size));
	assert_int_equal(size.rows, 24);
	assert_int_equal(size.cols, 80);
}

#define CLIENT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLIENT_TEST(test_streams_go_to_their_descriptors_until_the_exit),
		CLIENT_TEST(test_a_hook_can_detach),
		CLIENT_TEST(test_input_and_its_end_reach_the_monitor),
		CLIENT_TEST(test_input_without_room_does_not_stop_output),
		CLIENT_TEST(test_a_monitor_that_dies_is_lost),
		CLIENT_TEST(test_a_resize_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
