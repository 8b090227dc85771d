/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "oci/image.h"
#include "registry/auth.h"
#include "registry/certs.h"
#include "registry/http_header.h"
#include "registry/registry_private.h"

/* Opening */

static char *familiar_name(const char *domain, const char *path)
{
	const char *official;

	if (!str_eq(domain, "docker.io"))
		return str_empty(path) ? xstrdup(domain) : xasprintf("%s/%s", domain, path);
	official = str_after(path, "library/");
	return xstrdup(official && !strchr(official, '/') ? official : path);
}

static int open_site(struct registry *r, struct site *s, const struct registry_options *o,
		     struct error *err)
{
	cleanup_registry_certs struct registry_certs certs = { 0 };
	struct http_options options = { .stall_ms = o->stall_ms, .cancel = &r->cancelled };
	int n;

	if (o->access.tls != REGISTRY_TLS_CONFIGURED)
		s->place.insecure = o->access.tls == REGISTRY_TLS_ANY;
	n = registry_certs_load(o->access.cert_dir, s->place.domain, &certs, err);
	if (n < 0)
		return n;
	options.insecure = s->place.insecure;
	options.ca_pem = certs.ca_pem;
	options.pairs = certs.pairs;
	options.n_pairs = certs.n_pairs;
	n = http_client_new(&options, &s->client, err);
	if (n < 0)
		return n;
	s->auth = auth_new(r, s->client, s->place.domain, s->place.path, o->access.authfile);
	if (o->access.credential && !s->place.is_mirror)
		auth_set_credential(s->auth, o->access.credential);
	return 0;
}

int registry_open(const struct registry_options *o, struct registry **ret, struct error *err)
{
	cleanup_with(registry_close) struct registry *r = xcalloc(1, sizeof(*r));
	struct registry_place *places = NULL;
	const char *path = o->path ? o->path : "";
	size_t n = 0;
	int failed;

	r->domain = xstrdup(o->domain);
	r->path = xstrdup(path);
	r->name = familiar_name(o->domain, path);
	r->push = o->push;
	failed = registries_conf_places(o->domain, o->path, &places, &n, err);
	if (failed < 0)
		return failed;
	r->sites = xcalloc(n, sizeof(*r->sites));
	for (size_t i = 0; i < n; i++) {
		r->sites[i].place = places[i]; /* with its strings */
		r->sites[i].has_fallback = i + 1 < n;
	}
	free(places);
	for (r->n_sites = 0; r->n_sites < n; r->n_sites++) {
		struct site *s = &r->sites[r->n_sites];

		if (failed == 0)
			failed = open_site(r, s, o, err);
		site_begin(s);
	}
	if (failed < 0)
		return failed;
	*ret = take_ptr(&r);
	return 0;
}

struct registry *registry_close(struct registry *r)
{
	int saved = errno;

	if (!r)
		return NULL;
	for (size_t i = 0; i < r->n_sites; i++) {
		struct site *s = &r->sites[i];

		(void)auth_free(s->auth);
		(void)http_client_free(s->client);
		(void)pthread_mutex_destroy(&s->lock); /* nobody holds it */
		free(s->place.domain);
		free(s->place.path);
	}
	free(r->sites);
	free(r->domain);
	free(r->path);
	free(r->name);
	free(r);
	errno = saved;
	return NULL;
}

void registry_cancel(struct registry *r)
{
	atomic_store(&r->cancelled, true);
}

/* Answers */

int registry_resolve(struct registry *r, const struct http_exchange *x, const char *target,
		     char **ret, struct error *err)
{
	return http_resolve(r->sites[r->n_sites - 1].client, http_url(x), target, ret, err);
}

int registry_body(struct http_exchange *x, size_t max, struct buf *ret, struct error *err)
{
	const char *length = http_headers_get(http_headers(x), "Content-Length");
	char piece[16384];
	uint64_t told;
	ssize_t n;

	if (length && str_to_u64(length, &told) == 0 && told > max)
		return error_kind(err, ERROR_INVALID,
				  "the answer has %s bytes; at most %zu are read", length, max);
	while ((n = http_read(x, piece, sizeof(piece), err)) > 0) {
		if (ret->len + (size_t)n > max)
			return error_kind(err, ERROR_INVALID, "the answer has more than %zu bytes",
					  max);
		buf_add(ret, piece, (size_t)n);
	}
	return (int)n;
}

/* Manifests */

static char accept_all[] = "Accept: " OCI_MEDIA_TYPE_INDEX ", " OCI_MEDIA_TYPE_MANIFEST
			   ", " DOCKER_MEDIA_TYPE_INDEX ", " DOCKER_MEDIA_TYPE_MANIFEST ", */*";

void registry_manifest_done(struct registry_manifest *m)
{
	free(m->json);
	free(m->media_type);
	memset(m, 0, sizeof(*m));
}

static int request_manifest(struct registry *r, struct site *s, const char *method,
			    const char *reference, struct http_exchange **ret, struct error *err)
{
	cleanup_with(http_close) struct http_exchange *x = NULL;
	cleanup_free char *target = xasprintf("manifests/%s", reference);
	char *headers[] = { accept_all, NULL };
	const struct registry_call call = { .method = method,
					    .target = target,
					    .headers = headers };
	int n = site_call(r, s, &call, &x, err);

	if (n < 0)
		return n;
	if (http_status(x) != 200)
		return registry_fail(r, x, reference, err);
	*ret = take_ptr(&x);
	return 0;
}

/* The type in the header; servers of plain files do not know it: then the one in the document. */
static char *media_type_of(const struct http_exchange *x, const char *json, size_t len)
{
	const char *header = http_headers_get(http_headers(x), "Content-Type");
	cleanup_free char *type = http_media_type(header ? header : "");
	cleanup_with(arena_free) struct arena *arena = arena_new();
	const struct json *doc;
	const char *written = NULL;
	struct error ignored;

	if (!json || oci_media_type(type)->kind != OCI_MEDIA_OTHER)
		return take_ptr(&type);
	if (json_parse(json, len, arena, &doc, &ignored) == 0 &&
	    json_get_string(doc, "mediaType", &written, &ignored) == 0 && written)
		return xstrdup(written);
	return take_ptr(&type);
}

static int verify_manifest(const struct registry_manifest *m, const char *reference,
			   const char *told, struct error *err)
{
	struct digest wanted;

	if (digest_parse(reference, &wanted) == 0 && !digest_eq(&wanted, &m->id))
		return error_kind(err, ERROR_INVALID,
				  "manifest verification failed for digest %s: it is %s", reference,
				  m->id.text);
	/* a signed manifest of schema 1 has the digest of what was signed */
	if (told && digest_parse(told, &wanted) == 0 && !digest_eq(&wanted, &m->id) &&
	    oci_media_type(m->media_type)->kind != OCI_MEDIA_MANIFEST_V1)
		return error_kind(err, ERROR_INVALID,
				  "manifest verification failed for digest %s: it is %s", told,
				  m->id.text);
	return 0;
}

static int get_at(struct registry *r, struct site *s, const char *reference,
		  struct registry_manifest *ret, struct error *err)
{
	cleanup_buf struct buf text = { 0 };
	struct registry_manifest m = { 0 };
	int n;

	for (unsigned tries = 0;; tries++) {
		cleanup_with(http_close) struct http_exchange *x = NULL;

		n = request_manifest(r, s, "GET", reference, &x, err);
		if (n < 0)
			return n;
		buf_clear(&text);
		n = registry_body(x, OCI_MANIFEST_MAX_BYTES, &text, err);
		if (n == 0) {
			m.len = text.len;
			m.json = buf_take(&text);
			m.id = sha256_digest(m.json, m.len);
			m.media_type = media_type_of(x, m.json, m.len);
			n = verify_manifest(
				&m, reference,
				http_headers_get(http_headers(x), "Docker-Content-Digest"), err);
			break;
		}
		/* a fault of the network, and none of what came */
		if (http_fault(x) == HTTP_FAULT_NONE || s->has_fallback || tries >= REGISTRY_TRIES)
			return n;
		if (registry_wait(r, tries, -1, err) < 0)
			return -ECANCELED;
	}
	if (n < 0)
		registry_manifest_done(&m);
	else
		*ret = m;
	return n;
}

static int head_at(struct registry *r, struct site *s, const char *reference,
		   struct registry_manifest *ret, struct error *err)
{
	cleanup_with(http_close) struct http_exchange *x = NULL;
	struct registry_manifest m = { 0 };
	const char *told;
	int n = request_manifest(r, s, "HEAD", reference, &x, err);

	if (n < 0)
		return n;
	told = http_headers_get(http_headers(x), "Docker-Content-Digest");
	if (!told || digest_parse(told, &m.id) < 0) {
		x = http_close(x);
		n = get_at(r, s, reference, &m, err);
		if (n < 0)
			return n;
		free(m.json);
		m.json = NULL;
	} else {
		m.media_type = media_type_of(x, NULL, 0);
	}
	*ret = m;
	return 0;
}

/* Any failure of a mirror leads to the next place; the last one's counts. */
static int at_places(struct registry *r, const char *reference, struct registry_manifest *ret,
		     int (*ask)(struct registry *r, struct site *s, const char *reference,
				struct registry_manifest *ret, struct error *err),
		     struct error *err)
{
	int n = error_kind(err, ERROR_NOT_FOUND, "no place is known for %s", r->name);

	for (size_t i = 0; i < r->n_sites; i++) {
		struct site *s = &r->sites[i];

		if (!site_serves(r, s, reference))
			continue;
		n = ask(r, s, reference, ret, err);
		if (n == 0 || n == -ECANCELED)
			break;
		if (s->has_fallback)
			log_debug("mirror %s: %s", s->place.domain, err->msg);
	}
	return n;
}

int registry_manifest_head(struct registry *r, const char *reference, struct registry_manifest *ret,
			   struct error *err)
{
	return at_places(r, reference, ret, head_at, err);
}

int registry_manifest_get(struct registry *r, const char *reference, struct registry_manifest *ret,
			  struct error *err)
{
	return at_places(r, reference, ret, get_at, err);
}

/* Logging in */

int registry_login(const char *domain, const struct registry_access *access, struct error *err)
{
	const struct registry_options o = { .domain = domain, .access = *access };
	const struct registry_call call = { .method = "GET", .target = "/v2/", .any_scope = true };
	cleanup_with(registry_close) struct registry *r = NULL;
	cleanup_with(http_close) struct http_exchange *x = NULL;
	int n = registry_open(&o, &r, err);

	if (n < 0)
		return n;
	n = registry_call(r, &call, &x, err);
	if (n < 0)
		return n;
	if (http_status(x) == 401 || http_status(x) == 403)
		return error_kind(err, ERROR_DENIED,
				  "login attempt to %s failed with status: %d %s", http_url(x),
				  http_status(x),
				  http_status(x) == 401 ? "Unauthorized" : "Forbidden");
	return http_status(x) == 200 ? 0 : registry_fail(r, x, NULL, err);
}
