/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/template.h"
#include "codec/template_tree.h"

#define TEMPLATE_ARGS_MAX   16
#define TEMPLATE_OUTPUT_MAX (64u << 20) /* a range inside a range over a large document */

struct scope {
	const char *name;
	const struct json *value;
	const struct scope *outer;
};

struct execution {
	struct arena *arena;
	const struct json *root, *zeros;
	struct buf *out;
	struct error *err;
};

static int eval_pipe(struct execution *x, const struct template_pipe *pipe, const struct json *dot,
		     const struct scope *scope, const struct json **ret);

const struct json template_nil_list = { .type = JSON_ARRAY };
const struct json template_nil_map = { .type = JSON_OBJECT };

/* What an absent field is. NULL: nobody knows it. */
static const struct json *find_zero(const struct execution *x, const char *field)
{
	const struct json *zero;

	json_foreach(zero, x->zeros) {
		if (!str_eq(zero->key, field))
			continue;
		return zero->type == JSON_ARRAY	   ? &template_nil_list
		       : zero->type == JSON_OBJECT ? &template_nil_map
						   : zero;
	}
	return NULL;
}

/* Of what a typed document leaves out, or names otherwise than Go's struct does. 0: *ret is it. */
static int find_typed(const struct execution *x, const struct json *v, const char *field,
		      const struct json **ret)
{
	const struct json *member, *map = v->key ? find_zero(x, v->key) : NULL;

	if (v == &template_nil_map || map == &template_nil_map) {
		*ret = NULL; /* of a map, not of a struct: any name may be asked for */
		return 0;
	}
	*ret = find_zero(x, field);
	if (*ret)
		return 0;
	json_foreach(member, x->zeros ? v : NULL) {
		if (strcasecmp(member->key, field) == 0) { /* .ID is "Id", .CPUShares "CpuShares" */
			*ret = member->type == JSON_NULL ? NULL : member;
			return 0;
		}
	}
	return -ENOENT;
}

static int step_into(struct execution *x, const struct json *v, const char *field,
		     const struct json **ret)
{
	const struct json *member;

	if (!v || v->type == JSON_NULL)
		return error_kind(
			x->err, ERROR_INVALID,
			"template: :1: executing \"\" at <.%s>: nil pointer evaluating interface {}.%s",
			field, field);
	if (v->type != JSON_OBJECT)
		return error_kind(
			x->err, ERROR_INVALID,
			"template: :1: executing \"\" at <.%s>: can't evaluate field %s in a value that is no object",
			field, field);
	json_foreach(member, v) {
		if (str_eq(member->key, field)) {
			*ret = member->type == JSON_NULL ? find_zero(x, field) : member;
			return 0;
		}
	}
	if (find_typed(x, v, field, ret) == 0)
		return 0;
	return error_kind(x->err, ERROR_INVALID,
			  "template: :1: executing \"\" at <.%s>: map has no entry for key \"%s\"",
			  field, field);
}

static int step_fields(struct execution *x, const struct json *v, const char *const *fields,
		       const struct json **ret)
{
	for (; fields && *fields; fields++) {
		int r = step_into(x, v, *fields, &v);

		if (r < 0)
			return r;
	}
	*ret = v;
	return 0;
}

static int lookup(struct execution *x, const struct scope *scope, const char *name,
		  const struct json **ret)
{
	if (!*name) {
		*ret = x->root;
		return 0;
	}
	for (; scope; scope = scope->outer) {
		if (str_eq(scope->name, name)) {
			*ret = scope->value;
			return 0;
		}
	}
	return error_kind(x->err, ERROR_INVALID,
			  "template parsing error: undefined variable \"$%s\"", name);
}

static int eval_command(struct execution *x, const struct template_term *t,
			const struct json *piped, bool has_piped, const struct json *dot,
			const struct scope *scope, const struct json **ret);

static int eval_args(struct execution *x, const struct template_term *t, const struct json *dot,
		     const struct scope *scope, const struct json **args, size_t *ret_n)
{
	size_t n = 0;

	for (const struct template_term *arg = t->args; arg; arg = arg->next) {
		int r;

		if (n == TEMPLATE_ARGS_MAX - 1)
			return error_kind(x->err, ERROR_INVALID, "template: too many arguments");
		r = eval_command(x, arg, NULL, false, dot, scope, &args[n++]);
		if (r < 0)
			return r;
	}
	*ret_n = n;
	return 0;
}

/* .Label "name": what docker's methods with an argument do, by index. */
static int apply_index(struct execution *x, const struct json *v, const struct json *const *args,
		       size_t n, const struct json **ret)
{
	const struct json *all[TEMPLATE_ARGS_MAX + 1] = { v };
	struct template_call call = {
		.arena = x->arena, .name = "index", .args = all, .n = n + 1, .err = x->err
	};

	memcpy(all + 1, args, n * sizeof(*args));
	return template_function_find("index")(&call, ret);
}

static int eval_command(struct execution *x, const struct template_term *t,
			const struct json *piped, bool has_piped, const struct json *dot,
			const struct scope *scope, const struct json **ret)
{
	const struct json *args[TEMPLATE_ARGS_MAX] = { NULL };
	const struct json *v = NULL;
	size_t n = 0;
	int r = eval_args(x, t, dot, scope, args, &n);

	if (r < 0)
		return r;
	if (has_piped)
		args[n++] = piped;
	switch (t->type) {
	case TERM_LITERAL:
		*ret = t->literal;
		return 0;
	case TERM_CALL: {
		struct template_call call = { x->arena, t->name, args, n, x->err };

		return template_function_find(t->name)(&call, ret);
	}
	case TERM_PIPE:
		r = eval_pipe(x, t->pipe, dot, scope, &v);
		break;
	case TERM_VARIABLE:
		r = lookup(x, scope, t->name, &v);
		break;
	case TERM_FIELD:
		v = dot;
		break;
	}
	if (r < 0)
		return r;
	r = step_fields(x, v, t->fields, &v);
	if (r == 0 && n > 0)
		r = apply_index(x, v, args, n, &v);
	if (r == 0)
		*ret = v;
	return r;
}

static int eval_pipe(struct execution *x, const struct template_pipe *pipe, const struct json *dot,
		     const struct scope *scope, const struct json **ret)
{
	const struct json *v = NULL;

	for (bool first = true; pipe; pipe = pipe->next, first = false) {
		int r = eval_command(x, pipe->command, v, !first, dot, scope, &v);

		if (r < 0)
			return r;
	}
	*ret = v;
	return 0;
}

static int run_nodes(struct execution *x, const struct template_node *n, const struct json *dot,
		     const struct scope *scope);

static int run_range(struct execution *x, const struct template_node *n, const struct json *list,
		     const struct scope *scope)
{
	const struct json *member;
	long long i = 0;
	int r;

	if (list && list->type != JSON_ARRAY && list->type != JSON_OBJECT &&
	    list->type != JSON_NULL)
		return error_kind(x->err, ERROR_INVALID, "template: range can't iterate over %.40s",
				  list->text ? list->text : "a value");
	if (!list || !json_first(list))
		return run_nodes(x, n->otherwise, list, scope);
	json_foreach(member, list) {
		const struct json *index =
			list->type == JSON_OBJECT
				? template_new_string(x->arena, member->key, member->key_len)
				: template_new_int(x->arena, i);
		struct scope outer = { n->index_variable ? n->index_variable : "?", index, scope };
		struct scope inner = { n->variable ? n->variable : "?", member, &outer };

		r = run_nodes(x, n->body, member, &inner);
		if (r < 0)
			return r;
		i++;
	}
	return 0;
}

static int run_block(struct execution *x, const struct template_node *n, const struct json *dot,
		     const struct scope *scope)
{
	struct scope inner = { n->variable ? n->variable : "?", NULL, scope };
	const struct json *v;
	int r = eval_pipe(x, n->pipe, dot, scope, &v);

	if (r < 0)
		return r;
	inner.value = v;
	switch (n->type) {
	case NODE_PRINT:
		template_print(v, x->out);
		return 0;
	case NODE_IF:
		return run_nodes(x, template_truth(v) ? n->body : n->otherwise, dot, &inner);
	case NODE_WITH:
		return template_truth(v) ? run_nodes(x, n->body, v, &inner)
					 : run_nodes(x, n->otherwise, dot, scope);
	default:
		return run_range(x, n, v, scope);
	}
}

static int run_nodes(struct execution *x, const struct template_node *n, const struct json *dot,
		     const struct scope *scope)
{
	for (; n; n = n->next) {
		int r;

		if (x->out->len > TEMPLATE_OUTPUT_MAX)
			return error_num(x->err, EFBIG, "template: the result is too large");
		if (n->type == NODE_TEXT) {
			buf_add(x->out, n->text, n->text_len);
			continue;
		}
		if (n->type == NODE_SET) { /* the rest of the list sees the variable */
			struct scope inner = { n->variable, NULL, scope };

			r = eval_pipe(x, n->pipe, dot, scope, &inner.value);
			return r < 0 ? r : run_nodes(x, n->next, dot, &inner);
		}
		r = run_block(x, n, dot, scope);
		if (r < 0)
			return r;
	}
	return 0;
}

int template_execute(const struct template *t, const struct json *data, struct buf *out,
		     struct error *err)
{
	return template_execute_typed(t, data, NULL, out, err);
}

int template_execute_typed(const struct template *t, const struct json *data,
			   const struct json *zeros, struct buf *out, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct execution x = {
		.arena = arena, .root = data, .zeros = zeros, .out = out, .err = err
	};

	return run_nodes(&x, t->nodes, data, NULL);
}
