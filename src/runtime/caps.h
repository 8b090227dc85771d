/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * process.capabilities onto the calling thread. Two halves around the change of the user, because
 * setuid clears what the second half must set. caps == NULL (section absent) does nothing.
 * No allocation.
 */

#include "base/error.h"

struct oci_capabilities;

/* Before setuid: limit the bounding set (needs CAP_SETPCAP) and keep the permitted set. */
int caps_before_user(const struct oci_capabilities *caps, struct error *err);

/* After setuid: make all permitted capabilities effective again (they go with caps_apply). */
int caps_after_user(const struct oci_capabilities *caps, struct error *err);

/*
 * The final effective, permitted, inheritable and ambient sets. Asking for a capability that the
 * caller does not hold drops it silently as runc does; the ambient set likewise.
 */
int caps_apply(const struct oci_capabilities *caps, struct error *err);
