/* SPDX-License-Identifier: Apache-2.0 */
/* A name is refused, or its normalised and familiar forms mean the same again. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "image/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *text = xstrndup((const char *)data, size);
	cleanup_free char *full = reference_normalise(text);
	cleanup_free char *familiar = full ? reference_familiar_text(full) : NULL;
	cleanup_free char *again = full ? reference_normalise(full) : NULL;
	cleanup_free char *back = familiar ? reference_normalise(familiar) : NULL;

	if (full) {
		assert(again && strcmp(full, again) == 0);
		assert(back && strcmp(full, back) == 0);
		assert(!strstr(full, "/..") && !strchr(full, '\n'));
	}
	return 0;
}
