/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Programs docker-credential-NAME, found in $PATH. They get a verb as their argument and a server's
 * name or JSON on stdin, and answer with JSON, or with a sentence and an exit code.
 * Source: github.com/docker/docker-credential-helpers, "Development"
 */

#include "registry/credential.h"

/* 1 and *ret filled; 0: the helper has nothing for this server. */
int credential_helper_get(const char *name, const char *server, struct credential *ret,
			  struct error *err);
int credential_helper_store(const char *name, const char *server, const struct credential *c,
			    struct error *err);
/* Nothing there to erase is no error. */
int credential_helper_erase(const char *name, const char *server, struct error *err);
