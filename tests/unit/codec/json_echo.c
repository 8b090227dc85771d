/* SPDX-License-Identifier: Apache-2.0 */
/* Reads JSON documents, one a line, and writes each back, or "refused": for compare-json. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "codec/json.h"

int main(void)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, stdin)) > 0) {
		cleanup_with(arena_free) struct arena *arena = arena_new();
		cleanup_buf struct buf out = { 0 };
		const struct json *v;
		struct json_writer w;
		struct error err;

		if (json_parse(line, (size_t)n - 1, arena, &v, &err) < 0) {
			puts("refused");
			continue;
		}
		json_writer_init(&w, &out, NULL);
		json_add_value(&w, NULL, v);
		puts(buf_str(&out));
	}
	free(line);
	return 0;
}
