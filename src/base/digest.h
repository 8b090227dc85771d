/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Digests as OCI writes them: "sha256:" and 64 lower-case hexadecimal digits. Only sha256 is known;
 * it is what every registry and every image in the field uses. Computing one: codec/sha256.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_SHA256_BYTES 32
#define DIGEST_HEX_LEN	    64
#define DIGEST_TEXT_LEN	    (7 + DIGEST_HEX_LEN)

/* A digest in text form, NUL-terminated; "" is no digest. Passed by value or pointer, no
 * ownership. */
struct digest {
	char text[DIGEST_TEXT_LEN + 1];
};

/* Strict. 0 or -EINVAL (no error text). */
int digest_parse(const char *text, struct digest *ret);

struct digest digest_from_sha256(const uint8_t sum[DIGEST_SHA256_BYTES]);

bool digest_is_set(const struct digest *d);
bool digest_eq(const struct digest *a, const struct digest *b);

/* The digits behind "sha256:". */
const char *digest_hex(const struct digest *d);
