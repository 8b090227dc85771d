/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/seccomp_bpf.h"

#include <endian.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <linux/bpf_common.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include "base/mem.h"

/*
 * The kernel runs a filter for every system call, and, when it is loaded, once per number to learn
 * which numbers it always allows. So the depth counts, not the length: one binary tree over the
 * segments of each architecture.
 *
 *	ld arch
 *	jeq native ── ld nr ── jge 200 ── jge 300 ...   leaves: ret, or tests of arguments
 *	jeq second ── ld nr ── jge ...
 *	ret bad_arch
 *
 * BPF jumps forward only. The program is therefore written from its last instruction to its first:
 * whatever an instruction jumps to is there already and its distance known. A conditional jump
 * spans 255 instructions; reach() bridges what is farther away.
 */

#define JUMP_MAX     255u
#define RETURNS_KEPT 8	   /* different actions whose place is remembered */
#define NUMBER_USUAL 1024u /* above all numbers that kernels count through */
#define WEIGHT_MAX   64u

struct assembler {
	struct sock_filter *insns; /* last instruction first */
	size_t n, size;
	bool too_long;
	struct {
		uint32_t action;
		size_t at;
	} returns[RETURNS_KEPT];
	size_t n_returns;
};

static size_t emit(struct assembler *a, uint16_t code, uint32_t k, size_t jt, size_t jf)
{
	if (a->n >= BPF_MAXINSNS) {
		a->too_long = true;
		return 0;
	}
	if (a->n == a->size)
		a->insns = array_grow(a->insns, a->n, &a->size, sizeof(*a->insns));
	a->insns[a->n] = (struct sock_filter){ code, (uint8_t)jt, (uint8_t)jf, k };
	return a->n++;
}

/* A return that is near, or a new one. */
static size_t emit_return(struct assembler *a, uint32_t action)
{
	size_t i = 0;

	while (i < a->n_returns && a->returns[i].action != action)
		i++;
	if (i < a->n_returns && a->n - a->returns[i].at <= JUMP_MAX / 2)
		return a->returns[i].at;
	if (i == RETURNS_KEPT)
		i = action % RETURNS_KEPT;
	else if (i == a->n_returns)
		a->n_returns++;
	a->returns[i].action = action;
	a->returns[i].at = emit(a, BPF_RET | BPF_K, action, 0, 0);
	return a->returns[i].at;
}

/* An instruction that does what target does and can be jumped to by one of the next two. */
static size_t reach(struct assembler *a, size_t target)
{
	if (a->too_long || a->n + 1 - target <= JUMP_MAX)
		return target;
	if (a->insns[target].code == (BPF_RET | BPF_K))
		return emit(a, BPF_RET | BPF_K, a->insns[target].k, 0, 0);
	return emit(a, BPF_JMP | BPF_JA, (uint32_t)(a->n - target - 1), 0, 0);
}

static size_t emit_jump(struct assembler *a, uint16_t op, uint32_t k, size_t yes, size_t no)
{
	if (yes == no)
		return yes;
	yes = reach(a, yes);
	no = reach(a, no);
	return emit(a, BPF_JMP | op | BPF_K, k, a->n - yes - 1, a->n - no - 1);
}

static size_t emit_load(struct assembler *a, size_t offset)
{
	return emit(a, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static size_t arg_offset(unsigned index, bool high)
{
	size_t word = high == (__BYTE_ORDER == __LITTLE_ENDIAN) ? 4 : 0;

	return offsetof(struct seccomp_data, args) + 8 * index + word;
}

/* One half of an argument: load, mask, compare. Returns the instruction to enter by. */
static size_t emit_masked(struct assembler *a, unsigned index, bool high, uint32_t mask,
			  uint32_t value, size_t yes, size_t no)
{
	size_t entry;

	if (!mask)
		return yes;
	entry = emit_jump(a, BPF_JEQ, value, yes, no);
	if (yes == no)
		return entry;
	if (mask != UINT32_MAX)
		emit(a, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
	return emit_load(a, arg_offset(index, high));
}

static size_t emit_equal(struct assembler *a, unsigned index, uint64_t mask, uint64_t value,
			 size_t yes, size_t no)
{
	size_t low;

	if (value & ~mask)
		return no;
	low = emit_masked(a, index, false, (uint32_t)mask, (uint32_t)value, yes, no);
	return emit_masked(a, index, true, (uint32_t)(mask >> 32), (uint32_t)(value >> 32), low,
			   no);
}

/* arg > value with op BPF_JGT, arg >= value with op BPF_JGE */
static size_t emit_greater(struct assembler *a, unsigned index, bool narrow, uint16_t op,
			   uint64_t value, size_t yes, size_t no)
{
	uint32_t high = (uint32_t)(value >> 32);
	size_t low = emit_jump(a, op, (uint32_t)value, yes, no);

	if (yes == no)
		return low;
	low = emit_load(a, arg_offset(index, false));
	if (narrow)
		return low;

	/* each load falls into the instruction written before it */
	if (high == 0) { /* the usual value: any bit above decides */
		emit_jump(a, BPF_JEQ, 0, low, yes);
	} else {
		low = emit_jump(a, BPF_JEQ, high, low, no);
		emit_jump(a, BPF_JGT, high, yes, low);
	}
	return emit_load(a, arg_offset(index, true));
}

static size_t emit_cond(struct assembler *a, const struct seccomp_cond *c, bool narrow, size_t yes,
			size_t no)
{
	uint64_t width = narrow ? UINT32_MAX : UINT64_MAX;
	uint64_t value = c->value & width;

	switch ((enum seccomp_op)c->op) {
	case SECCOMP_OP_EQ:
		return emit_equal(a, c->index, width, value, yes, no);
	case SECCOMP_OP_NE:
		return emit_equal(a, c->index, width, value, no, yes);
	case SECCOMP_OP_GT:
		return emit_greater(a, c->index, narrow, BPF_JGT, value, yes, no);
	case SECCOMP_OP_GE:
		return emit_greater(a, c->index, narrow, BPF_JGE, value, yes, no);
	case SECCOMP_OP_LT:
		return emit_greater(a, c->index, narrow, BPF_JGE, value, no, yes);
	case SECCOMP_OP_LE:
		return emit_greater(a, c->index, narrow, BPF_JGT, value, no, yes);
	case SECCOMP_OP_MASKED_EQ:
		return emit_equal(a, c->index, value, c->value_two & width, yes, no);
	}
	return no;
}

static size_t emit_leaf(struct assembler *a, const struct seccomp_segment *s)
{
	size_t next = emit_return(a, s->action);

	for (const struct seccomp_rule *rule = s->last_rule; rule; rule = rule->previous) {
		size_t entry = emit_return(a, rule->action);

		for (size_t i = rule->n_conds; i-- > 0;)
			entry = emit_cond(a, &rule->conds[i], rule->narrow, entry, next);
		next = entry;
	}
	return next;
}

/* A single number inside a range that does something else. */
static bool is_island(const struct seccomp_segment *s)
{
	return !s[0].last_rule && !s[2].last_rule && s[0].action == s[2].action &&
	       s[2].first == s[1].first + 1;
}

/*
 * How often the kernel will look a segment up: when the filter is loaded, each number that exists
 * is tried once. Those have no high bits; and no segment is so rare that its path may be long.
 */
static uint32_t weight(const struct seccomp_segment *s)
{
	return s[0].first < NUMBER_USUAL ? MIN(s[1].first - s[0].first, WEIGHT_MAX) + 1 : 1;
}

/* Where to cut n > 1 segments so that both parts weigh about the same. */
static size_t middle(const struct seccomp_segment *s, size_t n)
{
	size_t left = 1, right = n - 1; /* s[left..right) is not given to a side yet */
	uint32_t left_weight = weight(s), right_weight = 1; /* the last one's end is not known */

	while (left < right) {
		if (left_weight < right_weight)
			left_weight += weight(&s[left++]);
		else
			right_weight += weight(&s[--right]);
	}
	return left;
}

static size_t emit_tree(struct assembler *a, const struct seccomp_segment *s, size_t n)
{
	size_t left, right, cut;

	if (n == 1)
		return emit_leaf(a, s);
	if (n == 3 && is_island(s)) {
		right = emit_leaf(a, &s[1]);
		left = emit_leaf(a, &s[0]);
		return emit_jump(a, BPF_JEQ, s[1].first, right, left);
	}
	cut = middle(s, n);
	right = emit_tree(a, s + cut, n - cut);
	left = emit_tree(a, s, cut);
	return emit_jump(a, BPF_JGE, s[cut].first, right, left);
}

int seccomp_bpf_assemble(const struct seccomp_arch_rules *archs, size_t n_archs,
			 uint32_t bad_arch_action, struct seccomp_program *ret_program,
			 struct error *err)
{
	struct assembler a = { 0 };
	size_t other, tree;

	other = emit_return(&a, bad_arch_action);
	for (size_t i = n_archs; i-- > 0;) {
		tree = emit_tree(&a, archs[i].segments, archs[i].n_segments);
		if (tree != a.n - 1) /* a load falls into what was written last */
			emit(&a, BPF_JMP | BPF_JA, (uint32_t)(a.n - tree - 1), 0, 0);
		tree = emit_load(&a, offsetof(struct seccomp_data, nr));
		other = emit_jump(&a, BPF_JEQ, archs[i].audit_arch, tree, other);
	}
	emit_load(&a, offsetof(struct seccomp_data, arch));

	if (a.too_long) {
		free(a.insns);
		return error_num(err, E2BIG, "seccomp filter needs more than %d instructions",
				 BPF_MAXINSNS);
	}
	for (size_t i = 0, j = a.n - 1; i < j; i++, j--) {
		struct sock_filter swap = a.insns[i];

		a.insns[i] = a.insns[j];
		a.insns[j] = swap;
	}
	*ret_program = (struct seccomp_program){ a.insns, a.n };
	return 0;
}

void seccomp_program_done(struct seccomp_program *p)
{
	free(p->insns);
	*p = (struct seccomp_program){ 0 };
}

int seccomp_bpf_load(const struct seccomp_program *p, unsigned flags)
{
	struct sock_fprog prog = { .len = (unsigned short)p->n_insns, .filter = p->insns };

	long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);

	return r < 0 ? -errno : (int)r;
}

bool seccomp_bpf_flag_known(unsigned flag)
{
	if (flag == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
		flag |= SECCOMP_FILTER_FLAG_NEW_LISTENER; /* only together */
	/* flags are looked at before the program: EINVAL or, for no program, EFAULT */
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flag, NULL) < 0 && errno == EFAULT;
}
