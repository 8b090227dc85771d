/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are refused as JSON, or what is read from them survives being written and read again.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "codec/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int rewrite(const char *text, size_t len, struct buf *out)
{
	struct arena *arena cleanup_with(arena_free) = arena_new();
	const struct json *v;
	struct json_writer w;
	struct error err;

	if (json_parse(text, len, arena, &v, &err) < 0)
		return -1;
	json_writer_init(&w, out, NULL);
	json_add_value(&w, NULL, v);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_buf struct buf once = { 0 }, twice = { 0 };

	if (rewrite((const char *)data, size, &once) < 0)
		return 0;
	assert(rewrite(once.data, once.len, &twice) == 0);
	assert(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
	return 0;
}
