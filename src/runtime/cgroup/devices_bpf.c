/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The device program of cgroup v2. The kernel calls it for every open and mknod of a device with
 *
 *	struct bpf_cgroup_dev_ctx { u32 access_type; u32 major; u32 minor; };
 *	access_type = (BPF_DEVCG_ACC_{MKNOD=1,READ=2,WRITE=4} << 16) |
 *BPF_DEVCG_DEV_{BLOCK=1,CHAR=2}
 *
 * and takes 1 for yes. The program walks the rules from the last to the first with the rights that
 * are still undecided in r3:
 *
 *	r2 type, r3 rights, r4 major, r5 minor
 *	rule:	if type, major or minor differ: goto next
 *		deny:	if (r3 & rights) return 0
 *		allow:	r3 &= ~rights; if (r3 == 0) return 1
 *	next:	...
 *	end:	return the default
 */
#include <linux/bpf.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/macro.h"
#include "base/mem.h"
#include "kernel/bpf.h"
#include "runtime/cgroup/device_list.h"
#include "runtime/cgroup/devices.h"

#define PROGRAM_NAME	   "berth_devices"
#define INSNS_PER_RULE_MAX 8
#define INSNS_FRAME	   10

enum { R0, R1, R2, R3, R4, R5, R6 };

static struct bpf_insn insn(int code, int dst, int src, int16_t off, int32_t imm)
{
	return (struct bpf_insn){
		.code = (uint8_t)code,
		.dst_reg = (uint8_t)(dst & 0xf),
		.src_reg = (uint8_t)(src & 0xf),
		.off = off,
		.imm = imm,
	};
}

#define LOAD_CONTEXT(dst, field) \
	insn(BPF_LDX | BPF_MEM | BPF_W, dst, R1, offsetof(struct bpf_cgroup_dev_ctx, field), 0)
#define MOVE(dst, src)		insn(BPF_ALU | BPF_MOV | BPF_X, dst, src, 0, 0)
#define SET(dst, imm)		insn(BPF_ALU | BPF_MOV | BPF_K, dst, 0, 0, imm)
#define AND(dst, imm)		insn(BPF_ALU | BPF_AND | BPF_K, dst, 0, 0, imm)
#define SHIFT_RIGHT(dst, imm)	insn(BPF_ALU | BPF_RSH | BPF_K, dst, 0, 0, imm)
#define SKIP_UNLESS_EQ(r, v, n) insn(BPF_JMP32 | BPF_JNE | BPF_K, r, 0, n, v)
#define EXIT()			insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static unsigned kernel_access(unsigned access)
{
	return (access & OCI_DEVICE_READ ? BPF_DEVCG_ACC_READ : 0u) |
	       (access & OCI_DEVICE_WRITE ? BPF_DEVCG_ACC_WRITE : 0u) |
	       (access & OCI_DEVICE_MKNOD ? BPF_DEVCG_ACC_MKNOD : 0u);
}

/* What the rule does when its device matches. */
static size_t emit_verdict(struct bpf_insn *out, const struct oci_device_rule *rule)
{
	unsigned access = kernel_access(rule->access);
	size_t n = 0;

	if (rule->allow) {
		out[n++] = AND(R3, (int32_t)~access);
		out[n++] = SKIP_UNLESS_EQ(R3, 0, 2);
		out[n++] = SET(R0, 1);
	} else {
		out[n++] = MOVE(R6, R3);
		out[n++] = AND(R6, (int32_t)access);
		out[n++] = insn(BPF_JMP32 | BPF_JEQ | BPF_K, R6, 0, 2, 0);
		out[n++] = SET(R0, 0);
	}
	out[n++] = EXIT();
	return n;
}

static size_t emit_rule(struct bpf_insn *out, const struct oci_device_rule *rule)
{
	struct bpf_insn verdict[INSNS_PER_RULE_MAX];
	size_t n_verdict = emit_verdict(verdict, rule);
	unsigned tests = (rule->type != 'a') + (rule->major >= 0) + (rule->minor >= 0);
	size_t n = 0;

	/* a failed test skips the tests behind it and the verdict */
	if (rule->type != 'a')
		out[n++] =
			SKIP_UNLESS_EQ(R2,
				       rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR,
				       (int16_t)(--tests + n_verdict));
	if (rule->major >= 0)
		out[n++] = SKIP_UNLESS_EQ(R4, (int32_t)rule->major, (int16_t)(--tests + n_verdict));
	if (rule->minor >= 0)
		out[n++] = SKIP_UNLESS_EQ(R5, (int32_t)rule->minor, (int16_t)(--tests + n_verdict));
	for (size_t i = 0; i < n_verdict; i++)
		out[n++] = verdict[i];
	return n;
}

void devices_bpf_assemble(const struct device_list *list, struct bpf_insn **ret_insns,
			  size_t *ret_n)
{
	struct bpf_insn *out =
		xcalloc(list->n * INSNS_PER_RULE_MAX + INSNS_FRAME, sizeof(struct bpf_insn));
	size_t n = 0;

	out[n++] = LOAD_CONTEXT(R2, access_type);
	out[n++] = MOVE(R3, R2);
	out[n++] = AND(R2, 0xffff);
	out[n++] = SHIFT_RIGHT(R3, 16);
	out[n++] = LOAD_CONTEXT(R4, major);
	out[n++] = LOAD_CONTEXT(R5, minor);
	for (size_t i = list->n; i-- > 0;)
		n += emit_rule(out + n, &list->rules[i]);
	out[n++] = SET(R0, list->default_allow);
	out[n++] = EXIT();
	*ret_insns = out;
	*ret_n = n;
}

int devices_bpf_apply(int dir_fd, const struct device_list *list, bool fresh, struct error *err)
{
	cleanup_free struct bpf_insn *insns = NULL;
	cleanup_fd int prog_fd = -EBADF;
	size_t n;
	int r;

	if (list->default_allow && list->n == 0)
		return fresh ? 0 : bpf_cgroup_detach(dir_fd, BPF_CGROUP_DEVICE, PROGRAM_NAME, err);
	devices_bpf_assemble(list, &insns, &n);
	r = bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE, PROGRAM_NAME, insns, n,
			  &prog_fd, err);
	if (r < 0)
		return r;
	return bpf_cgroup_attach(dir_fd, prog_fd, BPF_CGROUP_DEVICE, PROGRAM_NAME, err);
}
