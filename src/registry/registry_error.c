/* SPDX-License-Identifier: Apache-2.0 */
/* What a registry says went wrong, as one sentence that docker's users know. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "registry/http_header.h"
#include "registry/registry_private.h"

#define ANSWER_MAX_BYTES ((size_t)64 << 10)
#define SENTENCE_MAX	 240

/* The first of {"errors": [{"code": "DENIED", "message": "..."}]}, or of what token servers and
 * proxies write. Strings of the arena, or NULL. */
struct complaint {
	const char *code, *message;
};

/* What a server wrote goes to a terminal: bounded, and in one line without control characters. */
static const char *tame(struct arena *arena, const char *text)
{
	char *copy = arena_strndup(arena, text, SENTENCE_MAX);

	for (char *p = copy; *p; p++)
		if (iscntrl((unsigned char)*p))
			*p = ' ';
	return copy;
}

/* "MANIFEST_UNKNOWN" as "manifest unknown". */
static const char *code_words(struct arena *arena, const char *code)
{
	char *words = arena_strndup(arena, code, SENTENCE_MAX);

	for (char *p = words; *p; p++)
		*p = (char)(*p == '_' ? ' ' : tolower((unsigned char)*p));
	return tame(arena, words);
}

static struct complaint read_complaint(struct http_exchange *x, struct arena *arena)
{
	cleanup_buf struct buf text = { 0 };
	struct complaint c = { 0 };
	const struct json *doc, *errors = NULL, *first;
	const char *code = NULL, *message = NULL;
	struct error ignored;

	if (registry_body(x, ANSWER_MAX_BYTES, &text, &ignored) < 0 ||
	    json_parse(buf_str(&text), text.len, arena, &doc, &ignored) < 0)
		return c;
	if (json_get_array(doc, "errors", &errors, &ignored) < 0)
		return c;
	first = errors ? json_first(errors) : doc;
	if (!first || json_get_string(first, "code", &code, &ignored) < 0 ||
	    json_get_string(first, "message", &message, &ignored) < 0)
		return c;
	c.code = str_empty(code) ? NULL : code;
	c.message = str_empty(message) ? NULL : tame(arena, message);
	return c;
}

static const struct {
	int status;
	const char *text;
	const char *code; /* what it means when the body does not say */
} statuses[] = {
	{ 400, "Bad Request", NULL },
	{ 401, "Unauthorized", "UNAUTHORIZED" },
	{ 403, "Forbidden", "DENIED" },
	{ 404, "Not Found", NULL },
	{ 405, "Method Not Allowed", NULL },
	{ 407, "Proxy Authentication Required", NULL },
	{ 408, "Request Timeout", NULL },
	{ 413, "Request Entity Too Large", NULL },
	{ 416, "Requested Range Not Satisfiable", NULL },
	{ 429, "Too Many Requests", "TOOMANYREQUESTS" },
	{ 500, "Internal Server Error", NULL },
	{ 501, "Not Implemented", NULL },
	{ 502, "Bad Gateway", NULL },
	{ 503, "Service Unavailable", NULL },
	{ 504, "Gateway Timeout", NULL },
};

static const char *status_text(int status)
{
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		if (statuses[i].status == status)
			return statuses[i].text;
	return "";
}

/* For a HEAD, and for servers that only have a status. */
static struct complaint from_status(int status, const char *reference)
{
	struct complaint c = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		if (statuses[i].status == status)
			c.code = statuses[i].code;
	if (status == 404 && reference)
		c = (struct complaint){ "MANIFEST_UNKNOWN", "manifest unknown" };
	if (str_eq(c.code, "UNAUTHORIZED"))
		c.message = "authentication required";
	if (str_eq(c.code, "DENIED"))
		c.message = "requested access to the resource is denied";
	if (str_eq(c.code, "TOOMANYREQUESTS"))
		c.message = "too many requests to registry";
	return c;
}

static bool is_denial(const char *code)
{
	return str_eq(code, "DENIED") || str_eq(code, "UNAUTHORIZED");
}

/* "nginx:1.25" and "nginx@sha256:..." */
static char *full_name(const struct registry *r, const char *reference)
{
	return xasprintf("%s%c%s", r->name, strchr(reference, ':') ? '@' : ':', reference);
}

int registry_fail(struct registry *r, struct http_exchange *x, const char *reference,
		  struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct complaint c = read_complaint(x, arena);
	int status = http_status(x);
	cleanup_free char *name = NULL;
	const char *words, *message;

	if (!c.code && c.message)
		c.code = from_status(status, reference).code;
	if (!c.code)
		c = from_status(status, reference);
	if (!c.code)
		return error_kind(err, status == 404 ? ERROR_NOT_FOUND : ERROR_INTERNAL,
				  "received unexpected HTTP status: %d %s", status,
				  status_text(status));
	words = code_words(arena, c.code);
	message = c.message ? c.message : words;
	if (is_denial(c.code) && !r->push)
		return error_kind(
			err, ERROR_DENIED,
			"pull access denied for %s, repository does not exist or may require 'berth login': %s: %s",
			r->name, words, message);
	if (is_denial(c.code))
		return error_kind(err, ERROR_DENIED, "%s: %s", words, message);
	if (str_eq(c.code, "MANIFEST_UNKNOWN") && reference) {
		name = full_name(r, reference);
		return error_kind(err, ERROR_NOT_FOUND, "manifest for %s not found: %s: %s", name,
				  words, message);
	}
	if (str_eq(c.code, "NAME_UNKNOWN"))
		return error_kind(err, ERROR_NOT_FOUND, "repository %s not found: %s: %s", r->name,
				  words, message);
	return error_kind(err, status == 404 ? ERROR_NOT_FOUND : ERROR_INTERNAL, "%s: %s", words,
			  message);
}
