/* SPDX-License-Identifier: Apache-2.0 */
#include "image/change.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "base/units.h"
#include "codec/json.h"
#include "oci/image.h"

struct change {
	struct arena *arena;
	struct oci_image_run *run;
	const char *args; /* behind the instruction's name */
	struct error *err;
};

struct instruction {
	const char *name;
	int (*apply)(struct change *c);
};

static int bad(struct change *c, const char *what)
{
	return error_kind(c->err, ERROR_INVALID, "%s", what);
}

/* A NULL-terminated list with one string more. */
static const char *const *append(struct change *c, const char *const *list, size_t *n,
				 const char *s)
{
	const char **longer = arena_alloc(c->arena, (*n + 2) * sizeof(*longer));

	for (size_t i = 0; i < *n; i++)
		longer[i] = list[i];
	longer[(*n)++] = s;
	return longer;
}

/* Words */

/*
 * The next word of *text, quotes and backslashes resolved as a Dockerfile means them; NULL at the
 * end.
 */
static const char *next_word(struct change *c, const char **text)
{
	cleanup_buf struct buf word = { 0 };
	const char *p = *text;
	char quote = 0;

	p += strspn(p, " \t");
	if (!*p)
		return NULL;
	for (; *p && (quote || !isblank((unsigned char)*p)); p++) {
		if (*p == '\\' && quote != '\'' && p[1])
			buf_putc(&word, *++p);
		else if (quote && *p == quote)
			quote = 0;
		else if (!quote && (*p == '"' || *p == '\''))
			quote = *p;
		else
			buf_putc(&word, *p);
	}
	*text = p;
	return arena_strdup(c->arena, buf_str(&word));
}

/* Exec form, ["a", "b"]: 0, or > 0 if the text is not one. */
static int parse_exec_form(struct change *c, const char *const **ret, size_t *ret_n)
{
	const char *const *list = NULL;
	const struct json *doc, *item;
	struct error not_json; /* then it is a shell line */
	size_t n = 0;

	if (*c->args != '[' ||
	    json_parse(c->args, strlen(c->args), c->arena, &doc, &not_json) < 0 ||
	    doc->type != JSON_ARRAY)
		return 1;
	list = arena_alloc(c->arena, sizeof(*list));
	json_foreach(item, doc) {
		const char *s;

		if (json_to_string(item, &s, &not_json) < 0)
			return 1;
		list = append(c, list, &n, s);
	}
	*ret = list;
	*ret_n = n;
	return 0;
}

/* CMD and ENTRYPOINT: exec form, or a line for the shell. */
static void parse_command(struct change *c, const char *const **ret, size_t *ret_n)
{
	const char *const *shell = c->run->shell;
	const char *const *list = NULL;
	size_t n = 0;

	if (parse_exec_form(c, ret, ret_n) == 0)
		return;
	for (size_t i = 0; i < c->run->n_shell; i++)
		list = append(c, list, &n, shell[i]);
	if (n == 0) {
		list = append(c, list, &n, "/bin/sh");
		list = append(c, list, &n, "-c");
	}
	*ret = append(c, list, &n, c->args);
	*ret_n = n;
}

static int apply_cmd(struct change *c)
{
	parse_command(c, &c->run->cmd, &c->run->n_cmd);
	return 0;
}

static int apply_entrypoint(struct change *c)
{
	parse_command(c, &c->run->entrypoint, &c->run->n_entrypoint);
	return 0;
}

/* Calls add for each KEY=VALUE; "KEY rest of line" is the old form of one pair. */
static int parse_pairs(struct change *c, void (*add)(struct change *, const char *, const char *))
{
	const char *text = c->args, *word;
	bool first = true;

	while ((word = next_word(c, &text))) {
		const char *equals = strchr(word, '=');

		if (!equals && first) {
			text += strspn(text, " \t");
			if (!*text)
				return bad(c, "must have two arguments");
			add(c, word, arena_strdup(c->arena, text));
			return 0;
		}
		if (!equals || equals == word)
			return bad(c, "can't find = in a pair (must be of the form: name=value)");
		add(c, arena_strndup(c->arena, word, (size_t)(equals - word)), equals + 1);
		first = false;
	}
	return 0;
}

static void add_env(struct change *c, const char *key, const char *value)
{
	const char *pair = arena_printf(c->arena, "%s=%s", key, value);
	size_t len = strlen(key) + 1;

	for (size_t i = 0; i < c->run->n_env; i++) {
		if (strncmp(c->run->env[i], pair, len) == 0) {
			((const char **)c->run->env)[i] = pair; /* the arena's, never const there */
			return;
		}
	}
	c->run->env = append(c, c->run->env, &c->run->n_env, pair);
}

static int apply_env(struct change *c)
{
	return parse_pairs(c, add_env);
}

static void add_label(struct change *c, const char *key, const char *value)
{
	struct oci_pair *labels =
		arena_alloc(c->arena, (c->run->n_labels + 1) * sizeof(*c->run->labels));
	size_t n = 0;

	for (size_t i = 0; i < c->run->n_labels; i++) {
		if (!str_eq(c->run->labels[i].key, key))
			labels[n++] = c->run->labels[i];
	}
	labels[n++] = (struct oci_pair){ key, value };
	c->run->labels = labels;
	c->run->n_labels = n;
}

static int apply_label(struct change *c)
{
	return parse_pairs(c, add_label);
}

static int apply_expose(struct change *c)
{
	const char *text = c->args, *word;

	while ((word = next_word(c, &text))) {
		size_t digits = strspn(word, "0123456789-");

		if (digits == 0 ||
		    (word[digits] && !str_eq(word + digits, "/tcp") &&
		     !str_eq(word + digits, "/udp") && !str_eq(word + digits, "/sctp")))
			return bad(c, "invalid containerPort");
		if (!word[digits])
			word = arena_printf(c->arena, "%s/tcp", word);
		c->run->exposed_ports =
			append(c, c->run->exposed_ports, &c->run->n_exposed_ports, word);
	}
	return 0;
}

static int apply_volume(struct change *c)
{
	const char *text = c->args, *word;
	const char *const *list;
	size_t n;

	if (parse_exec_form(c, &list, &n) == 0) {
		for (size_t i = 0; i < n; i++)
			c->run->volumes = append(c, c->run->volumes, &c->run->n_volumes, list[i]);
		return 0;
	}
	while ((word = next_word(c, &text)))
		c->run->volumes = append(c, c->run->volumes, &c->run->n_volumes, word);
	return 0;
}

static int apply_user(struct change *c)
{
	c->run->user = arena_strdup(c->arena, c->args);
	return 0;
}

static int apply_workdir(struct change *c)
{
	cleanup_free char *joined =
		path_join(c->run->working_dir ? c->run->working_dir : "/", c->args);
	cleanup_free char *clean = path_clean(*c->args == '/' ? c->args : joined);

	c->run->working_dir = arena_strdup(c->arena, clean);
	return 0;
}

static int apply_stopsignal(struct change *c)
{
	c->run->stop_signal = arena_strdup(c->arena, c->args);
	return 0;
}

/* --interval=5s and the like, before NONE or CMD. */
static int parse_health_option(struct change *c, const char *word, struct oci_healthcheck *h)
{
	const struct {
		const char *prefix;
		int64_t *ns;
	} times[] = {
		{ "--interval=", &h->interval_ns },
		{ "--start-interval=", &h->start_interval_ns },
		{ "--start-period=", &h->start_period_ns },
		{ "--timeout=", &h->timeout_ns },
	};
	const char *value = str_after(word, "--retries=");
	uint64_t retries;

	if (value) {
		if (str_to_u64(value, &retries) < 0 || retries > INT32_MAX)
			return bad(c, "--retries is to be a number");
		h->retries = (int32_t)retries;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		value = str_after(word, times[i].prefix);
		if (!value)
			continue;
		if (units_parse_duration(value, times[i].ns) < 0 || *times[i].ns < 0)
			return error_kind(c->err, ERROR_INVALID, "'%.80s' is no duration", value);
		return 0;
	}
	return error_kind(c->err, ERROR_INVALID, "unknown flag: %.80s", word);
}

static int apply_healthcheck(struct change *c)
{
	struct oci_healthcheck *h = arena_alloc(c->arena, sizeof(*h));
	const char *word, *const *args;
	size_t n;
	int r;

	while ((word = next_word(c, &c->args)) && str_after(word, "--")) {
		r = parse_health_option(c, word, h);
		if (r < 0)
			return r;
	}
	c->args += strspn(c->args, " \t");
	if (word && strcasecmp(word, "NONE") == 0 && !*c->args) {
		h->test = append(c, h->test, &h->n_test, "NONE");
	} else if (word && strcasecmp(word, "CMD") == 0 && *c->args) {
		bool shell = parse_exec_form(c, &args, &n) != 0;

		h->test = append(c, h->test, &h->n_test, shell ? "CMD-SHELL" : "CMD");
		if (shell)
			h->test = append(c, h->test, &h->n_test, c->args);
		for (size_t i = 0; !shell && i < n; i++)
			h->test = append(c, h->test, &h->n_test, args[i]);
	} else {
		return bad(c, "HEALTHCHECK wants NONE, or CMD and a command");
	}
	c->run->healthcheck = h;
	return 0;
}

static int apply_onbuild(struct change *c)
{
	c->run->on_build =
		append(c, c->run->on_build, &c->run->n_on_build, arena_strdup(c->arena, c->args));
	return 0;
}

/* docker's list for `import` and `commit`, sorted */
static const struct instruction instructions[] = {
	{ "CMD", apply_cmd },
	{ "ENTRYPOINT", apply_entrypoint },
	{ "ENV", apply_env },
	{ "EXPOSE", apply_expose },
	{ "HEALTHCHECK", apply_healthcheck },
	{ "LABEL", apply_label },
	{ "ONBUILD", apply_onbuild },
	{ "STOPSIGNAL", apply_stopsignal },
	{ "USER", apply_user },
	{ "VOLUME", apply_volume },
	{ "WORKDIR", apply_workdir },
};

static int apply_one(struct change *c, const char *text)
{
	size_t n = strcspn(text, " \t");

	for (size_t i = 0; i < ARRAY_SIZE(instructions); i++) {
		if (strlen(instructions[i].name) != n ||
		    strncasecmp(instructions[i].name, text, n) != 0)
			continue;
		c->args = arena_strdup(c->arena, text + n + strspn(text + n, " \t"));
		if (!*c->args)
			return bad(c, "needs an argument");
		return instructions[i].apply(c);
	}
	return error_kind(c->err, ERROR_INVALID, "%.*s is not a valid change command", (int)n,
			  text);
}

int change_apply(char *const *changes, struct arena *arena, struct oci_image_run *run,
		 struct error *err)
{
	struct change c = { .arena = arena, .run = run, .err = err };

	for (size_t i = 0; changes && changes[i]; i++) {
		const char *text = changes[i] + strspn(changes[i], " \t");
		int r = apply_one(&c, text);

		if (r < 0)
			return error_prefix(err, r, "change '%.200s'", changes[i]);
	}
	return 0;
}
