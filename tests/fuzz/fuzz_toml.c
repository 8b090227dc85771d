/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are refused as TOML, or give a tree that can be written as JSON and read again. */
#include <assert.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/mem.h"
#include "codec/json.h"
#include "codec/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena cleanup_with(arena_free) = arena_new();
	cleanup_buf struct buf text = { 0 };
	const struct json *tree, *again;
	struct json_writer w;
	struct error err;

	if (toml_parse((const char *)data, size, arena, &tree, &err) < 0)
		return 0;
	json_writer_init(&w, &text, NULL);
	json_add_value(&w, NULL, tree);
	assert(json_parse(text.data, text.len, arena, &again, &err) == 0);
	assert(again->type == JSON_OBJECT && again->n == tree->n);
	return 0;
}
