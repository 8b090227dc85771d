/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Names and numbers of system calls on the architectures whose filters berth can build. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum syscall_arch {
	SYSCALL_ARCH_X86_64,
	SYSCALL_ARCH_X86,
	SYSCALL_ARCH_X32, /* x86_64 with SYSCALL_X32_BIT in every number */
	SYSCALL_ARCH_AARCH64,
	SYSCALL_ARCH_ARM,
	SYSCALL_ARCH_RISCV64,
	SYSCALL_ARCH_COUNT,
};

#define SYSCALL_X32_BIT 0x40000000u

struct syscall_arch_info {
	const char *name;    /* "SCMP_ARCH_X86_64", as profiles spell it */
	uint32_t audit_arch; /* AUDIT_ARCH_*: what a filter sees */
	bool wide;	     /* arguments are compared as 64 bits; else the low 32, as libseccomp */
	enum syscall_arch host; /* 64-bit architecture whose kernel runs this one */
};

const struct syscall_arch_info *syscall_arch_get(enum syscall_arch arch);

/* The architecture this program was built for; SYSCALL_ARCH_COUNT where we have no table. */
enum syscall_arch syscall_arch_native(void);

/*
 * "SCMP_ARCH_..." to a number of enum syscall_arch; -ENOTSUP: a name of libseccomp's without a
 * table here (MIPS, PowerPC, ...); -EINVAL: nobody's name.
 */
int syscall_arch_parse(const char *name);

#define SYSCALL_NONE UINT16_MAX

/*
 * As the table holds it, for who goes through hundreds of names; others use the functions below.
 * Numbers are without SYSCALL_X32_BIT, and those of arm's private calls (0xf0000 and up) are kept
 * as 0xf000 and up.
 */
struct syscall_row {
	char name[30];
	uint16_t number[SYSCALL_ARCH_COUNT];
	uint8_t mux;
};
#define SYSCALL_ARM_PRIVATE	 0xf0000u
#define SYSCALL_ARM_PRIVATE_MARK 0xf000u

/* The row of a name, or NULL. */
const struct syscall_row *syscall_find(const char *name);

/* Its number on arch (with SYSCALL_X32_BIT on x32), or -1. */
int64_t syscall_number(const struct syscall_row *row, enum syscall_arch arch);

/*
 * x86 reaches sockets and SysV IPC also through two multiplexers: ret_number is socketcall's or
 * ipc's, ret_call the value of its first argument. False: this call is not behind one.
 */
bool syscall_multiplexed(const struct syscall_row *row, uint32_t *ret_number, uint32_t *ret_call);

/* Name of a number, or NULL. Linear: for messages. */
const char *syscall_name(enum syscall_arch arch, uint32_t number);

/* Names in table order for index 0..; NULL behind the last. */
const char *syscall_name_at(size_t index);
