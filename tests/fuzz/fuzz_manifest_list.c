/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a manifest list, and the hints for pushes beside it: any bytes are refused or give
 * members whose bytes are what their digests say. */
#include <assert.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/mem.h"
#include "image/blob_places.h"
#include "image/manifest_list.h"
#include "registry/upload_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	cleanup_free char *text = xstrndup((const char *)data, size);
	cleanup_blob_places struct blob_places places = { 0 };
	cleanup_buf struct buf out = { 0 };
	struct manifest_list list;
	struct error err;
	uint64_t bytes;

	if (manifest_list_parse((const char *)data, size, arena, &list, &err) == 0) {
		for (size_t i = 0; i < list.n; i++)
			assert(manifest_list_reference(&list.members[i]));
		manifest_list_format(&list, &out);
		assert(out.len > 0);
	}
	blob_places_parse((const char *)data, size, &places);
	for (size_t i = 0; i < places.n_places; i++)
		assert(digest_is_set(&places.places[i].blob) && places.places[i].repository);
	(void)upload_range(text, &bytes); /* any answer: it only must not read beyond */
	return 0;
}
