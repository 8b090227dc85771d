/* SPDX-License-Identifier: Apache-2.0 */
/* What a registry has: tags of a repository, repositories that match a word. */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "registry/http_header.h"
#include "registry/registry_private.h"

#define PAGE_MAX_BYTES ((size_t)8 << 20)
#define PAGES_MAX      10000
#define NAMES_MAX      1000000
#define SEARCH_PAGE    100 /* the most that is given at once */
#define HUB_SEARCH     "https://index.docker.io"

/* Pages of {"KEY": ["name", ...]} */

struct pages {
	struct registry *r;
	const char *first, *key;
	bool any_scope;
	int (*take)(void *ctx, const char *name); /* > 0: enough */
	void *ctx;
};

static int take_page(const struct pages *p, const struct buf *text, size_t *seen, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	const struct json *doc, *names = NULL, *name;
	const char *word;
	int r = json_parse(buf_str(text), text->len, arena, &doc, err);

	if (r == 0)
		r = json_get_array(doc, p->key, &names, err);
	json_foreach(name, names) {
		if (r == 0)
			r = json_to_string(name, &word, err);
		if (r == 0 && ++*seen > NAMES_MAX)
			r = error_kind(err, ERROR_INVALID, "the registry's list has no end");
		if (r == 0)
			r = p->take(p->ctx, word);
		if (r != 0)
			break;
	}
	return r;
}

/* One page. 1: enough; else *next is the address of the one behind it, heap, or NULL. */
static int read_page(const struct pages *p, const char *target, char **next, size_t *seen,
		     struct error *err)
{
	cleanup_with(http_close) struct http_exchange *x = NULL;
	cleanup_buf struct buf text = { 0 };
	cleanup_free char *link = NULL;
	const struct registry_call call = { .method = "GET",
					    .target = target,
					    .any_scope = p->any_scope };
	const char *value;
	int r = registry_call(p->r, &call, &x, err);

	if (r < 0)
		return r;
	if (http_status(x) != 200)
		return registry_fail(p->r, x, NULL, err);
	r = registry_body(x, PAGE_MAX_BYTES, &text, err);
	if (r == 0)
		r = take_page(p, &text, seen, err);
	if (r != 0)
		return r;
	value = http_headers_get(http_headers(x), "Link");
	link = value ? http_link_next(value) : NULL;
	return link ? registry_resolve(p->r, x, link, next, err) : 0;
}

static int read_pages(const struct pages *p, struct error *err)
{
	cleanup_free char *target = xstrdup(p->first);
	size_t seen = 0;

	for (unsigned i = 0; i < PAGES_MAX; i++) {
		char *next = NULL;
		int r = read_page(p, target, &next, &seen, err);

		if (r != 0)
			return r < 0 ? r : 0;
		free(target);
		target = next;
		if (!target)
			return 0;
	}
	return error_kind(err, ERROR_INVALID, "the registry's list has no end");
}

/* Tags */

static int take_tag(void *ctx, const char *name)
{
	char ***tags = ctx;

	*tags = strv_push(*tags, name);
	return 0;
}

int registry_tags(struct registry *r, char ***ret_tags, struct error *err)
{
	cleanup_with(strv_free) char **tags = NULL;
	struct pages pages = {
		.r = r, .first = "tags/list", .key = "tags", .take = take_tag, .ctx = &tags
	};
	int failed = read_pages(&pages, err);

	if (failed < 0)
		return failed;
	*ret_tags = take_ptr(&tags);
	return 0;
}

/* Search */

struct found {
	const char *domain, *term;
	size_t limit;
	struct registry_search_result *items;
	size_t n, capacity;
};

static struct registry_search_result *add_result(struct found *f, const char *name)
{
	struct registry_search_result *item;

	f->items = array_grow(f->items, f->n, &f->capacity, sizeof(*f->items));
	item = &f->items[f->n++];
	*item = (struct registry_search_result){
		.name = str_eq(f->domain, "docker.io") ? xstrdup(name)
						       : xasprintf("%s/%s", f->domain, name)
	};
	return item;
}

void registry_search_free(struct registry_search_result *results, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(results[i].name);
		free(results[i].description);
	}
	free(results);
}

static int take_repository(void *ctx, const char *name)
{
	struct found *f = ctx;

	if (f->n >= f->limit)
		return 1;
	if (strcasestr(name, f->term))
		add_result(f, name)->description = xstrdup("");
	return 0;
}

/* One member of "results". */
static int take_found(struct found *f, const struct json *item, struct error *err)
{
	const char *name = NULL, *description = NULL;
	struct registry_search_result *result;
	int r = json_get_string(item, "name", &name, err);

	if (r < 0 || str_empty(name) || f->n >= f->limit)
		return r;
	result = add_result(f, name);
	r = json_get_string(item, "description", &description, err);
	if (r == 0)
		r = json_get_u64(item, "star_count", &result->stars, err);
	if (r == 0)
		r = json_get_bool(item, "is_official", &result->official, err);
	if (r == 0)
		r = json_get_bool(item, "is_automated", &result->automated, err);
	result->description = xstrdup(description ? description : "");
	return r;
}

static char *search_address(const struct found *f, unsigned page)
{
	struct buf b = { 0 };

	buf_puts(&b, str_eq(f->domain, "docker.io") ? HUB_SEARCH "/v1/search?q=" : "/v1/search?q=");
	http_escape(&b, f->term, "");
	buf_printf(&b, "&n=%zu&page=%u", MIN(f->limit, (size_t)SEARCH_PAGE), page);
	return buf_take(&b);
}

/* A page of docker's search. 1: there is more, 0: that was all, 2: the registry does not offer it. */
static int search_page(struct registry *r, struct found *f, unsigned page, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	cleanup_with(http_close) struct http_exchange *x = NULL;
	cleanup_free char *target = search_address(f, page);
	cleanup_buf struct buf text = { 0 };
	const struct registry_call call = { .method = "GET", .target = target, .any_scope = true };
	const struct json *doc, *results = NULL, *item;
	size_t before = f->n;
	int failed = registry_call(r, &call, &x, err);

	if (failed < 0)
		return failed;
	if (http_status(x) != 200)
		return str_eq(f->domain, "docker.io") ? registry_fail(r, x, NULL, err) : 2;
	failed = registry_body(x, PAGE_MAX_BYTES, &text, err);
	if (failed < 0)
		return failed;
	/* a server of web pages answers everything */
	if (json_parse(buf_str(&text), text.len, arena, &doc, err) < 0)
		return 2;
	failed = json_get_array(doc, "results", &results, err);
	json_foreach(item, results) {
		if (failed == 0)
			failed = take_found(f, item, err);
	}
	if (failed < 0)
		return failed;
	return f->n - before >= SEARCH_PAGE && f->n < f->limit;
}

static int search(struct registry *r, struct found *f, struct error *err)
{
	struct pages pages = {
		.r = r,
		.first = "/v2/_catalog?n=1000",
		.key = "repositories",
		.any_scope = true,
		.take = take_repository,
		.ctx = f,
	};
	unsigned page = 1;
	int more = f->term[0] ? 1 : 2;

	while (more == 1)
		more = search_page(r, f, page++, err);
	return more == 2 ? read_pages(&pages, err) : more;
}

int registry_search(const char *domain, const char *term, size_t limit,
		    const struct registry_access *access, struct registry_search_result **ret,
		    size_t *ret_n, struct error *err)
{
	const struct registry_options o = { .domain = domain, .access = *access };
	cleanup_with(registry_close) struct registry *r = NULL;
	struct found f = { .domain = domain, .term = term, .limit = limit };
	int failed = registry_open(&o, &r, err);

	if (failed == 0)
		failed = search(r, &f, err);
	if (failed < 0) {
		registry_search_free(f.items, f.n);
		return failed;
	}
	*ret = f.items;
	*ret_n = f.n;
	return 0;
}
