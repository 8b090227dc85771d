/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the compiler gives and C does not: array sizes, cleanup attributes, ownership moves. */

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>
#include <errno.h>
#include <dirent.h>
#include <stdio.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)     ((a) < (b) ? (a) : (b))
#define MAX(a, b)     ((a) > (b) ? (a) : (b))

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#define PRINTF_FORMAT(fmt, args) __attribute__((format(printf, fmt, args)))
#define UNUSED			 __attribute__((unused))
#define NORETURN		 __attribute__((noreturn))
#define COLD			 __attribute__((cold))

/* Runs fn(variable) when the variable leaves its scope: cleanup_with(image_free) struct image *i =
 * NULL; */
#define cleanup_with(fn) __attribute__((cleanup(fn##_cleanup)))
#define DEFINE_CLEANUP(type, fn)                        \
	static inline UNUSED void fn##_cleanup(type *p) \
	{                                               \
		if (*p)                                 \
			(void)fn(*p);                   \
	}

static inline void cleanup_free_ptr(void *p)
{
	free(*(void **)p); /* glibc's free keeps errno since 2.33 */
}

static inline void cleanup_close_fd(const int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void cleanup_close_dir(DIR **dir)
{
	int saved = errno;

	if (*dir)
		closedir(*dir);
	errno = saved;
}

static inline void cleanup_close_file(FILE **file)
{
	int saved = errno;

	if (*file)
		fclose(*file);
	errno = saved;
}

#define cleanup_free __attribute__((cleanup(cleanup_free_ptr)))
#define cleanup_fd   __attribute__((cleanup(cleanup_close_fd)))
#define cleanup_dir  __attribute__((cleanup(cleanup_close_dir)))
#define cleanup_file __attribute__((cleanup(cleanup_close_file)))

/* Hand over what a cleanup variable holds; the variable is empty afterwards. */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -EBADF;
	return taken;
}

#define take_ptr(p)                                   \
	({                                            \
		__typeof__(p) _place = (p);           \
		__typeof__(*_place) _taken = *_place; \
		*_place = NULL;                       \
		_taken;                               \
	})
