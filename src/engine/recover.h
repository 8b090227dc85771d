/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"

struct engine;

/* engine_check() with repair, by the first who makes a container after a boot; then one access(2).
 */
int recover_once_per_boot(struct engine *e, struct error *err);
