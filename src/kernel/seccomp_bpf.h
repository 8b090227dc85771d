/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Seccomp filters: from rules over system call numbers to a classic BPF program, and into the
 * kernel. Knows no profile format and no names; see kernel/syscall_table.h and runtime/seccomp.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/filter.h>
#include "base/error.h"

enum seccomp_op { /* unsigned; the order of enum oci_seccomp_op */
		  SECCOMP_OP_NE,
		  SECCOMP_OP_LT,
		  SECCOMP_OP_LE,
		  SECCOMP_OP_EQ,
		  SECCOMP_OP_GE,
		  SECCOMP_OP_GT,
		  SECCOMP_OP_MASKED_EQ, /* (arg & value) == value_two */
};

struct seccomp_cond {
	uint8_t index; /* of the argument, 0..5 */
	uint8_t op;    /* enum seccomp_op */
	uint64_t value, value_two;
};

/* All conditions must hold. Rules of one system call are chained; the first that matches decides.
 */
struct seccomp_rule {
	const struct seccomp_rule *previous; /* tried before this one */
	uint32_t action;		     /* SECCOMP_RET_* | data */
	bool narrow;			     /* compare the low 32 bits only */
	size_t n_conds;
	const struct seccomp_cond *conds;
};

/* System calls from first up to the next segment's first. */
struct seccomp_segment {
	uint32_t first;
	uint32_t action;		      /* when no rule matches */
	const struct seccomp_rule *last_rule; /* or NULL */
};

/* One architecture: segments sorted by first, the first one at 0. */
struct seccomp_arch_rules {
	uint32_t audit_arch; /* AUDIT_ARCH_* of struct seccomp_data */
	const struct seccomp_segment *segments;
	size_t n_segments;
};

struct seccomp_program {
	struct sock_filter *insns; /* heap */
	size_t n_insns;
};

/*
 * Assemble the filter: architectures are tested in the order given, native first; any other gets
 * bad_arch_action.
 * Errors   -E2BIG more than BPF_MAXINSNS instructions
 */
int seccomp_bpf_assemble(const struct seccomp_arch_rules *archs, size_t n_archs,
			 uint32_t bad_arch_action, struct seccomp_program *ret_program,
			 struct error *err);

void seccomp_program_done(struct seccomp_program *p);

/*
 * Put the filter on the calling thread, for good. flags: SECCOMP_FILTER_FLAG_*. Needs
 * CAP_SYS_ADMIN or no_new_privs. No allocation. -errno without text; 0, or with
 * SECCOMP_FILTER_FLAG_NEW_LISTENER the listener, owned, close-on-exec. Source: seccomp(2).
 */
int seccomp_bpf_load(const struct seccomp_program *p, unsigned flags);

/* Does this kernel know the flag? Loads nothing. */
bool seccomp_bpf_flag_known(unsigned flag);
