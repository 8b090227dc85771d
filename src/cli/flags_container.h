/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The options of `run` and `create`: one table, whose last rows are for `run` alone. */

#include "base/option.h"
#include "engine/options.h"

struct container_flags {
	struct container_options o;
	bool quiet;
	bool replace;	/* --name may be taken: whoever has it is removed */
	bool sig_proxy; /* true unless --sig-proxy=false */
	const char *detach_keys;
	bool has_network;
};

extern const struct option container_flags_table[];
#define CONTAINER_FLAGS_RUN 102 /* all rows */
#define CONTAINER_FLAGS_CREATE \
	(CONTAINER_FLAGS_RUN - 3) /* without --detach, --detach-keys, --sig-proxy */

void container_flags_init(void *flags);
