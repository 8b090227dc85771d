/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are refused as YAML, or give names whose depth and text are within bounds. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "codec/yaml_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int entry(void *ctx, const char *const *keys, size_t n, const char *value, struct error *err)
{
	assert(n > 0 && n <= YAML_MAP_DEPTH_MAX);
	for (size_t i = 0; i < n; i++)
		assert(!strchr(keys[i], '\n'));
	assert(!value || !strchr(value, '\n'));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err;

	(void)yaml_map_read((const char *)data, size, entry, NULL, &err);
	return 0;
}
