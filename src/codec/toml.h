/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * TOML 1.0 text, read into the same tree that JSON text gives, so that the getters of codec/json.h
 * and their messages serve both. Written for the configuration files of containers; complete but for
 * this: dates and times come as strings, whose digits are not looked at twice; "inf" and "nan" are
 * refused. Source: toml.io/en/v1.0.0
 */

#include <stddef.h>
#include "base/error.h"

struct arena;
struct json;

#define TOML_MAX_BYTES (1u << 20)

/*
 * Reads one document: an object.
 *
 * text      need not live on
 * arena     holds the tree
 * Errors    ERROR_INVALID, "line 3: expected '=' behind a key"; also for what the grammar allows and
 *           the rules do not: a key or a table defined twice. -EFBIG: more than TOML_MAX_BYTES
 */
int toml_parse(const char *text, size_t len, struct arena *arena, const struct json **ret,
	       struct error *err);
