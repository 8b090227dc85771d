/* SPDX-License-Identifier: Apache-2.0 */
#define ERROR_IMPLEMENTATION
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The number for errors that have no errno, and what the command line makes of a kind. */
static const struct {
	int sys;
	int exit_code;
} kinds[ERROR_KIND_COUNT] = {
	[ERROR_INTERNAL] = { EIO, 125 },
	[ERROR_INVALID] = { EINVAL, 125 },
	[ERROR_NOT_FOUND] = { ENOENT, 125 },
	[ERROR_CONFLICT] = { EEXIST, 125 },
	[ERROR_DENIED] = { EPERM, 125 },
	[ERROR_UNSUPPORTED] = { EOPNOTSUPP, 125 },
	[ERROR_NOT_MODIFIED] = { EALREADY, 0 },
	[ERROR_CMD_NOT_FOUND] = { ENOENT, 127 },
	[ERROR_CMD_NOT_RUNNABLE] = { EACCES, 126 },
};

static enum error_kind kind_of_errno(int sys)
{
	switch (sys) {
	case EPERM:
	case EACCES:
		return ERROR_DENIED;
	case EOPNOTSUPP:
	case ENOSYS:
		return ERROR_UNSUPPORTED;
	default:
		return ERROR_INTERNAL;
	}
}

static PRINTF_FORMAT(4, 0) void fill(struct error *err, enum error_kind kind, int sys,
				     const char *fmt, va_list ap)
{
	if (!err)
		return;
	err->kind = kind;
	err->sys = sys;
	err->step[0] = '\0';
	(void)vsnprintf(err->msg, sizeof(err->msg), fmt, ap); /* a cut message is still a message */
}

int error_sys(struct error *err, const char *fmt, ...)
{
	int sys = errno ? errno : EIO;
	va_list ap;

	va_start(ap, fmt);
	fill(err, kind_of_errno(sys), sys, fmt, ap);
	va_end(ap);
	return -sys;
}

int error_num(struct error *err, int sys, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(err, kind_of_errno(sys), sys, fmt, ap);
	va_end(ap);
	return -sys;
}

int error_kind(struct error *err, enum error_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(err, kind, 0, fmt, ap);
	va_end(ap);
	return -kinds[kind].sys;
}

int error_oom(struct error *err)
{
	return error_num(err, ENOMEM, "out of memory");
}

int error_prefix(struct error *err, int r, const char *fmt, ...)
{
	char rest[sizeof(err->msg)];
	va_list ap;
	int n;

	if (!err)
		return r;
	memcpy(rest, err->msg, sizeof(rest));
	va_start(ap, fmt);
	n = vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(err->msg))
		(void)snprintf(err->msg + n, sizeof(err->msg) - (size_t)n, ": %s", rest);
	return r;
}

void error_set_step(struct error *err, const char *step)
{
	(void)snprintf(err->step, sizeof(err->step), "%s", step);
}

void error_clear(struct error *err)
{
	memset(err, 0, sizeof(*err));
}

int error_number(const struct error *err)
{
	if (err->sys)
		return -err->sys;
	return -kinds[err->kind < ERROR_KIND_COUNT ? err->kind : ERROR_INTERNAL].sys;
}

const char *error_text(const struct error *err, char *buf, size_t size)
{
	if (err->sys)
		(void)snprintf(buf, size, "%s: %s", err->msg, strerror(err->sys));
	else
		(void)snprintf(buf, size, "%s", err->msg);
	return buf;
}

int error_exit_code(const struct error *err)
{
	return kinds[err->kind < ERROR_KIND_COUNT ? err->kind : ERROR_INTERNAL].exit_code;
}
