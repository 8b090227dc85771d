/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* OpenPGP signatures, verified by the program gpg with a key ring that exists for one call. */

#include <stddef.h>
#include "base/error.h"

#define GPG_TEXT_MAX_BYTES (1u << 20)

/* Public keys, armoured or not: the contents of one file. */
struct gpg_keys {
	const char *data;
	size_t len;
};

/*
 * What a signed message says.
 *
 * keys        of who may have signed
 * message     signed, not detached
 * ret_text    the text within, heap, NUL behind it
 * Errors      ERROR_DENIED: no good signature by one of the keys (another key, expired, revoked,
 *             changed bytes); ERROR_UNSUPPORTED: there is no gpg
 * Source      gnupg's doc/DETAILS, "Format of the --status-fd output"
 */
int gpg_verify(const struct gpg_keys *keys, size_t n_keys, const char *message, size_t len,
	       char **ret_text, size_t *ret_len, struct error *err);
