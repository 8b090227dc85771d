/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request at one place. A loop around the exchange, each turn of which ends in an answer for
 * the caller or in a reason to go round again:
 *
 *     no answer        the other scheme, if this place may be asked without encryption;
 *                      else a pause, if it answered before or what broke may pass
 *     3xx              the other address; it gets our credentials only if it is the same host
 *     401              a token or password, once
 *     408 429 5xx      a pause, as long as the server asks for
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "registry/auth.h"
#include "registry/http_header.h"
#include "registry/registry_private.h"

#define REDIRECTS_MAX	10
#define ANSWERS_MAX	2 /* to a 401 */
#define FIRST_TRIES	3 /* of a registry that did not answer yet */
#define WAIT_FIRST_MS	250
#define WAIT_MAX_MS	8000
#define ASKED_MAX_MS	60000 /* who is asked to wait longer would rather know */
#define REFUSED_MAX	((size_t)64 << 10)
#define DOCKER_HUB_HOST "registry-1.docker.io"

/* Places */

/* Where the packets stay on this host. */
static bool is_loopback(const char *domain)
{
	const char *rest = str_after(domain, "localhost");

	return (rest && (!*rest || *rest == ':')) || str_after(domain, "127.") ||
	       str_after(domain, "[::1]");
}

char *site_origin(struct site *s)
{
	const char *host = str_eq(s->place.domain, "docker.io") ? DOCKER_HUB_HOST : s->place.domain;
	bool is_https;

	(void)pthread_mutex_lock(&s->lock);
	is_https = s->is_https;
	(void)pthread_mutex_unlock(&s->lock);
	return xasprintf("%s://%s", is_https ? "https" : "http", host);
}

/* HTTPS first, but not on the host itself: nobody listens there, and trying costs more than asking. */
void site_begin(struct site *s)
{
	(void)pthread_mutex_init(&s->lock, NULL);
	s->is_https = !(s->place.insecure && is_loopback(s->place.domain) &&
			strchr(s->place.domain, ':'));
	s->settled = !s->place.insecure;
}

bool site_serves(const struct registry *r, const struct site *s, const char *reference)
{
	bool is_digest = reference && strchr(reference, ':');

	if (!s->place.is_mirror)
		return true;
	if (r->push || (s->place.digest_only && !is_digest) || (s->place.tag_only && is_digest))
		return false;
	return true;
}

/* What was asked at url did not work: is there another scheme to try it with? */
static bool site_switch(struct site *s, const char *url)
{
	bool was_https = str_after(url, "https:") != NULL, changed = false;

	(void)pthread_mutex_lock(&s->lock);
	s->tried[was_https] = true;
	if (!s->settled && s->is_https == was_https && !s->tried[!was_https])
		s->is_https = !was_https;
	changed = !s->settled && s->is_https != was_https;
	(void)pthread_mutex_unlock(&s->lock);
	return changed;
}

/* HTTPS was tried, and the other end speaks HTTP: is that fine, and news? */
static bool site_is_plain(struct site *s)
{
	bool changed;

	(void)pthread_mutex_lock(&s->lock);
	changed = !s->settled;
	if (changed)
		s->is_https = false;
	s->settled = true;
	(void)pthread_mutex_unlock(&s->lock);
	return changed;
}

static void site_settle(struct site *s)
{
	(void)pthread_mutex_lock(&s->lock);
	s->settled = s->answered = true;
	(void)pthread_mutex_unlock(&s->lock);
}

static bool site_answered(struct site *s)
{
	bool answered;

	(void)pthread_mutex_lock(&s->lock);
	answered = s->answered;
	(void)pthread_mutex_unlock(&s->lock);
	return answered;
}

/* Waiting */

int registry_wait(struct registry *r, unsigned n, int64_t asked_ms, struct error *err)
{
	int64_t now = clock_monotonic_ns();
	int64_t ms = MIN((int64_t)WAIT_FIRST_MS << MIN(n, 8u), (int64_t)WAIT_MAX_MS);
	int64_t until;

	/* between half and one and a half of it, so that many clients do not come back together */
	ms = ms / 2 + (now / 1000) % ms;
	until = now + MAX(ms, asked_ms) * 1000000;
	while ((now = clock_monotonic_ns()) < until) {
		int64_t left = MIN(until - now, (int64_t)100000000);
		const struct timespec pause = { .tv_nsec = (long)left };

		if (atomic_load(&r->cancelled))
			return error_num(err, ECANCELED, "stopped");
		(void)nanosleep(&pause, NULL); /* a signal ends the pause early: fine */
	}
	return 0;
}

/* The call in progress */

struct attempt {
	struct registry *r;
	struct site *s;
	const struct registry_call *c;
	char *url;
	bool moved; /* url is not the place's own any more: a redirect led there */
	char *scope;
	char *used; /* the header that went along */
	unsigned tries, redirects, answers;
	bool fresh; /* the header came straight from the token server */
};

static void attempt_done(struct attempt *a)
{
	free(a->url);
	free(a->scope);
	if (a->used)
		explicit_bzero(a->used, strlen(a->used));
	free(a->used);
}

static char *scope_of(const struct attempt *a)
{
	const char *path = a->s->place.path;

	if (a->c->any_scope || str_empty(path))
		return xstrdup("");
	return xasprintf("repository:%s:%s%s%s", path, a->r->push ? "pull,push" : "pull",
			 a->c->scope ? " " : "", a->c->scope ? a->c->scope : "");
}

static void set_url(struct attempt *a)
{
	cleanup_free char *origin = site_origin(a->s);
	const char *target = a->c->target;

	free(a->url);
	a->moved = false;
	if (str_after(target, "http://") || str_after(target, "https://"))
		a->url = xstrdup(target);
	else if (target[0] == '/')
		a->url = xasprintf("%s%s", origin, target);
	else
		a->url = xasprintf("%s/v2/%s/%s", origin, a->s->place.path, target);
}

/* Only the registry itself learns who we are. */
static bool is_own_host(const struct attempt *a)
{
	cleanup_free char *origin = site_origin(a->s);

	return http_same_origin(origin, a->url);
}

static int send_request(struct attempt *a, struct http_exchange **ret, enum http_fault *ret_fault,
			struct error *err)
{
	cleanup_with(strv_free) char **headers = strv_copy(a->c->headers);
	struct http_request q = { .method = a->c->method, .url = a->url, .body = a->c->body };

	if (a->used)
		explicit_bzero(a->used, strlen(a->used));
	free(a->used);
	a->used = is_own_host(a) ? auth_header(a->s->auth, a->scope) : NULL;
	if (a->used)
		headers = strv_push(headers, a->used);
	q.headers = headers;
	return http_open(a->s->client, &q, ret, ret_fault, err);
}

/* Reasons to go round again: 1 yes, 0 no, or an error. */

static bool other_scheme(struct attempt *a, enum http_fault fault)
{
	/* the other scheme has another proxy, and perhaps another port */
	bool may_help = fault == HTTP_FAULT_NAME || fault == HTTP_FAULT_CONNECT ||
			fault == HTTP_FAULT_TLS || fault == HTTP_FAULT_BROKEN;

	return may_help && !a->moved && site_switch(a->s, a->url);
}

static int after_fault(struct attempt *a, enum http_fault fault, int failed, struct error *err)
{
	bool may_pass = fault == HTTP_FAULT_BROKEN || fault == HTTP_FAULT_STALLED;
	unsigned tries_max = REGISTRY_TRIES;

	if (failed == -ECANCELED)
		return failed;
	if (!a->moved && fault == HTTP_FAULT_PLAIN ? site_is_plain(a->s) : other_scheme(a, fault)) {
		log_debug("%s: %s; trying the other scheme", a->s->place.domain, err->msg);
		set_url(a);
		return 1;
	}
	/* who never answered is hardly there; who did may come back */
	if (site_answered(a->s))
		may_pass = may_pass || fault == HTTP_FAULT_NAME || fault == HTTP_FAULT_CONNECT;
	else
		tries_max = FIRST_TRIES;
	if (!may_pass || a->c->once || a->s->has_fallback || ++a->tries >= tries_max)
		return failed;
	log_debug("%s; trying again", err->msg);
	set_url(a); /* signed addresses do not live long */
	failed = registry_wait(a->r, a->tries - 1, -1, err);
	return failed < 0 ? failed : 1;
}

/* Servers answer a request without encryption on their encrypted port, but not as a registry. */
static bool wants_https(const struct attempt *a, const struct http_exchange *x)
{
	return http_status(x) == 400 && str_after(a->url, "http:") && !a->moved &&
	       !http_headers_get(http_headers(x), "Docker-Distribution-Api-Version");
}

static bool is_redirect(const struct attempt *a, int status)
{
	if (status == 307 || status == 308)
		return true;
	return (status >= 301 && status <= 303) &&
	       (str_eq(a->c->method, "GET") || str_eq(a->c->method, "HEAD"));
}

static int after_redirect(struct attempt *a, const struct http_exchange *x, struct error *err)
{
	const char *location = http_headers_get(http_headers(x), "Location");
	char *url;
	int r;

	if (!location)
		return 0;
	if (++a->redirects > REDIRECTS_MAX)
		return error_kind(err, ERROR_INVALID, "stopped after %d redirects", REDIRECTS_MAX);
	r = http_resolve(a->s->client, a->url, location, &url, err);
	if (r < 0)
		return r;
	if (str_after(a->url, "https:") && str_after(url, "http:") && !a->s->place.insecure) {
		free(url);
		return error_kind(err, ERROR_INVALID,
				  "the registry sends from HTTPS to HTTP, which is refused");
	}
	free(a->url);
	a->url = url;
	a->moved = true;
	return 1;
}

static int after_refusal(struct attempt *a, const struct http_exchange *x, struct error *err)
{
	cleanup_free char *origin = site_origin(a->s);
	const struct auth_refusal refusal = {
		.headers = http_headers(x),
		.origin = origin,
		.scope = a->c->any_scope ? NULL : a->scope,
		.used = a->used,
	};
	int r;

	/* what another host wants is not for it to have */
	if (!is_own_host(a) || a->fresh || a->answers++ >= ANSWERS_MAX)
		return 0;
	r = auth_refused(a->s->auth, &refusal, &a->fresh, err);
	return r < 0 ? r : r == 0;
}

static bool is_trouble(int status)
{
	return status == 408 || status == 429 || (status >= 500 && status != 501);
}

static int after_trouble(struct attempt *a, const struct http_exchange *x, struct error *err)
{
	const char *text = http_headers_get(http_headers(x), "Retry-After");
	int64_t asked_ms = -1;
	int r;

	if (text && http_retry_after(text, clock_real_ns(), &asked_ms) < 0)
		asked_ms = -1;
	if (a->c->once && http_status(x) >= 500)
		return 0; /* it may have kept some of the body */
	/* of a failed server nobody knows what it did; who had too many requests did nothing */
	if (a->c->once && http_status(x) != 429)
		return 0;
	if (asked_ms > ASKED_MAX_MS || a->s->has_fallback || a->tries + 1 >= REGISTRY_TRIES)
		return 0;
	log_debug("%s: status %d, trying again", a->c->target, http_status(x));
	r = registry_wait(a->r, a->tries++, asked_ms, err);
	if (r < 0)
		return r;
	set_url(a);
	return 1;
}

static int after_answer(struct attempt *a, const struct http_exchange *x, struct error *err)
{
	int status = http_status(x);

	if (wants_https(a, x) && site_switch(a->s, a->url)) {
		set_url(a);
		return 1;
	}
	site_settle(a->s);
	if (is_redirect(a, status))
		return after_redirect(a, x, err);
	if (status == 401)
		return after_refusal(a, x, err);
	if (is_trouble(status))
		return after_trouble(a, x, err);
	return 0;
}

/* Reads what little there is, so that the connection can be used again. */
static void finish_answer(struct http_exchange *x)
{
	char piece[4096];
	struct error ignored;
	size_t all = 0;
	ssize_t n;

	while (all < REFUSED_MAX && (n = http_read(x, piece, sizeof(piece), &ignored)) > 0)
		all += (size_t)n;
}

int site_call(struct registry *r, struct site *s, const struct registry_call *c,
	      struct http_exchange **ret, struct error *err)
{
	__attribute__((cleanup(attempt_done))) struct attempt a = { .r = r, .s = s, .c = c };
	enum http_fault fault;
	int again;

	a.scope = scope_of(&a);
	set_url(&a);
	do {
		cleanup_with(http_close) struct http_exchange *x = NULL;

		again = send_request(&a, &x, &fault, err);
		if (again < 0) {
			again = after_fault(&a, fault, again, err);
			continue;
		}
		again = after_answer(&a, x, err);
		if (again == 0)
			*ret = take_ptr(&x);
		else
			finish_answer(x);
	} while (again > 0);
	return again;
}

int registry_call(struct registry *r, const struct registry_call *c, struct http_exchange **ret,
		  struct error *err)
{
	return site_call(r, &r->sites[r->n_sites - 1], c, ret, err);
}
