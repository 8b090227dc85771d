/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What servers write into HTTP headers, read with bounds and without trust. No network here. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/macro.h"

struct buf;

/* Headers of one response */

#define HTTP_HEADERS_MAX_BYTES ((size_t)64 << 10)

struct http_header {
	char *name, *value; /* value without space around it */
};

struct http_headers {
	struct http_header *items;
	size_t n, capacity;
	size_t bytes;
};

/* One line as it came, with or without its end; what is no header is left out. 0, or -E2BIG. */
int http_headers_add(struct http_headers *h, const char *line, size_t len);
/* The first of this name, any case, or NULL. */
const char *http_headers_get(const struct http_headers *h, const char *name);
/* The next of this name from *i on, which is moved behind it. */
const char *http_headers_next(const struct http_headers *h, const char *name, size_t *i);
void http_headers_done(struct http_headers *h);

/* Challenges */

struct http_challenge {
	char *scheme;			       /* lower case: "bearer", "basic" */
	char *realm, *service, *scope, *error; /* or NULL */
};

struct http_challenges {
	struct http_challenge *items;
	size_t n, capacity;
};

/* Appends those of one WWW-Authenticate value. What is behind a mistake is left out. Source: RFC 9110, 11.6.1. */
void http_challenges_add(struct http_challenges *c, const char *value);
const struct http_challenge *http_challenges_find(const struct http_challenges *c,
						  const char *scheme);
void http_challenges_done(struct http_challenges *c);
#define cleanup_http_challenges __attribute__((cleanup(http_challenges_done)))

/* Values */

/* "bytes 10-99/100"; *ret_total is UINT64_MAX for "*". 0 or -EINVAL. Source: RFC 9110, 14.4. */
int http_content_range(const char *value, uint64_t *ret_first, uint64_t *ret_last,
		       uint64_t *ret_total);

/* Seconds or a date, as milliseconds from now_ns on; at least 0. 0 or -EINVAL. Source: RFC 9110, 10.2.3. */
int http_retry_after(const char *value, int64_t now_ns, int64_t *ret_ms);

/* The target with rel="next" of a Link header, heap, or NULL. Source: RFC 8288. */
char *http_link_next(const char *value);

/* "text/x; charset=..." as "text/x": heap. */
char *http_media_type(const char *value);

/* Appends text with all but A-Z a-z 0-9 - . _ ~ and the bytes of keep escaped. */
void http_escape(struct buf *out, const char *text, const char *keep);
