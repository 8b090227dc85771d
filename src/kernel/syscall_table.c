/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/syscall_table.h"

#include <errno.h>
#include <string.h>
#include <linux/audit.h>

#include "base/macro.h"
#include "base/str.h"

#define NONE		SYSCALL_NONE
#define X86_SOCKETCALL	102
#define X86_IPC		117
#define MUX_SOCKET_BASE 100
#define MUX_IPC_BASE	200

#include "kernel/syscall_table_data.inc"

static const struct syscall_arch_info arches[SYSCALL_ARCH_COUNT] = {
	[SYSCALL_ARCH_X86_64] = { "SCMP_ARCH_X86_64", AUDIT_ARCH_X86_64, true,
				  SYSCALL_ARCH_X86_64 },
	[SYSCALL_ARCH_X86] = { "SCMP_ARCH_X86", AUDIT_ARCH_I386, false, SYSCALL_ARCH_X86_64 },
	[SYSCALL_ARCH_X32] = { "SCMP_ARCH_X32", AUDIT_ARCH_X86_64, false, SYSCALL_ARCH_X86_64 },
	[SYSCALL_ARCH_AARCH64] = { "SCMP_ARCH_AARCH64", AUDIT_ARCH_AARCH64, true,
				   SYSCALL_ARCH_AARCH64 },
	[SYSCALL_ARCH_ARM] = { "SCMP_ARCH_ARM", AUDIT_ARCH_ARM, false, SYSCALL_ARCH_AARCH64 },
	[SYSCALL_ARCH_RISCV64] = { "SCMP_ARCH_RISCV64", AUDIT_ARCH_RISCV64, true,
				   SYSCALL_ARCH_RISCV64 },
};

/* runtime-spec config-linux.md "Seccomp" lists these too; no kernel that runs us runs them. */
static const char *const foreign_arches[] = {
	"SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K",	  "SCMP_ARCH_MIPS",
	"SCMP_ARCH_MIPS64",	 "SCMP_ARCH_MIPS64N32",	  "SCMP_ARCH_MIPSEL",
	"SCMP_ARCH_MIPSEL64",	 "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PARISC",
	"SCMP_ARCH_PARISC64",	 "SCMP_ARCH_PPC",	  "SCMP_ARCH_PPC64",
	"SCMP_ARCH_PPC64LE",	 "SCMP_ARCH_S390",	  "SCMP_ARCH_S390X",
	"SCMP_ARCH_SH",		 "SCMP_ARCH_SHEB",
};

const struct syscall_arch_info *syscall_arch_get(enum syscall_arch arch)
{
	return &arches[arch];
}

enum syscall_arch syscall_arch_native(void)
{
#if defined(__x86_64__) && defined(__ILP32__)
	return SYSCALL_ARCH_X32;
#elif defined(__x86_64__)
	return SYSCALL_ARCH_X86_64;
#elif defined(__i386__)
	return SYSCALL_ARCH_X86;
#elif defined(__aarch64__)
	return SYSCALL_ARCH_AARCH64;
#elif defined(__arm__)
	return SYSCALL_ARCH_ARM;
#elif defined(__riscv) && __riscv_xlen == 64
	return SYSCALL_ARCH_RISCV64;
#else
	return SYSCALL_ARCH_COUNT;
#endif
}

int syscall_arch_parse(const char *name)
{
	for (int i = 0; i < SYSCALL_ARCH_COUNT; i++) {
		if (str_eq(name, arches[i].name))
			return i;
	}
	if (str_eq(name, "SCMP_ARCH_NATIVE") && syscall_arch_native() != SYSCALL_ARCH_COUNT)
		return (int)syscall_arch_native();
	if (str_index(foreign_arches, ARRAY_SIZE(foreign_arches), name) >= 0)
		return -ENOTSUP;
	return -EINVAL;
}

static uint32_t fnv1a(const char *s)
{
	uint32_t h = 0x811c9dc5;

	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 0x01000193;
	return h;
}

const struct syscall_row *syscall_find(const char *name)
{
	/* a name list of four hundred is resolved at every start of a container: hence a hash */
	for (uint32_t i = fnv1a(name);; i++) {
		unsigned slot = syscall_slots[i % ARRAY_SIZE(syscall_slots)];

		if (!slot)
			return NULL;
		if (strcmp(syscall_rows[slot - 1].name, name) == 0)
			return &syscall_rows[slot - 1];
	}
}

int64_t syscall_number(const struct syscall_row *row, enum syscall_arch arch)
{
	uint16_t n = row->number[arch];

	if (n == NONE)
		return -1;
	if (n >= SYSCALL_ARM_PRIVATE_MARK)
		return SYSCALL_ARM_PRIVATE + (n - SYSCALL_ARM_PRIVATE_MARK);
	return arch == SYSCALL_ARCH_X32 ? (int64_t)(n | SYSCALL_X32_BIT) : n;
}

bool syscall_multiplexed(const struct syscall_row *row, uint32_t *ret_number, uint32_t *ret_call)
{
	if (!row->mux)
		return false;
	if (row->mux >= MUX_IPC_BASE) {
		*ret_number = X86_IPC;
		*ret_call = row->mux - MUX_IPC_BASE;
	} else {
		*ret_number = X86_SOCKETCALL;
		*ret_call = row->mux - MUX_SOCKET_BASE;
	}
	return true;
}

const char *syscall_name(enum syscall_arch arch, uint32_t number)
{
	for (size_t i = 0; i < ARRAY_SIZE(syscall_rows); i++) {
		if (syscall_number(&syscall_rows[i], arch) == (int64_t)number)
			return syscall_rows[i].name;
	}
	return NULL;
}

const char *syscall_name_at(size_t index)
{
	return index < ARRAY_SIZE(syscall_rows) ? syscall_rows[index].name : NULL;
}
