/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What is written from the command rows for other programs: manual pages and shell completion. */

#include "base/error.h"

struct buf;
struct command;

/* Writes every command's page into a directory that exists. */
int manual_write_all(const char *directory, struct error *err);

/* A completion script. ERROR_INVALID for a shell other than bash, zsh, fish. */
int manual_completion(const char *shell, struct buf *out, struct error *err);
