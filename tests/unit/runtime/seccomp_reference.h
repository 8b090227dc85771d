/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The reference for our seccomp compiler: libseccomp's filter of the same section, fed in the way
 * other runtimes feed it, and an interpreter for both programs.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "kernel/syscall_table.h"
#include "oci/spec.h"

struct arena;

struct reference {
	struct sock_filter *insns; /* heap */
	size_t n;
	const struct oci_seccomp *section;
	int64_t last[SYSCALL_ARCH_COUNT]; /* highest number named; -1: none or not listed */
	uint32_t default_action;
};

/* Aborts the test when libseccomp refuses. */
void reference_build(struct reference *ref, const struct oci_seccomp *section,
		     enum syscall_arch host);
void reference_done(struct reference *ref);

/* What a runtime's filter answers: libseccomp's program behind the ENOSYS rule. */
uint32_t reference_answer(const struct reference *ref, const struct seccomp_data *data);

/*
 * Our table has a name for this number and the installed libseccomp has none: it may be older than
 * the call, so it is no judge.
 */
bool reference_is_too_old(enum syscall_arch arch, uint32_t nr);

/* Runs a filter. Aborts the test on anything that the kernel's checker would refuse. */
uint32_t bpf_run(const struct sock_filter *insns, size_t n, const struct seccomp_data *data,
		 size_t *ret_steps);

/* The section without the names that the installed libseccomp does not know; on arena. */
const struct oci_seccomp *reference_known_part(const struct oci_seccomp *section,
					       struct arena *arena);
