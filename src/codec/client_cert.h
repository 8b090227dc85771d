/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One of several certificates for a server that asks its clients for one. */

#include <stddef.h>
#include "base/error.h"

/* Of files: PEM, the certificate with what links it to its authority behind it. */
struct client_pair {
	char *cert_file, *key_file;
};

/* Their copies and what OpenSSL is asked with. */
struct client_cert;
/* Errors: ERROR_UNSUPPORTED if this OpenSSL is not the one that was built with. */
int client_cert_new(const struct client_pair *pairs, size_t n, struct client_cert **ret,
		    struct error *err);
struct client_cert *client_cert_free(struct client_cert *t);

/*
 * From now on connections of this context show the first of the pairs whose certificate comes from an
 * authority that the server names; the first of all to a server that names none; none to a server that
 * wants others. That is Go's rule, and so docker's.
 *
 * ssl_ctx   an SSL_CTX, which t outlives
 */
void client_cert_offer(struct client_cert *t, void *ssl_ctx);
