/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Values of options with a grammar: parse functions for rows of type OPTION_CALL. Each writes the
 * field at offset. */

#include "base/option.h"

/* int64_t bytes: "512m" */
int value_bytes(void *target, const struct option *o, const char *value, struct error *err);
/* int64_t bytes, or -1 */
int value_bytes_or_none(void *target, const struct option *o, const char *value, struct error *err);
/* int64_t */
int value_i64(void *target, const struct option *o, const char *value, struct error *err);
/* int64_t, 10^-9: "1.5" cpus */
int value_nano(void *target, const struct option *o, const char *value, struct error *err);

/* Of a row of type OPTION_LIST: only "KEY=VALUE" is a filter, in docker's words. */
int value_check_filter(void *target, const struct option *o, const char *value, struct error *err);

#define OPTION_VALUE(parse_, arg_) .type = OPTION_CALL, .parse = (parse_), .arg = (arg_)
#define OPTION_FILTER		   .type = OPTION_LIST, .parse = value_check_filter, .arg = "filter"
