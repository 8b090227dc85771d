/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/macro.h"
#include "runtime/sync.h"

static void make_pair(int fds[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
}

static void test_a_packet_arrives_with_its_pid(void **state)
{
	struct error err;
	pid_t pid = 0;
	int fds[2];

	make_pair(fds);
	assert_int_equal(sync_send(fds[0], SYNC_START, 77), 0);
	assert_int_equal(sync_expect(fds[1], SYNC_START, &pid, &err), 0);
	assert_int_equal(pid, 77);
	close(fds[0]);
	close(fds[1]);
}

static void test_a_descriptor_travels_with_the_start(void **state)
{
	int fds[2], passed[2], fd = -1;
	struct error err;
	pid_t pid = 0;

	make_pair(fds);
	make_pair(passed);
	assert_int_equal(sync_send_fd(fds[0], SYNC_START, 77, passed[0]), 0);
	assert_int_equal(sync_expect_fd(fds[1], SYNC_START, &pid, &fd, &err), 0);
	assert_int_equal(pid, 77);
	close(passed[0]);
	assert_int_equal(sync_send(fd, SYNC_READY, 0), 0);
	assert_int_equal(sync_expect(passed[1], SYNC_READY, NULL, &err), 0);
	close(fd);
	assert_int_equal(sync_send(fds[0], SYNC_START, 0), 0);
	assert_int_equal(sync_expect_fd(fds[1], SYNC_START, &pid, &fd, &err), 0);
	assert_int_equal(fd, -EBADF);
	close(passed[1]);
	close(fds[0]);
	close(fds[1]);
}

static void test_end_of_file_is_an_outcome_of_its_own(void **state)
{
	struct error err;
	int fds[2];

	make_pair(fds);
	close(fds[0]);
	assert_int_equal(sync_expect(fds[1], SYNC_READY, NULL, &err), 1);
	close(fds[1]);
}

static void test_an_error_crosses_unchanged(void **state)
{
	struct error sent, err = { 0 };
	int fds[2];

	make_pair(fds);
	error_num(&sent, 28, "cannot mount '%s'", "/x");
	error_set_step(&sent, "mounts");
	assert_int_equal(sync_send_error(fds[0], &sent), 0);
	assert_int_equal(sync_expect(fds[1], SYNC_READY, NULL, &err), -28);
	assert_string_equal(err.msg, "cannot mount '/x'");
	assert_string_equal(err.step, "mounts");
	assert_int_equal(err.kind, sent.kind);
	close(fds[0]);
	close(fds[1]);
}

static void test_another_message_than_expected_is_an_error(void **state)
{
	struct sync_packet p = { .type = SYNC_MOUNTED };
	struct error err;

	assert_true(sync_check(&p, sizeof(p), SYNC_READY, NULL, &err) < 0);
	assert_non_null(strstr(err.msg, "'ready'"));
	assert_non_null(strstr(err.msg, "'mounted'"));
	p.type = 4711;
	assert_true(sync_check(&p, sizeof(p), SYNC_READY, NULL, &err) < 0);
}

static void test_a_short_packet_is_an_error(void **state)
{
	struct sync_packet p = { .type = SYNC_READY };
	struct error err;

	assert_true(sync_check(&p, sizeof(p) - 1, SYNC_READY, NULL, &err) < 0);
	assert_true(sync_check(&p, 0, SYNC_READY, NULL, &err) < 0);
}

static void test_an_error_out_of_shape_is_made_safe(void **state)
{
	struct sync_packet p;
	struct error err;

	memset(&p, 0xff, sizeof(p));
	p.type = SYNC_FAILED;
	assert_true(sync_check(&p, sizeof(p), SYNC_READY, NULL, &err) < 0);
	assert_true(strlen(err.msg) < sizeof(err.msg));
	assert_true(strlen(err.step) < sizeof(err.step));
	assert_int_equal(err.kind, ERROR_INTERNAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_packet_arrives_with_its_pid),
		cmocka_unit_test(test_a_descriptor_travels_with_the_start),
		cmocka_unit_test(test_end_of_file_is_an_outcome_of_its_own),
		cmocka_unit_test(test_an_error_crosses_unchanged),
		cmocka_unit_test(test_another_message_than_expected_is_an_error),
		cmocka_unit_test(test_a_short_packet_is_an_error),
		cmocka_unit_test(test_an_error_out_of_shape_is_made_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
