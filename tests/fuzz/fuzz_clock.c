/* SPDX-License-Identifier: Apache-2.0 */
/* Times of images and state files: any bytes are refused or survive being written and read again.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *text = xstrndup((const char *)data, size);
	char again[CLOCK_TEXT_MAX];
	int64_t ns, same;

	if (clock_parse(text, &ns) < 0)
		return 0;
	assert(clock_parse(clock_format(ns, again), &same) == 0);
	assert(same == ns);
	return 0;
}
