/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The exit file: how a container ended, for an engine that looks later (docs/formats/exit-file.md).
 */

#include "base/error.h"
#include "monitor/protocol.h"

#define EXIT_FILE_VERSION 1

/* Keeps room on the disk for it: path.reserve, which exit_file_write() uses up. */
int exit_file_reserve(const char *path, struct error *err);
/* Replaces path in one step. */
int exit_file_write(const char *path, const struct monitor_exit *status, struct error *err);
/* -ENOENT: there is none. */
int exit_file_read(const char *path, struct monitor_exit *ret, struct error *err);
