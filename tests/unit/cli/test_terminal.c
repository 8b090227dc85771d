/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cli/terminal.h"

static struct detach_keys keys_of(const char *text)
{
	struct detach_keys keys;
	struct error err;

	assert_int_equal(detach_keys_parse(text, &keys, &err), 0);
	return keys;
}

static bool feed(struct detach_keys *k, const char *in, const char *expected)
{
	unsigned char out[64];
	size_t n;
	bool detached = detach_keys_feed(k, (const unsigned char *)in, strlen(in), out, &n);

	assert_int_equal(n, strlen(expected));
	assert_memory_equal(out, expected, n);
	return detached;
}

static void test_key_names_become_bytes(void **state)
{
	struct detach_keys keys = keys_of("ctrl-p,ctrl-q,x,ctrl-[");

	(void)state;
	assert_int_equal(keys.n, 4);
	assert_memory_equal(keys.keys, "\x10\x11x\x1b", 4);
}

static void test_unknown_keys_are_refused(void **state)
{
	static const char *const wrong[] = { "ctrl-", "ctrl-pp", "ab", "ctrl-1", "", "a,,b" };
	struct detach_keys keys;
	struct error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(detach_keys_parse(wrong[i], &keys, &err), -EINVAL);
		assert_int_equal(err.kind, ERROR_INVALID);
	}
}

static void test_the_sequence_detaches_also_when_typed_slowly(void **state)
{
	struct detach_keys keys = keys_of("ctrl-p,ctrl-q");

	(void)state;
	assert_false(feed(&keys, "ab", "ab"));
	assert_false(feed(&keys, "c\x10", "c"));
	assert_true(feed(&keys, "\x11", ""));
}

static void test_a_broken_sequence_reaches_the_container(void **state)
{
	struct detach_keys keys = keys_of("ctrl-p,ctrl-q");

	(void)state;
	assert_false(feed(&keys, "\x10", ""));
	assert_false(feed(&keys, "x", "\x10x"));
	assert_false(feed(&keys, "\x10\x10", "\x10"));
	assert_true(feed(&keys, "\x11", ""));
}

static void test_a_single_key_detaches(void **state)
{
	struct detach_keys keys = keys_of("ctrl-a");

	(void)state;
	assert_true(feed(&keys, "x\x01y", "x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_names_become_bytes),
		cmocka_unit_test(test_unknown_keys_are_refused),
		cmocka_unit_test(test_the_sequence_detaches_also_when_typed_slowly),
		cmocka_unit_test(test_a_broken_sequence_reaches_the_container),
		cmocka_unit_test(test_a_single_key_detaches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
