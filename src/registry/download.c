/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/download.h"

#include <stdlib.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "registry/http.h"
#include "registry/http_header.h"

#define REDIRECTS_MAX 10

struct download {
	struct stream base;
	struct http_client *client;
	struct http_exchange *exchange;
};

static ssize_t download_read(struct stream *s, void *buf, size_t n, struct error *err)
{
	return http_read(container_of(s, struct download, base)->exchange, buf, n, err);
}

static void download_close(struct stream *s)
{
	struct download *d = container_of(s, struct download, base);

	http_close(d->exchange);
	http_client_free(d->client);
	free(d);
}

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Where a redirect leads: heap. */
static int next_url(struct http_client *c, const struct http_exchange *x, const char *url,
		    char **ret, struct error *err)
{
	const char *location = http_headers_get(http_headers(x), "Location");
	cleanup_free char *next = NULL;
	int r;

	if (!location)
		return error_kind(err, ERROR_INVALID, "'%s' leads elsewhere without saying where",
				  url);
	r = http_resolve(c, url, location, &next, err);
	if (r < 0)
		return r;
	if (strncasecmp(url, "https:", 6) == 0 && strncasecmp(next, "https:", 6) != 0)
		return error_kind(err, ERROR_INVALID, "'%s' leads to '%s', which is not encrypted",
				  url, next);
	*ret = take_ptr(&next);
	return 0;
}

static int bad_status(const char *url, int status, struct error *err)
{
	return error_kind(err, status == 404 ? ERROR_NOT_FOUND : ERROR_INVALID,
			  "'%s': the server answered with status %d", url, status);
}

static int get(struct http_client *c, const char *first_url, struct http_exchange **ret,
	       struct error *err)
{
	cleanup_free char *url = xstrdup(first_url);

	for (unsigned i = 0; i <= REDIRECTS_MAX; i++) {
		const struct http_request q = { .method = "GET", .url = url };
		cleanup_with(http_close) struct http_exchange *x = NULL;
		enum http_fault fault;
		char *next = NULL;
		int r = http_open(c, &q, &x, &fault, err);

		if (r < 0)
			return r;
		if (http_status(x) == 200) {
			*ret = take_ptr(&x);
			return 0;
		}
		if (!is_redirect(http_status(x)))
			return bad_status(url, http_status(x), err);
		r = next_url(c, x, url, &next, err);
		if (r < 0)
			return r;
		free(url);
		url = next;
	}
	return error_kind(err, ERROR_INVALID, "'%s': stopped after %d redirects", first_url,
			  REDIRECTS_MAX);
}

int download_open(const char *url, const atomic_bool *stopped, struct stream **ret,
		  struct error *err)
{
	static const struct stream_ops ops = { .read = download_read, .close = download_close };
	cleanup_with(http_client_free) struct http_client *client = NULL;
	struct http_exchange *exchange = NULL;
	struct download *d;
	int r = http_client_new(&(struct http_options){ .cancel = stopped }, &client, err);

	if (r == 0)
		r = get(client, url, &exchange, err);
	if (r < 0)
		return r;
	d = xcalloc(1, sizeof(*d));
	d->base.ops = &ops;
	d->client = take_ptr(&client);
	d->exchange = exchange;
	*ret = &d->base;
	return 0;
}
