/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest.h"

#include <errno.h>
#include <string.h>

#include "base/hex.h"
#include "base/str.h"

static const char prefix[] = "sha256:";

int digest_parse(const char *text, struct digest *ret)
{
	const char *hex = str_after(text, prefix);

	if (!hex || strlen(hex) != DIGEST_HEX_LEN || !hex_is_lower(hex, DIGEST_HEX_LEN))
		return -EINVAL;
	memcpy(ret->text, text, sizeof(ret->text));
	return 0;
}

struct digest digest_from_sha256(const uint8_t sum[DIGEST_SHA256_BYTES])
{
	struct digest d;

	memcpy(d.text, prefix, sizeof(prefix) - 1);
	hex_format(sum, DIGEST_SHA256_BYTES, d.text + sizeof(prefix) - 1);
	return d;
}

bool digest_is_set(const struct digest *d)
{
	return d->text[0] != '\0';
}

bool digest_eq(const struct digest *a, const struct digest *b)
{
	return strcmp(a->text, b->text) == 0;
}

const char *digest_hex(const struct digest *d)
{
	return d->text + (digest_is_set(d) ? sizeof(prefix) - 1 : 0);
}
