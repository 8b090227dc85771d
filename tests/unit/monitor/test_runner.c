/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fd.h"
#include "base/macro.h"
#include "monitor/runner.h"

/* A runtime whose containers are numbers. */

static int fake_create(const struct monitor_container *c, void **ret_handle, pid_t *ret_pid,
		       struct error *err)
{
	static int made;

	if (strcmp(c->id, "bad") == 0)
		return error_kind(err, ERROR_CMD_NOT_FOUND, "no command in '%s'", c->bundle);
	if (strcmp(c->id, "dead") == 0)
		_exit(9);
	made = 1;
	*ret_handle = &made;
	*ret_pid = 4711;
	return 0;
}

static int fake_start(const struct monitor_container *c, void *handle, struct error *err)
{
	return *(int *)handle == 1 ? 0 : error_kind(err, ERROR_INTERNAL, "no handle");
}

static int fake_run(const struct monitor_container *c, pid_t *ret_pid, struct error *err)
{
	*ret_pid = 4712;
	return 0;
}

static int fake_delete(const struct monitor_container *c, struct error *err)
{
	return strcmp(c->id, "bad") == 0 ? error_kind(err, ERROR_INTERNAL, "cannot") : 0;
}

static const struct monitor_runtime in_two = { fake_create, fake_start, NULL, fake_delete };
static const struct monitor_runtime in_one = { fake_create, fake_start, fake_run, fake_delete };

static void fork_it(const struct monitor_runtime *runtime, const char *id, bool at_once,
		    struct runner *r)
{
	static const int no_stdio[] = { -1, -1, -1 };
	const struct monitor_container c = { .id = id, .bundle = "there", .console_fd = -1 };
	struct error err;

	assert_int_equal(runner_fork(runtime, &c, no_stdio, at_once, r, &err), 0);
}

static int next(const struct runner *r, struct monitor_packet *packet)
{
	assert_int_equal(fd_wait_readable(r->fd, 5000), 1);
	return runner_read(r, packet);
}

static int end(struct runner *r)
{
	int status = 0;

	close(r->fd);
	assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
	return WEXITSTATUS(status);
}

static void test_create_and_start_share_a_process(void **state)
{
	struct monitor_packet packet;
	struct runner r;

	(void)state;
	fork_it(&in_two, "good", false, &r);
	assert_int_equal(next(&r, &packet), 1);
	assert_int_equal(packet.type, MONITOR_CREATED);
	assert_int_equal(packet.pid, 4711);
	assert_int_equal(runner_read(&r, &packet), 0); /* waits */
	assert_int_equal(runner_start(&r), 0);
	assert_int_equal(next(&r, &packet), 1);
	assert_int_equal(packet.type, MONITOR_STARTED);
	assert_true(packet.time_ns > 0);
	assert_int_equal(next(&r, &packet), -EPIPE);
	assert_int_equal(end(&r), 0);
}

static void test_at_once_uses_the_runtimes_run(void **state)
{
	struct monitor_packet packet;
	struct runner r;

	(void)state;
	fork_it(&in_one, "good", true, &r);
	assert_int_equal(next(&r, &packet), 1);
	assert_int_equal(packet.type, MONITOR_STARTED);
	assert_int_equal(packet.pid, 4712);
	assert_int_equal(end(&r), 0);
}

static void test_the_runtimes_error_arrives_whole(void **state)
{
	struct monitor_packet packet;
	struct runner r;

	(void)state;
	fork_it(&in_two, "bad", false, &r);
	assert_int_equal(next(&r, &packet), 1);
	assert_int_equal(packet.type, MONITOR_FAILED);
	assert_int_equal(packet.error.kind, ERROR_CMD_NOT_FOUND);
	assert_string_equal(packet.error.msg, "no command in 'there'");
	assert_int_equal(end(&r), 1);
}

static void test_a_runtime_that_dies_is_an_end_of_file(void **state)
{
	struct monitor_packet packet;
	struct runner r;

	(void)state;
	fork_it(&in_two, "dead", false, &r);
	assert_int_equal(next(&r, &packet), -EPIPE);
	assert_int_equal(end(&r), 9);
}

static void test_a_monitor_that_goes_ends_a_waiting_runner(void **state)
{
	struct monitor_packet packet;
	struct runner r;

	(void)state;
	fork_it(&in_two, "good", false, &r);
	assert_int_equal(next(&r, &packet), 1);
	assert_int_equal(end(&r), 0);
}

static void test_delete_tells_by_its_exit_code(void **state)
{
	struct monitor_container c = { .id = "good", .console_fd = -1 };
	struct error err;
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(runner_fork_delete(&in_two, &c, &pid, &err), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0);
	c.id = "bad";
	assert_int_equal(runner_fork_delete(&in_two, &c, &pid, &err), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create_and_start_share_a_process),
		cmocka_unit_test(test_at_once_uses_the_runtimes_run),
		cmocka_unit_test(test_the_runtimes_error_arrives_whole),
		cmocka_unit_test(test_a_runtime_that_dies_is_an_end_of_file),
		cmocka_unit_test(test_a_monitor_that_goes_ends_a_waiting_runner),
		cmocka_unit_test(test_delete_tells_by_its_exit_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
