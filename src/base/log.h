/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Messages of programs. Libraries only log_debug(); programs report errors with log_error(). Lines
 * go to stderr, to a file as text or as runc's JSON: {"level":"error","msg":"...","time":"..."}, or
 * to the system's log. The one module with state.
 */

#include <stdbool.h>
#include "base/error.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level);
void log_set_program(const char *name);
void log_set_json(bool json);
/* Opens path for appending; later lines go there (and errors to stderr as well). */
int log_open_file(const char *path, struct error *err);
/*
 * Later lines go to the system's log under this name (borrowed), and errors to stderr as well:
 * systemd's journal with a PRIORITY, or syslog's socket as facility "daemon".
 * Errors   ERROR_NOT_FOUND and the like: no such service on this host
 */
int log_open_journal(const char *identifier, struct error *err);
int log_open_syslog(const char *identifier, struct error *err);
bool log_enabled(enum log_level level);

void log_line(enum log_level level, const char *fmt, ...) PRINTF_FORMAT(2, 3) COLD;

#define log_debug(...)                                          \
	do {                                                    \
		if (log_enabled(LOG_LEVEL_DEBUG))               \
			log_line(LOG_LEVEL_DEBUG, __VA_ARGS__); \
	} while (0)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_error(...)	 log_line(LOG_LEVEL_ERROR, __VA_ARGS__)

/* One line with error_text(). */
void log_report(const struct error *err);
