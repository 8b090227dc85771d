/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One config.json or auth.json: what it says about a registry, and changing that. */

#include "registry/credential.h"

struct arena;
struct json;

struct credential_file {
	char *path;		 /* the real file, behind symlinks */
	struct arena *arena;	 /* of what was read, secrets among it */
	const struct json *root; /* NULL: there is no such file */
	bool is_docker;		 /* docker's: it knows docker.io by its old address */
};

/* A missing file is an empty one. Errors: it cannot be read or understood. */
int credential_file_load(const char *path, bool is_docker, struct credential_file *ret,
			 struct error *err);
void credential_file_done(struct credential_file *f);
#define cleanup_credential_file __attribute__((cleanup(credential_file_done)))

/* The name under which the file, or a helper, knows a registry. */
const char *credential_file_key(const struct credential_file *f, const char *domain);

/* The helper for a registry: of "credHelpers", or "credsStore"; ret stays as it was if none. */
int credential_file_helper(const struct credential_file *f, const char *domain, const char **ret,
			   struct error *err);

/* The most exact of the "auths" for domain[/path]: 1, 0 if there is none with a secret. */
int credential_file_get(const struct credential_file *f, const char *domain, const char *path,
			struct credential *ret, struct error *err);

/* Is there an entry for the registry, be it empty? docker leaves an empty one for its helpers. */
bool credential_file_has(const struct credential_file *f, const char *domain);

/* The keys of all entries and of "credHelpers", as they are written: a strv. */
char **credential_file_keys(const struct credential_file *f);
/* The registry of a key, "https://reg.example/v2/": heap. */
char *credential_file_domain(const char *key);

/* Removes all entries. */
int credential_file_clear(const struct credential_file *f, struct error *err);

/*
 * Replaces the registry's entries: by one for c, by an empty one (c without secrets), or by none (c
 * NULL). The rest of the file, and its order, stay.
 */
int credential_file_write(const struct credential_file *f, const char *domain,
			  const struct credential *c, struct error *err);
