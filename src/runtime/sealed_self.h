/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Our own program file must not be writable from inside a container (CVE-2019-5736): what runs there
 * can get hold of it through /proc/PID/exe, or by naming /proc/self/exe as an interpreter.
 * docs/decisions/0001-sealed-self.md says where this is needed and where not.
 */

#include "base/error.h"

/*
 * Execute the own program again through a detached, read-only mount of its file. Returns 0 without
 * doing anything if it runs from a read-only mount already, or the caller may not make one (then he
 * is not root, and neither is his container on the host); else only returns with an error.
 */
int sealed_self_ensure(char *const *argv, struct error *err);
