/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay DIRECTORY: gives every file of a corpus to the fuzzer it is linked with, so that what was
 * found once stays found, with any compiler and in every test run. Prints TAP. Under "make fuzz"
 * libFuzzer takes the place of this file.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/macro.h"
#include "base/path.h"

#define CORPUS_FILE_MAX (1u << 20)

/* One input; crashes, sanitizers and asserts are the verdict. The name is libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int replay(const char *directory, const char *name)
{
	cleanup_free char *path = path_join(directory, name), *data = NULL;
	struct error err = { 0 };
	char text[ERROR_TEXT_MAX];
	uint8_t *exact;
	size_t len;

	if (file_read(AT_FDCWD, path, CORPUS_FILE_MAX, &data, &len, &err) < 0) {
		(void)fprintf(stderr, "# %s\n", error_text(&err, text, sizeof(text)));
		return -1;
	}
	/* a block of exactly this size, so that one byte too far is seen; the file's own has a NUL
	 * behind */
	exact = malloc(len ? len : 1);
	if (!exact)
		return -1;
	memcpy(exact, data, len);
	(void)LLVMFuzzerTestOneInput(exact, len);
	free(exact);
	return 0;
}

int main(int argc, char **argv)
{
	struct dirent **entries = NULL;
	int n, failed = 0;

	n = argc == 2 ? scandir(argv[1], &entries, is_visible, alphasort) : -1;
	if (n <= 0) {
		(void)fprintf(stderr, "usage: replay DIRECTORY (with at least one file)\n");
		return 1;
	}
	printf("1..%d\n", n);
	(void)fflush(stdout);
	for (int i = 0; i < n; i++) {
		int r = replay(argv[1], entries[i]->d_name);

		printf("%s %d - %s\n", r < 0 ? "not ok" : "ok", i + 1, entries[i]->d_name);
		(void)fflush(stdout); /* a crash in the next one must not take this line with it */
		failed |= r < 0;
		free(entries[i]);
	}
	free(entries);
	return failed;
}
