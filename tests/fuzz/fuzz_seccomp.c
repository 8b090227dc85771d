/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seccomp profiles: refused, or compiled to a filter that the kernel would take: it ends, jumps
 * forward and inside, and reads only what struct seccomp_data has. And the same bytes as run.oci.seccomp_bpf_data,
 * which is the kernel's to check: only whole instructions, no more than it takes.
 */
#include <assert.h>
#include <stdint.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "base/mem.h"
#include "engine/seccomp_profile.h"
#include "runtime/seccomp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_program(const struct seccomp_program *p)
{
	assert(p->n_insns > 0 && p->n_insns <= BPF_MAXINSNS);
	for (size_t i = 0; i < p->n_insns; i++) {
		const struct sock_filter *insn = &p->insns[i];

		switch (BPF_CLASS(insn->code)) {
		case BPF_LD:
			assert(insn->k % 4 == 0 && insn->k < sizeof(struct seccomp_data));
			break;
		case BPF_JMP:
			if (BPF_OP(insn->code) == BPF_JA)
				assert(insn->k < p->n_insns - i - 1);
			else
				assert(i + 1 + insn->jt < p->n_insns &&
				       i + 1 + insn->jf < p->n_insns);
			break;
		case BPF_ALU:
			break;
		default:
			assert(insn->code == (BPF_RET | BPF_K));
		}
	}
	assert(p->insns[p->n_insns - 1].code == (BPF_RET | BPF_K));
}

static void check_bpf_data(const uint8_t *data, size_t size)
{
	cleanup_free char *text = xstrndup((const char *)data, size);
	const struct oci_seccomp section = { .bpf_data = text };
	struct seccomp_filter f;
	struct error err;

	if (seccomp_compile_for(SYSCALL_ARCH_X86_64, &section, &f, &err) < 0)
		return;
	assert(f.program.n_insns > 0 && f.program.n_insns <= BPF_MAXINSNS);
	assert(f.program.n_insns * sizeof(*f.program.insns) <= size);
	seccomp_filter_done(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum syscall_arch hosts[] = { SYSCALL_ARCH_X86_64, SYSCALL_ARCH_AARCH64 };
	cleanup_with(arena_free) struct arena *arena = arena_new();
	const struct oci_seccomp *section;
	struct error err;

	check_bpf_data(data, size);
	if (seccomp_profile_parse((const char *)data, size, "input", size, arena, &section, &err) <
	    0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		struct seccomp_filter f;

		if (seccomp_compile_for(hosts[i], section, &f, &err) < 0)
			continue;
		check_program(&f.program);
		seccomp_filter_done(&f);
	}
	return 0;
}
