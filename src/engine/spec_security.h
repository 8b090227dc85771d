/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A user's security words (--cap-add, --cap-drop, --privileged, --security-opt) as the parts of
 * struct oci_spec, with docker's defaults. Pure but for seccomp=FILE, which is read.
 */

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "oci/spec.h"

struct arena;

struct security_options {
	char *const *cap_add, *const *cap_drop, *const *security_opts; /* strvs */
	bool privileged;
};

/* --security-opt label=: parts of a label, NULL where nothing is said. */
struct selinux_words {
	bool disable;
	const char *user, *role, *type, *level, *filetype;
};

struct security {
	uint64_t caps;				     /* what the container may ever have */
	const struct oci_capabilities *capabilities; /* security_caps(caps, 0, ...) */
	const struct oci_seccomp *seccomp;	     /* NULL: unconfined */
	bool no_new_privileges;
	bool writable_cgroups;	      /* /sys/fs/cgroup is not read-only */
	const char *apparmor_profile; /* NULL: none asked */
	struct selinux_words selinux;
	const char *selinux_label,
		*mount_label; /* made of them by selinux_labels_make(), or NULL */
	bool unmask_paths;    /* privileged or systempaths=unconfined: nothing masked or
					 readonly below /proc and /sys */
};

/* docker's fourteen. */
#define SECURITY_DEFAULT_CAPS UINT64_C(0x00000000a80425fb)

/*
 * Errors   ERROR_INVALID with docker's sentences: "invalid CapAdd: unknown capability: \"CAP_X\"";
 *          ERROR_UNSUPPORTED for a word of docker's that berth does not know yet
 * Result hangs on arena.
 */
int spec_security(const struct security_options *options, struct arena *arena,
		  struct security *ret_security, struct error *err);

/*
 * The five sets for a process that runs as uid: all of caps for root; for other users the bounding
 * set alone, as in docker.
 */
const struct oci_capabilities *security_caps(uint64_t caps, uint32_t uid, struct arena *arena);
