/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a log file, which anybody with the right to may have edited: any bytes are refused or
 * give an entry that lies in memory. */
#include <assert.h>
#include <stdint.h>

#include "base/mem.h"
#include "monitor/log_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try(int (*parse)(const char *, size_t, struct arena *, struct log_entry *),
		const char *line, size_t size)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct log_entry entry;
	volatile char seen = 0;

	if (parse(line, size, arena, &entry) < 0)
		return;
	assert(entry.stream == LOG_STDOUT || entry.stream == LOG_STDERR);
	for (size_t i = 0; i < entry.len; i++)
		seen = (char)(seen + entry.text[i]); /* the sanitizer looks */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *line = xmemdup(data, size ? size : 1);

	try(log_parse_json, line, size);
	try(log_parse_k8s, line, size);
	return 0;
}
