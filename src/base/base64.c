/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_format(const void *data, size_t n)
{
	const uint8_t *p = data;
	char *text = xmalloc((n + 2) / 3 * 4 + 1);
	char *out = text;

	for (size_t i = 0; i < n; i += 3) {
		size_t left = n - i;
		uint32_t group = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
				 (left > 2 ? (uint32_t)p[i + 2] : 0);

		*out++ = alphabet[group >> 18];
		*out++ = alphabet[group >> 12 & 63];
		*out++ = left > 1 ? alphabet[group >> 6 & 63] : '=';
		*out++ = left > 2 ? alphabet[group & 63] : '=';
	}
	*out = '\0';
	return text;
}

/* Four characters with pad '=' at their end, as three bytes. False: not base64, or bits set that
 * no byte carries. */
static bool parse_group(const char *text, size_t pad, uint8_t out[3])
{
	uint32_t group = 0;

	for (size_t i = 0; i < 4; i++) {
		const char *place = i < 4 - pad ? strchr(alphabet, text[i]) : alphabet;

		if (!place || !*place)
			return false;
		group = group << 6 | (uint32_t)(place - alphabet);
	}
	if (pad > 0 && (group & (pad == 1 ? 0xff : 0xffff)))
		return false;
	out[0] = (uint8_t)(group >> 16);
	out[1] = (uint8_t)(group >> 8);
	out[2] = (uint8_t)group;
	return true;
}

int base64_parse(const char *text, void **ret_data, size_t *ret_len)
{
	size_t len = strlen(text);
	size_t pad = 0, n = 0;
	cleanup_free uint8_t *data = NULL;

	if (len % 4)
		return -EINVAL;
	while (pad < 2 && pad < len && text[len - 1 - pad] == '=')
		pad++;
	data = mem_try_alloc(len / 4 * 3 + 1, 1);
	if (!data)
		return -ENOMEM;
	for (size_t i = 0; i < len; i += 4) {
		size_t group_pad = i + 4 == len ? pad : 0;

		if (!parse_group(text + i, group_pad, data + n))
			return -EINVAL;
		n += 3 - group_pad;
	}
	data[n] = '\0';
	*ret_data = take_ptr(&data);
	*ret_len = n;
	return 0;
}
