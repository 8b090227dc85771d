/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Questions on the terminal, answered by a line. */

#include <stdbool.h>
#include "base/error.h"

/*
 * Ask on stdout, read a line of stdin without its end.
 *
 * secret    what is typed is not shown
 * ret       heap; "" if only Enter was typed
 * Errors    stdin is no terminal; ERROR_INVALID: it ended, or ctrl-c was typed
 */
int prompt_line(const char *question, bool secret, char **ret, struct error *err);
