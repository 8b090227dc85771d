/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.json, which another user's program may have written where --root is shared: refused, or
 * read to something that is written and read again without a change.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "runtime/statedir.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_with(container_free) struct container *c = container_new("/", "fuzz");
	cleanup_with(container_free) struct container *again = container_new("/", "fuzz");
	cleanup_buf struct buf first = { 0 }, second = { 0 }, state = { 0 };
	struct error err = { 0 };

	if (container_parse(c, (const char *)data, size, &err) < 0) {
		assert(err.msg[0]);
		return 0;
	}
	container_format(c, &first);
	assert(container_parse(again, buf_str(&first), first.len, &err) == 0);
	container_format(again, &second);
	assert(strcmp(buf_str(&first), buf_str(&second)) == 0);
	container_format_state(c, CONTAINER_RUNNING, c->pid, NULL, &state);
	return 0;
}
