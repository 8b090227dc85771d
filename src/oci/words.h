/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The words of config.json and their numbers: what the parser accepts and `features` reports. */

#include "oci/field.h"

extern const struct oci_words oci_capability_words;	/* CAP_*: their number */
extern const struct oci_words oci_rlimit_words;		/* RLIMIT_*: RLIMIT_* */
extern const struct oci_words oci_namespace_words;	/* "network": enum oci_ns */
extern const struct oci_words oci_seccomp_action_words; /* SCMP_ACT_*: enum oci_seccomp_action */
extern const struct oci_words oci_seccomp_op_words;	/* SCMP_CMP_*: enum oci_seccomp_op */
extern const struct oci_words oci_seccomp_arch_words;	/* SCMP_ARCH_*: 0 */
extern const struct oci_words oci_seccomp_flag_words;	/* SECCOMP_FILTER_FLAG_*: the flag */
extern const struct oci_words oci_hook_words;		/* "prestart": enum oci_hook_kind */
extern const struct oci_words oci_device_words;		/* "b", "c", "p", "u": 'b', 'c', 'p' */
extern const struct oci_words oci_device_rule_words;	/* "a", "b", "c": the letter */
extern const struct oci_words oci_mempolicy_mode_words;
extern const struct oci_words oci_mempolicy_flag_words;
