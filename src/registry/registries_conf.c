/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registries_conf.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "registry/daemon_json.h"
#include "registry/registries_rule.h"

#define HUB "docker.io"

struct places {
	struct registry_place *list;
	size_t n, capacity;
};

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

	return (rest && (!*rest || *rest == ':')) || str_after(domain, "127.") ||
	       str_after(domain, "[::1]");
}

/* location with the rest of the name behind it: host up to the first slash, then the path. */
static struct registry_place *add_place(struct places *places, const char *location,
					const char *rest)
{
	size_t host = strcspn(location, "/");
	struct registry_place *place;

	places->list =
		array_grow(places->list, places->n, &places->capacity, sizeof(*places->list));
	place = &places->list[places->n++];
	*place = (struct registry_place){ 0 };
	place->domain = xstrndup(location, host);
	place->path = xasprintf("%s%s", location[host] ? location + host + 1 : "",
				location[host] ? rest : rest + (*rest == '/'));
	place->insecure = is_local(place->domain);
	return place;
}

static void add_mirrors(struct places *places, const struct registry_rule *rule, const char *rest)
{
	for (size_t i = 0; i < rule->n_mirrors; i++) {
		const struct registry_mirror *mirror = &rule->mirrors[i];
		struct registry_place *place = add_place(places, mirror->location, rest);

		place->is_mirror = true;
		place->insecure |= mirror->insecure;
		place->digest_only = mirror->digest_only;
		place->tag_only = mirror->tag_only;
	}
}

/* docker's mirrors are addresses: what is plain there is meant to be. */
static void add_docker_mirrors(struct places *places, const struct daemon_json *docker,
			       const char *rest)
{
	for (char **m = docker->mirrors; m && *m; m++) {
		cleanup_free char *location = xstrdup(strstr(*m, "://") + 3);
		struct registry_place *place;

		while (str_ends(location, "/"))
			location[strlen(location) - 1] = '\0';
		place = add_place(places, location, rest);
		place->is_mirror = true;
		place->insecure |= !!str_after(*m, "http://");
	}
}

static int apply(const struct registry_rule *rule, const char *name, size_t covered,
		 struct places *places, struct error *err)
{
	const char *rest = name + covered;
	cleanup_free char *own = NULL;
	struct registry_place *place;

	if (rule->blocked)
		return error_kind(err, ERROR_DENIED, "registry '%s' is blocked in '%s'",
				  rule->prefix, rule->file);
	add_mirrors(places, rule, rest);
	own = rule->location ? xstrdup(rule->location) : xstrndup(name, covered);
	place = add_place(places, own, rest);
	place->insecure |= rule->insecure;
	return 0;
}

int registries_conf_places(const char *domain, const char *path, struct registry_place **ret,
			   size_t *ret_n, struct error *err)
{
	cleanup_registry_rules struct registry_rules rules = { 0 };
	cleanup_daemon_json struct daemon_json docker = { 0 };
	cleanup_free char *name =
		xasprintf("%s%s%s", domain, str_empty(path) ? "" : "/", path ? path : "");
	const struct registry_rule *rule;
	struct places places = { 0 };
	size_t covered = 0;
	int r = registry_rules_load(&rules, err);

	if (r >= 0)
		r = daemon_json_load(DAEMON_JSON_PATH, &docker, err);
	if (r < 0)
		return r;
	rule = registry_rules_find(&rules, name, &covered);
	if (rule) {
		r = apply(rule, name, covered, &places, err);
	} else {
		if (str_eq(domain, HUB))
			add_docker_mirrors(&places, &docker, name + strlen(HUB));
		add_place(&places, domain, name + strlen(domain));
	}
	if (r < 0)
		return r; /* nothing was added */
	for (size_t i = 0; i < places.n; i++)
		places.list[i].insecure |= daemon_json_is_insecure(&docker, places.list[i].domain);
	*ret = places.list;
	*ret_n = places.n;
	return 0;
}
