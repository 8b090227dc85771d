/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Private keys as cosign, skopeo and podman keep them: a PEM block "ENCRYPTED SIGSTORE PRIVATE KEY"
 * or "ENCRYPTED COSIGN PRIVATE KEY", in which a JSON object has the key locked by a passphrase
 * (scrypt) in a box of NaCl's. libsodium is opened when the first one is unlocked; nothing else
 * pays for it.
 */

#include <stddef.h>
#include "base/error.h"

struct buf;

#define SEALED_KEY_MAX_BYTES (64u << 10)

/*
 * Unlock a key.
 *
 * pem       the file
 * ret_der   empty: gets the key in PKCS #8's DER. The caller wipes it
 * Errors    ERROR_DENIED: another passphrase; ERROR_INVALID: no such key; ERROR_UNSUPPORTED:
 *           another cipher, or libsodium is not installed
 */
int sealed_key_open(const char *pem, size_t len, const char *passphrase, struct buf *ret_der,
		    struct error *err);
