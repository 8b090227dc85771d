/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/mountinfo, whose names anybody may choose who may mount: every string that is given out
 * lies inside the text and ends there, and reading comes to an end. What is read from a file, piece by piece and of
 * one type only, is the same.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "kernel/mountinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(const char *s, const char *text, size_t len)
{
	assert(s);
	assert(!*s || (s >= text && s < text + len && s + strlen(s) <= text + len));
}

struct seen {
	size_t n;
	unsigned long sum; /* of all that was told */
};

static void add(struct seen *seen, const struct mountinfo *m)
{
	const char *words[] = { m->root, m->mount_point, m->options, m->super_options };

	seen->n++;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		for (const char *p = words[i]; *p; p++)
			seen->sum = seen->sum * 31 + (unsigned char)*p;
}

static void see(void *arg, const struct mountinfo *m)
{
	assert(str_after(m->fs_type, "cgroup"));
	add(arg, m);
}

/* The kernel writes one; the parser of a whole line knows which of two it takes, a quick look does not. */
static bool has_two_separators(const char *line)
{
	const char *end = line + strcspn(line, "\n");
	const char *first = strstr(line, " - "), *second = first ? strstr(first + 1, " - ") : NULL;

	return second && second < end;
}

static void check_walk(const char *text)
{
	cleanup_free char *lines = xasprintf("%s\n", text), *again = xstrdup(lines);
	cleanup_fd int fd = memfd_create("mountinfo", MFD_CLOEXEC);
	struct seen whole = { 0 }, pieces = { 0 };
	char *cursor = again;
	struct mountinfo m;
	struct error err;
	bool exact = true;

	for (const char *p = lines; *p; p += strcspn(p, "\n") + 1)
		exact = exact && strcspn(p, "\n") < MOUNTINFO_LINE_MAX && !has_two_separators(p);
	assert(fd >= 0 && write(fd, lines, strlen(lines)) == (ssize_t)strlen(lines));
	assert(lseek(fd, 0, SEEK_SET) == 0);
	assert(mountinfo_walk(fd, "cgroup", see, &pieces, &err) == 0);
	while (mountinfo_next(&cursor, &m) == 1)
		if (str_after(m.fs_type, "cgroup"))
			add(&whole, &m);
	assert(pieces.n <= whole.n);
	assert(!exact || (whole.n == pieces.n && whole.sum == pieces.sum));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *text = xstrndup((const char *)data, size);
	size_t len = strlen(text), lines = 1, found = 0;
	struct mountinfo m;
	char *cursor = text;

	check_walk(text);
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
