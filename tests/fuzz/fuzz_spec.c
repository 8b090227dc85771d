/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.json: any bytes are refused with a reason, or the struct survives being written and read
 * again, and the rules find the same in both.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "oci/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct oci_spec *spec cleanup_with(oci_spec_free) = NULL;
	struct oci_spec *again cleanup_with(oci_spec_free) = NULL;
	cleanup_buf struct buf once = { 0 }, twice = { 0 };
	struct error err = { 0 }, err_again = { 0 };
	int r;

	if (oci_spec_parse((const char *)data, size, &spec, &err) < 0) {
		assert(err.msg[0] && memchr(err.msg, '\0', sizeof(err.msg)));
		return 0;
	}
	oci_spec_format(spec, NULL, &once);
	assert(oci_spec_parse(once.data, once.len, &again, &err) == 0);
	oci_spec_format(again, NULL, &twice);
	assert(strcmp(buf_str(&once), buf_str(&twice)) == 0);
	r = oci_spec_check(spec, &err);
	assert(oci_spec_check(again, &err_again) == r);
	assert(r == 0 || err.msg[0]);
	return 0;
}
