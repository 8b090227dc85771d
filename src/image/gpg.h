/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* OpenPGP signatures, by the program gpg: verified with a key ring that exists for one call, made with
 * the user's own. */

#include <stddef.h>
#include "base/error.h"

struct buf;

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

/*
 * Sign a text. gpg's complaints go to stderr.
 *
 * key               as gpg's --local-user: a fingerprint, an address
 * passphrase_file   or NULL: gpg's agent knows it, or asks
 * ret_message       the signed message, instead of what was in there
 * Errors            ERROR_DENIED: gpg does not sign; ERROR_UNSUPPORTED: there is no gpg
 */
int gpg_sign(const char *key, const char *passphrase_file, const char *text, size_t len,
	     struct buf *ret_message, struct error *err);
