/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp_reference.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include <seccomp.h>

#include "base/mem.h"

static const uint32_t tokens[SYSCALL_ARCH_COUNT] = {
	[SYSCALL_ARCH_X86_64] = SCMP_ARCH_X86_64, [SYSCALL_ARCH_X86] = SCMP_ARCH_X86,
	[SYSCALL_ARCH_X32] = SCMP_ARCH_X32,	  [SYSCALL_ARCH_AARCH64] = SCMP_ARCH_AARCH64,
	[SYSCALL_ARCH_ARM] = SCMP_ARCH_ARM,	  [SYSCALL_ARCH_RISCV64] = SCMP_ARCH_RISCV64,
};

static uint32_t action_of(enum oci_seccomp_action action, struct opt_u64 errno_ret)
{
	uint16_t data = errno_ret.set ? (uint16_t)errno_ret.value : EPERM;

	switch (action) {
	case OCI_SECCOMP_KILL_PROCESS:
		return SCMP_ACT_KILL_PROCESS;
	case OCI_SECCOMP_KILL_THREAD:
		return SCMP_ACT_KILL_THREAD;
	case OCI_SECCOMP_TRAP:
		return SCMP_ACT_TRAP;
	case OCI_SECCOMP_ERRNO:
		return SCMP_ACT_ERRNO(data);
	case OCI_SECCOMP_TRACE:
		return SCMP_ACT_TRACE(data);
	case OCI_SECCOMP_LOG:
		return SCMP_ACT_LOG;
	case OCI_SECCOMP_ALLOW:
		return SCMP_ACT_ALLOW;
	case OCI_SECCOMP_NOTIFY:
		return SCMP_ACT_NOTIFY;
	}
	fail_msg("no such action");
	return 0;
}

static const enum scmp_compare ops[] = {
	[OCI_SECCOMP_OP_NE] = SCMP_CMP_NE,
	[OCI_SECCOMP_OP_LT] = SCMP_CMP_LT,
	[OCI_SECCOMP_OP_LE] = SCMP_CMP_LE,
	[OCI_SECCOMP_OP_EQ] = SCMP_CMP_EQ,
	[OCI_SECCOMP_OP_GE] = SCMP_CMP_GE,
	[OCI_SECCOMP_OP_GT] = SCMP_CMP_GT,
	[OCI_SECCOMP_OP_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
};

static void add_rule(scmp_filter_ctx ctx, uint32_t action, int nr,
		     const struct oci_seccomp_rule *rule)
{
	struct scmp_arg_cmp args[16];
	unsigned seen = 0, repeated = 0;

	assert_true(rule->n_args <= 16);
	for (size_t i = 0; i < rule->n_args; i++) {
		const struct oci_seccomp_arg *a = &rule->args[i];

		args[i] = (struct scmp_arg_cmp){ a->index, ops[a->op], a->value, a->value_two };
		repeated |= seen & (1u << a->index);
		seen |= 1u << a->index;
	}
	if (!repeated) {
		assert_int_equal(
			seccomp_rule_add_array(ctx, action, nr, (unsigned)rule->n_args, args), 0);
		return;
	}
	for (size_t i = 0; i < rule->n_args; i++)
		assert_int_equal(seccomp_rule_add_array(ctx, action, nr, 1, &args[i]), 0);
}

static void export(struct reference *ref, scmp_filter_ctx ctx)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	off_t size;

	assert_true(fd >= 0);
	assert_int_equal(seccomp_export_bpf(ctx, fd), 0);
	size = lseek(fd, 0, SEEK_END);
	ref->n = (size_t)size / sizeof(*ref->insns);
	ref->insns = xmalloc((size_t)size);
	assert_int_equal(pread(fd, ref->insns, (size_t)size, 0), size);
	close(fd);
}

/*
 * Other runtimes do not count x86's multiplexed calls here, so that their ENOSYS rule may hide a
 * call that the profile allows. Ours does not hide them: the one wanted difference.
 */
static int64_t multiplexed_number(enum syscall_arch arch, const char *name)
{
	const struct syscall_row *row = syscall_find(name);
	uint32_t number, call;

	if (arch != SYSCALL_ARCH_X86 || !row || !syscall_multiplexed(row, &number, &call))
		return -1;
	return MAX((int64_t)number, syscall_number(row, arch));
}

static int64_t last_number(const struct oci_seccomp *s, enum syscall_arch arch)
{
	int64_t last = 0;

	for (size_t r = 0; r < s->n_rules; r++) {
		for (size_t j = 0; j < s->rules[r].n_names; j++) {
			const char *name = s->rules[r].names[j];
			int64_t nr = seccomp_syscall_resolve_name_arch(tokens[arch], name);

			last = MAX(last, nr);
			last = MAX(last, multiplexed_number(arch, name));
		}
	}
	return last ? last : -1;
}

static void find_last(struct reference *ref)
{
	const struct oci_seccomp *s = ref->section;

	for (int arch = 0; arch < SYSCALL_ARCH_COUNT; arch++)
		ref->last[arch] = -1;
	for (size_t i = 0; i < s->n_architectures; i++) {
		int arch = syscall_arch_parse(s->architectures[i]);

		if (arch >= 0)
			ref->last[arch] = last_number(s, arch);
	}
}

void reference_build(struct reference *ref, const struct oci_seccomp *s, enum syscall_arch host)
{
	scmp_filter_ctx ctx;
	int r;

	*ref = (struct reference){ .section = s };
	ref->default_action = action_of(s->default_action, s->default_errno_ret);
	ctx = seccomp_init(ref->default_action);
	assert_non_null(ctx);
	if (host != syscall_arch_native()) {
		assert_int_equal(seccomp_arch_add(ctx, tokens[host]), 0);
		assert_int_equal(seccomp_arch_remove(ctx, SCMP_ARCH_NATIVE), 0);
	}
	for (size_t i = 0; i < s->n_architectures; i++) {
		int arch = syscall_arch_parse(s->architectures[i]);

		if (arch < 0 || syscall_arch_get(arch)->host != syscall_arch_get(host)->host)
			continue;
		r = seccomp_arch_add(ctx, tokens[arch]);
		assert_true(r == 0 || r == -EEXIST);
	}
	for (size_t i = 0; i < s->n_rules; i++) {
		const struct oci_seccomp_rule *rule = &s->rules[i];
		uint32_t action = action_of(rule->action, rule->errno_ret);

		for (size_t j = 0; j < rule->n_names && action != ref->default_action; j++) {
			int nr = seccomp_syscall_resolve_name(rule->names[j]);

			if (nr != __NR_SCMP_ERROR)
				add_rule(ctx, action, nr, rule);
		}
	}
	export(ref, ctx);
	seccomp_release(ctx);
	find_last(ref);
}

void reference_done(struct reference *ref)
{
	free(ref->insns);
	ref->insns = NULL;
}

/* Which ABI a number belongs to; SYSCALL_ARCH_COUNT: none of ours. */
static enum syscall_arch abi_of(const struct seccomp_data *data)
{
	for (int arch = 0; arch < SYSCALL_ARCH_COUNT; arch++) {
		if (syscall_arch_get(arch)->audit_arch != data->arch)
			continue;
		if (arch == SYSCALL_ARCH_X86_64 && (data->nr & SYSCALL_X32_BIT))
			return SYSCALL_ARCH_X32;
		return arch;
	}
	return SYSCALL_ARCH_COUNT;
}

uint32_t reference_answer(const struct reference *ref, const struct seccomp_data *data)
{
	const struct oci_seccomp *s = ref->section;
	enum syscall_arch abi = abi_of(data);
	enum oci_seccomp_action a = s->default_action;
	bool passes = a == OCI_SECCOMP_ALLOW || a == OCI_SECCOMP_LOG || a == OCI_SECCOMP_TRACE;
	bool enosys = s->default_errno_ret.set && s->default_errno_ret.value == ENOSYS;

	if (!passes && !enosys && abi != SYSCALL_ARCH_COUNT && ref->last[abi] >= 0 &&
	    (uint32_t)data->nr > ref->last[abi])
		return SCMP_ACT_ERRNO(ENOSYS);
	return bpf_run(ref->insns, ref->n, data, NULL);
}

bool reference_is_too_old(enum syscall_arch arch, uint32_t nr)
{
	char *theirs = seccomp_syscall_resolve_num_arch(tokens[arch], (int)nr);
	bool known = theirs;

	free(theirs);
	return !known && syscall_name(arch, nr);
}

static bool jump_holds(uint16_t op, uint32_t a, uint32_t k)
{
	switch (op) {
	case BPF_JEQ:
		return a == k;
	case BPF_JGT:
		return a > k;
	case BPF_JGE:
		return a >= k;
	case BPF_JSET:
		return a & k;
	}
	fail_msg("jump %#x is not known", op);
	return false;
}

uint32_t bpf_run(const struct sock_filter *insns, size_t n, const struct seccomp_data *data,
		 size_t *ret_steps)
{
	uint32_t acc = 0;
	size_t steps = 0;

	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *i = &insns[pc];

		steps++;
		if (i->code == (BPF_LD | BPF_W | BPF_ABS)) {
			assert_true(i->k % 4 == 0 && i->k < sizeof(*data));
			memcpy(&acc, (const char *)data + i->k, sizeof(acc));
		} else if (i->code == (BPF_ALU | BPF_AND | BPF_K)) {
			acc &= i->k;
		} else if (i->code == (BPF_JMP | BPF_JA)) {
			pc += i->k;
		} else if (BPF_CLASS(i->code) == BPF_JMP) {
			pc += jump_holds(BPF_OP(i->code), acc, i->k) ? i->jt : i->jf;
		} else if (i->code == (BPF_RET | BPF_K)) {
			if (ret_steps)
				*ret_steps = steps;
			return i->k;
		} else {
			fail_msg("instruction %#x is not known", i->code);
		}
	}
	fail_msg("the program ends without an answer");
	return 0;
}

const struct oci_seccomp *reference_known_part(const struct oci_seccomp *section,
					       struct arena *arena)
{
	struct oci_seccomp *copy = arena_alloc(arena, sizeof(*copy));
	struct oci_seccomp_rule *rules =
		arena_alloc(arena, (section->n_rules + 1) * sizeof(*rules));

	*copy = *section;
	for (size_t i = 0; i < section->n_rules; i++) {
		const char **names =
			arena_alloc(arena, (section->rules[i].n_names + 1) * sizeof(*names));

		rules[i] = section->rules[i];
		rules[i].n_names = 0;
		for (size_t j = 0; j < section->rules[i].n_names; j++) {
			const char *name = section->rules[i].names[j];

			if (seccomp_syscall_resolve_name(name) != __NR_SCMP_ERROR)
				names[rules[i].n_names++] = name;
		}
		rules[i].names = names;
	}
	copy->rules = rules;
	return copy;
}
