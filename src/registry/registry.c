/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry.h"

#include <stdlib.h>
#include <string.h>

static int missing(struct error *err)
{
	return error_kind(err, ERROR_UNSUPPORTED, "registries are not supported yet");
}

int registry_open(const struct registry_options *o, struct registry **ret, struct error *err)
{
	return missing(err);
}

struct registry *registry_close(struct registry *r)
{
	return NULL;
}

int registry_manifest_head(struct registry *r, const char *reference, struct registry_manifest *ret,
			   struct error *err)
{
	return missing(err);
}

int registry_manifest_get(struct registry *r, const char *reference, struct registry_manifest *ret,
			  struct error *err)
{
	return missing(err);
}

void registry_manifest_done(struct registry_manifest *m)
{
	free(m->json);
	free(m->media_type);
	memset(m, 0, sizeof(*m));
}

int registry_blob_open(struct registry *r, const struct digest *id, uint64_t bytes,
		       struct stream **ret, struct error *err)
{
	return missing(err);
}

int registry_tags(struct registry *r, char ***ret_tags, struct error *err)
{
	return missing(err);
}

int registry_search(const char *domain, const char *term, size_t limit, bool insecure,
		    struct registry_search_result **ret, size_t *ret_n, struct error *err)
{
	return missing(err);
}

void registry_search_free(struct registry_search_result *results, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(results[i].name);
		free(results[i].description);
	}
	free(results);
}
