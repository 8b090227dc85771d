/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/oom.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

bool oom_in_text(const char *text)
{
	const char *line = text;

	while (line) {
		const char *count = str_after(line, "oom_kill ");

		if (count)
			return *count >= '1' && *count <= '9';
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	return false;
}

bool oom_happened(const char *path)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[512];
	ssize_t n;

	if (fd < 0)
		return false;
	n = fd_read_full(fd, text, sizeof(text) - 1);
	if (n < 0)
		return false;
	text[n] = '\0';
	return oom_in_text(text);
}
