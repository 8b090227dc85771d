/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/words.h"

#include <linux/capability.h>
#include <sys/resource.h>

#include "base/macro.h"
#include "oci/spec.h"

/* All lists are sorted by name. Where two words mean the same, the first is written. */

/* capabilities(7); config.md "Linux Process" */
static const struct oci_word capabilities[] = {
	{ "CAP_AUDIT_CONTROL", CAP_AUDIT_CONTROL },
	{ "CAP_AUDIT_READ", CAP_AUDIT_READ },
	{ "CAP_AUDIT_WRITE", CAP_AUDIT_WRITE },
	{ "CAP_BLOCK_SUSPEND", CAP_BLOCK_SUSPEND },
	{ "CAP_BPF", CAP_BPF },
	{ "CAP_CHECKPOINT_RESTORE", CAP_CHECKPOINT_RESTORE },
	{ "CAP_CHOWN", CAP_CHOWN },
	{ "CAP_DAC_OVERRIDE", CAP_DAC_OVERRIDE },
	{ "CAP_DAC_READ_SEARCH", CAP_DAC_READ_SEARCH },
	{ "CAP_FOWNER", CAP_FOWNER },
	{ "CAP_FSETID", CAP_FSETID },
	{ "CAP_IPC_LOCK", CAP_IPC_LOCK },
	{ "CAP_IPC_OWNER", CAP_IPC_OWNER },
	{ "CAP_KILL", CAP_KILL },
	{ "CAP_LEASE", CAP_LEASE },
	{ "CAP_LINUX_IMMUTABLE", CAP_LINUX_IMMUTABLE },
	{ "CAP_MAC_ADMIN", CAP_MAC_ADMIN },
	{ "CAP_MAC_OVERRIDE", CAP_MAC_OVERRIDE },
	{ "CAP_MKNOD", CAP_MKNOD },
	{ "CAP_NET_ADMIN", CAP_NET_ADMIN },
	{ "CAP_NET_BIND_SERVICE", CAP_NET_BIND_SERVICE },
	{ "CAP_NET_BROADCAST", CAP_NET_BROADCAST },
	{ "CAP_NET_RAW", CAP_NET_RAW },
	{ "CAP_PERFMON", CAP_PERFMON },
	{ "CAP_SETFCAP", CAP_SETFCAP },
	{ "CAP_SETGID", CAP_SETGID },
	{ "CAP_SETPCAP", CAP_SETPCAP },
	{ "CAP_SETUID", CAP_SETUID },
	{ "CAP_SYSLOG", CAP_SYSLOG },
	{ "CAP_SYS_ADMIN", CAP_SYS_ADMIN },
	{ "CAP_SYS_BOOT", CAP_SYS_BOOT },
	{ "CAP_SYS_CHROOT", CAP_SYS_CHROOT },
	{ "CAP_SYS_MODULE", CAP_SYS_MODULE },
	{ "CAP_SYS_NICE", CAP_SYS_NICE },
	{ "CAP_SYS_PACCT", CAP_SYS_PACCT },
	{ "CAP_SYS_PTRACE", CAP_SYS_PTRACE },
	{ "CAP_SYS_RAWIO", CAP_SYS_RAWIO },
	{ "CAP_SYS_RESOURCE", CAP_SYS_RESOURCE },
	{ "CAP_SYS_TIME", CAP_SYS_TIME },
	{ "CAP_SYS_TTY_CONFIG", CAP_SYS_TTY_CONFIG },
	{ "CAP_WAKE_ALARM", CAP_WAKE_ALARM },
};
const struct oci_words oci_capability_words = OCI_WORDS("capability", capabilities);

/* getrlimit(2); config.md "POSIX process" */
static const struct oci_word rlimits[] = {
	{ "RLIMIT_AS", RLIMIT_AS },
	{ "RLIMIT_CORE", RLIMIT_CORE },
	{ "RLIMIT_CPU", RLIMIT_CPU },
	{ "RLIMIT_DATA", RLIMIT_DATA },
	{ "RLIMIT_FSIZE", RLIMIT_FSIZE },
	{ "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
	{ "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE", RLIMIT_NICE },
	{ "RLIMIT_NOFILE", RLIMIT_NOFILE },
	{ "RLIMIT_NPROC", RLIMIT_NPROC },
	{ "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
	{ "RLIMIT_RTTIME", RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	{ "RLIMIT_STACK", RLIMIT_STACK },
};
const struct oci_words oci_rlimit_words = OCI_WORDS("rlimit", rlimits);

/* config-linux.md "Namespaces" */
static const struct oci_word namespaces[] = {
	{ "cgroup", OCI_NS_CGROUP }, { "ipc", OCI_NS_IPC }, { "mount", OCI_NS_MOUNT },
	{ "network", OCI_NS_NET },   { "pid", OCI_NS_PID }, { "time", OCI_NS_TIME },
	{ "user", OCI_NS_USER },     { "uts", OCI_NS_UTS },
};
const struct oci_words oci_namespace_words = OCI_WORDS("namespace type", namespaces);

/* config-linux.md "Seccomp" */
static const struct oci_word actions[] = {
	{ "SCMP_ACT_ALLOW", OCI_SECCOMP_ALLOW },
	{ "SCMP_ACT_ERRNO", OCI_SECCOMP_ERRNO },
	{ "SCMP_ACT_KILL", OCI_SECCOMP_KILL_THREAD },
	{ "SCMP_ACT_KILL_PROCESS", OCI_SECCOMP_KILL_PROCESS },
	{ "SCMP_ACT_KILL_THREAD", OCI_SECCOMP_KILL_THREAD },
	{ "SCMP_ACT_LOG", OCI_SECCOMP_LOG },
	{ "SCMP_ACT_NOTIFY", OCI_SECCOMP_NOTIFY },
	{ "SCMP_ACT_TRACE", OCI_SECCOMP_TRACE },
	{ "SCMP_ACT_TRAP", OCI_SECCOMP_TRAP },
};
const struct oci_words oci_seccomp_action_words = OCI_WORDS("seccomp action", actions);

static const struct oci_word ops[] = {
	{ "SCMP_CMP_EQ", OCI_SECCOMP_OP_EQ }, { "SCMP_CMP_GE", OCI_SECCOMP_OP_GE },
	{ "SCMP_CMP_GT", OCI_SECCOMP_OP_GT }, { "SCMP_CMP_LE", OCI_SECCOMP_OP_LE },
	{ "SCMP_CMP_LT", OCI_SECCOMP_OP_LT }, { "SCMP_CMP_MASKED_EQ", OCI_SECCOMP_OP_MASKED_EQ },
	{ "SCMP_CMP_NE", OCI_SECCOMP_OP_NE },
};
const struct oci_words oci_seccomp_op_words = OCI_WORDS("seccomp operator", ops);

static const struct oci_word archs[] = {
	{ "SCMP_ARCH_AARCH64", 0 },	{ "SCMP_ARCH_ARM", 0 },	   { "SCMP_ARCH_LOONGARCH64", 0 },
	{ "SCMP_ARCH_M68K", 0 },	{ "SCMP_ARCH_MIPS", 0 },   { "SCMP_ARCH_MIPS64", 0 },
	{ "SCMP_ARCH_MIPS64N32", 0 },	{ "SCMP_ARCH_MIPSEL", 0 }, { "SCMP_ARCH_MIPSEL64", 0 },
	{ "SCMP_ARCH_MIPSEL64N32", 0 }, { "SCMP_ARCH_PARISC", 0 }, { "SCMP_ARCH_PARISC64", 0 },
	{ "SCMP_ARCH_PPC", 0 },		{ "SCMP_ARCH_PPC64", 0 },  { "SCMP_ARCH_PPC64LE", 0 },
	{ "SCMP_ARCH_RISCV64", 0 },	{ "SCMP_ARCH_S390", 0 },   { "SCMP_ARCH_S390X", 0 },
	{ "SCMP_ARCH_SH", 0 },		{ "SCMP_ARCH_SHEB", 0 },   { "SCMP_ARCH_X32", 0 },
	{ "SCMP_ARCH_X86", 0 },		{ "SCMP_ARCH_X86_64", 0 },
};
const struct oci_words oci_seccomp_arch_words = OCI_WORDS("seccomp architecture", archs);

/* <linux/seccomp.h>; numbers, because the newest is younger than some headers (5.19) */
static const struct oci_word seccomp_flags[] = {
	{ "SECCOMP_FILTER_FLAG_LOG", 1 << 1 },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", 1 << 2 },
	{ "SECCOMP_FILTER_FLAG_TSYNC", 1 << 0 },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 1 << 5 },
};
const struct oci_words oci_seccomp_flag_words = OCI_WORDS("seccomp flag", seccomp_flags);

/* config.md "POSIX-platform Hooks" */
static const struct oci_word hooks[] = {
	{ "createContainer", OCI_HOOK_CREATE_CONTAINER },
	{ "createRuntime", OCI_HOOK_CREATE_RUNTIME },
	{ "poststart", OCI_HOOK_POSTSTART },
	{ "poststop", OCI_HOOK_POSTSTOP },
	{ "prestart", OCI_HOOK_PRESTART },
	{ "startContainer", OCI_HOOK_START_CONTAINER },
};
const struct oci_words oci_hook_words = OCI_WORDS("hook", hooks);

/* config-linux.md "Devices": mknod(1)'s letters, of which u is another c */
static const struct oci_word devices[] = {
	{ "b", 'b' },
	{ "c", 'c' },
	{ "p", 'p' },
	{ "u", 'c' },
};
const struct oci_words oci_device_words = OCI_WORDS("device type", devices);

/* config-linux.md "Allowed Device list" */
static const struct oci_word device_rules[] = {
	{ "a", 'a' },
	{ "b", 'b' },
	{ "c", 'c' },
};
const struct oci_words oci_device_rule_words = OCI_WORDS("device type", device_rules);

/* config-linux.md "Memory policy", set_mempolicy(2); numbers, because the newest mode is younger
 * than some headers (6.9) */
static const struct oci_word mempolicy_modes[] = {
	{ "MPOL_BIND", 2 },
	{ "MPOL_DEFAULT", 0 },
	{ "MPOL_INTERLEAVE", 3 },
	{ "MPOL_LOCAL", 4 },
	{ "MPOL_PREFERRED", 1 },
	{ "MPOL_PREFERRED_MANY", 5 },
	{ "MPOL_WEIGHTED_INTERLEAVE", 6 },
};
const struct oci_words oci_mempolicy_mode_words = OCI_WORDS("memory policy", mempolicy_modes);

static const struct oci_word mempolicy_flags[] = {
	{ "MPOL_F_NUMA_BALANCING", 1 << 13 },
	{ "MPOL_F_RELATIVE_NODES", 1 << 14 },
	{ "MPOL_F_STATIC_NODES", 1 << 15 },
};
const struct oci_words oci_mempolicy_flag_words = OCI_WORDS("memory policy flag", mempolicy_flags);
