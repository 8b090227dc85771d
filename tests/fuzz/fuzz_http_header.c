/* SPDX-License-Identifier: Apache-2.0 */
/* Header lines of any content are read within their bounds, and by every parser of a value. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "registry/http_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_value(const char *value)
{
	cleanup_http_challenges struct http_challenges c = { 0 };
	cleanup_free char *next = http_link_next(value), *type = http_media_type(value);
	uint64_t first, last, total;
	int64_t ms;

	http_challenges_add(&c, value);
	for (size_t i = 0; i < c.n; i++)
		assert(c.items[i].scheme[0]);
	if (http_content_range(value, &first, &last, &total) == 0)
		assert(first <= last && last < total);
	if (http_retry_after(value, 0, &ms) == 0)
		assert(ms >= 0);
	assert(!next || strlen(next) <= strlen(value));
	assert(strlen(type) <= strlen(value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data, *end = p + size;
	struct http_headers h = { 0 };

	while (p < end) {
		const char *line_end = memchr(p, '\n', (size_t)(end - p));

		line_end = line_end ? line_end + 1 : end;
		(void)http_headers_add(&h, p, (size_t)(line_end - p));
		p = line_end;
	}
	assert(h.bytes <= HTTP_HEADERS_MAX_BYTES);
	for (size_t i = 0; i < h.n; i++) {
		assert(http_headers_get(&h, h.items[i].name));
		read_value(h.items[i].value);
	}
	http_headers_done(&h);
	return 0;
}
