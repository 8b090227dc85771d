/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which images may be pulled and loaded: containers-policy.json(5). The file is ~/.config/containers/policy.json
 * or else /etc/containers/policy.json; without one everything may, as with docker.
 */

#include <stddef.h>
#include "base/digest.h"
#include "base/error.h"

struct reference;
struct registry;

/* All borrowed. */
struct policy_image {
	const char *transport; /* "docker", "docker-archive", "oci", "oci-archive" */
	const char *path;      /* of an archive or layout, absolute, without links; NULL: no file */
	/* Of a registry's image, else NULL and 0 */
	const struct reference *ref; /* as the user named it, normalised */
	const struct digest *ids; /* of its manifest, then of the index that named that, if any: a
					signature on one of them is good */
	size_t n_ids;
	struct registry *registry; /* where it comes from: attached signatures are asked there */
};

/*
 * May this image be used? To be asked when the manifest is there and before anything of what it
 * names is fetched. Costs nothing but the reading of the file unless a rule wants signatures.
 *
 * policy_path   another file, or NULL
 * Errors        ERROR_DENIED, with the rule and its file: "'docker.io/library/x:latest' is refused
 *               by 'reject' of 'docker.io' in '/etc/containers/policy.json'"; ERROR_INVALID: the
 *               file cannot be understood; ERROR_UNSUPPORTED: a kind of rule that is not known here.
 *               What failed is never allowed.
 */
int policy_check(const char *policy_path, const struct policy_image *image, struct error *err);
