/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* "Simple signing": what policy_simple.c checks, made. Source: containers-signature(5) */

#include "base/digest.h"
#include "base/error.h"

struct buf;
struct reference;

/* With which key; gpg.h. */
struct sign_options {
	const char *key; /* NULL: nothing is signed */
	const char *passphrase_file;
};

/* A signed message that says: under this name there is this manifest. */
int sign_manifest(const struct sign_options *o, const struct reference *ref,
		  const struct digest *id, struct buf *ret_message, struct error *err);
