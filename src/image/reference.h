/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Image names: [domain/]path[:tag][@digest], in docker's grammar.
 *
 *     text                     normalised                              familiar
 *     nginx                    docker.io/library/nginx:latest          nginx:latest
 *     me/app:1                 docker.io/me/app:1                      me/app:1
 *     localhost:5000/x@sha256… localhost:5000/x@sha256:…               the same
 *
 * The store holds normalised names; people see familiar ones.
 */

#include <stdbool.h>
#include "base/error.h"

struct reference {
	char *domain; /* "docker.io", "localhost:5000"; never NULL once parsed */
	char *path;   /* "library/nginx" */
	char *tag;    /* or NULL */
	char *digest; /* "sha256:…", or NULL */
};

/*
 * Parse and normalise. A name without tag and digest gets the tag "latest".
 * Errors      ERROR_INVALID with docker's words: "invalid reference format",
 *             "invalid reference format: repository name (library/Nginx) must be lowercase"
 */
int reference_parse(const char *text, struct reference *ret, struct error *err);

/* The same, and tag stays NULL where none was written (for `rmi`, `tag` and lists). */
int reference_parse_bare(const char *text, struct reference *ret, struct error *err);

void reference_done(struct reference *ref);
#define cleanup_reference __attribute__((cleanup(reference_done)))

/* "docker.io/library/nginx:latest", heap. */
char *reference_format(const struct reference *ref);

/* "nginx:latest", heap; reference_familiar_name() leaves tag and digest out: "nginx". */
char *reference_familiar(const struct reference *ref);
char *reference_familiar_name(const struct reference *ref);

/* parse + format / parse + familiar in one step; heap, NULL if text is no reference. */
char *reference_normalise(const char *text);
char *reference_familiar_text(const char *full);
