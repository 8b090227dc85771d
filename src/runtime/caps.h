/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * process.capabilities onto the calling thread, around the change of the user, which clears
 * capabilities. caps == NULL (the section is absent) means five empty sets, as in runc and crun.
 * No allocation. The order is the functions' order here.
 */

#include "base/error.h"

struct oci_capabilities;

/* Limit the bounding set (needs CAP_SETPCAP) and keep the permitted set over setuid. */
int caps_before_user(const struct oci_capabilities *caps, struct error *err);

/* Whatever is permitted becomes effective: for setup that the new user alone could not do. */
int caps_raise(struct error *err);

/* Only what the container will have is effective, the rest stays permitted. */
int caps_lower(const struct oci_capabilities *caps, struct error *err);

/*
 * The final effective, permitted, inheritable and ambient sets. A capability that the caller does
 * not hold cannot be given: it is left out, so that "all" works where all is less than usual.
 */
int caps_apply(const struct oci_capabilities *caps, struct error *err);
