/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The part of Go's text/template that --format needs, over JSON values: fields, pipelines,
 * variables, if, range, with, comparison, and docker's functions (json, join, split, lower, upper,
 * title, truncate, pad, println, len, index, slice ...).
 */

#include <stddef.h>
#include "base/error.h"

struct arena;
struct buf;
struct json;
struct template;

#define TEMPLATE_MAX_BYTES (64u << 10)
#define TEMPLATE_DEPTH_MAX 32

/*
 * arena  owns the template
 * Errors ERROR_INVALID, "template parsing error: ...", with the place
 */
int template_parse(const char *text, struct arena *arena, const struct template **ret_template,
		   struct error *err);

/*
 * Appends the result for data to out.
 * Errors ERROR_INVALID: a field that data does not have, an argument of the wrong type
 */
int template_execute(const struct template *t, const struct json *data, struct buf *out,
		     struct error *err);

/*
 * The same for documents that leave out what is empty, as Go's structs do on their way to JSON.
 *
 * zeros   an object: what a field of this name is where it is absent or null, wherever that is. null
 *         prints as <nil>; empty lists and maps print as such, but are null by "json". What is {}
 *         here is a map of any names, of which absent ones are <no value>. Names count without
 *         their case, if there is none of the same case. NULL: nothing of all this
 */
int template_execute_typed(const struct template *t, const struct json *data,
			   const struct json *zeros, struct buf *out, struct error *err);
