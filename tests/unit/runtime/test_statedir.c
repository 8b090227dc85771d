/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/str.h"
#include "oci/spec.h"
#include "runtime/statedir.h"

static char root[64];

static int set_up(void **state)
{
	strcpy(root, "/tmp/berth-test-statedir-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state)
{
	return rmdir(root);
}

static void test_an_id_can_be_claimed_once(void **state)
{
	cleanup_with(container_free) struct container *c = NULL;
	struct container *second = NULL;
	struct error err;

	assert_int_equal(container_claim(root, "a", &c, &err), 0);
	assert_true(container_claim(root, "a", &second, &err) < 0);
	assert_int_equal(err.kind, ERROR_CONFLICT);
	assert_int_equal(container_remove(c, &err), 0);
	assert_int_equal(container_remove(c, &err), 0);
}

static void test_process_state_lacks_only_the_pids(void **state)
{
	static const struct oci_pair annotations[] = { { "k", "v" } };
	struct container c = { .oci_version = "1.2.0",
			       .id = "x",
			       .bundle_path = "/b",
			       .annotations = annotations,
			       .n_annotations = 1 };
	cleanup_buf struct buf out = { 0 };

	container_format_process_state(&c, CONTAINER_RUNNING, "m \"1\"", &out);
	assert_string_equal(buf_str(&out),
			    "{\"ociVersion\":\"" OCI_VERSION "\",\"fds\":[\"seccompFd\"],"
			    "\"metadata\":\"m \\\"1\\\"\",\"state\":{\"ociVersion\":\"1.2.0\","
			    "\"id\":\"x\",\"status\":\"running\",\"bundle\":\"/b\","
			    "\"annotations\":{\"k\":\"v\"},");
}

static void test_what_was_saved_is_read_again(void **state)
{
	static const char *const cgroups[] = { "cpu:/x/y", ":/z", NULL };
	static const struct oci_pair annotations[] = { { "k \"1\"", "v\n" }, { "", "" } };
	cleanup_with(container_free) struct container *c = NULL;
	cleanup_with(container_free) struct container *again = NULL;
	struct error err;

	assert_int_equal(container_claim(root, "b", &c, &err), 0);
	c->oci_version = "1.2.0";
	c->bundle_path = "/bundle";
	c->rootfs_path = "/bundle/rootfs";
	c->pid = 4711;
	c->pid_start = 18446744073709551615u;
	c->created_ns = 1795304762734231792;
	c->owner_uid = 1000;
	c->no_pivot = true;
	c->listener_path = "/run/agent.sock";
	c->cgroups = cgroups;
	c->annotations = annotations;
	c->n_annotations = 2;
	assert_int_equal(container_save(c, &err), 0);

	assert_int_equal(container_open(root, "b", &again, &err), 0);
	assert_string_equal(again->bundle_path, "/bundle");
	assert_string_equal(again->rootfs_path, "/bundle/rootfs");
	assert_int_equal(again->pid, 4711);
	assert_true(again->pid_start == c->pid_start);
	assert_true(again->created_ns == c->created_ns);
	assert_true(again->no_pivot);
	assert_string_equal(again->listener_path, "/run/agent.sock");
	assert_string_equal(again->cgroups[1], ":/z");
	assert_null(again->cgroups[2]);
	assert_int_equal(again->n_annotations, 2);
	assert_string_equal(again->annotations[0].key, "k \"1\"");
	assert_string_equal(again->annotations[0].value, "v\n");
	assert_int_equal(container_remove(again, &err), 0);
}

static void test_a_container_that_is_not_there_is_not_found(void **state)
{
	struct container *c = NULL;
	struct error err;

	assert_true(container_open(root, "none", &c, &err) < 0);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
}

static void test_ids_that_are_paths_or_empty_are_refused(void **state)
{
	static const char *const bad[] = { "", ".", "..", "a/b", "../a", "a b", "a\n", "\xc3\xa4" };
	struct error err;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_true(container_check_id(bad[i], &err) < 0);
	assert_int_equal(container_check_id("My_id-1.2+3", &err), 0);
}

static void test_a_claim_without_a_process_is_creating(void **state)
{
	cleanup_with(container_free) struct container *c = NULL;
	enum container_status status;
	struct error err;

	assert_int_equal(container_claim(root, "c", &c, &err), 0);
	assert_int_equal(container_get_status(c, &status, &err), 0);
	assert_int_equal(status, CONTAINER_CREATING);
	assert_int_equal(container_remove(c, &err), 0);
}

static void test_a_reused_pid_is_not_the_container(void **state)
{
	cleanup_with(container_free) struct container *c = NULL;
	enum container_status status;
	struct error err;

	assert_int_equal(container_claim(root, "d", &c, &err), 0);
	c->pid = getpid();
	assert_int_equal(process_start_time(c->pid, &c->pid_start), 0);
	assert_int_equal(container_get_status(c, &status, &err), 0);
	assert_int_equal(status, CONTAINER_RUNNING);
	c->pid_start++;
	assert_int_equal(container_get_status(c, &status, &err), 0);
	assert_int_equal(status, CONTAINER_STOPPED);
	assert_int_equal(container_remove(c, &err), 0);
}

static void test_the_list_is_sorted_and_without_a_root_empty(void **state)
{
	cleanup_with(container_free) struct container *x = NULL;
	cleanup_with(container_free) struct container *y = NULL;
	cleanup_with(strv_free) char **ids = NULL;
	cleanup_with(strv_free) char **none = NULL;
	struct error err;

	assert_int_equal(container_claim(root, "y", &y, &err), 0);
	assert_int_equal(container_claim(root, "x", &x, &err), 0);
	assert_int_equal(container_list(root, &ids, &err), 0);
	assert_int_equal(strv_len(ids), 2);
	assert_string_equal(ids[0], "x");
	assert_int_equal(container_list("/nonexistent/berth", &none, &err), 0);
	assert_int_equal(strv_len(none), 0);
	assert_int_equal(container_remove(x, &err), 0);
	assert_int_equal(container_remove(y, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_id_can_be_claimed_once),
		cmocka_unit_test(test_process_state_lacks_only_the_pids),
		cmocka_unit_test(test_what_was_saved_is_read_again),
		cmocka_unit_test(test_a_container_that_is_not_there_is_not_found),
		cmocka_unit_test(test_ids_that_are_paths_or_empty_are_refused),
		cmocka_unit_test(test_a_claim_without_a_process_is_creating),
		cmocka_unit_test(test_a_reused_pid_is_not_the_container),
		cmocka_unit_test(test_the_list_is_sorted_and_without_a_root_empty),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
