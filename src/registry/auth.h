/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What goes into "Authorization": Basic, or a Bearer token that the registry's token server gives
 * for a scope. Nothing is sent before the registry asked for it, so that a registry that wants none
 * costs no request; what was learnt is kept for the requests that follow, of all threads.
 *
 * Source: RFC 7617, RFC 6750; docker's "Token Authentication Specification" and "OAuth2 token
 * authentication".
 */

#include <stdbool.h>
#include "base/error.h"

struct auth;
struct credential;
struct http_client;
struct http_headers;
struct registry;

/* domain, path, authfile: for credential_find(); copied. r, client: borrowed, for the token server. */
struct auth *auth_new(struct registry *r, struct http_client *client, const char *domain,
		      const char *path, const char *authfile);
struct auth *auth_free(struct auth *a);
/* This one instead of what is stored. Before the first request. */
void auth_set_credential(struct auth *a, const struct credential *c);

/* "Authorization: ..." for a request of this scope, heap; NULL as long as none is known to be
 * needed. scope: words with a space between, "" for none. */
char *auth_header(struct auth *a, const char *scope);

struct auth_refusal {
	const struct http_headers *headers; /* of the 401 */
	const char *origin;		    /* of the registry: "https://host" */
	const char *scope; /* as given to auth_header(); NULL: the challenge's own */
	const char *used;  /* the header that was refused, or NULL */
};

/*
 * A request was refused. 0: auth_header() has something else now, which comes fresh from the token
 * server if *ret_fresh. 1: there is nothing that could be tried: the refusal stands.
 * Errors   the token server's: ERROR_DENIED if the credentials are wrong
 */
int auth_refused(struct auth *a, const struct auth_refusal *refusal, bool *ret_fresh,
		 struct error *err);
