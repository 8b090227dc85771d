/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* linux.personality: what uname(2) and address layouts pretend. */

#include "base/error.h"

struct oci_linux;

/* In the child, before the filter that may forbid it. No allocation. */
int personality_apply(const struct oci_linux *config, struct error *err);
