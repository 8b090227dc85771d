/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The words that name host devices: --device, --device-cgroup-rule, --device-read-bps, ... */

#include <stddef.h>
#include "base/error.h"
#include "oci/spec.h"

struct arena;

/* What devices a container gets: nodes in /dev, and rules of the device cgroup. */
struct device_words {
	const struct oci_device *nodes;
	const char *const *host_paths; /* where each node was found */
	size_t n_nodes;
	const struct oci_device_rule *rules;
	size_t n_rules;
};

/*
 * "HOST[:CONTAINER[:rwm]]" (a directory: every device in it), "c 189:* rmw".
 * privileged: every device node of the host's /dev, and all access.
 * Errors   ERROR_INVALID with docker's words; ERROR_NOT_FOUND no such device
 */
int device_words_parse(char *const *devices, char *const *rules, bool privileged,
		       struct arena *arena, struct device_words *ret, struct error *err);

/* "PATH:RATE": bytes with a unit, or a plain number with is_count. */
int device_throttle_parse(char *const *words, bool is_count, struct arena *arena,
			  const struct oci_throttle **ret, size_t *ret_n, struct error *err);

/* "PATH:WEIGHT", 10..1000. */
int device_weight_parse(char *const *words, struct arena *arena,
			const struct oci_weight_device **ret, size_t *ret_n, struct error *err);
