/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Images from a registry: the manifest, for several platforms the index before it, the config, and
 * the layers that are not here, several at a time, unpacked while they come. Every byte is verified
 * against its digest before it is in the store, and nothing of an image is there before all is.
 */

#include <stdbool.h>
#include "base/digest.h"
#include "base/error.h"
#include "image/progress.h"
#include "image/transfer.h"
#include "registry/registry.h"

struct image_store;
struct reference;

struct image_pull_options {
	const char *platform; /* "linux/arm64": which of several; NULL: this machine's */
	bool all_tags;	      /* every tag of the repository; the reference's is not asked for */
	struct registry_access access;
	const char *signature_policy; /* another policy.json; or NULL */
	unsigned jobs;		      /* layers at once; 0: 3, as docker */
	int stop_fd;		      /* readable: it ends, with -ECANCELED; <= 0: never */
	struct image_limits limits;
	struct progress_sink progress;
};

struct image_pulled {
	bool newer; /* else everything was here already */
	struct digest
		digest; /* what the registry has under the (last) tag: of an index or manifest */
};

/*
 * Pull what ref names: a tag, or a digest, which is then the image's whatever the registry says. A
 * tag that has not changed since it was pulled costs one request without a body.
 *
 * Leaves   no image in the index on failure that was not there; of all_tags those that were complete
 * Errors   registry/registry.h's; ERROR_NOT_FOUND no image for the platform; ERROR_UNSUPPORTED what
 *          is no image of file system layers; ERROR_INVALID for wrong bytes
 */
int image_pull(struct image_store *store, const struct reference *ref,
	       const struct image_pull_options *options, struct image_pulled *ret,
	       struct error *err);
