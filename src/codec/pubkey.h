/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Signatures by public keys, as cosign makes them: ECDSA or RSA (PKCS #1 v1.5) over SHA-256, or
 * Ed25519. OpenSSL's library is opened when the first one is verified or made; nothing else pays for it.
 */

#include <stddef.h>
#include "base/error.h"

struct buf;

/*
 * pem       "-----BEGIN PUBLIC KEY-----..."
 * Returns   1: sig is the key's signature of data; 0: it is not
 * Errors    ERROR_INVALID: no such key; ERROR_UNSUPPORTED: another kind of key, or OpenSSL is not
 *           installed
 */
int pubkey_verify(const char *pem, size_t pem_len, const void *data, size_t len, const void *sig,
		  size_t sig_len, struct error *err);

/*
 * Sign with a private key.
 *
 * der       PKCS #8
 * ret_sig   appended: what pubkey_verify() takes
 * Errors    as pubkey_verify()
 */
int pubkey_sign(const void *der, size_t der_len, const void *data, size_t len, struct buf *ret_sig,
		struct error *err);
