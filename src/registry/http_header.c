/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http_header.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

#define TOKEN68_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"

/* Headers */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static const char *skip_space(const char *p)
{
	while (is_space(*p))
		p++;
	return p;
}

/* RFC 9110 "token". */
static bool is_token_char(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static size_t token_len(const char *p)
{
	size_t n = 0;

	while (is_token_char(p[n]))
		n++;
	return n;
}

int http_headers_add(struct http_headers *h, const char *line, size_t len)
{
	cleanup_free char *text = xstrndup(line, len);
	size_t name_len = token_len(text), end;
	const char *value;

	if (h->bytes + len > HTTP_HEADERS_MAX_BYTES)
		return -E2BIG;
	h->bytes += len;
	if (name_len == 0 || text[name_len] != ':')
		return 0;
	value = skip_space(text + name_len + 1);
	for (end = strlen(value); end > 0 && is_space(value[end - 1]);)
		end--;
	h->items = array_grow(h->items, h->n, &h->capacity, sizeof(*h->items));
	h->items[h->n].name = xstrndup(text, name_len);
	h->items[h->n++].value = xstrndup(value, end);
	return 0;
}

const char *http_headers_next(const struct http_headers *h, const char *name, size_t *i)
{
	while (*i < h->n) {
		const struct http_header *item = &h->items[(*i)++];

		if (strcasecmp(item->name, name) == 0)
			return item->value;
	}
	return NULL;
}

const char *http_headers_get(const struct http_headers *h, const char *name)
{
	size_t i = 0;

	return http_headers_next(h, name, &i);
}

void http_headers_done(struct http_headers *h)
{
	for (size_t i = 0; i < h->n; i++) {
		free(h->items[i].name);
		free(h->items[i].value);
	}
	free(h->items);
	*h = (struct http_headers){ 0 };
}

/* Challenges: scheme, then parameters with commas between; a comma may also begin the next scheme. */

/* A token or quoted string at p; NULL where there is none. */
static const char *take_value(const char *p, char **ret)
{
	cleanup_buf struct buf text = { 0 };

	if (*p != '"') {
		size_t n = strcspn(p, " \t,");

		*ret = xstrndup(p, n);
		return p + n;
	}
	for (p++; *p && *p != '"'; p++) {
		if (*p == '\\' && p[1])
			p++;
		buf_putc(&text, *p);
	}
	if (*p != '"')
		return NULL;
	*ret = buf_take(&text);
	return p + 1;
}

static void keep_parameter(struct http_challenge *c, const char *name, size_t len, char *value)
{
	const struct {
		const char *name;
		char **place;
	} known[] = {
		{ "realm", &c->realm },
		{ "service", &c->service },
		{ "scope", &c->scope },
		{ "error", &c->error },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strlen(known[i].name) == len && strncasecmp(known[i].name, name, len) == 0 &&
		    !*known[i].place) {
			*known[i].place = value;
			return;
		}
	}
	free(value);
}

static struct http_challenge *add_challenge(struct http_challenges *c, const char *scheme,
					    size_t len)
{
	struct http_challenge *item;

	c->items = array_grow(c->items, c->n, &c->capacity, sizeof(*c->items));
	item = &c->items[c->n++];
	*item = (struct http_challenge){ .scheme = xstrndup(scheme, len) };
	for (char *p = item->scheme; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return item;
}

/* "Negotiate YWJj==": one word that is no parameter may follow a scheme. Its length, or 0. */
static size_t token68_len(const char *p)
{
	size_t n = strspn(p, TOKEN68_CHARS);
	const char *behind;

	n += strspn(p + n, "=");
	behind = skip_space(p + n);
	return !*behind || *behind == ',' ? n : 0;
}

void http_challenges_add(struct http_challenges *c, const char *value)
{
	struct http_challenge *current = NULL;
	const char *p = value;

	for (;;) {
		const char *word, *behind;
		size_t len;

		while (is_space(*p) || *p == ',')
			p++;
		word = p;
		len = token_len(word);
		if (len == 0)
			return;
		behind = skip_space(word + len);
		if (current && *behind == '=') {
			char *text = NULL;

			p = take_value(skip_space(behind + 1), &text);
			if (!p)
				return;
			keep_parameter(current, word, len, text);
			continue;
		}
		current = add_challenge(c, word, len);
		p = behind;
		p += token68_len(p);
	}
}

const struct http_challenge *http_challenges_find(const struct http_challenges *c,
						  const char *scheme)
{
	for (size_t i = 0; i < c->n; i++)
		if (str_eq(c->items[i].scheme, scheme))
			return &c->items[i];
	return NULL;
}

void http_challenges_done(struct http_challenges *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->items[i].scheme);
		free(c->items[i].realm);
		free(c->items[i].service);
		free(c->items[i].scope);
		free(c->items[i].error);
	}
	free(c->items);
	*c = (struct http_challenges){ 0 };
}

/* Values */

/* Digits at *p up to one of the bytes of end, which is passed. */
static int take_number(const char **p, char end, uint64_t *ret)
{
	char digits[24];
	size_t n = strspn(*p, "0123456789");

	if (n == 0 || n >= sizeof(digits) || (*p)[n] != end)
		return -EINVAL;
	memcpy(digits, *p, n);
	digits[n] = '\0';
	*p += n + (end ? 1 : 0);
	return str_to_u64(digits, ret);
}

int http_content_range(const char *value, uint64_t *ret_first, uint64_t *ret_last,
		       uint64_t *ret_total)
{
	uint64_t first, last, total = UINT64_MAX;
	const char *p = value;

	if (strncasecmp(p, "bytes", 5) != 0)
		return -EINVAL;
	p = skip_space(p + 5);
	if (*p == '=') /* some servers write it as in a request */
		p++;
	if (take_number(&p, '-', &first) < 0 || take_number(&p, '/', &last) < 0 || first > last)
		return -EINVAL;
	if (!str_eq(p, "*") && (take_number(&p, '\0', &total) < 0 || last >= total))
		return -EINVAL;
	*ret_first = first;
	*ret_last = last;
	*ret_total = total;
	return 0;
}

int http_retry_after(const char *value, int64_t now_ns, int64_t *ret_ms)
{
	struct tm tm = { 0 };
	uint64_t seconds;
	const char *end;
	int64_t ms;

	if (str_to_u64(value, &seconds) == 0) {
		*ret_ms = (int64_t)MIN(seconds, (uint64_t)INT32_MAX) * 1000;
		return 0;
	}
	end = strptime(value, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	if (!end || *end)
		return -EINVAL;
	ms = ((int64_t)timegm(&tm) - now_ns / 1000000000) * 1000;
	*ret_ms = MAX(ms, 0);
	return 0;
}

/* Is there a parameter rel with the word next in [p, end)? */
static bool is_next(const char *p, const char *end)
{
	cleanup_free char *text = xstrndup(p, (size_t)(end - p));
	const char *rel = strcasestr(text, "rel=");
	size_t n;

	if (!rel)
		return false;
	rel += 4;
	rel += *rel == '"';
	n = strcspn(rel, "\"; ");
	return n == 4 && strncasecmp(rel, "next", 4) == 0;
}

char *http_link_next(const char *value)
{
	const char *p = value;

	while ((p = strchr(p, '<'))) {
		const char *target = p + 1, *close = strchr(target, '>'), *end;

		if (!close)
			return NULL;
		end = strchr(close, '<');
		if (is_next(close + 1, end ? end : close + strlen(close)))
			return xstrndup(target, (size_t)(close - target));
		p = close;
	}
	return NULL;
}

char *http_media_type(const char *value)
{
	const char *p = skip_space(value);

	return xstrndup(p, strcspn(p, "; \t"));
}

void http_escape(struct buf *out, const char *text, const char *keep)
{
	for (const char *p = text; *p; p++) {
		if (isalnum((unsigned char)*p) || strchr("-._~", *p) || strchr(keep, *p))
			buf_putc(out, *p);
		else
			buf_printf(out, "%%%02X", (unsigned char)*p);
	}
}
