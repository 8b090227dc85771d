/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/credential.h"

#include <stdlib.h>
#include <string.h>

static char *wipe(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
	return NULL;
}

void credential_done(struct credential *c)
{
	free(c->username);
	c->username = NULL;
	c->secret = wipe(c->secret);
	c->identity_token = wipe(c->identity_token);
}

int credential_find(const char *domain, const char *path, struct credential *ret, struct error *err)
{
	return 0;
}
