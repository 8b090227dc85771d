/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A packet between a runtime and the init of a container, whichever side it comes from: what is not
 * exactly the packet that is waited for is an error with text, and an error that was sent stays
 * inside its fields.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "runtime/sync.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int type = SYNC_FAILED; type <= SYNC_START; type++) {
		struct error err;
		pid_t pid = -1;
		int r;

		memset(&err, 0x55, sizeof(err)); /* no NUL that was not put there */
		r = sync_check(data, size, (enum sync_type)type, &pid, &err);
		if (r == 0) {
			assert(size == sizeof(struct sync_packet));
			continue;
		}
		if (r == 1) /* end of file */
			continue;
		assert(memchr(err.msg, '\0', sizeof(err.msg)));
		assert(memchr(err.step, '\0', sizeof(err.step)));
		assert((unsigned)err.kind < ERROR_KIND_COUNT);
		assert(err.sys >= 0);
	}
	return 0;
}
