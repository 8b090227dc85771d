/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who the user is at a registry: docker's config.json and podman's auth.json, both ways, with the
 * helper programs they name. Read in this order, the first file that knows the registry wins:
 *
 *     $REGISTRY_AUTH_FILE                              if set, it alone
 *     $DOCKER_CONFIG/config.json                       or ~/.docker/config.json
 *     $XDG_RUNTIME_DIR/containers/auth.json            or /run/containers/UID/auth.json
 *     ~/.config/containers/auth.json                   below $XDG_CONFIG_HOME if that is set
 *
 * Source   docker-login(1), containers-auth.json(5), github.com/docker/docker-credential-helpers
 */

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"

/* Heap strings; NULL where there is none. Either username and secret, or identity_token (an OAuth2
 * refresh token; username may be there for messages). */
struct credential {
	char *username;
	char *secret;
	char *identity_token;
};

/* Wipes the secrets, too. */
void credential_done(struct credential *c);
#define cleanup_credential __attribute__((cleanup(credential_done)))

/*
 * What the user stored for a repository.
 *
 * file        --authfile: it alone; NULL: see above
 * domain      of a normalised reference: "docker.io", "localhost:5000"
 * path        "library/nginx": a more exact entry of an auth.json ("quay.io/me/app") wins over the
 *             registry's; NULL: the registry's
 * Returns     1 and *ret filled; 0: nothing is stored
 * Errors      a file that cannot be read or understood; a helper program that fails
 */
int credential_find(const char *file, const char *domain, const char *path, struct credential *ret,
		    struct error *err);

/* Where credential_store() put it. */
struct credential_place {
	char *file;   /* the configuration file, heap */
	char *helper; /* "secretservice", heap; NULL: the file itself, unencrypted */
};
void credential_place_done(struct credential_place *p);
#define cleanup_credential_place __attribute__((cleanup(credential_place_done)))

/*
 * Keep a credential: with the helper that the file names for this registry, else in the file (mode
 * 0600, replaced by a rename; what else it says is kept).
 *
 * file        --authfile; NULL: $REGISTRY_AUTH_FILE, or docker's config.json
 */
int credential_store(const char *file, const char *domain, const struct credential *c,
		     struct credential_place *ret_place, struct error *err);

/* Forget it. 1: it was there; 0: nothing was stored for this registry. */
int credential_erase(const char *file, const char *domain, struct error *err);

/* Forget all that the file, and the helpers that it names for its registries, keep. */
int credential_erase_all(const char *file, struct error *err);

/* What is stored for the registry in one file (NULL: as credential_store()). As credential_find(). */
int credential_find_in(const char *file, const char *domain, struct credential *ret,
		       struct error *err);
