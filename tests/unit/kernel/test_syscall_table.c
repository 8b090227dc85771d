/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <cmocka.h>

#include "kernel/syscall_table.h"

static void test_every_row_is_found_by_its_name(void **state)
{
	size_t n = 0;

	for (const char *name; (name = syscall_name_at(n)); n++) {
		assert_non_null(syscall_find(name));
		assert_string_equal(syscall_find(name)->name, name);
	}
	assert_in_range(n, 400, 1000);
}

static void test_unknown_names_are_not_found(void **state)
{
	assert_null(syscall_find(""));
	assert_null(syscall_find("reads"));
	assert_null(syscall_find("READ"));
}

static void test_numbers_of_this_machine_are_the_kernels(void **state)
{
	enum syscall_arch native = syscall_arch_native();

	if (native == SYSCALL_ARCH_COUNT)
		skip();
	assert_int_equal(syscall_number(syscall_find("read"), native), SYS_read);
	assert_int_equal(syscall_number(syscall_find("execve"), native), SYS_execve);
	assert_int_equal(syscall_number(syscall_find("openat2"), native), SYS_openat2);
	assert_int_equal(syscall_number(syscall_find("seccomp"), native), SYS_seccomp);
	assert_string_equal(syscall_name(native, SYS_clone3), "clone3");
}

static void test_each_architecture_has_its_numbers(void **state)
{
	const struct syscall_row *row = syscall_find("rt_sigaction");

	assert_int_equal(syscall_number(row, SYSCALL_ARCH_X86_64), 13);
	assert_int_equal(syscall_number(row, SYSCALL_ARCH_X86), 174);
	assert_int_equal(syscall_number(row, SYSCALL_ARCH_X32), 512 | SYSCALL_X32_BIT);
	assert_int_equal(syscall_number(row, SYSCALL_ARCH_AARCH64), 134);
	assert_int_equal(syscall_number(syscall_find("set_tls"), SYSCALL_ARCH_ARM), 0xf0005);
	assert_int_equal(syscall_number(syscall_find("set_tls"), SYSCALL_ARCH_X86_64), -1);
	assert_null(syscall_name(SYSCALL_ARCH_X86_64, 400));
}

/* The compiler keeps a slot for each. */
static void test_numbers_fit_the_slots_of_the_compiler(void **state)
{
	const char *name;

	for (size_t i = 0; (name = syscall_name_at(i)); i++) {
		for (int arch = 0; arch < SYSCALL_ARCH_COUNT; arch++) {
			uint16_t n = syscall_find(name)->number[arch];

			assert_true(n == SYSCALL_NONE || n < 624 || (n >= 0xf000 && n < 0xf010));
		}
	}
}

static void test_multiplexed_calls_of_x86(void **state)
{
	uint32_t number, call;

	assert_true(syscall_multiplexed(syscall_find("socket"), &number, &call));
	assert_int_equal(number, 102);
	assert_int_equal(call, 1);
	assert_true(syscall_multiplexed(syscall_find("shmat"), &number, &call));
	assert_int_equal(number, 117);
	assert_int_equal(call, 21);
	assert_false(syscall_multiplexed(syscall_find("read"), &number, &call));
}

static void test_architecture_names(void **state)
{
	assert_int_equal(syscall_arch_parse("SCMP_ARCH_X32"), SYSCALL_ARCH_X32);
	assert_int_equal(syscall_arch_parse("SCMP_ARCH_S390X"), -ENOTSUP);
	assert_int_equal(syscall_arch_parse("SCMP_ARCH_PDP11"), -EINVAL);
	assert_int_equal(syscall_arch_parse("x86"), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row_is_found_by_its_name),
		cmocka_unit_test(test_unknown_names_are_not_found),
		cmocka_unit_test(test_numbers_of_this_machine_are_the_kernels),
		cmocka_unit_test(test_each_architecture_has_its_numbers),
		cmocka_unit_test(test_numbers_fit_the_slots_of_the_compiler),
		cmocka_unit_test(test_multiplexed_calls_of_x86),
		cmocka_unit_test(test_architecture_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
