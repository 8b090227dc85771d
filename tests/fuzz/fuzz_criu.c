/* SPDX-License-Identifier: Apache-2.0 */
/* What criu says. Its words are those of a C string, and a field never leads out of its message. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "codec/protobuf.h"
#include "runtime/criu_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct protobuf_reader reader = { data, size };
	struct criu_response response;
	struct protobuf_field f;
	struct error err;

	while (protobuf_next(&reader, &f) == 1)
		assert(f.kind == PROTOBUF_NUMBER ||
		       (f.data >= data && f.data + f.len == data + size - reader.len));
	if (criu_response_parse(data, size, &response, &err) == 0)
		assert(response.pid >= 0 && memchr(response.script, '\0', sizeof(response.script)));
	return 0;
}
