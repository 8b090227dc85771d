/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* linux.seccomp of config.json as a loadable filter. */

#include "base/error.h"
#include "kernel/seccomp_bpf.h"
#include "kernel/syscall_table.h"

struct oci_seccomp;
struct oci_spec;

struct seccomp_filter {
	struct seccomp_program program; /* empty: no filter */
	unsigned flags; /* SECCOMP_FILTER_FLAG_*; NEW_LISTENER: see seccomp_notify.h */
};

/*
 * crun's annotations become part of the section, before it is checked: run.oci.seccomp.receiver,
 * run.oci.seccomp_fail_unknown_syscall, run.oci.seccomp_bpf_data.
 */
int seccomp_apply_annotations(struct oci_spec *spec, struct error *err);

/*
 * Compile the section (parent side, before anything was made). NULL gives the empty filter.
 * The program decides as the one libseccomp makes of the same section; tests prove it.
 * Errors   ERROR_UNSUPPORTED names what is missing; ERROR_INVALID a section that cannot be met
 */
int seccomp_compile(const struct oci_seccomp *section, struct seccomp_filter *ret_filter,
		    struct error *err);

/* The same for a kernel of another architecture; for tests and tools. */
int seccomp_compile_for(enum syscall_arch host, const struct oci_seccomp *section,
			struct seccomp_filter *ret_filter, struct error *err);

void seccomp_filter_done(struct seccomp_filter *f);

/* Some rule asks an agent: the filter is loaded by seccomp_notify_load(). */
bool seccomp_has_listener(const struct seccomp_filter *f);

/*
 * Child side; the empty filter is no error. No allocation.
 *
 * ret_listener_fd  owned by the caller if the filter has a listener; may be NULL if it has none
 */
int seccomp_load(const struct seccomp_filter *f, int *ret_listener_fd, struct error *err);
