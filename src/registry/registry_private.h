/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the files of the client share: the places where a repository lies, one request at one of
 * them, and what an answer means that was not hoped for.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include "registry/http.h"
#include "registry/registries_conf.h"
#include "registry/registry.h"

struct auth;
struct buf;

/* Places */

/* One place of the repository: a mirror, or the registry itself, which is the last. */
struct site {
	struct registry_place place;
	struct http_client *client;
	struct auth *auth;
	bool has_fallback; /* another place comes behind it: no patience with this one */

	pthread_mutex_t lock; /* the following */
	bool is_https;
	bool tried[2]; /* plain, HTTPS */
	bool settled;  /* the scheme is known */
	bool answered; /* it was there once */
};

struct registry {
	char *domain, *path;
	char *name; /* as people see it: "nginx", "localhost:5000/team/app" */
	bool push;
	atomic_bool cancelled;
	struct site *sites;
	size_t n_sites;
};

/* After place, client and auth were filled in. */
void site_begin(struct site *s);
/* "https://registry-1.docker.io", heap. */
char *site_origin(struct site *s);
/* Is this place asked for this reference? Mirrors may know digests or tags only, and no pushes. */
bool site_serves(const struct registry *r, const struct site *s, const char *reference);

/* Requests */

struct registry_call {
	const char *method;
	/* "manifests/latest": below /v2/PATH/ of the place; "/v2/_catalog": below its host; or a
	 * whole URL that it gave (the Location of an upload) */
	const char *target;
	strv_const headers; /* or NULL */
	const struct http_body *body;
	const char *scope; /* beside the repository itself: "repository:other:pull"; or NULL */
	bool any_scope;	   /* what the challenge names, and not the repository */
	bool once; /* what broke or failed is not tried again: the caller must look how far it got */
};

/*
 * One request with all that belongs to it: scheme, token, redirects, tries. The answer has any
 * status that is left then; its body is not read yet.
 */
int site_call(struct registry *r, struct site *s, const struct registry_call *c,
	      struct http_exchange **ret, struct error *err);

/* The same at the registry itself. */
int registry_call(struct registry *r, const struct registry_call *c, struct http_exchange **ret,
		  struct error *err);

/* What a Location or Link of this answer means: a whole URL, heap. */
int registry_resolve(struct registry *r, const struct http_exchange *x, const char *target,
		     char **ret, struct error *err);

/* The answer's body; ERROR_INVALID above max bytes. */
int registry_body(struct http_exchange *x, size_t max, struct buf *ret, struct error *err);

/* Waits before try number n (from 0), or what the server asked for (or -1). 0, or -ECANCELED. */
int registry_wait(struct registry *r, unsigned n, int64_t asked_ms, struct error *err);
#define REGISTRY_TRIES 6

/*
 * The error of an answer, in docker's words; reads its body. Always negative.
 *
 * reference   tag or digest for which a manifest was asked, or NULL
 */
int registry_fail(struct registry *r, struct http_exchange *x, const char *reference,
		  struct error *err);
