/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's old SHA256_* functions, linked statically: 20 KB of assembler with SHA-NI and no
 * start-up cost. The EVP interface that replaces them would bring the provider machinery: 5 MB, or
 * a shared library that every `berth run` would load.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "codec/sha256.h"

#include <openssl/sha.h>

_Static_assert(sizeof(struct sha256) >= sizeof(SHA256_CTX), "struct sha256 holds OpenSSL's state");

static SHA256_CTX *context(struct sha256 *h)
{
	return (SHA256_CTX *)h->state;
}

void sha256_init(struct sha256 *h)
{
	SHA256_Init(context(h));
}

void sha256_add(struct sha256 *h, const void *data, size_t n)
{
	SHA256_Update(context(h), data, n);
}

struct digest sha256_finish(struct sha256 *h)
{
	uint8_t sum[DIGEST_SHA256_BYTES];

	SHA256_Final(sum, context(h));
	return digest_from_sha256(sum);
}

struct digest sha256_digest(const void *data, size_t n)
{
	struct sha256 h = { 0 }; /* cppcheck does not see that sha256_init() fills it */

	sha256_init(&h);
	sha256_add(&h, data, n);
	return sha256_finish(&h);
}
