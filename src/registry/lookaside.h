/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Places beside a registry where simple signatures lie: containers-registries.d(5). The files are
 * ~/.config/containers/registries.d/NAME.yaml if that directory is there, else those of
 * /etc/containers/registries.d.
 */

#include <stddef.h>
#include "base/digest.h"
#include "base/error.h"

struct lookaside {
	char *url; /* file, http or https; of the repository, without a slash behind. Heap */
};

/* Where the signatures of a repository are; without any configuration where root's own tools, or
 * the user's, put them. */
int lookaside_find(const char *domain, const char *path, struct lookaside *ret, struct error *err);
/* Where new ones are to be put: "lookaside-staging", else the same. ERROR_UNSUPPORTED: not a file. */
int lookaside_find_staging(const char *domain, const char *path, struct lookaside *ret,
			   struct error *err);
void lookaside_done(struct lookaside *l);
#define cleanup_lookaside __attribute__((cleanup(lookaside_done)))

#define LOOKASIDE_MAX_BYTES (1u << 20)

/* Signature number n (from 1) of a manifest: 1 and its bytes (heap); 0: there are no more. */
int lookaside_read(const struct lookaside *l, const struct digest *id, unsigned n, char **ret_data,
		   size_t *ret_len, struct error *err);

/* One more signature of a manifest, behind those that are there. l: of lookaside_find_staging() */
int lookaside_write(const struct lookaside *l, const struct digest *id, const char *data,
		    size_t len, struct error *err);
