/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/mountinfo, whose names anybody may choose who may mount: every string that is given out
 * lies inside the text and ends there, and reading comes to an end.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "kernel/mountinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(const char *s, const char *text, size_t len)
{
	assert(s);
	assert(!*s || (s >= text && s < text + len && s + strlen(s) <= text + len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *text = xstrndup((const char *)data, size);
	size_t len = strlen(text), lines = 1, found = 0;
	struct mountinfo m;
	char *cursor = text;

	for (const char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	while (mountinfo_next(&cursor, &m) == 1) {
		const char *words[] = { m.root,	   m.mount_point, m.options,	  m.optional,
					m.fs_type, m.source,	  m.super_options };

		for (size_t i = 0; i < ARRAY_SIZE(words); i++)
			check_inside(words[i], text, len);
		found++;
		assert(found <= lines);
	}
	assert(cursor == text + len);
	return 0;
}
