/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The one error of the project: fixed size, by value, no allocation. It is filled where the fault
 * is found and travels unchanged from a container's child over a socket to the runtime, the
 * monitor, the engine, and becomes an exit code in one table.
 *
 * A function that can fail returns int: 0 done, < 0 is -errno and *err is filled, > 0 is an outcome
 * its header names.
 */

#include <stdbool.h>
#include <stddef.h>
#include "base/macro.h"

enum error_kind {
	ERROR_INTERNAL,		/* a system call failed that should not */
	ERROR_INVALID,		/* the user's words or a file cannot be understood */
	ERROR_NOT_FOUND,	/* container, image, ... is not there */
	ERROR_CONFLICT,		/* a name is taken, a state does not allow it */
	ERROR_DENIED,		/* permission */
	ERROR_UNSUPPORTED,	/* the host or this version cannot do it */
	ERROR_NOT_MODIFIED,	/* already so: start of a running container */
	ERROR_CMD_NOT_FOUND,	/* argv[0] is not in the container: 127 */
	ERROR_CMD_NOT_RUNNABLE, /* argv[0] cannot be executed: 126 */
	ERROR_KIND_COUNT,
};

struct error {
	enum error_kind kind;
	int sys;       /* errno value, or 0 */
	char step[24]; /* init step that failed, or "" */
	char msg[480]; /* lower case, no full stop, without the text of sys */
};

_Static_assert(sizeof(struct error) == 512, "struct error is one 512 byte packet");

/* Construction: all return the negative error number, for "return error_...;" */

/* A system call just failed: takes errno (kind follows from it). Never call with errno 0. */
int error_sys(struct error *err, const char *fmt, ...) PRINTF_FORMAT(2, 3) COLD;

/* The same with the number given: sys > 0. */
int error_num(struct error *err, int sys, const char *fmt, ...) PRINTF_FORMAT(3, 4) COLD;

/* A fault without errno; returns -EINVAL, -ENOENT, ... as the kind says. */
int error_kind(struct error *err, enum error_kind kind, const char *fmt, ...)
	PRINTF_FORMAT(3, 4) COLD;

/* Out of memory for a size that came from outside. Returns -ENOMEM. */
int error_oom(struct error *err) COLD;

/* Crossing a layer: puts "REASON: " before the message. Returns r unchanged. */
int error_prefix(struct error *err, int r, const char *fmt, ...) PRINTF_FORMAT(3, 4) COLD;

/* Analysers see one file at a time: they must be told that these are negative. */
#if defined(__clang_analyzer__) && !defined(ERROR_IMPLEMENTATION)
static inline int error_negative(int r)
{
	if (r >= 0)
		__builtin_unreachable();
	return r;
}
#define error_sys(...)	  error_negative(error_sys(__VA_ARGS__))
#define error_num(...)	  error_negative(error_num(__VA_ARGS__))
#define error_kind(...)	  error_negative(error_kind(__VA_ARGS__))
#define error_oom(err)	  error_negative(error_oom(err))
#define error_prefix(...) error_negative(error_prefix(__VA_ARGS__))
#endif

/* Use */

void error_set_step(struct error *err, const char *step);
void error_clear(struct error *err);

/* The negative error number of an error that came by value: what the function that filled it
 * returned. */
int error_number(const struct error *err);

/* One sentence for a person, in buf: "msg: strerror(sys)". Returns buf. */
const char *error_text(const struct error *err, char *buf, size_t size);

/* docker's exit code of `run`/`create`/`exec` for this error: 125, 126, 127. */
int error_exit_code(const struct error *err);

#define ERROR_TEXT_MAX 640
