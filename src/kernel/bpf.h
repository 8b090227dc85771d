/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * eBPF programs of cgroups through the bare bpf(2): load, attach, replace, find. No library, no
 * compiler: callers hand in instructions.
 */

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

/* Load a program of one instruction array; *ret_fd is owned by the caller. The verifier's last line
 * is in the message of a refusal. name: at most 15 letters, digits, '_'. */
int bpf_prog_load(enum bpf_prog_type type, enum bpf_attach_type attach_type, const char *name,
		  const struct bpf_insn *insns, size_t n, int *ret_fd, struct error *err);

/*
 * Attach to a cgroup directory, beside the programs of others (BPF_F_ALLOW_MULTI). A program of the
 * same name that is there is replaced in one step: there is no moment without rules.
 */
int bpf_cgroup_attach(int cgroup_fd, int prog_fd, enum bpf_attach_type attach_type,
		      const char *name, struct error *err);

/* Detach all programs of this name. */
int bpf_cgroup_detach(int cgroup_fd, enum bpf_attach_type attach_type, const char *name,
		      struct error *err);
