/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * HTTP and HTTPS requests, one exchange at a time: the request is sent by http_open(), the body of
 * the answer is pulled by http_read(). Nothing is decided here: redirects, challenges and failures
 * are told to the caller.
 *
 * Connections are kept and used again. Proxies come from http_proxy, https_proxy, all_proxy and
 * no_proxy, in capitals as well; as in Go no proxy is asked for the host itself. HTTP/1.1: an
 * exchange has its connection for itself, which is faster than sharing one.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/error.h"
#include "base/macro.h"
#include "base/str.h"
#include "codec/client_cert.h"

struct http_client; /* usable by several threads at once */
struct http_exchange;
struct http_headers;

struct http_options {
	bool insecure;			 /* certificates are not verified */
	const char *ca_pem;		 /* trusted beside the system's; or NULL; copied */
	const struct client_pair *pairs; /* the client's own certificates, or NULL; copied */
	size_t n_pairs;
	unsigned stall_ms;	   /* a connection without traffic for so long is broken; 0: 30 s */
	const atomic_bool *cancel; /* borrowed; once true everything ends with -ECANCELED */
};

/* Opens libcurl. Errors: ERROR_UNSUPPORTED if it is not installed. */
int http_client_new(const struct http_options *o, struct http_client **ret, struct error *err);
/* After all its exchanges were closed. */
struct http_client *http_client_free(struct http_client *c);
DEFINE_CLEANUP(struct http_client *, http_client_free)

/* Why there is no answer. */
enum http_fault {
	HTTP_FAULT_NONE,
	HTTP_FAULT_NAME,    /* nobody knows this host */
	HTTP_FAULT_CONNECT, /* nobody listens, or cannot be reached */
	HTTP_FAULT_PLAIN,   /* HTTPS was tried on a server that speaks HTTP */
	HTTP_FAULT_TLS,	    /* certificate or encryption */
	HTTP_FAULT_BROKEN,  /* the connection ended early, or what came is no HTTP */
	HTTP_FAULT_STALLED, /* nothing came for too long */
	HTTP_FAULT_OTHER,
};

struct http_body {
	const void *data; /* or NULL: the file */
	int fd;
	uint64_t offset; /* where in the file it begins */
	uint64_t len;
	void (*progress)(void *ctx, uint64_t sent); /* or NULL; what was read for sending so far */
	void *ctx;
};

struct http_request {
	const char *method; /* "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" */
	const char *url;    /* http or https */
	strv_const headers; /* "Accept: x", or NULL; may hold secrets, never logged */
	const struct http_body *body;
};

/*
 * Sends a request and waits for the headers of its answer, of any status.
 *
 * ret_fault   why, if there is no answer
 */
int http_open(struct http_client *c, const struct http_request *q, struct http_exchange **ret,
	      enum http_fault *ret_fault, struct error *err);
/* Bytes of the body, 0 at its end. A body that ended too early is an error: see http_fault(). */
ssize_t http_read(struct http_exchange *x, void *buf, size_t n, struct error *err);
/* A body that was not read to its end costs the connection. */
struct http_exchange *http_close(struct http_exchange *x);
DEFINE_CLEANUP(struct http_exchange *, http_close)

const char *http_url(const struct http_exchange *x); /* borrowed */
int http_status(const struct http_exchange *x);
enum http_fault http_fault(const struct http_exchange *x);
const struct http_headers *http_headers(const struct http_exchange *x); /* borrowed */

/*
 * What a Location or Link means on the page that said it: heap.
 * Errors   ERROR_INVALID: no URL, or neither http nor https
 */
int http_resolve(struct http_client *c, const char *base, const char *target, char **ret,
		 struct error *err);

/* Same scheme, host and port? */
bool http_same_origin(const char *a, const char *b);
