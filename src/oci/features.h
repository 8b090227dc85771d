/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The features document of a runtime: features.md, features-linux.md. Only the format lives here;
 * what is really supported is the caller's knowledge. Absent lists are not written.
 */

#include <stdbool.h>
#include <stddef.h>
#include "oci/spec.h"

struct buf;

struct oci_words_list {
	const char *const *words;
	size_t n;
};

struct oci_features {
	const char *version_min, *version_max;
	struct oci_words_list hooks, mount_options;
	/* linux */
	struct oci_words_list namespaces, capabilities;
	bool cgroup_v1, cgroup_v2, cgroup_systemd, cgroup_systemd_user, cgroup_rdma;
	bool seccomp, apparmor, selinux, intel_rdt, idmap_mounts, net_devices;
	struct oci_words_list seccomp_actions, seccomp_operators, seccomp_archs;
	struct oci_words_list seccomp_known_flags, seccomp_supported_flags;
	struct oci_words_list mempolicy_modes, mempolicy_flags;
	const struct oci_pair *annotations;
	size_t n_annotations;
	struct oci_words_list unsafe_annotations; /* that let a document do more than it shows */
};

/* indent as for json_writer_init(). */
void oci_features_format(const struct oci_features *features, const char *indent, struct buf *out);
