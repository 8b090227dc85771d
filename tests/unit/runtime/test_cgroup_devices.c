/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/macro.h"
#include "runtime/cgroup/device_list.h"
#include "runtime/cgroup/devices.h"

#define R   OCI_DEVICE_READ
#define W   OCI_DEVICE_WRITE
#define M   OCI_DEVICE_MKNOD
#define RWM (R | W | M)

/*
 * An interpreter for the few instructions that the assembler uses; anything else fails the test, and
 * so does a jump out of the program or a loop.
 */
static uint32_t interpret(const struct bpf_insn *p, size_t n, uint32_t access_type, uint32_t major,
			  uint32_t minor)
{
	const uint32_t ctx[3] = { access_type, major, minor };
	uint64_t r[BPF_REG_10 + 1] = { 0 };

	for (size_t i = 0; i < n; i++) {
		const struct bpf_insn *in = &p[i];
		uint32_t dst = (uint32_t)r[in->dst_reg], imm = (uint32_t)in->imm;

		assert_true(in->dst_reg <= BPF_REG_9 && in->src_reg <= BPF_REG_9);
		switch (in->code) {
		case BPF_LDX | BPF_MEM | BPF_W:
			assert_int_equal(in->src_reg, BPF_REG_1);
			assert_true(in->off >= 0 && in->off <= 8 && in->off % 4 == 0);
			r[in->dst_reg] = ctx[in->off / 4];
			break;
		case BPF_ALU | BPF_MOV | BPF_X:
			r[in->dst_reg] = (uint32_t)r[in->src_reg];
			break;
		case BPF_ALU | BPF_MOV | BPF_K:
			r[in->dst_reg] = imm;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			r[in->dst_reg] = dst & imm;
			break;
		case BPF_ALU | BPF_RSH | BPF_K:
			r[in->dst_reg] = dst >> imm;
			break;
		case BPF_JMP32 | BPF_JNE | BPF_K:
		case BPF_JMP32 | BPF_JEQ | BPF_K:
			assert_true(in->off >= 0);
			if ((dst == imm) == (BPF_OP(in->code) == BPF_JEQ))
				i += (size_t)in->off;
			break;
		case BPF_JMP | BPF_EXIT:
			return (uint32_t)r[0];
		default:
			fail_msg("instruction %zu has unexpected code 0x%x", i, in->code);
		}
	}
	fail_msg("the program runs over its end");
	return 0;
}

static uint32_t kernel_access_type(char type, unsigned access)
{
	return ((access & M ? BPF_DEVCG_ACC_MKNOD : 0u) | (access & R ? BPF_DEVCG_ACC_READ : 0u) |
		(access & W ? BPF_DEVCG_ACC_WRITE : 0u))
		       << 16 |
	       (type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
}

static const int64_t numbers[] = { 0, 1, 2, 3, 5, 7, 8, 10, 136, 200, 1048575, 4095 };

/* The program answers as the list for every kind, a grid of numbers and all rights. */
static void check_program(const struct device_list *list)
{
	struct bpf_insn *insns;
	size_t n;

	devices_bpf_assemble(list, &insns, &n);
	for (const char *type = "bc"; *type; type++)
		for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
			for (size_t k = 0; k < ARRAY_SIZE(numbers); k++)
				for (unsigned access = 1; access <= RWM; access++)
					assert_int_equal(
						interpret(
							insns, n, kernel_access_type(*type, access),
							(uint32_t)numbers[i], (uint32_t)numbers[k]),
						device_list_allows(list, *type, numbers[i],
								   numbers[k], access));
	free(insns);
}

/* The rules one by one, without any shortening: the last that names device and right decides. */
static bool allows_by_the_book(const struct oci_device_rule *rules, size_t n, char type,
			       int64_t major, int64_t minor, unsigned right)
{
	bool allowed = false;

	for (size_t i = 0; i < n; i++) {
		const struct oci_device_rule *r = &rules[i];

		if ((r->type == 'a' || r->type == type) && (r->major < 0 || r->major == major) &&
		    (r->minor < 0 || r->minor == minor) && (r->access & right))
			allowed = r->allow;
	}
	return allowed;
}

static void check_list(const struct oci_device_rule *rules, size_t n)
{
	struct oci_device_rule all[32] = {
		[0] = { true, 'c', -1, -1, M }, [1] = { true, 'b', -1, -1, M },
		[2] = { true, 'c', 1, 3, RWM }, [3] = { true, 'c', 1, 5, RWM },
		[4] = { true, 'c', 1, 7, RWM }, [5] = { true, 'c', 1, 8, RWM },
		[6] = { true, 'c', 1, 9, RWM }, [7] = { true, 'c', 5, 0, RWM },
		[8] = { true, 'c', 5, 2, RWM }, [9] = { true, 'c', 136, -1, RWM },
	};
	struct device_list list;

	memmove(all + n, all, 10 * sizeof(*all));
	for (size_t i = 0; i < n; i++)
		all[i] = rules[i];
	device_list_build(rules, n, &list);
	for (const char *type = "bc"; *type; type++)
		for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
			for (size_t k = 0; k < ARRAY_SIZE(numbers); k++)
				for (unsigned right = 1; right <= RWM; right <<= 1)
					assert_int_equal(
						device_list_allows(&list, *type, numbers[i],
								   numbers[k], right),
						allows_by_the_book(all, n + 10, *type, numbers[i],
								   numbers[k], right));
	check_program(&list);
	device_list_done(&list);
}

static void test_without_rules_only_the_usual_devices_open(void **state)
{
	check_list(NULL, 0);
}

static void test_privileged_allows_everything(void **state)
{
	static const struct oci_device_rule rules[] = { { true, 'a', -1, -1, RWM } };
	struct device_list list;

	check_list(rules, 1);
	device_list_build(rules, 1, &list);
	assert_true(list.default_allow);
	assert_int_equal(list.n, 0);
	device_list_done(&list);
}

static void test_docker_rules_are_not_doubled(void **state)
{
	static const struct oci_device_rule rules[] = {
		{ false, 'a', -1, -1, RWM }, { true, 'c', 1, 5, RWM },	   { true, 'c', 1, 3, RWM },
		{ true, 'c', 1, 9, RWM },    { true, 'c', 1, 8, RWM },	   { true, 'c', 5, 0, RWM },
		{ true, 'c', 5, 1, RWM },    { false, 'c', 10, 229, RWM },
	};
	struct device_list list;

	check_list(rules, ARRAY_SIZE(rules));
	device_list_build(rules, ARRAY_SIZE(rules), &list);
	assert_int_equal(list.n, 11); /* the ten usual ones and console */
	assert_int_equal(device_list_v1_obstacle(&list), -1);
	device_list_done(&list);
}

static void test_later_rules_win(void **state)
{
	static const struct oci_device_rule rules[] = {
		{ true, 'a', -1, -1, RWM }, { false, 'c', 10, -1, RWM }, { true, 'c', 10, 200, R },
		{ false, 'b', 8, -1, W },   { false, 'b', 8, 0, R | W },
	};

	check_list(rules, ARRAY_SIZE(rules));
}

static void test_rights_add_up_over_rules(void **state)
{
	static const struct oci_device_rule rules[] = {
		{ true, 'c', 10, -1, R },
		{ true, 'c', 10, 200, W },
	};
	struct device_list list;

	check_list(rules, ARRAY_SIZE(rules));
	device_list_build(rules, ARRAY_SIZE(rules), &list);
	assert_true(device_list_allows(&list, 'c', 10, 200, R | W));
	assert_false(device_list_allows(&list, 'c', 10, 7, R | W));
	device_list_done(&list);
}

static void test_a_rule_for_both_kinds(void **state)
{
	static const struct oci_device_rule rules[] = {
		{ true, 'a', 7, -1, RWM },
		{ false, 'a', -1, 3, W },
		{ true, 'a', -1, -1, R },
	};

	check_list(rules, ARRAY_SIZE(rules));
}

static void test_random_lists_and_programs_agree_with_the_book(void **state)
{
	unsigned seed = 1;

	for (int round = 0; round < 300; round++) {
		struct oci_device_rule rules[8];
		size_t n = (size_t)(rand_r(&seed) % 8);

		for (size_t i = 0; i < n; i++)
			rules[i] = (struct oci_device_rule){
				.allow = rand_r(&seed) % 2,
				.type = "abc"[rand_r(&seed) % 3],
				.major = rand_r(&seed) % 3 ? numbers[rand_r(&seed) % 8] : -1,
				.minor = rand_r(&seed) % 3 ? numbers[rand_r(&seed) % 8] : -1,
				.access = (unsigned)rand_r(&seed) % 8,
			};
		check_list(rules, n);
	}
}

static void test_v1_cannot_take_a_part_out_of_a_wildcard(void **state)
{
	static const struct oci_device_rule rules[] = {
		{ true, 'c', 10, -1, RWM },
		{ false, 'c', 10, 200, RWM },
	};
	struct device_list list;

	device_list_build(rules, ARRAY_SIZE(rules), &list);
	assert_int_equal(device_list_v1_obstacle(&list), 1);
	device_list_done(&list);
}

static void test_v1_can_take_a_whole_rule_back(void **state)
{
	static const struct oci_device_rule rules[] = {
		{ true, 'c', 10, 200, RWM },
		{ false, 'c', 10, 200, W },
	};
	struct device_list list;

	device_list_build(rules, ARRAY_SIZE(rules), &list);
	assert_int_equal(device_list_v1_obstacle(&list), -1);
	device_list_done(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_rules_only_the_usual_devices_open),
		cmocka_unit_test(test_privileged_allows_everything),
		cmocka_unit_test(test_docker_rules_are_not_doubled),
		cmocka_unit_test(test_later_rules_win),
		cmocka_unit_test(test_rights_add_up_over_rules),
		cmocka_unit_test(test_a_rule_for_both_kinds),
		cmocka_unit_test(test_random_lists_and_programs_agree_with_the_book),
		cmocka_unit_test(test_v1_cannot_take_a_part_out_of_a_wildcard),
		cmocka_unit_test(test_v1_can_take_a_whole_rule_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
