/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The parsed form of a template: between template_parse.c and template_exec.c only. */

#include <stdbool.h>
#include <stddef.h>
#include "codec/json.h"

struct arena;
struct buf;

enum template_term_type {
	TERM_FIELD,    /* .A.B; no names: "." */
	TERM_VARIABLE, /* $x.A.B; the name "" is "$" */
	TERM_LITERAL,  /* "text", 12, true */
	TERM_CALL,     /* function name and arguments */
	TERM_PIPE,     /* ( ... ), with .A.B behind it */
};

struct template_term {
	enum template_term_type type;
	const char *name; /* of the variable or function */
	const struct json *literal;
	const struct template_pipe *pipe;
	const char *const *fields;	  /* NULL-terminated, may be NULL */
	const struct template_term *args; /* of a call, or of a field that takes arguments */
	const struct template_term *next; /* in a list of arguments */
};

/* a | b | c: each command's value is the last argument of the next */
struct template_pipe {
	const struct template_term *command;
	const struct template_pipe *next;
};

enum template_node_type { NODE_TEXT, NODE_PRINT, NODE_IF, NODE_RANGE, NODE_WITH, NODE_SET };

struct template_node {
	enum template_node_type type;
	const char *text;
	size_t text_len;
	const struct template_pipe *pipe;
	const char *variable, *index_variable; /* range $i, $e :=; $x := */
	const struct template_node *body, *otherwise;
	const struct template_node *next;
};

struct template
{
	const struct template_node *nodes;
};

/* Functions */

struct template_call {
	struct arena *arena;
	const char *name;
	const struct json *const *args;
	size_t n;
	struct error *err;
};

typedef int (*template_function)(const struct template_call *call, const struct json **ret);

/* NULL: no such function. */
template_function template_function_find(const char *name);

/* Lists and maps that are empty because they are not there. */
extern const struct json template_nil_list, template_nil_map;

bool template_truth(const struct json *v);
/* As fmt.Print writes it: strings bare, map[a:1 b:2], [1 2]. */
void template_print(const struct json *v, struct buf *out);

const struct json *template_new_string(struct arena *a, const char *s, size_t n);
const struct json *template_new_int(struct arena *a, long long v);
const struct json *template_new_bool(struct arena *a, bool v);
