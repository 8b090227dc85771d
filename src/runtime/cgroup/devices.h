/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Device rules into the kernel: the devices controller of v1, or an eBPF program on v2. Private to
 * runtime/cgroup. */

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"

struct bpf_insn;
struct device_list;

/* dir_fd: the cgroup's directory. fresh: it has its parent's rules and no process yet. */
int devices_v1_apply(int dir_fd, const struct device_list *list, bool fresh, struct error *err);
int devices_bpf_apply(int dir_fd, const struct device_list *list, bool fresh, struct error *err);

/*
 * The program for a list: returns 1 to allow an access, 0 to refuse it. Pure. Heap array.
 */
void devices_bpf_assemble(const struct device_list *list, struct bpf_insn **ret_insns,
			  size_t *ret_n);
