/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/auth.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "registry/credential.h"
#include "registry/http.h"
#include "registry/http_header.h"
#include "registry/registry_private.h"

#define TOKEN_MAX_BYTES ((size_t)1 << 20)
/* A token that says nothing lives a minute, and none shorter. */
#define TOKEN_LIFE_S	  60
#define TOKEN_LIFE_MAX_S  86400
#define TOKEN_MARGIN_S	  5
#define TOKEN_TRIES	  3
#define CLIENT_ID	  "berth"
#define UNAUTHORIZED_TEXT "unauthorized: incorrect username or password"

struct token {
	char *scope;
	char *header;
	int64_t until_ns; /* of the monotonic clock */
};

struct auth {
	struct registry *r; /* for its patience */
	struct http_client *client;
	char *domain, *path, *authfile;
	pthread_mutex_t
		lock; /* the following; held while a token is fetched: others want the same */
	bool looked, has_credential;
	struct credential credential;
	char *basic; /* header, once the registry asked for it */
	struct token *tokens;
	size_t n_tokens, capacity;
};

struct auth *auth_new(struct registry *r, struct http_client *client, const char *domain,
		      const char *path, const char *authfile)
{
	struct auth *a = xcalloc(1, sizeof(*a));

	a->r = r;
	a->client = client;
	a->domain = xstrdup(domain);
	a->path = path ? xstrdup(path) : NULL;
	a->authfile = authfile ? xstrdup(authfile) : NULL;
	(void)pthread_mutex_init(&a->lock, NULL);
	return a;
}

static void free_secret(char *s)
{
	if (s)
		explicit_bzero(s, strlen(s));
	free(s);
}

struct auth *auth_free(struct auth *a)
{
	if (!a)
		return NULL;
	for (size_t i = 0; i < a->n_tokens; i++) {
		free(a->tokens[i].scope);
		free_secret(a->tokens[i].header);
	}
	free(a->tokens);
	free_secret(a->basic);
	credential_done(&a->credential);
	(void)pthread_mutex_destroy(&a->lock); /* nobody holds it */
	free(a->domain);
	free(a->path);
	free(a->authfile);
	free(a);
	return NULL;
}

void auth_set_credential(struct auth *a, const struct credential *c)
{
	credential_done(&a->credential);
	a->looked = a->has_credential = true;
	a->credential.username = c->username ? xstrdup(c->username) : NULL;
	a->credential.secret = c->secret ? xstrdup(c->secret) : NULL;
	a->credential.identity_token = c->identity_token ? xstrdup(c->identity_token) : NULL;
}

static struct token *find_token(struct auth *a, const char *scope)
{
	for (size_t i = 0; i < a->n_tokens; i++)
		if (str_eq(a->tokens[i].scope, scope))
			return &a->tokens[i];
	return NULL;
}

static const char *known_header(struct auth *a, const char *scope)
{
	const struct token *t = find_token(a, scope);

	if (t && clock_monotonic_ns() < t->until_ns)
		return t->header;
	return a->basic;
}

char *auth_header(struct auth *a, const char *scope)
{
	const char *header;
	char *copy;

	(void)pthread_mutex_lock(&a->lock);
	header = known_header(a, scope);
	copy = header ? xstrdup(header) : NULL;
	(void)pthread_mutex_unlock(&a->lock);
	return copy;
}

/* Helper programs are asked once, and only where somebody wants to know. */
static int look_for_credential(struct auth *a, struct error *err)
{
	int r = 0;

	if (a->looked)
		return 0;
	r = credential_find(a->authfile, a->domain, a->path, &a->credential, err);
	if (r < 0)
		return r;
	a->looked = true;
	a->has_credential = r > 0;
	return 0;
}

/* Basic */

static bool has_password(const struct auth *a)
{
	return a->has_credential && a->credential.username && a->credential.secret;
}

static char *basic_header(const struct credential *c)
{
	char *pair = xasprintf("%s:%s", c->username, c->secret);
	char *coded = base64_format(pair, strlen(pair));
	char *header = xasprintf("Authorization: Basic %s", coded);

	free_secret(pair);
	free_secret(coded);
	return header;
}

/* Tokens */

/* "&name=value" */
static void add_field(struct buf *b, const char *name, const char *value)
{
	if (str_empty(value))
		return;
	if (b->len)
		buf_putc(b, '&');
	buf_printf(b, "%s=", name);
	http_escape(b, value, "");
}

/* As docker writes it: one field for each scope. */
static void add_scopes(struct buf *b, const char *scopes)
{
	cleanup_with(strv_free) char **words = strv_split(scopes, " ", false);

	for (char **w = words; w && *w; w++)
		add_field(b, "scope", *w);
}

static int read_answer(struct http_exchange *x, struct buf *text, struct error *err)
{
	char piece[8192];
	ssize_t n;

	while ((n = http_read(x, piece, sizeof(piece), err)) > 0) {
		buf_add(text, piece, (size_t)n);
		if (text->len > TOKEN_MAX_BYTES)
			return error_kind(err, ERROR_INVALID,
					  "the token server's answer has no end");
	}
	return (int)n;
}

/* {"token": ..., "expires_in": ...}; "access_token" in OAuth2. */
static int parse_token(const struct buf *text, const char **ret_token, uint64_t *ret_life_s,
		       struct arena *arena, struct error *err)
{
	const struct json *doc;
	const char *token = NULL;
	int64_t life = TOKEN_LIFE_S;
	int r = json_parse(buf_str(text), text->len, arena, &doc, err);

	if (r == 0)
		r = json_get_string(doc, "token", &token, err);
	if (r == 0 && str_empty(token))
		r = json_get_string(doc, "access_token", &token, err);
	if (r == 0)
		r = json_get_i64(doc, "expires_in", &life, err);
	if (r < 0)
		return error_prefix(err, r, "the token server's answer");
	if (str_empty(token) || strpbrk(token, "\r\n"))
		return error_kind(err, ERROR_INVALID,
				  "authorization server did not include a token in the response");
	*ret_token = token;
	*ret_life_s = (uint64_t)MIN(MAX(life, TOKEN_LIFE_S), TOKEN_LIFE_MAX_S);
	return 0;
}

static void keep_token(struct auth *a, const char *scope, const char *text, uint64_t life_s)
{
	struct token *t = find_token(a, scope);

	if (!t) {
		a->tokens = array_grow(a->tokens, a->n_tokens, &a->capacity, sizeof(*a->tokens));
		t = &a->tokens[a->n_tokens++];
		*t = (struct token){ .scope = xstrdup(scope) };
	}
	free_secret(t->header);
	t->header = xasprintf("Authorization: Bearer %s", text);
	t->until_ns = clock_monotonic_ns() + (int64_t)(life_s - TOKEN_MARGIN_S) * 1000000000;
}

static bool may_pass(int status)
{
	return status == 408 || status == 429 || status >= 500;
}

/* One request; *ret_again if it is worth another. */
static int try_token(struct auth *a, const struct http_request *q, struct buf *text,
		     int *ret_status, bool *ret_again, struct error *err)
{
	cleanup_with(http_close) struct http_exchange *x = NULL;
	enum http_fault fault;
	int r = http_open(a->client, q, &x, &fault, err);

	*ret_again = r < 0 && (fault == HTTP_FAULT_BROKEN || fault == HTTP_FAULT_STALLED);
	if (r < 0)
		return r;
	buf_clear(text);
	r = read_answer(x, text, err);
	*ret_status = http_status(x);
	*ret_again = r < 0 ? http_fault(x) != HTTP_FAULT_NONE : may_pass(*ret_status);
	return r;
}

/* 1: not without a password. */
static int send_for_token(struct auth *a, const struct http_request *q, const char *key,
			  struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	cleanup_buf struct buf text = { 0 };
	const char *token = NULL;
	uint64_t life_s = 0;
	bool again = true;
	int status = 0, r = 0;

	for (unsigned tries = 0; again && tries < TOKEN_TRIES; tries++) {
		if (tries > 0 && registry_wait(a->r, tries - 1, -1, err) < 0)
			return -ECANCELED;
		r = try_token(a, q, &text, &status, &again, err);
	}
	if (r < 0)
		return error_prefix(err, r, "no token for '%s'", a->domain);
	if (status == 400 || status == 401 || status == 403)
		return a->has_credential ? error_kind(err, ERROR_DENIED, UNAUTHORIZED_TEXT) : 1;
	if (status != 200)
		return error_kind(err, ERROR_INTERNAL,
				  "no token for '%s': unexpected status from the token server: %d",
				  a->domain, status);
	r = parse_token(&text, &token, &life_s, arena, err);
	if (r == 0)
		keep_token(a, key, token, life_s);
	if (text.data)
		explicit_bzero(text.data, text.len);
	return r;
}

/* OAuth2: what `docker login` left is exchanged for a token. */
static int refresh_token(struct auth *a, const struct http_challenge *c, const char *scope,
			 const char *key, struct error *err)
{
	static char type[] = "Content-Type: application/x-www-form-urlencoded";
	char *headers[] = { type, NULL };
	cleanup_buf struct buf form = { 0 };
	struct http_body body = { .fd = -EBADF };
	const struct http_request q = {
		.method = "POST", .url = c->realm, .headers = headers, .body = &body
	};
	int r;

	add_field(&form, "grant_type", "refresh_token");
	add_field(&form, "service", c->service);
	add_field(&form, "client_id", CLIENT_ID);
	add_field(&form, "scope", scope);
	add_field(&form, "refresh_token", a->credential.identity_token);
	body.data = form.data;
	body.len = form.len;
	r = send_for_token(a, &q, key, err);
	if (form.data)
		explicit_bzero(form.data, form.len);
	return r;
}

static int ask_token(struct auth *a, const struct http_challenge *c, const char *scope,
		     const char *key, struct error *err)
{
	char *basic = has_password(a) ? basic_header(&a->credential) : NULL;
	char *headers[] = { basic, NULL };
	cleanup_buf struct buf query = { 0 }, url = { 0 };
	struct http_request q = { .method = "GET", .headers = basic ? headers : NULL };
	int r;

	add_field(&query, "account", basic ? a->credential.username : NULL);
	if (basic)
		add_field(&query, "client_id", CLIENT_ID);
	add_field(&query, "service", c->service);
	add_scopes(&query, scope);
	buf_puts(&url, c->realm);
	if (query.len)
		buf_printf(&url, "%c%s", strchr(c->realm, '?') ? '&' : '?', buf_str(&query));
	q.url = buf_str(&url);
	r = send_for_token(a, &q, key, err);
	free_secret(basic);
	return r;
}

static int fetch_token(struct auth *a, const struct http_challenge *c,
		       const struct auth_refusal *refusal, struct error *err)
{
	const char *scope = refusal->scope ? refusal->scope : c->scope ? c->scope : "";
	const char *key = refusal->scope ? refusal->scope : "";

	if (!str_after(c->realm, "https://") && !str_after(c->realm, "http://"))
		return error_kind(err, ERROR_INVALID,
				  "the registry names a token server that is no address");
	/* who speaks TLS to us does not send our password in the clear */
	if (a->has_credential && str_after(refusal->origin, "https://") &&
	    !str_after(c->realm, "https://"))
		return error_kind(
			err, ERROR_DENIED,
			"the registry's token server is not encrypted: it gets no password");
	if (a->has_credential && a->credential.identity_token)
		return refresh_token(a, c, scope, key, err);
	return ask_token(a, c, scope, key, err);
}

static int answer(struct auth *a, const struct http_challenges *challenges,
		  const struct auth_refusal *refusal, bool *ret_fresh, struct error *err)
{
	const struct http_challenge *bearer = http_challenges_find(challenges, "bearer");
	const char *known = known_header(a, refusal->scope ? refusal->scope : "");
	int r;

	if (known && !str_eq(known, refusal->used))
		return 0; /* another thread was here meanwhile */
	r = look_for_credential(a, err);
	if (r < 0)
		return r;
	if (bearer && bearer->realm) {
		r = fetch_token(a, bearer, refusal, err);
		*ret_fresh = r == 0;
		return r;
	}
	if (!http_challenges_find(challenges, "basic") || !has_password(a) || a->basic)
		return 1;
	a->basic = basic_header(&a->credential);
	*ret_fresh = true;
	return 0;
}

int auth_refused(struct auth *a, const struct auth_refusal *refusal, bool *ret_fresh,
		 struct error *err)
{
	cleanup_http_challenges struct http_challenges challenges = { 0 };
	const char *value;
	size_t i = 0;
	int r;

	while ((value = http_headers_next(refusal->headers, "WWW-Authenticate", &i)))
		http_challenges_add(&challenges, value);
	*ret_fresh = false;
	(void)pthread_mutex_lock(&a->lock);
	r = answer(a, &challenges, refusal, ret_fresh, err);
	(void)pthread_mutex_unlock(&a->lock);
	return r;
}
