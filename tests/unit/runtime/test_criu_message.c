/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/macro.h"
#include "codec/protobuf.h"
#include "runtime/criu_message.h"

#define BYTES(text) (text), sizeof(text) - 1

static void assert_bytes(const struct buf *b, const char *bytes, size_t n)
{
	assert_int_equal(b->len, n);
	assert_memory_equal(b->data, bytes, n);
}

static void test_a_request_is_its_type_and_options(void **state)
{
	cleanup_buf struct buf options = { 0 }, request = { 0 };

	protobuf_add_number(&options, CRIU_OPTION_PID, 300);
	protobuf_add_string(&options, CRIU_OPTION_ROOT, "/r");
	criu_add_inherited(&options, "pipe:[7]", 1);
	criu_format_request(&request, CRIU_RESTORE, &options);
	assert_bytes(
		&request,
		BYTES("\x08\x02\x12\x16\x10\xac\x02\x6a\x02/r\xda\x01\x0c\x0a\x08pipe:[7]\x10\x01"));
}

static void test_options_that_are_messages(void **state)
{
	cleanup_buf struct buf server = { 0 }, v1 = { 0 }, v2 = { 0 }, joined = { 0 };

	criu_add_page_server(&server, "::1", 8080);
	assert_bytes(&server, BYTES("\x5a\x08\x0a\x03::1\x10\x90\x3f"));
	criu_add_cgroup_root(&v1, "cpu", "/a");
	assert_bytes(&v1, BYTES("\xca\x01\x09\x0a\x03"
				"cpu"
				"\x12\x02/a"));
	criu_add_cgroup_root(&v2, NULL, "/a");
	assert_bytes(&v2, BYTES("\xca\x01\x04\x12\x02/a"));
	criu_add_joined(&joined, "ipc", "/n");
	assert_bytes(&joined, BYTES("\xba\x02\x09\x0a\x03ipc\x12\x02/n"));
}

static void test_a_reply_says_whether_it_went_well(void **state)
{
	cleanup_buf struct buf good = { 0 }, bad = { 0 };

	criu_format_reply(&good, true);
	assert_bytes(&good, BYTES("\x08\x06\x18\x01"));
	criu_format_reply(&bad, false);
	assert_bytes(&bad, BYTES("\x08\x06\x18\x00"));
}

static void test_responses_are_read(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		struct criu_response expected;
	} cases[] = {
		{ BYTES("\x08\x02\x10\x01\x22\x03\x08\xac\x02"), { CRIU_RESTORE, true, 300, "" } },
		{ BYTES("\x08\x01\x10\x00"), { CRIU_DUMP, false, 0, "" } },
		/* it never had a process: -1 */
		{ BYTES("\x08\x02\x10\x00\x22\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
		  { CRIU_RESTORE, false, 0, "" } },
		{ BYTES("\x08\x06\x10\x01\x2a\x07\x0a\x03x-y\x10\x05"),
		  { CRIU_NOTIFY, true, 5, "x-y" } },
		/* fields that nobody here knows */
		{ BYTES("\x08\x06\x38\x11\x4a\x02no\x65"
			"1234"
			"\x2a\x05\x0a\x01z\x18\x01"),
		  { CRIU_NOTIFY, false, 0, "z" } },
		/* a longer name than any */
		{ BYTES("\x08\x06\x2a\x22\x0a\x20"
			"01234567890123456789012345678901"),
		  { CRIU_NOTIFY, false, 0, "" } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct criu_response got;
		struct error err = { 0 };

		if (criu_response_parse(cases[i].bytes, cases[i].n, &got, &err) < 0)
			fail_msg("%zu: %s", i, err.msg);
		assert_int_equal(got.type, cases[i].expected.type);
		assert_int_equal(got.success, cases[i].expected.success);
		assert_int_equal(got.pid, cases[i].expected.pid);
		assert_string_equal(got.script, cases[i].expected.script);
	}
}

static void test_what_is_no_response_is_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} cases[] = {
		{ BYTES("") },
		{ BYTES("\x10\x01") },			/* no type */
		{ BYTES("\x08\x06\x2a\x03\x0a\x05z") }, /* longer than its message */
		{ BYTES("\x08\x06\x28\x01") },		/* a number instead of a message */
		{ BYTES("\x08\x06\x2a") },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct criu_response got;
		struct error err = { 0 };

		assert_true(criu_response_parse(cases[i].bytes, cases[i].n, &got, &err) < 0);
		assert_int_equal(err.kind, ERROR_INTERNAL);
	}
}

static void test_words_are_criu_s(void **state)
{
	assert_int_equal(criu_cgroups_mode("soft"), 3);
	assert_int_equal(criu_cgroups_mode("full"), 4);
	assert_int_equal(criu_cgroups_mode("strict"), 5);
	assert_int_equal(criu_cgroups_mode("ignore"), 0);
	assert_int_equal(criu_cgroups_mode("loose"), -1);
	assert_int_equal(criu_network_lock("iptables"), 1);
	assert_int_equal(criu_network_lock("nftables"), 2);
	assert_int_equal(criu_network_lock("skip"), 3);
	assert_int_equal(criu_network_lock(""), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_request_is_its_type_and_options),
		cmocka_unit_test(test_options_that_are_messages),
		cmocka_unit_test(test_a_reply_says_whether_it_went_well),
		cmocka_unit_test(test_responses_are_read),
		cmocka_unit_test(test_what_is_no_response_is_refused),
		cmocka_unit_test(test_words_are_criu_s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
