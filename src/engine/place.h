/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Where the stores lie: what was configured, else the environment, else a default. */

#include "base/error.h"

struct engine_config;

/*
 * ret_root, ret_state   absolute; heap
 * Defaults   of root /var/lib/berth and /run/berth; of others $XDG_DATA_HOME/berth (else
 *            ~/.local/share/berth) and $XDG_RUNTIME_DIR/berth (else /run/user/UID/berth, else
 *            /tmp/berth-UID/berth)
 * Source     XDG Base Directory Specification 0.8
 */
int place_choose(const struct engine_config *config, char **ret_root, char **ret_state,
		 struct error *err);
