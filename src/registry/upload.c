/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An upload is a session at the registry: POST opens it, PATCH adds bytes, PUT with the digest ends
 * it. Every answer names in Location where to go on, as a whole URL or a path, with parameters that
 * are the registry's own and are sent back as they came.
 *
 *     POST blobs/uploads/ ──▶ 202 Location ──▶ PUT body           small: two requests
 *                                         ╰──▶ PATCH body ... PUT
 *                                                 │ broken: GET Location ──▶ Range: what it has
 *                                                 ╰ session gone: POST again
 */
#include "registry/upload.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "codec/sha256.h"
#include "registry/http.h"
#include "registry/http_header.h"
#include "registry/registry_private.h"
#include "registry/upload_answer.h"

#define MONOLITHIC_MAX_BYTES ((uint64_t)1 << 20)

#define HTTP_OK			200
#define HTTP_CREATED		201
#define HTTP_ACCEPTED		202
#define HTTP_NO_CONTENT		204
#define HTTP_BAD_REQUEST	400
#define HTTP_NOT_FOUND		404
#define HTTP_TIMEOUT		408
#define HTTP_RANGE		416
#define HTTP_TOO_MANY		429
#define HTTP_INTERNAL		500
#define HTTP_IS_CLIENT_FAULT(s) ((s) / 100 == 4)

/* What one step of an upload comes to; < 0 is an error that stands. */
enum step {
	STEP_DONE,
	STEP_BROKEN, /* ask how far it got */
	STEP_GONE,   /* the session is not there any more */
};

struct session {
	struct registry *r;
	const struct registry_upload *upload;
	char *location;	 /* NULL: no session */
	uint64_t sent;	 /* bytes that the registry has */
	bool mismatched; /* it had other bytes than ours once: more cannot be its fault */
};

/* Where requests of this repository go: for relative Locations. */
static char *uploads_url(struct registry *r)
{
	struct site *s = &r->sites[r->n_sites - 1];
	cleanup_free char *origin = site_origin(s);

	return xasprintf("%s/v2/%s/blobs/uploads/", origin, s->place.path);
}

/* The session's next address. An answer without one leaves it where it was. */
static int take_location(struct registry *r, const struct http_exchange *x, char **location,
			 struct error *err)
{
	const char *value = http_headers_get(http_headers(x), "Location");
	cleanup_free char *base = *location ? xstrdup(*location) : uploads_url(r);
	char *url;
	int rc;

	if (!value)
		return *location ? 0
				 : error_kind(err, ERROR_INVALID,
					      "the registry did not say where to upload to");
	rc = http_resolve(r->sites[r->n_sites - 1].client, base, value, &url, err);
	if (rc < 0)
		return rc;
	free(*location);
	*location = url;
	return 0;
}

/* The registry's own idea of what it got. */
static int check_digest(const struct http_exchange *x, const struct digest *id, struct error *err)
{
	const char *value = http_headers_get(http_headers(x), "Docker-Content-Digest");

	if (!value || !str_after(value, "sha256:") || str_eq(value, id->text))
		return 0;
	return error_kind(err, ERROR_INVALID, "the registry stored %.80s instead of %s", value,
			  id->text);
}

/* Blobs */

int registry_blob_exists(struct registry *r, const struct digest *id, struct error *err)
{
	cleanup_free char *target = xasprintf("blobs/%s", id->text);
	const struct registry_call call = { .method = "HEAD", .target = target };
	cleanup_with(http_close) struct http_exchange *x = NULL;
	int rc = registry_call(r, &call, &x, err);

	if (rc < 0)
		return rc;
	if (http_status(x) == HTTP_OK)
		return 1;
	return http_status(x) == HTTP_NOT_FOUND ? 0 : registry_fail(r, x, NULL, err);
}

/* An upload that is not wanted: the registry may forget it. */
static void drop_session(struct registry *r, const struct http_exchange *answer)
{
	cleanup_with(http_close) struct http_exchange *x = NULL;
	cleanup_free char *location = NULL;
	struct error ignored; /* it forgets it by itself, some day */

	if (take_location(r, answer, &location, &ignored) == 0)
		(void)registry_call(r,
				    &(struct registry_call){
					    .method = "DELETE", .target = location, .once = true },
				    &x, &ignored);
}

int registry_blob_mount(struct registry *r, const struct digest *id, const char *from_path,
			struct error *err)
{
	static const struct http_body empty = { .data = "" };
	cleanup_free char *scope = xasprintf("repository:%s:pull", from_path);
	cleanup_free char *target =
		xasprintf("blobs/uploads/?mount=sha256%%3A%s&from=%s", digest_hex(id), from_path);
	const struct registry_call call = {
		.method = "POST", .target = target, .body = &empty, .scope = scope
	};
	cleanup_with(http_close) struct http_exchange *x = NULL;
	int rc = registry_call(r, &call, &x, err);

	if (rc < 0)
		return err->kind == ERROR_DENIED ? 0 : rc; /* not ours to read: we send it */
	if (http_status(x) == HTTP_CREATED)
		return 1;
	if (http_status(x) == HTTP_ACCEPTED)
		drop_session(r, x);
	return http_status(x) == HTTP_ACCEPTED || HTTP_IS_CLIENT_FAULT(http_status(x))
		       ? 0
		       : registry_fail(r, x, NULL, err);
}

/* Upload */

static void tell(void *ctx, uint64_t sent)
{
	const struct session *s = ctx;

	if (s->upload->sent)
		s->upload->sent(s->upload->ctx, s->sent + sent);
}

/* What a request that did not end well means for the session. */
static int judge(struct session *s, struct http_exchange *x, struct error *err)
{
	int status = http_status(x);

	if (status == HTTP_NOT_FOUND)
		return STEP_GONE;
	if (status == HTTP_RANGE || status == HTTP_TIMEOUT || status == HTTP_TOO_MANY ||
	    status >= HTTP_INTERNAL) {
		(void)registry_fail(s->r, x, NULL, err); /* in case it stays so */
		return STEP_BROKEN;
	}
	return registry_fail(s->r, x, NULL, err);
}

/* A call that got no answer: is it worth another try? *err stays for when it was the last. */
static int judge_silence(int rc, const struct error *err)
{
	return rc == -ECANCELED || err->kind == ERROR_DENIED || err->kind == ERROR_UNSUPPORTED ||
			       err->kind == ERROR_INVALID
		       ? rc
		       : STEP_BROKEN;
}

static int open_session(struct session *s, struct error *err)
{
	static const struct http_body empty = { .data = "" };
	const struct registry_call call = { .method = "POST",
					    .target = "blobs/uploads/",
					    .body = &empty };
	cleanup_with(http_close) struct http_exchange *x = NULL;
	int rc = registry_call(s->r, &call, &x, err);

	if (rc < 0)
		return rc;
	if (http_status(x) != HTTP_ACCEPTED)
		return registry_fail(s->r, x, NULL, err);
	s->sent = 0;
	return take_location(s->r, x, &s->location, err);
}

/* Adds up to a chunk; answers may admit to less than was sent. */
static int send_chunk(struct session *s, struct error *err)
{
	uint64_t left = s->upload->bytes - s->sent;
	uint64_t n = s->upload->chunk_bytes ? MIN(s->upload->chunk_bytes, left) : left;
	cleanup_free char *range =
		xasprintf("Content-Range: %llu-%llu", (unsigned long long)s->sent,
			  (unsigned long long)(s->sent + n - 1));
	char *headers[] = { (char[]){ "Content-Type: application/octet-stream" },
			    n == s->upload->bytes ? NULL : range, NULL };
	const struct http_body body = {
		.fd = s->upload->fd, .offset = s->sent, .len = n, .progress = tell, .ctx = s
	};
	const struct registry_call call = { .method = "PATCH",
					    .target = s->location,
					    .headers = headers,
					    .body = &body,
					    .once = true };
	cleanup_with(http_close) struct http_exchange *x = NULL;
	int rc = registry_call(s->r, &call, &x, err);
	const char *has;

	if (rc < 0)
		return judge_silence(rc, err);
	if (http_status(x) != HTTP_ACCEPTED && http_status(x) != HTTP_CREATED &&
	    http_status(x) != HTTP_NO_CONTENT)
		return judge(s, x, err);
	s->sent += n;
	has = http_headers_get(http_headers(x), "Range");
	if (has && s->sent > 1) {
		uint64_t bytes;

		if (upload_range(has, &bytes) == 0 && bytes < s->sent)
			s->sent = bytes;
	}
	return take_location(s->r, x, &s->location, err);
}

/* Ends the session; with the whole blob in it if none was sent before. */
static int finish(struct session *s, struct error *err)
{
	cleanup_free char *url = upload_finish_url(s->location, s->upload->id);
	char *headers[] = { (char[]){ "Content-Type: application/octet-stream" }, NULL };
	const struct http_body body = { .data = s->sent == s->upload->bytes ? "" : NULL,
					.fd = s->upload->fd,
					.len = s->upload->bytes - s->sent,
					.progress = tell,
					.ctx = s };
	const struct registry_call call = {
		.method = "PUT", .target = url, .headers = headers, .body = &body, .once = true
	};
	cleanup_with(http_close) struct http_exchange *x = NULL;
	int rc = registry_call(s->r, &call, &x, err);

	if (rc < 0)
		return judge_silence(rc, err);
	if (http_status(x) == HTTP_CREATED || http_status(x) == HTTP_NO_CONTENT)
		return check_digest(x, s->upload->id, err);
	if (http_status(x) == HTTP_BAD_REQUEST && !s->mismatched) {
		s->mismatched = true; /* what it kept of a broken request, perhaps */
		return STEP_GONE;
	}
	return judge(s, x, err);
}

/* After a break: what did the registry get? */
static int ask_session(struct session *s, struct error *err)
{
	const struct registry_call call = { .method = "GET", .target = s->location };
	cleanup_with(http_close) struct http_exchange *x = NULL;
	const char *has;
	int rc = registry_call(s->r, &call, &x, err);

	if (rc < 0)
		return rc;
	has = http_headers_get(http_headers(x), "Range");
	if (http_status(x) / 100 != 2 || !has || upload_range(has, &s->sent) < 0 ||
	    s->sent > s->upload->bytes)
		return STEP_GONE; /* or one that does not tell: from the beginning */
	return take_location(s->r, x, &s->location, err);
}

static int next_step(struct session *s, struct error *err)
{
	bool small = s->upload->bytes <= MONOLITHIC_MAX_BYTES && !s->upload->chunk_bytes;

	while (s->sent < s->upload->bytes && !(small && s->sent == 0)) {
		int rc = send_chunk(s, err);

		if (rc != STEP_DONE)
			return rc;
	}
	return finish(s, err);
}

/* A session where there is none. > 0: the blob is there, an answer was lost on the way. */
static int begin_again(struct session *s, bool first, struct error *err)
{
	int rc = first ? 0 : registry_blob_exists(s->r, s->upload->id, err);

	return rc != 0 ? rc : open_session(s, err);
}

static int send_all(struct session *s, struct error *err)
{
	uint64_t best = 0;
	bool first = true;

	for (unsigned tries = 0;; tries++) {
		int rc = s->location ? 0 : begin_again(s, first, err);

		first = false;
		if (rc != 0)
			return rc < 0 ? rc : 0;
		rc = next_step(s, err);
		if (rc <= 0)
			return rc;
		if (tries + 1 >= REGISTRY_TRIES)
			return rc == STEP_BROKEN
				       ? error_number(err) /* what was wrong the last time */
				       : error_kind(err, ERROR_INTERNAL,
						    "the registry forgets the upload");
		if (rc == STEP_BROKEN) {
			int waited = registry_wait(s->r, tries, -1, err);

			if (waited < 0)
				return waited;
			rc = ask_session(s, err);
			if (rc < 0)
				return rc;
		}
		if (rc == STEP_GONE) {
			free(take_ptr(&s->location));
			s->sent = 0;
		}
		if (s->sent > best) {
			best = s->sent;
			tries = 0; /* it gets on */
		}
	}
}

int registry_blob_send(struct registry *r, const struct registry_upload *upload, struct error *err)
{
	struct session s = { .r = r, .upload = upload };
	int rc = send_all(&s, err);

	free(s.location);
	return rc;
}

int registry_blob_upload(struct registry *r, const struct digest *id, uint64_t bytes, int fd,
			 struct error *err)
{
	const struct registry_upload upload = { .id = id, .bytes = bytes, .fd = fd };

	return registry_blob_send(r, &upload, err);
}

/* Manifests */

int registry_manifest_put(struct registry *r, const char *reference, const char *media_type,
			  const char *json, size_t len, struct error *err)
{
	cleanup_free char *target = xasprintf("manifests/%s", reference);
	cleanup_free char *type = xasprintf("Content-Type: %s", media_type);
	char *headers[] = { type, NULL };
	const struct http_body body = { .data = json, .len = len };
	const struct registry_call call = {
		.method = "PUT", .target = target, .headers = headers, .body = &body
	};
	struct digest id = sha256_digest(json, len);
	cleanup_with(http_close) struct http_exchange *x = NULL;
	int rc = registry_call(r, &call, &x, err);

	if (rc < 0)
		return rc;
	if (http_status(x) / 100 != 2)
		return registry_fail(r, x, NULL, err);
	return check_digest(x, &id, err);
}
