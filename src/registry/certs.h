/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Certificates for one registry: HOST[:PORT]/{*.crt,*.cert,*.key} below the first of
 *
 *     ~/.config/containers/certs.d   /etc/containers/certs.d   /etc/docker/certs.d
 *
 * that has the directory. Source: docker's "Verify repository client with certificates",
 * containers-certs.d(5).
 */

#include "base/error.h"
#include "codec/client_cert.h"

struct registry_certs {
	char *ca_pem; /* all *.crt, one behind the other: trusted beside the system's; or NULL */
	struct client_pair *pairs; /* the client's certificates with their keys, by name */
	size_t n_pairs;
};

/*
 * named       --cert-dir: where the files lie; NULL: see above
 * domain      "localhost:5000"
 * Returns     0; all NULL if there is nothing
 * Errors      ERROR_INVALID: a certificate without its key, or the other way round; a file that
 *             cannot be read
 */
int registry_certs_load(const char *named, const char *domain, struct registry_certs *ret,
			struct error *err);
void registry_certs_done(struct registry_certs *c);
#define cleanup_registry_certs __attribute__((cleanup(registry_certs_done)))
