/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/audit.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/macro.h"
#include "base/mem.h"
#include "engine/seccomp_profile.h"
#include "runtime/seccomp.h"
#include "seccomp_reference.h"

/*
 * Our filters are compared with libseccomp's by running both: every number that exists or might,
 * on every architecture, with arguments around every value a rule compares with.
 */

#define DEFAULT_CAPS UINT64_C(0xa80425fb)
#define NAMES(...)                                \
	.names = (const char *[]){ __VA_ARGS__ }, \
	.n_names = ARRAY_SIZE(((const char *[]){ __VA_ARGS__ }))
#define ARGS(...)                                                \
	.args = (const struct oci_seccomp_arg[]){ __VA_ARGS__ }, \
	.n_args = ARRAY_SIZE(((const struct oci_seccomp_arg[]){ __VA_ARGS__ }))
#define RULES(...)                                                 \
	.rules = (const struct oci_seccomp_rule[]){ __VA_ARGS__ }, \
	.n_rules = ARRAY_SIZE(((const struct oci_seccomp_rule[]){ __VA_ARGS__ }))
#define ARCHS(...)                                        \
	.architectures = (const char *[]){ __VA_ARGS__ }, \
	.n_architectures = ARRAY_SIZE(((const char *[]){ __VA_ARGS__ }))

struct pair {
	struct seccomp_filter ours;
	struct reference theirs;
	uint64_t values[256]; /* to try as arguments */
	size_t n_values;
};

static void compare_one(const struct pair *p, const struct seccomp_data *data)
{
	uint32_t ours = bpf_run(p->ours.program.insns, p->ours.program.n_insns, data, NULL);
	uint32_t theirs = reference_answer(&p->theirs, data);

	if (ours != theirs)
		fail_msg("arch %#x nr %#x args %#llx %#llx %#llx %#llx: %#x instead of %#x",
			 data->arch, (unsigned)data->nr, (unsigned long long)data->args[0],
			 (unsigned long long)data->args[1], (unsigned long long)data->args[2],
			 (unsigned long long)data->args[3], ours, theirs);
}

static void add_value(struct pair *p, uint64_t v)
{
	for (size_t i = 0; i < p->n_values; i++) {
		if (p->values[i] == v)
			return;
	}
	assert_true(p->n_values < ARRAY_SIZE(p->values));
	p->values[p->n_values++] = v;
}

/* The edges of each comparison, and the same with one half of the word changed. */
static void collect_values(struct pair *p, const struct oci_seccomp *s)
{
	add_value(p, 0);
	add_value(p, UINT64_MAX);
	for (size_t i = 0; i < s->n_rules; i++) {
		for (size_t j = 0; j < s->rules[i].n_args; j++) {
			const struct oci_seccomp_arg *a = &s->rules[i].args[j];
			uint64_t v = a->op == OCI_SECCOMP_OP_MASKED_EQ ? a->value_two : a->value;

			add_value(p, v);
			add_value(p, v - 1);
			add_value(p, v + 1);
			add_value(p, v ^ (UINT64_C(1) << 32));
			add_value(p, v ^ (UINT64_C(1) << 63));
			if (a->op == OCI_SECCOMP_OP_MASKED_EQ) {
				add_value(p, a->value_two | ~a->value);
				add_value(p, a->value_two ^ a->value);
				add_value(p, a->value_two ^ (a->value & -a->value));
			}
		}
	}
}

static bool number_has_args(const struct oci_seccomp *s, enum syscall_arch arch, uint32_t nr)
{
	for (size_t i = 0; i < s->n_rules; i++) {
		if (!s->rules[i].n_args)
			continue;
		for (size_t j = 0; j < s->rules[i].n_names; j++) {
			const struct syscall_row *row = syscall_find(s->rules[i].names[j]);
			uint32_t mux = 0, call;

			if (!row)
				continue;
			if (syscall_number(row, arch) == (int64_t)nr)
				return true;
			if (syscall_multiplexed(row, &mux, &call) && mux == nr)
				return true;
		}
	}
	return false;
}

static void compare_arguments(const struct pair *p, struct seccomp_data *data)
{
	for (int first = 0; first < 6; first++) {
		for (size_t i = 0; i < p->n_values; i++) {
			memset(data->args, 0, sizeof(data->args));
			data->args[first] = p->values[i];
			compare_one(p, data);
			for (size_t j = 0; first < 3 && j < p->n_values; j++) {
				data->args[first + 1] = p->values[j];
				compare_one(p, data);
				data->args[(first + 3) % 6] = p->values[(i + j) % p->n_values];
				compare_one(p, data);
			}
		}
	}
}

static void compare_arch(const struct pair *p, const struct oci_seccomp *s, enum syscall_arch arch)
{
	static const uint32_t edges[] = { 0x3fffffff, 0x7fffffff, 0x80000000, 0x80000001,
					  0xbfffffff, 0xc0000000, 0xc0000001, 0xfffffffe };
	uint32_t base = arch == SYSCALL_ARCH_X32 ? SYSCALL_X32_BIT : 0;
	struct seccomp_data data = { .arch = syscall_arch_get(arch)->audit_arch };

	for (uint32_t nr = 0; nr < 1024; nr++) {
		if (reference_is_too_old(arch, nr | base))
			continue;
		data.nr = (int)(nr | base);
		memset(data.args, 0, sizeof(data.args));
		compare_one(p, &data);
		memset(data.args, 0xff, sizeof(data.args));
		compare_one(p, &data);
		if (number_has_args(s, arch, nr | base) ||
		    (arch == SYSCALL_ARCH_X86 && (nr == 102 || nr == 117)))
			compare_arguments(p, &data);
	}
	for (uint32_t nr = 0xf0000 - 2; nr < 0xf0000 + 20; nr++) {
		data.nr = (int)nr;
		compare_one(p, &data);
	}
	for (size_t i = 0; i < ARRAY_SIZE(edges); i++) {
		data.nr = (int)edges[i];
		compare_one(p, &data);
	}
}

static void check_equal_on(const struct oci_seccomp *wanted, enum syscall_arch host)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	const struct oci_seccomp *s = reference_known_part(wanted, arena);
	struct pair *p = xcalloc(1, sizeof(*p));
	struct seccomp_data foreign = { .arch = AUDIT_ARCH_PPC64 };
	struct error err;

	if (seccomp_compile_for(host, s, &p->ours, &err) < 0)
		fail_msg("%s", err.msg);
	reference_build(&p->theirs, s, host);
	collect_values(p, s);
	for (int arch = 0; arch < SYSCALL_ARCH_COUNT; arch++)
		compare_arch(p, s, arch);
	compare_one(p, &foreign);

	seccomp_filter_done(&p->ours);
	reference_done(&p->theirs);
	free(p);
}

static void check_equal(const struct oci_seccomp *s)
{
	check_equal_on(s, SYSCALL_ARCH_X86_64);
}

static void test_docker_default_is_equal(void **state)
{
	static const uint64_t caps[] = { DEFAULT_CAPS, 0, UINT64_C(0x1ffffffffff) };

	for (size_t i = 0; i < ARRAY_SIZE(caps); i++) {
		cleanup_with(arena_free) struct arena *arena = arena_new();

		check_equal(seccomp_profile_default(caps[i], arena));
	}
}

static void test_docker_default_is_small_and_shallow(void **state)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct oci_seccomp s = *seccomp_profile_default(DEFAULT_CAPS, arena);
	struct seccomp_filter f;
	struct error err;
	size_t steps, deepest = 0;

	s.n_architectures = 1;
	assert_int_equal(seccomp_compile(&s, &f, &err), 0);
	assert_in_range(f.program.n_insns, 50, 200);
	for (int nr = 0; nr < 512; nr++) {
		struct seccomp_data data = { .arch = AUDIT_ARCH_X86_64, .nr = nr };

		bpf_run(f.program.insns, f.program.n_insns, &data, &steps);
		deepest = MAX(deepest, steps);
	}
	assert_in_range(deepest, 4, 24);
	seccomp_filter_done(&f);
}

static void test_deny_lists_are_equal(void **state)
{
	struct oci_seccomp s = {
		.default_action = OCI_SECCOMP_ALLOW,
		RULES({ NAMES("reboot", "kexec_load", "no_such_call"),
			.action = OCI_SECCOMP_ERRNO },
		      { NAMES("mount"), .action = OCI_SECCOMP_KILL_PROCESS },
		      { NAMES("umount2"), .action = OCI_SECCOMP_KILL_THREAD },
		      { NAMES("ptrace"), .action = OCI_SECCOMP_TRAP },
		      { NAMES("bpf"), .action = OCI_SECCOMP_LOG },
		      { NAMES("swapon", "getcwd"), .action = OCI_SECCOMP_ERRNO,
			.errno_ret = { true, 38 } },
		      { NAMES("swapoff"), .action = OCI_SECCOMP_TRACE, .errno_ret = { true, 7 } }),
	};

	check_equal(&s);
	s.architectures = (const char *[]){ "SCMP_ARCH_X86_64" };
	s.n_architectures = 1;
	check_equal(&s);
	s.architectures = (const char *[]){ "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_MIPS" };
	s.n_architectures = 3;
	check_equal(&s);
}

static void test_every_default_action_is_equal(void **state)
{
	static const enum oci_seccomp_action actions[] = {
		OCI_SECCOMP_KILL_PROCESS, OCI_SECCOMP_KILL_THREAD, OCI_SECCOMP_TRAP,
		OCI_SECCOMP_ERRNO,	  OCI_SECCOMP_TRACE,	   OCI_SECCOMP_LOG,
	};

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		struct oci_seccomp s = {
			.default_action = actions[i],
			ARCHS("SCMP_ARCH_X86_64", "SCMP_ARCH_X86"),
			RULES({ NAMES("read", "write", "exit_group"), .action = OCI_SECCOMP_ALLOW },
			      { NAMES("getpid"), .action = OCI_SECCOMP_ERRNO }),
		};

		check_equal(&s);
		s.default_errno_ret = (struct opt_u64){ true, ENOSYS };
		check_equal(&s);
	}
}

static void test_every_operator_is_equal(void **state)
{
	static const uint64_t values[] = { 0,
					   1,
					   38,
					   0x7fffffff,
					   0xffffffff,
					   UINT64_C(0x100000000),
					   UINT64_C(0x123456789abcdef0),
					   UINT64_MAX };

	for (unsigned op = OCI_SECCOMP_OP_NE; op < OCI_SECCOMP_OP_MASKED_EQ; op++) {
		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			struct oci_seccomp s = {
				.default_action = OCI_SECCOMP_ERRNO,
				ARCHS("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"),
				RULES({ NAMES("prctl"), .action = OCI_SECCOMP_ALLOW,
					ARGS({ i % 6, op, values[i], 0 }) },
				      { NAMES("uname"), .action = OCI_SECCOMP_ALLOW }),
			};

			check_equal(&s);
		}
	}
}

static void test_masks_are_equal(void **state)
{
	static const uint64_t masks[][2] = {
		{ 0x7e020000, 0 },
		{ 1, 1 },
		{ UINT64_C(0xff00000000), UINT64_C(0x4200000000) },
		{ UINT64_MAX, 5 },
		{ UINT64_C(0xf0f0f0f0f0f0f0f0), UINT64_C(0x1010101010101010) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		struct oci_seccomp s = {
			.default_action = OCI_SECCOMP_ERRNO,
			ARCHS("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"),
			RULES({ NAMES("clone", "ioctl"), .action = OCI_SECCOMP_ALLOW,
				ARGS({ 1, OCI_SECCOMP_OP_MASKED_EQ, masks[i][0], masks[i][1] }) }),
		};

		check_equal(&s);
	}
}

static void test_arguments_of_one_rule_must_all_match(void **state)
{
	struct oci_seccomp s = {
		.default_action = OCI_SECCOMP_ERRNO,
		ARCHS("SCMP_ARCH_X86_64", "SCMP_ARCH_X86"),
		RULES({ NAMES("fcntl", "socketpair"), .action = OCI_SECCOMP_ALLOW,
			ARGS({ 0, OCI_SECCOMP_OP_LE, 9, 0 }, { 1, OCI_SECCOMP_OP_EQ, 4, 0 },
			     { 3, OCI_SECCOMP_OP_NE, UINT64_C(0x500000001), 0 }) }),
	};

	check_equal(&s);
}

static void test_repeated_arguments_are_alternatives(void **state)
{
	struct oci_seccomp s = {
		.default_action = OCI_SECCOMP_ERRNO,
		ARCHS("SCMP_ARCH_X86_64", "SCMP_ARCH_X86"),
		RULES({ NAMES("personality", "shmat"), .action = OCI_SECCOMP_ALLOW,
			ARGS({ 0, OCI_SECCOMP_OP_EQ, 0, 0 }, { 0, OCI_SECCOMP_OP_EQ, 8, 0 },
			     { 1, OCI_SECCOMP_OP_EQ, 0xffffffff, 0 }) }),
	};

	check_equal(&s);
}

static void test_rules_of_one_call_are_alternatives(void **state)
{
	struct oci_seccomp s = {
		.default_action = OCI_SECCOMP_ERRNO,
		RULES({ NAMES("ioctl"), .action = OCI_SECCOMP_ALLOW,
			ARGS({ 1, OCI_SECCOMP_OP_EQ, 0x5401, 0 }) },
		      { NAMES("ioctl"), .action = OCI_SECCOMP_ALLOW,
			ARGS({ 1, OCI_SECCOMP_OP_GT, 0x9000, 0 }, { 0, OCI_SECCOMP_OP_LT, 3, 0 }) },
		      { NAMES("ioctl"), .action = OCI_SECCOMP_KILL_PROCESS,
			ARGS({ 1, OCI_SECCOMP_OP_EQ, 0x5412, 0 }) }),
	};

	check_equal(&s);
}

static void test_rule_without_conditions_wins(void **state)
{
	struct oci_seccomp s = {
		.default_action = OCI_SECCOMP_ERRNO,
		RULES({ NAMES("ioctl"), .action = OCI_SECCOMP_KILL_PROCESS,
			ARGS({ 1, OCI_SECCOMP_OP_EQ, 0x5401, 0 }) },
		      { NAMES("ioctl", "uname"), .action = OCI_SECCOMP_ALLOW },
		      { NAMES("uname"), .action = OCI_SECCOMP_KILL_PROCESS,
			ARGS({ 1, OCI_SECCOMP_OP_EQ, 0x5401, 0 }) }),
	};

	check_equal(&s);
}

static void test_first_rule_without_conditions_wins(void **state)
{
	struct oci_seccomp s = {
		.default_action = OCI_SECCOMP_ERRNO,
		RULES({ NAMES("ioctl"), .action = OCI_SECCOMP_KILL_PROCESS },
		      { NAMES("ioctl", "uname"), .action = OCI_SECCOMP_ALLOW },
		      { NAMES("uname"), .action = OCI_SECCOMP_LOG }),
	};

	check_equal(&s);
}

static void test_other_hosts_are_equal(void **state)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct oci_seccomp s = *seccomp_profile_default(DEFAULT_CAPS, arena);

	s.architectures = (const char *[]){ "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM" };
	s.n_architectures = 2;
	check_equal_on(&s, SYSCALL_ARCH_AARCH64);
	s.architectures = (const char *[]){ "SCMP_ARCH_RISCV64" };
	s.n_architectures = 1;
	check_equal_on(&s, SYSCALL_ARCH_RISCV64);
	s.architectures = (const char *[]){ "SCMP_ARCH_X86" };
	check_equal_on(&s, SYSCALL_ARCH_X86);
}

static void test_of_overlapping_conditions_the_first_rule_decides(void **state)
{
	struct oci_seccomp s = {
		.default_action = OCI_SECCOMP_ALLOW,
		RULES({ NAMES("ioctl"), .action = OCI_SECCOMP_ERRNO,
			ARGS({ 1, OCI_SECCOMP_OP_GE, 5, 0 }) },
		      { NAMES("ioctl"), .action = OCI_SECCOMP_KILL_PROCESS,
			ARGS({ 0, OCI_SECCOMP_OP_EQ, 0, 0 }) }),
	};
	struct seccomp_data data = { .arch = AUDIT_ARCH_X86_64, .nr = 16, .args = { 0, 5 } };
	struct seccomp_filter f;
	struct error err;

	assert_int_equal(seccomp_compile_for(SYSCALL_ARCH_X86_64, &s, &f, &err), 0);
	assert_int_equal(bpf_run(f.program.insns, f.program.n_insns, &data, NULL),
			 SECCOMP_RET_ERRNO | EPERM);
	data.args[1] = 4;
	assert_int_equal(bpf_run(f.program.insns, f.program.n_insns, &data, NULL),
			 SECCOMP_RET_KILL_PROCESS);
	seccomp_filter_done(&f);
}

static void test_empty_sections_are_equal(void **state)
{
	struct oci_seccomp allow = { .default_action = OCI_SECCOMP_ALLOW };
	struct oci_seccomp deny = { .default_action = OCI_SECCOMP_ERRNO, ARCHS("SCMP_ARCH_X86") };

	check_equal(&allow);
	check_equal(&deny);
}

static void test_names_unknown_to_everybody_are_skipped(void **state)
{
	struct oci_seccomp s = {
		.default_action = OCI_SECCOMP_ERRNO,
		RULES({ NAMES("frobnicate", "getpid"), .action = OCI_SECCOMP_ALLOW }),
	};
	struct seccomp_filter f;
	struct error err;

	assert_int_equal(seccomp_compile_for(SYSCALL_ARCH_X86_64, &s, &f, &err), 0);
	seccomp_filter_done(&f);
}

static void test_calls_newer_than_libseccomp_are_known(void **state)
{
	struct oci_seccomp s = {
		.default_action = OCI_SECCOMP_ERRNO,
		ARCHS("SCMP_ARCH_X86_64", "SCMP_ARCH_X86"),
		RULES({ NAMES("mseal"), .action = OCI_SECCOMP_ALLOW }),
	};
	struct seccomp_data data = { .arch = AUDIT_ARCH_I386, .nr = 462 };
	struct seccomp_filter f;
	struct error err;

	assert_int_equal(seccomp_compile_for(SYSCALL_ARCH_X86_64, &s, &f, &err), 0);
	assert_int_equal(bpf_run(f.program.insns, f.program.n_insns, &data, NULL),
			 SECCOMP_RET_ALLOW);
	data.nr = 463;
	assert_int_equal(bpf_run(f.program.insns, f.program.n_insns, &data, NULL),
			 SECCOMP_RET_ERRNO | ENOSYS);
	seccomp_filter_done(&f);
}

static void test_flags_default_to_spec_allow(void **state)
{
	struct oci_seccomp s = { .default_action = OCI_SECCOMP_ALLOW };
	struct seccomp_filter f;
	struct error err;

	assert_int_equal(seccomp_compile(&s, &f, &err), 0);
	assert_int_equal(f.flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	seccomp_filter_done(&f);
	s.has_flags = true;
	s.flags = SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	assert_int_equal(seccomp_compile(&s, &f, &err), 0);
	assert_int_equal(f.flags, SECCOMP_FILTER_FLAG_LOG);
	assert_false(seccomp_has_listener(&f));
	seccomp_filter_done(&f);
}

static void test_a_notify_rule_gives_a_listener(void **state)
{
	struct oci_seccomp s = {
		.default_action = OCI_SECCOMP_ALLOW,
		.flags = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
		.has_flags = true,
		.listener_path = "/run/agent.sock",
		RULES({ NAMES("mount"), .action = OCI_SECCOMP_NOTIFY }),
	};
	struct seccomp_filter f;
	struct error err;

	assert_int_equal(seccomp_compile(&s, &f, &err), 0);
	assert_true(seccomp_has_listener(&f));
	assert_int_equal(f.flags,
			 SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	seccomp_filter_done(&f);
}

static void test_notify_rules_are_equal(void **state)
{
	struct oci_seccomp s = {
		.default_action = OCI_SECCOMP_ERRNO,
		ARCHS("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"),
		RULES({ NAMES("mount", "connect", "mknod"), .action = OCI_SECCOMP_NOTIFY },
		      { NAMES("bpf", "sendmsg"), .action = OCI_SECCOMP_NOTIFY,
			ARGS({ 0, OCI_SECCOMP_OP_EQ, 5, 0 }) },
		      { NAMES("read"), .action = OCI_SECCOMP_ALLOW }),
	};

	check_equal(&s);
	s.default_action = OCI_SECCOMP_ALLOW;
	check_equal(&s);
}

static void check_refused(const struct oci_seccomp *s, enum error_kind kind, const char *word)
{
	struct seccomp_filter f;
	struct error err;

	assert_true(seccomp_compile_for(SYSCALL_ARCH_X86_64, s, &f, &err) < 0);
	assert_int_equal(err.kind, kind);
	assert_non_null(strstr(err.msg, word));
	assert_null(f.program.insns);
}

static void test_crun_annotations_are_taken(void **state)
{
	/* ld [0]; ret allow */
	struct oci_seccomp raw = { .bpf_data = "IAAAAAAAAAAGAAAAAAD/fw==" };
	struct oci_seccomp cut = { .bpf_data = "IAAAAAAAAAAGAAAAAAA=" };
	struct oci_seccomp unknown = {
		.default_action = OCI_SECCOMP_ALLOW,
		.fail_unknown = true,
		RULES({ NAMES("mount", "frobnicate"), .action = OCI_SECCOMP_ERRNO }),
	};
	struct seccomp_filter f;
	struct error err;

	assert_int_equal(seccomp_compile(&raw, &f, &err), 0);
	assert_int_equal(f.program.n_insns, 2);
	assert_int_equal(f.program.insns[1].k, SECCOMP_RET_ALLOW);
	seccomp_filter_done(&f);
	check_refused(&cut, ERROR_INVALID, "run.oci.seccomp_bpf_data");
	check_refused(&unknown, ERROR_INVALID, "syscalls[0].names[1]: unknown system call");
}

static void test_what_cannot_be_met_is_refused(void **state)
{
	struct oci_seccomp arch = { ARCHS("SCMP_ARCH_VAX") };
	struct oci_seccomp index = {
		RULES({ NAMES("mount"), ARGS({ 6, OCI_SECCOMP_OP_EQ, 0, 0 }) }),
	};
	struct oci_seccomp number = {
		.default_action = OCI_SECCOMP_ERRNO,
		.default_errno_ret = { true, 4096 },
	};

	check_refused(&arch, ERROR_INVALID, "SCMP_ARCH_VAX");
	check_refused(&index, ERROR_INVALID, "args[0].index");
	check_refused(&number, ERROR_INVALID, "4096");
}

static void test_a_filter_too_long_for_the_kernel_is_refused(void **state)
{
	struct oci_seccomp_rule rule = { NAMES("ioctl"), .action = OCI_SECCOMP_KILL_PROCESS };
	struct oci_seccomp_arg *args = xcalloc(3000, sizeof(*args));
	struct oci_seccomp s = { .default_action = OCI_SECCOMP_ALLOW,
				 .rules = &rule,
				 .n_rules = 1 };

	for (size_t i = 0; i < 3000; i++)
		args[i] = (struct oci_seccomp_arg){ 1, OCI_SECCOMP_OP_EQ, i, 0 };
	rule.args = args;
	rule.n_args = 3000;
	check_refused(&s, ERROR_INTERNAL, "instructions");
	free(args);
}

static void test_far_jumps_reach(void **state)
{
	static const char *const names[] = { "ioctl" };
	struct oci_seccomp_rule rules[200];
	struct oci_seccomp_arg args[200];
	struct oci_seccomp s = { .default_action = OCI_SECCOMP_ALLOW, .rules = rules };

	for (size_t i = 0; i < 200; i++) {
		args[i] = (struct oci_seccomp_arg){ i % 2, OCI_SECCOMP_OP_EQ, i * 16, 0 };
		rules[i] = (struct oci_seccomp_rule){
			.names = names,
			.n_names = 1,
			.args = &args[i],
			.n_args = 1,
			.action = OCI_SECCOMP_ERRNO,
			.errno_ret = { true, i % 2 ? 5 : 6 },
		};
	}
	/* few enough values that all pairs can be tried; one action, as rules overlap */
	s.n_rules = 40;
	for (size_t i = 0; i < s.n_rules; i++)
		rules[i].errno_ret.value = 7;
	check_equal(&s);
	s.n_rules = 200;
	for (size_t i = 0; i < s.n_rules; i++) {
		args[i].index = 1;
		rules[i].errno_ret.value = i % 2 ? 5 : 6;
	}
	for (size_t i = 0; i < 200; i++) {
		struct seccomp_data data = { .arch = AUDIT_ARCH_X86_64, .nr = 16 };
		struct seccomp_filter f;
		struct error err;

		data.args[1] = i * 16;
		assert_int_equal(seccomp_compile_for(SYSCALL_ARCH_X86_64, &s, &f, &err), 0);
		assert_int_equal(bpf_run(f.program.insns, f.program.n_insns, &data, NULL),
				 SECCOMP_RET_ERRNO | (i % 2 ? 5 : 6));
		seccomp_filter_done(&f);
	}
}

/* The number of a call that the kernel did not answer as expected, or 0. */
static int calls_under_the_default_profile(void)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct seccomp_filter f;
	struct error err;

	if (seccomp_compile(seccomp_profile_default(DEFAULT_CAPS, arena), &f, &err) < 0)
		return 1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || seccomp_load(&f, NULL, &err) < 0)
		return 2;
	if (syscall(SYS_getpid) <= 0)
		return 3;
	if (syscall(SYS_unshare, CLONE_NEWUSER) != -1 || errno != EPERM)
		return 4;
	if (syscall(SYS_clone3, NULL, 0) != -1 || errno != ENOSYS)
		return 5;
	if (syscall(9999) != -1 || errno != ENOSYS)
		return 6;
	if (syscall(SYS_socket, AF_ALG, SOCK_SEQPACKET, 0) != -1 || errno != EPERM)
		return 7;
	if (syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0) < 0)
		return 8;
	/* the kernel looks at its low half */
	if (syscall(SYS_socket, AF_ALG | 1L << 32, SOCK_SEQPACKET, 0) != -1 || errno != EPERM)
		return 12;
	if (syscall(SYS_personality, 0x123) != -1 || errno != EPERM)
		return 9;
	if (syscall(SYS_personality, 0xffffffff) < 0)
		return 10;
#ifdef __x86_64__
	if (syscall((long)(SYS_unshare | SYSCALL_X32_BIT), 0) != -1 || errno != EPERM)
		return 11;
#endif
	return 0;
}

static int status_of_child(int (*fn)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void test_the_kernel_takes_and_obeys_the_default_profile(void **state)
{
	if (syscall_arch_native() == SYSCALL_ARCH_COUNT)
		skip();
	assert_int_equal(status_of_child(calls_under_the_default_profile), 0);
}

#ifdef __x86_64__
static int x32_call_under_a_deny_list(void)
{
	struct oci_seccomp s = {
		.default_action = OCI_SECCOMP_ALLOW,
		RULES({ NAMES("unshare"), .action = OCI_SECCOMP_ERRNO }),
	};
	struct seccomp_filter f;
	struct error err;

	if (seccomp_compile(&s, &f, &err) < 0)
		return 1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || seccomp_load(&f, NULL, &err) < 0)
		return 2;
	if (syscall(SYS_unshare, 0) != -1 || errno != EPERM)
		return 3;
	syscall((long)(SYS_unshare | SYSCALL_X32_BIT), 0);
	return 4;
}

static void test_x32_does_not_get_around_a_deny_list(void **state)
{
	int status = status_of_child(x32_call_under_a_deny_list);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_docker_default_is_equal),
		cmocka_unit_test(test_docker_default_is_small_and_shallow),
		cmocka_unit_test(test_deny_lists_are_equal),
		cmocka_unit_test(test_every_default_action_is_equal),
		cmocka_unit_test(test_every_operator_is_equal),
		cmocka_unit_test(test_masks_are_equal),
		cmocka_unit_test(test_arguments_of_one_rule_must_all_match),
		cmocka_unit_test(test_repeated_arguments_are_alternatives),
		cmocka_unit_test(test_rules_of_one_call_are_alternatives),
		cmocka_unit_test(test_rule_without_conditions_wins),
		cmocka_unit_test(test_first_rule_without_conditions_wins),
		cmocka_unit_test(test_other_hosts_are_equal),
		cmocka_unit_test(test_of_overlapping_conditions_the_first_rule_decides),
		cmocka_unit_test(test_empty_sections_are_equal),
		cmocka_unit_test(test_names_unknown_to_everybody_are_skipped),
		cmocka_unit_test(test_calls_newer_than_libseccomp_are_known),
		cmocka_unit_test(test_flags_default_to_spec_allow),
		cmocka_unit_test(test_a_notify_rule_gives_a_listener),
		cmocka_unit_test(test_notify_rules_are_equal),
		cmocka_unit_test(test_crun_annotations_are_taken),
		cmocka_unit_test(test_what_cannot_be_met_is_refused),
		cmocka_unit_test(test_a_filter_too_long_for_the_kernel_is_refused),
		cmocka_unit_test(test_far_jumps_reach),
		cmocka_unit_test(test_the_kernel_takes_and_obeys_the_default_profile),
#ifdef __x86_64__
		cmocka_unit_test(test_x32_does_not_get_around_a_deny_list),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
