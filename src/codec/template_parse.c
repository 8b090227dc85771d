/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text to tree. The text alternates between plain parts and actions in {{ }}; an action is read by recursive descent:
 *
 *	action  = "if" pipe | "else" ["if" pipe] | "end" | "range" [vars ":="] pipe | "with" pipe | [$x ":="] pipe
 *	pipe    = command { "|" command }
 *	command = term { term }		the first may be a function or a field that takes arguments
 *	term    = "." | .A.B | $x.A.B | "text" | `text` | 'c' | 12 | true | name | "(" pipe ")" [.A.B]
 */
#include "codec/template.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/template_tree.h"

struct parser {
	struct arena *arena;
	const char *start, *p, *end; /* end: of the action being read */
	unsigned depth;
	struct error *err;
};

static int COLD fail(struct parser *ps, const char *what)
{
	return error_kind(ps->err, ERROR_INVALID, "template parsing error: template: :1:%d: %s",
			  (int)(ps->p - ps->start), what);
}

static void skip_space(struct parser *ps)
{
	while (ps->p < ps->end && isspace((unsigned char)*ps->p))
		ps->p++;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static const char *read_word(struct parser *ps)
{
	const char *start = ps->p;

	while (ps->p < ps->end && is_word(*ps->p))
		ps->p++;
	return arena_strndup(ps->arena, start, (size_t)(ps->p - start));
}

/* Takes the word if it comes next, as a whole. */
static bool accept_word(struct parser *ps, const char *word)
{
	size_t n = strlen(word);

	skip_space(ps);
	if ((size_t)(ps->end - ps->p) < n || memcmp(ps->p, word, n) != 0)
		return false;
	if (ps->p + n < ps->end && is_word(ps->p[n]))
		return false;
	ps->p += n;
	return true;
}

static int read_fields(struct parser *ps, const char *const **ret)
{
	const char **fields = NULL;
	size_t n = 0, capacity = 0;

	while (ps->p + 1 < ps->end && *ps->p == '.' && is_word(ps->p[1])) {
		ps->p++;
		fields = array_grow(fields, n, &capacity, sizeof(*fields));
		fields[n++] = read_word(ps);
	}
	if (n > 0) {
		const char **kept = arena_alloc(ps->arena, (n + 1) * sizeof(*kept));

		memcpy(kept, fields, n * sizeof(*kept));
		*ret = kept;
	}
	free(fields);
	return 0;
}

/* The character behind a backslash. */
static int unescape(char c)
{
	static const char from[] = "ntr\\\"'", to[] = "\n\t\r\\\"'";
	const char *found = strchr(from, c);

	return found && c ? to[found - from] : -1;
}

static int read_quoted(struct parser *ps, const struct json **ret)
{
	cleanup_buf struct buf text = { 0 };
	char quote = *ps->p++;

	for (; ps->p < ps->end && *ps->p != quote; ps->p++) {
		int c = (unsigned char)*ps->p;

		if (c == '\\' && quote != '`') {
			ps->p++;
			c = ps->p < ps->end ? unescape(*ps->p) : -1;
			if (c < 0)
				return fail(ps, "unknown escape in string");
		}
		buf_putc(&text, (char)c);
	}
	if (ps->p >= ps->end)
		return fail(ps, "unterminated quoted string");
	ps->p++;
	*ret = template_new_string(ps->arena, buf_str(&text), text.len);
	return 0;
}

static int read_number(struct parser *ps, const struct json **ret)
{
	const char *start = ps->p;
	cleanup_free char *text = NULL;
	int64_t value;

	if (*ps->p == '-')
		ps->p++;
	while (ps->p < ps->end && is_word(*ps->p))
		ps->p++;
	text = xstrndup(start, (size_t)(ps->p - start));
	if (str_to_i64(text, &value) < 0)
		return fail(ps, "bad number syntax");
	*ret = template_new_int(ps->arena, value);
	return 0;
}

static int read_pipe(struct parser *ps, const struct template_pipe **ret);

static int read_parenthesis(struct parser *ps, struct template_term *t)
{
	int r;

	ps->p++;
	if (++ps->depth > TEMPLATE_DEPTH_MAX)
		return fail(ps, "nested too deeply");
	t->type = TERM_PIPE;
	r = read_pipe(ps, &t->pipe);
	if (r < 0)
		return r;
	ps->depth--;
	skip_space(ps);
	if (ps->p >= ps->end || *ps->p != ')')
		return fail(ps, "unclosed left paren");
	ps->p++;
	return read_fields(ps, &t->fields);
}

static int read_name(struct parser *ps, struct template_term *t)
{
	const char *name = read_word(ps);

	if (str_eq(name, "true") || str_eq(name, "false")) {
		t->type = TERM_LITERAL;
		t->literal = template_new_bool(ps->arena, str_eq(name, "true"));
		return 0;
	}
	if (str_eq(name, "nil")) {
		t->type = TERM_LITERAL;
		return 0;
	}
	if (!template_function_find(name)) {
		cleanup_free char *what = xasprintf("function \"%s\" not defined", name);

		return fail(ps, what);
	}
	t->type = TERM_CALL;
	t->name = name;
	return 0;
}

static int read_term(struct parser *ps, const struct template_term **ret)
{
	struct template_term *t = arena_alloc(ps->arena, sizeof(*t));
	char c = *ps->p;

	*ret = t;
	if (c == '.') {
		t->type = TERM_FIELD;
		if (ps->p + 1 >= ps->end || !is_word(ps->p[1])) {
			ps->p++;
			return 0;
		}
		return read_fields(ps, &t->fields);
	}
	if (c == '$') {
		ps->p++;
		t->type = TERM_VARIABLE;
		t->name = read_word(ps);
		return read_fields(ps, &t->fields);
	}
	if (c == '"' || c == '`' || c == '\'') {
		t->type = TERM_LITERAL;
		return read_quoted(ps, &t->literal);
	}
	if (c == '(')
		return read_parenthesis(ps, t);
	if (isdigit((unsigned char)c) || c == '-') {
		t->type = TERM_LITERAL;
		return read_number(ps, &t->literal);
	}
	if (isalpha((unsigned char)c))
		return read_name(ps, t);
	return fail(ps, "unexpected character in command");
}

static int read_command(struct parser *ps, const struct template_term **ret)
{
	struct template_term *command = NULL;
	const struct template_term **tail = NULL;

	for (;;) {
		const struct template_term *t;
		int r;

		skip_space(ps);
		if (ps->p >= ps->end || *ps->p == '|' || *ps->p == ')')
			break;
		r = read_term(ps, &t);
		if (r < 0)
			return r;
		if (!command) {
			command = (struct template_term *)t; /* this function made it */
			tail = &command->args;
			continue;
		}
		if (command->type == TERM_LITERAL)
			return fail(ps, "can't give argument to non-function");
		*tail = t;
		tail = &((struct template_term *)t)->next;
	}
	if (!command)
		return fail(ps, "missing value for command");
	*ret = command;
	return 0;
}

static int read_pipe(struct parser *ps, const struct template_pipe **ret)
{
	const struct template_pipe **tail = ret;

	for (;;) {
		struct template_pipe *pipe = arena_alloc(ps->arena, sizeof(*pipe));
		int r = read_command(ps, &pipe->command);

		if (r < 0)
			return r;
		*tail = pipe;
		tail = &pipe->next;
		skip_space(ps);
		if (ps->p >= ps->end || *ps->p != '|')
			return 0;
		ps->p++;
	}
}

/* "$i, $e :=" or "$e :=" or "$e =" in front of a pipe; the place is kept if it is none of them. */
static void read_declaration(struct parser *ps, struct template_node *n)
{
	const char *start, *first, *second = NULL;

	skip_space(ps);
	start = ps->p;
	if (ps->p >= ps->end || *ps->p != '$')
		return;
	ps->p++;
	first = read_word(ps);
	skip_space(ps);
	if (ps->p < ps->end && *ps->p == ',') {
		ps->p++;
		skip_space(ps);
		if (ps->p < ps->end && *ps->p == '$')
			ps->p++;
		second = read_word(ps);
		skip_space(ps);
	}
	if (ps->p < ps->end && *ps->p == ':')
		ps->p++;
	if (ps->p >= ps->end || *ps->p != '=') {
		ps->p = start;
		return;
	}
	ps->p++;
	n->variable = second ? second : first;
	n->index_variable = second ? first : NULL;
}

enum stop { STOP_EOF, STOP_END, STOP_ELSE, STOP_ELSE_IF };

static int read_nodes(struct parser *ps, const char *text_end, const struct template_node **ret,
		      enum stop *ret_stop);

/* The body of if, range, with: up to its end, with else parts. */
static int read_block(struct parser *ps, const char *text_end, struct template_node *n)
{
	enum stop stop;
	int r;

	if (++ps->depth > TEMPLATE_DEPTH_MAX)
		return fail(ps, "nested too deeply");
	r = read_nodes(ps, text_end, &n->body, &stop);
	if (r < 0)
		return r;
	if (stop == STOP_ELSE) {
		r = read_nodes(ps, text_end, &n->otherwise, &stop);
	} else if (stop == STOP_ELSE_IF) { /* the inner if takes our end */
		struct template_node *inner = arena_alloc(ps->arena, sizeof(*inner));

		inner->type = n->type;
		n->otherwise = inner;
		r = read_pipe(ps, &inner->pipe);
		if (r == 0)
			r = read_block(ps, text_end, inner);
		ps->depth--;
		return r;
	}
	if (r < 0)
		return r;
	ps->depth--;
	if (stop != STOP_END)
		return fail(ps, stop == STOP_EOF ? "unexpected EOF" : "unexpected {{else}}");
	return 0;
}

/* Finds the end of the action that starts at ps->p and moves over its closing braces later: returns
 * that place. */
static const char *find_action_end(const char *p, const char *text_end)
{
	char quote = 0;

	for (; p + 1 < text_end; p++) {
		if (quote) {
			if (*p == '\\' && quote != '`')
				p++;
			else if (*p == quote)
				quote = 0;
		} else if (*p == '"' || *p == '`' || *p == '\'') {
			quote = *p;
		} else if (p[0] == '}' && p[1] == '}') {
			return p;
		}
	}
	return NULL;
}

static int read_action(struct parser *ps, const char *text_end, struct template_node *n,
		       enum stop *ret_stop)
{
	static const struct {
		const char *word;
		enum template_node_type type;
	} blocks[] = { { "if", NODE_IF }, { "range", NODE_RANGE }, { "with", NODE_WITH } };
	int r;

	if (accept_word(ps, "end")) {
		*ret_stop = STOP_END;
		return 1;
	}
	if (accept_word(ps, "else")) {
		*ret_stop =
			accept_word(ps, "if") || accept_word(ps, "with") ? STOP_ELSE_IF : STOP_ELSE;
		return 1;
	}
	n->type = NODE_PRINT;
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		if (accept_word(ps, blocks[i].word))
			n->type = blocks[i].type;
	read_declaration(ps, n);
	if (n->type == NODE_PRINT && n->variable)
		n->type = NODE_SET;
	r = read_pipe(ps, &n->pipe);
	if (r < 0)
		return r;
	skip_space(ps);
	if (ps->p != ps->end)
		return fail(ps, "unexpected token in action");
	return n->type == NODE_PRINT || n->type == NODE_SET ? 0 : read_block(ps, text_end, n);
}

/* Moves ps from the action's end behind "}}", and over white space if it closes with "-}}". */
static void leave_action(struct parser *ps, const char *text_end, bool trim)
{
	ps->p += trim ? 3 : 2;
	while (trim && ps->p < text_end && isspace((unsigned char)*ps->p))
		ps->p++;
}

static void add_text(struct parser *ps, const char *from, size_t len,
		     const struct template_node ***tail)
{
	struct template_node *n;

	if (len == 0)
		return;
	n = arena_alloc(ps->arena, sizeof(*n));
	n->type = NODE_TEXT;
	n->text = from;
	n->text_len = len;
	**tail = n;
	*tail = &n->next;
}

/* One plain part and the action behind it. Returns 1 when the text or the block is at its end. */
static int read_part(struct parser *ps, const char *text_end, const struct template_node ***tail,
		     enum stop *ret_stop)
{
	const char *from = ps->p, *open = memmem(from, (size_t)(text_end - from), "{{", 2), *close;
	struct template_node *n;
	size_t len;
	bool trim;
	int r;

	if (!open) {
		add_text(ps, from, (size_t)(text_end - from), tail);
		ps->p = text_end;
		return 1;
	}
	close = find_action_end(open + 2, text_end);
	ps->p = open + 2;
	if (!close)
		return fail(ps, "unclosed action");
	len = (size_t)(open - from);
	if (ps->p[0] == '-' && isspace((unsigned char)ps->p[1])) {
		ps->p++;
		while (len > 0 && isspace((unsigned char)from[len - 1]))
			len--;
	}
	add_text(ps, from, len, tail);
	trim = close > ps->p && close[-1] == '-';
	ps->end = close - (trim ? 1 : 0);
	skip_space(ps);
	if (ps->end - ps->p >= 4 && memcmp(ps->p, "/*", 2) == 0) { /* a comment */
		ps->p = ps->end;
		leave_action(ps, text_end, trim);
		return 0;
	}
	n = arena_alloc(ps->arena, sizeof(*n));
	r = read_action(ps, text_end, n, ret_stop);
	if (r < 0)
		return r;
	if (r == 0) {
		**tail = n;
		*tail = &n->next;
		if (n->type != NODE_PRINT && n->type != NODE_SET)
			return 0; /* the block left its last action itself */
	}
	if (r == 1 && *ret_stop == STOP_ELSE_IF)
		return 1; /* the condition is still to be read */
	skip_space(ps);
	if (ps->p != ps->end)
		return fail(ps, "unexpected token in action");
	leave_action(ps, text_end, trim);
	return r;
}

static int read_nodes(struct parser *ps, const char *text_end, const struct template_node **ret,
		      enum stop *ret_stop)
{
	const struct template_node **tail = ret;
	int r = 0;

	/* a block's own action is left here, so that its trim mark is known in one place */
	if (ps->p == ps->end && ps->p < text_end && ps->p > ps->start)
		leave_action(ps, text_end, *ps->p == '-');
	*ret_stop = STOP_EOF;
	while (r == 0 && ps->p < text_end)
		r = read_part(ps, text_end, &tail, ret_stop);
	return r < 0 ? r : 0;
}

int template_parse(const char *text, struct arena *arena, const struct template **ret_template,
		   struct error *err)
{
	size_t len = strlen(text);
	struct template *t = arena_alloc(arena, sizeof(*t));
	const char *copy = arena_strndup(arena, text, len);
	struct parser ps = { .arena = arena, .start = copy, .p = copy, .end = copy, .err = err };
	enum stop stop;
	int r;

	if (len > TEMPLATE_MAX_BYTES)
		return fail(&ps, "too long");
	r = read_nodes(&ps, copy + len, &t->nodes, &stop);
	if (r < 0)
		return r;
	if (stop != STOP_EOF)
		return fail(&ps, stop == STOP_END ? "unexpected {{end}}" : "unexpected {{else}}");
	*ret_template = t;
	return 0;
}
