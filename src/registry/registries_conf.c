/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registries_conf.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"

struct registry_place *registry_places_free(struct registry_place *places, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(places[i].domain);
		free(places[i].path);
	}
	free(places);
	return NULL;
}

/* docker's rule: who listens on this host may do without certificates. */
static bool is_local(const char *domain)
{
	const char *rest = str_after(domain, "localhost");

	return (rest && (!*rest || *rest == ':')) || str_after(domain, "127.");
}

int registries_conf_places(const char *domain, const char *path, struct registry_place **ret,
			   size_t *ret_n, struct error *err)
{
	struct registry_place *place = xcalloc(1, sizeof(*place));

	place->domain = xstrdup(domain);
	place->path = xstrdup(path ? path : "");
	place->insecure = is_local(domain);
	*ret = place;
	*ret_n = 1;
	return 0;
}
