/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One repository at one registry, by the distribution protocol: manifests, blobs, tags.
 *
 * Where it really lies is settled here: docker.io's own host, the mirrors and insecure registries of
 * registries.conf, certificates, proxies, credentials. Requests of one repository share connections
 * and tokens. Every call blocks until it is done or has failed for good: what may pass by itself (a
 * broken connection, "too many requests", a server's trouble) was tried again with a back-off.
 *
 * Errors, common to all: ERROR_NOT_FOUND (manifest, blob or repository), ERROR_DENIED (credentials
 * are missing, wrong or not enough), ERROR_INVALID (the answer is not what the protocol says),
 * ERROR_INTERNAL (network). The sentences are docker's.
 * Source: OCI distribution-spec 1.1; docker's token authentication specification.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/digest.h"
#include "base/error.h"
#include "base/macro.h"

struct credential;
struct registry; /* usable by several threads at once */
struct stream;

/* Repository */

enum registry_tls {
	REGISTRY_TLS_CONFIGURED, /* as registries.conf says; HTTP to this host */
	REGISTRY_TLS_VERIFIED,	 /* HTTPS and good certificates, whatever it says */
	REGISTRY_TLS_ANY,	 /* plain HTTP and unverified certificates are fine */
};

/* What the user says about one command, instead of what is configured. All borrowed; zeroed: nothing. */
struct registry_access {
	enum registry_tls tls;		     /* mirrors, too */
	const char *cert_dir;		     /* holds *.crt, *.cert and *.key; mirrors, too */
	const char *authfile;		     /* credentials are looked for there alone */
	const struct credential *credential; /* for the registry; mirrors have their own */
};

struct registry_options {
	const char *domain; /* of a normalised reference: "docker.io", "localhost:5000"; borrowed */
	const char *path;   /* "library/nginx"; borrowed */
	bool push;	    /* wants the right to write; mirrors are not asked then */
	struct registry_access access;
	unsigned stall_ms; /* a connection without traffic for so long is broken; 0: 30 s */
};

/* Reads configuration and credentials; the network is first touched by what follows. */
int registry_open(const struct registry_options *o, struct registry **ret, struct error *err);
/* After all streams of it were closed. */
struct registry *registry_close(struct registry *r);
DEFINE_CLEANUP(struct registry *, registry_close)
/* Ends all calls in progress, within a tenth of a second, and all that follow: -ECANCELED. Any
 * thread may say so. */
void registry_cancel(struct registry *r);

/* Manifests */

struct registry_manifest {
	char *json; /* heap, NUL-terminated behind len bytes; NULL of a head */
	size_t len;
	char *media_type; /* heap, without parameters; never NULL */
	struct digest id;
};

/*
 * The manifest or index behind a tag or a digest ("sha256:...").
 *
 * head    one request, no body: json stays NULL, id and media_type are filled. A registry that does
 *         not tell the digest in its headers is asked for the document
 * get     the bytes are verified: against the reference if it is a digest, and against the header
 * Errors  ERROR_INVALID for a wrong digest or more than OCI_MANIFEST_MAX_BYTES
 */
int registry_manifest_head(struct registry *r, const char *reference, struct registry_manifest *ret,
			   struct error *err);
int registry_manifest_get(struct registry *r, const char *reference, struct registry_manifest *ret,
			  struct error *err);
/* Frees what is in it and empties it. */
void registry_manifest_done(struct registry_manifest *m);

/* Blobs */

/*
 * The bytes of a blob, pulled over the network by the stream's reads. A connection that breaks or
 * stalls is resumed where it was. Not verified: the caller hashes. More than the bytes it should
 * have are refused, fewer are an error.
 *
 * bytes   of the descriptor; UINT64_MAX if it is not known
 * ret     to be closed before the registry; belongs to one thread at a time
 */
int registry_blob_open(struct registry *r, const struct digest *id, uint64_t bytes,
		       struct stream **ret, struct error *err);
/* Only what is behind the first offset bytes, which the caller has; offset < bytes. */
int registry_blob_open_at(struct registry *r, const struct digest *id, uint64_t bytes,
			  uint64_t offset, struct stream **ret, struct error *err);

/* Lists */

/* All tags of the repository in the registry's order: heap, NULL-terminated (str.h). */
int registry_tags(struct registry *r, char ***ret_tags, struct error *err);

/* Logging in */

/*
 * Does the registry take this credential? GET /v2/, with the token server if it names one.
 *
 * access        its credential is tried, instead of what is stored
 * Errors        ERROR_DENIED: "unauthorized: incorrect username or password", or the registry's words
 */
int registry_login(const char *domain, const struct registry_access *access, struct error *err);

struct registry_search_result {
	char *name;	   /* "library/nginx" or "localhost:5000/team/app": what can be pulled */
	char *description; /* "" if the registry has none */
	uint64_t stars;
	bool official, automated;
};

/*
 * Repositories of a registry that match a term: docker's search (/v1/search) where it is offered,
 * else the catalog, filtered here.
 *
 * domain  "docker.io" or any registry
 * limit   at most so many
 * ret     heap, free with registry_search_free()
 */
int registry_search(const char *domain, const char *term, size_t limit,
		    const struct registry_access *access, struct registry_search_result **ret,
		    size_t *ret_n, struct error *err);
void registry_search_free(struct registry_search_result *results, size_t n);
