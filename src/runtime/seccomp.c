/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/seccomp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/seccomp.h>

#include "base/base64.h"
#include "base/mem.h"
#include "oci/spec.h"

/*
 * From names to segments of numbers, for each architecture that this kernel runs. What other
 * runtimes do with libseccomp is the contract, as profiles are written against it:
 *
 *  - the native architecture is always filtered, others when listed; what is not listed is killed;
 *  - names that nobody knows are skipped, so that a new profile works on an old version;
 *  - a rule with the default action does nothing;
 *  - a rule without conditions beats all rules with conditions for the same call, and the first of
 *    several such rules counts; rules with conditions are alternatives, the first match decides;
 *  - conditions that name one argument twice are alternatives, each a rule of its own;
 *  - numbers above the highest one that the profile names on an architecture are calls its author
 *    could not know: unless the default lets them pass they get ENOSYS, not the default errno,
 * since C libraries fall back on ENOSYS only (docs/decisions/0003-seccomp-compiler.md).
 */

enum {
	/* the index of a number in struct arch_table; more than any architecture has */
	SLOT_COUNT = 640,
	/* arm's private calls (0xf0000 and up) share the last slots: the order stays that of
	   numbers */
	SLOT_ARM_PRIVATE = SLOT_COUNT - 16,
	ARM_PRIVATE_BASE = 0xf0000,
	RULES_MAX = UINT16_MAX - 1,
	/* more would not fit in a filter; refused before they cost memory */
	CONDITIONAL_MAX = 8192,
	ERRNO_MAX = 4095, /* MAX_ERRNO of the kernel */
	ERRNO_DEFAULT = EPERM,
};

struct slot {
	uint16_t plain;	      /* index + 1 of the first rule without conditions, or 0 */
	uint16_t conditional; /* index + 1 into compiler.chains, or 0 */
};

struct arch_table {
	bool listed; /* by the profile, not only native */
	unsigned n;  /* slots up to the highest number that the profile names */
	struct slot slots[SLOT_COUNT];
};

struct compiler {
	const struct oci_seccomp *section;
	enum syscall_arch host;
	struct arena *arena;
	uint32_t default_action;
	bool enosys;			    /* for numbers the profile does not reach */
	uint32_t *actions;		    /* of section->rules */
	const struct seccomp_rule **chains; /* last rule of each */
	size_t n_chains, chains_size;
	size_t n_conditional;				/* rules on all chains */
	struct arch_table *tables[SYSCALL_ARCH_COUNT];	/* NULL: not filtered */
	enum syscall_arch filtered[SYSCALL_ARCH_COUNT]; /* the others, in a row */
	size_t n_filtered;
};

static const uint32_t action_values[] = {
	[OCI_SECCOMP_KILL_PROCESS] = SECCOMP_RET_KILL_PROCESS,
	[OCI_SECCOMP_KILL_THREAD] = SECCOMP_RET_KILL_THREAD,
	[OCI_SECCOMP_TRAP] = SECCOMP_RET_TRAP,
	[OCI_SECCOMP_ERRNO] = SECCOMP_RET_ERRNO,
	[OCI_SECCOMP_NOTIFY] = SECCOMP_RET_USER_NOTIF,
	[OCI_SECCOMP_TRACE] = SECCOMP_RET_TRACE,
	[OCI_SECCOMP_LOG] = SECCOMP_RET_LOG,
	[OCI_SECCOMP_ALLOW] = SECCOMP_RET_ALLOW,
};

/* The caller puts the field's path before the message. */
static int action_of(enum oci_seccomp_action action, struct opt_u64 errno_ret, uint32_t *ret_action,
		     struct error *err)
{
	uint64_t data = 0;

	if (action == OCI_SECCOMP_ERRNO || action == OCI_SECCOMP_TRACE)
		data = errno_ret.set ? errno_ret.value : ERRNO_DEFAULT;
	if (data > (action == OCI_SECCOMP_TRACE ? SECCOMP_RET_DATA : ERRNO_MAX))
		return error_kind(err, ERROR_INVALID, "errno %llu is out of range",
				  (unsigned long long)data);
	*ret_action = action_values[action] | (uint32_t)data;
	return 0;
}

/* From a table row's number to a slot, whose order is that of numbers, and back. */
static unsigned slot_of(uint16_t row_number)
{
	if (row_number < SYSCALL_ARM_PRIVATE_MARK)
		return row_number;
	return SLOT_ARM_PRIVATE + row_number - SYSCALL_ARM_PRIVATE_MARK;
}

static uint32_t number_of(enum syscall_arch arch, unsigned slot)
{
	if (slot >= SLOT_ARM_PRIVATE)
		return SYSCALL_ARM_PRIVATE + slot - SLOT_ARM_PRIVATE;
	return arch == SYSCALL_ARCH_X32 ? slot | SYSCALL_X32_BIT : slot;
}

static void add_conditional(struct compiler *c, struct slot *slot, uint32_t action, bool narrow,
			    const struct seccomp_cond *conds, size_t n)
{
	struct seccomp_rule *rule = arena_alloc(c->arena, sizeof(*rule));

	c->n_conditional++;
	*rule = (struct seccomp_rule){ .action = action, .narrow = narrow, .n_conds = n };
	rule->conds = conds;
	if (!slot->conditional) {
		c->chains = array_grow(c->chains, c->n_chains, &c->chains_size, sizeof(*c->chains));
		c->chains[c->n_chains++] = NULL;
		slot->conditional = (uint16_t)c->n_chains;
	}
	rule->previous = c->chains[slot->conditional - 1];
	c->chains[slot->conditional - 1] = rule;
}

/* The conditions of a rule as alternatives: one list, or each alone if they repeat an argument. */
struct conditions {
	const struct seccomp_cond *conds;
	size_t n;
	bool alternatives;
};

static int conditions_of(struct compiler *c, size_t index, struct conditions *ret,
			 struct error *err)
{
	const struct oci_seccomp_rule *rule = &c->section->rules[index];
	struct seccomp_cond *conds;
	unsigned seen = 0;

	*ret = (struct conditions){ 0 };
	if (!rule->n_args)
		return 0;
	if (rule->n_args > CONDITIONAL_MAX)
		return error_num(err, E2BIG, "linux.seccomp.syscalls[%zu]: more than %d conditions",
				 index, CONDITIONAL_MAX);
	conds = arena_alloc(c->arena, rule->n_args * sizeof(*conds));
	for (size_t i = 0; i < rule->n_args; i++) {
		const struct oci_seccomp_arg *arg = &rule->args[i];

		if (arg->index > 5)
			return error_kind(err, ERROR_INVALID,
					  "linux.seccomp.syscalls[%zu].args[%zu].index: %u is not "
					  "an argument of a system call (0 to 5)",
					  index, i, arg->index);
		ret->alternatives |= seen & (1u << arg->index);
		seen |= 1u << arg->index;
		conds[i] = (struct seccomp_cond){ (uint8_t)arg->index, (uint8_t)arg->op, arg->value,
						  arg->value_two };
	}
	ret->conds = conds;
	ret->n = rule->n_args;
	return 0;
}

static void add_rule(struct compiler *c, enum syscall_arch arch, struct slot *slot, size_t index,
		     const struct conditions *conditions)
{
	bool narrow = !syscall_arch_get(arch)->wide;

	if (!conditions->alternatives) {
		add_conditional(c, slot, c->actions[index], narrow, conditions->conds,
				conditions->n);
		return;
	}
	for (size_t i = 0; i < conditions->n; i++)
		add_conditional(c, slot, c->actions[index], narrow, &conditions->conds[i], 1);
}

/*
 * socketcall(2) and ipc(2) of x86: which call is meant stands in the first argument, so a condition
 * on the first argument of the real call cannot be asked; the others are kept, as libseccomp does,
 * though they see the multiplexer's arguments.
 */
static void add_multiplexed(struct compiler *c, uint32_t number, uint32_t call, size_t index,
			    const struct conditions *conditions)
{
	struct arch_table *table = c->tables[SYSCALL_ARCH_X86];
	struct slot *slot = &table->slots[number];
	size_t n = 1, parts = conditions->alternatives ? conditions->n : 1;
	size_t n_max = 1 + (conditions->alternatives ? 1 : conditions->n);

	table->n = MAX(table->n, number + 1);
	for (size_t part = 0; part < parts; part++) {
		struct seccomp_cond *conds = arena_alloc(c->arena, n_max * sizeof(*conds));

		conds[0] = (struct seccomp_cond){ 0, SECCOMP_OP_EQ, call, 0 };
		n = 1;
		for (size_t i = 0; i < conditions->n; i++) {
			if (conditions->alternatives && i != part)
				continue;
			if (conditions->conds[i].index != 0)
				conds[n++] = conditions->conds[i];
		}
		add_conditional(c, slot, c->actions[index], true, conds, n);
	}
}

static void add_name(struct compiler *c, const struct syscall_row *row, size_t index,
		     const struct conditions *conditions)
{
	bool redundant = c->actions[index] == c->default_action;
	uint32_t mux_number, mux_call;

	for (size_t i = 0; i < c->n_filtered; i++) {
		enum syscall_arch arch = c->filtered[i];
		struct arch_table *table = c->tables[arch];
		unsigned slot;

		if (row->number[arch] == SYSCALL_NONE)
			continue;
		slot = slot_of(row->number[arch]);
		table->n = MAX(table->n, slot + 1);
		if (redundant)
			continue;
		if (conditions->n)
			add_rule(c, arch, &table->slots[slot], index, conditions);
		else if (!table->slots[slot].plain)
			table->slots[slot].plain = (uint16_t)(index + 1);
	}
	if (c->tables[SYSCALL_ARCH_X86] && !redundant &&
	    syscall_multiplexed(row, &mux_number, &mux_call))
		add_multiplexed(c, mux_number, mux_call, index, conditions);
}

static int add_rules(struct compiler *c, struct error *err)
{
	const struct oci_seccomp *s = c->section;
	struct conditions conditions;
	int r;

	if (s->n_rules > RULES_MAX)
		return error_kind(err, ERROR_INVALID, "linux.seccomp.syscalls: more than %d rules",
				  RULES_MAX);
	c->actions = arena_alloc(c->arena, s->n_rules * sizeof(*c->actions) + 1);
	for (size_t i = 0; i < s->n_rules; i++) {
		r = action_of(s->rules[i].action, s->rules[i].errno_ret, &c->actions[i], err);
		if (r < 0)
			return error_prefix(err, r, "linux.seccomp.syscalls[%zu]", i);
		r = conditions_of(c, i, &conditions, err);
		if (r < 0)
			return r;
		for (size_t j = 0; j < s->rules[i].n_names; j++) {
			const struct syscall_row *row = syscall_find(s->rules[i].names[j]);

			if (!row && s->fail_unknown)
				return error_kind(err, ERROR_INVALID,
						  "linux.seccomp.syscalls[%zu].names[%zu]: unknown "
						  "system call '%s'",
						  i, j, s->rules[i].names[j]);
			if (row)
				add_name(c, row, i, &conditions);
			if (c->n_conditional > CONDITIONAL_MAX)
				return error_num(err, E2BIG,
						 "linux.seccomp.syscalls: more than %d conditions",
						 CONDITIONAL_MAX);
		}
	}
	return 0;
}

/* The segments of one audit architecture, growing upwards. */
struct segments {
	struct seccomp_segment *list;
	size_t n, size;
};

/* From first on, until the next call says otherwise. */
static void segment_add(struct segments *s, uint32_t first, uint32_t action,
			const struct seccomp_rule *last_rule)
{
	if (s->n && s->list[s->n - 1].first == first)
		s->n--;
	if (s->n && s->list[s->n - 1].action == action && s->list[s->n - 1].last_rule == last_rule)
		return;
	if (s->n == s->size)
		s->list = array_grow(s->list, s->n, &s->size, sizeof(*s->list));
	s->list[s->n++] = (struct seccomp_segment){ first, action, last_rule };
}

static uint32_t action_beyond(const struct compiler *c, enum syscall_arch arch)
{
	const struct arch_table *table = c->tables[arch];

	/* others take number 0 for "names nothing here" */
	if (c->enosys && table->listed && table->n > (arch == SYSCALL_ARCH_X32 ? 0 : 1))
		return SECCOMP_RET_ERRNO | ENOSYS;
	return c->default_action;
}

static void add_segments(const struct compiler *c, enum syscall_arch arch, struct segments *s)
{
	const struct arch_table *table = c->tables[arch];
	struct slot before = { 0 };

	segment_add(s, number_of(arch, 0), c->default_action, NULL);
	for (unsigned i = 0; i < table->n; i++) {
		struct slot slot = table->slots[i];

		if (memcmp(&slot, &before, sizeof(slot)) == 0)
			continue;
		before = slot;
		if (slot.plain)
			segment_add(s, number_of(arch, i), c->actions[slot.plain - 1], NULL);
		else if (slot.conditional)
			segment_add(s, number_of(arch, i), c->default_action,
				    c->chains[slot.conditional - 1]);
		else
			segment_add(s, number_of(arch, i), c->default_action, NULL);
	}
	if (table->n)
		segment_add(s, number_of(arch, table->n - 1) + 1, action_beyond(c, arch), NULL);
}

/*
 * x86_64 and x32 share an audit architecture, told apart by bit 30. An x32 number on a filter
 * without x32 is killed: else a deny list of x86_64 numbers would be passed by setting one bit.
 * Numbers with bit 31 belong to nobody; they are treated as their bit 30 says.
 */
static void add_x86_64_segments(const struct compiler *c, struct segments *s)
{
	uint32_t beyond = action_beyond(c, SYSCALL_ARCH_X86_64);
	uint32_t kill = SECCOMP_RET_KILL_THREAD;

	add_segments(c, SYSCALL_ARCH_X86_64, s);
	if (c->tables[SYSCALL_ARCH_X32]) {
		add_segments(c, SYSCALL_ARCH_X32, s);
		segment_add(s, 2 * SYSCALL_X32_BIT, beyond, NULL);
		segment_add(s, 3 * SYSCALL_X32_BIT, action_beyond(c, SYSCALL_ARCH_X32), NULL);
	} else {
		segment_add(s, SYSCALL_X32_BIT, kill, NULL);
		if (beyond != c->default_action)
			segment_add(s, 2 * SYSCALL_X32_BIT, beyond, NULL);
		segment_add(s, 3 * SYSCALL_X32_BIT, kill, NULL);
	}
}

static struct arch_table *filter_arch(struct compiler *c, enum syscall_arch arch)
{
	if (!c->tables[arch]) {
		c->tables[arch] = arena_alloc(c->arena, sizeof(struct arch_table));
		c->filtered[c->n_filtered++] = arch;
	}
	return c->tables[arch];
}

static int choose_archs(struct compiler *c, struct error *err)
{
	const struct oci_seccomp *s = c->section;

	if (c->host == SYSCALL_ARCH_COUNT)
		return error_kind(err, ERROR_UNSUPPORTED,
				  "linux.seccomp: no system call table for this architecture");
	filter_arch(c, c->host);
	for (size_t i = 0; i < s->n_architectures; i++) {
		int arch = syscall_arch_parse(s->architectures[i]);

		if (arch == -EINVAL)
			return error_kind(err, ERROR_INVALID,
					  "linux.seccomp.architectures[%zu]: unknown architecture "
					  "'%s'",
					  i, s->architectures[i]);
		/* a kernel of another family never reports it: filtering it would only cost */
		if (arch < 0 || syscall_arch_get(arch)->host != syscall_arch_get(c->host)->host)
			continue;
		filter_arch(c, arch)->listed = true;
	}
	return 0;
}

static int assemble(struct compiler *c, struct seccomp_program *ret_program, struct error *err)
{
	struct seccomp_arch_rules archs[SYSCALL_ARCH_COUNT];
	struct segments segments[SYSCALL_ARCH_COUNT] = { 0 };
	size_t n = 0;
	int r;

	for (int i = 0; i < SYSCALL_ARCH_COUNT; i++) {
		/* the table's order is native first, as each 64-bit one stands before its own */
		if (!c->tables[i] || i == SYSCALL_ARCH_X32)
			continue;
		if (i == SYSCALL_ARCH_X86_64)
			add_x86_64_segments(c, &segments[n]);
		else
			add_segments(c, i, &segments[n]);
		archs[n] = (struct seccomp_arch_rules){ syscall_arch_get(i)->audit_arch,
							segments[n].list, segments[n].n };
		n++;
	}
	r = seccomp_bpf_assemble(archs, n, SECCOMP_RET_KILL_THREAD, ret_program, err);
	while (n-- > 0)
		free(segments[n].list);
	return r;
}

static bool lets_pass(enum oci_seccomp_action action)
{
	return action == OCI_SECCOMP_ALLOW || action == OCI_SECCOMP_LOG ||
	       action == OCI_SECCOMP_TRACE; /* a tracer answers unknown calls itself */
}

static bool notifies(const struct oci_seccomp *section)
{
	if (section->bpf_data) /* what it answers is not looked at */
		return section->listener_path;
	for (size_t i = 0; i < section->n_rules; i++)
		if (section->rules[i].action == OCI_SECCOMP_NOTIFY)
			return true;
	return false;
}

static unsigned flags_of(const struct oci_seccomp *section)
{
	/* without the key: as runc, so that speculation is not slowed down (SSBD) by the filter */
	unsigned flags = section->has_flags ? section->flags : SECCOMP_FILTER_FLAG_SPEC_ALLOW;

	if (!notifies(section)) /* the kernel refuses it alone: it means nothing then */
		return flags & ~(unsigned)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	/* of the threads there are only ours and the one that sends the listener, which must not
	 * be filtered; and the kernel before 5.7 refuses both together */
	return (flags & ~(unsigned)SECCOMP_FILTER_FLAG_TSYNC) | SECCOMP_FILTER_FLAG_NEW_LISTENER;
}

static int take_bpf_data(const struct oci_seccomp *section, struct seccomp_program *ret,
			 struct error *err)
{
	void *data = NULL;
	size_t len = 0;
	int r = base64_parse(section->bpf_data, &data, &len);

	if (r == -ENOMEM)
		return error_oom(err);
	if (r < 0 || len == 0 || len % sizeof(*ret->insns) ||
	    len / sizeof(*ret->insns) > BPF_MAXINSNS) {
		free(data);
		return error_kind(err, ERROR_INVALID,
				  "annotation run.oci.seccomp_bpf_data: not base64 of 1 to %d "
				  "instructions",
				  BPF_MAXINSNS);
	}
	*ret = (struct seccomp_program){ data, len / sizeof(*ret->insns) };
	return 0;
}

int seccomp_compile_for(enum syscall_arch host, const struct oci_seccomp *section,
			struct seccomp_filter *ret_filter, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = NULL;
	struct seccomp_filter filter = { 0 };
	struct compiler *c;
	int r;

	*ret_filter = filter;
	if (!section)
		return 0;
	if (section->bpf_data) {
		r = take_bpf_data(section, &filter.program, err);
		filter.flags = flags_of(section);
		if (r >= 0)
			*ret_filter = filter;
		return r;
	}

	arena = arena_new();
	c = arena_alloc(arena, sizeof(*c));
	c->arena = arena;
	c->section = section;
	c->host = host;
	r = action_of(section->default_action, section->default_errno_ret, &c->default_action, err);
	if (r < 0)
		return error_prefix(err, r, "linux.seccomp.defaultAction");
	c->enosys = !lets_pass(section->default_action) &&
		    !(section->default_errno_ret.set && section->default_errno_ret.value == ENOSYS);

	r = choose_archs(c, err);
	if (r >= 0)
		r = add_rules(c, err);
	if (r >= 0)
		r = assemble(c, &filter.program, err);
	free(c->chains);
	if (r < 0)
		return r;

	filter.flags = flags_of(section);
	*ret_filter = filter;
	return 0;
}

int seccomp_compile(const struct oci_seccomp *section, struct seccomp_filter *ret_filter,
		    struct error *err)
{
	return seccomp_compile_for(syscall_arch_native(), section, ret_filter, err);
}

void seccomp_filter_done(struct seccomp_filter *f)
{
	seccomp_program_done(&f->program);
}

bool seccomp_has_listener(const struct seccomp_filter *f)
{
	return f->flags & SECCOMP_FILTER_FLAG_NEW_LISTENER;
}

int seccomp_load(const struct seccomp_filter *f, int *ret_listener_fd, struct error *err)
{
	int r;

	if (!f->program.n_insns)
		return 0;
	r = seccomp_bpf_load(&f->program, f->flags);
	if (r == -EBUSY && seccomp_has_listener(f))
		return error_kind(
			err, ERROR_UNSUPPORTED,
			"cannot load the seccomp filter: the runtime itself has one with a "
			"listener, the kernel allows one");
	if (r < 0)
		return error_num(err, -r, "cannot load the seccomp filter (flags 0x%x)", f->flags);
	if (seccomp_has_listener(f))
		*ret_listener_fd = r;
	return 0;
}
