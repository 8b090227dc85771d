/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registries_rule.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/toml.h"
#include "registry/registries_conf.h"
#include "registry/userdir.h"

#define SYSTEM_FILE "/etc/containers/registries.conf"
#define SYSTEM_DIR  "/etc/containers/registries.conf.d"

void registry_rules_done(struct registry_rules *rules)
{
	free(rules->list);
	rules->arena = arena_free(rules->arena);
	*rules = (struct registry_rules){ 0 };
}

/* One [[registry]] */

/* host[:port][/path] without a scheme and without slashes behind. */
static int get_location(const struct json *table, const char *key, struct arena *arena,
			const char **ret, struct error *err)
{
	const char *text = NULL;
	size_t len;
	int r = json_get_string(table, key, &text, err);

	if (r < 0 || !text)
		return r;
	if (str_after(text, "http://") || str_after(text, "https://"))
		return json_fail(json_get(table, key), err,
				 "'%s' must not begin with http:// or https://", text);
	for (len = strlen(text); len > 0 && text[len - 1] == '/'; len--)
		;
	if (len > 0)
		*ret = arena_strndup(arena, text, len);
	return 0;
}

static int read_which(const struct json *table, struct registry_mirror *mirror, struct error *err)
{
	const char *which = "all";
	int r = json_get_string(table, "pull-from-mirror", &which, err);

	if (r < 0)
		return r;
	mirror->digest_only = str_eq(which, "digest-only");
	mirror->tag_only = str_eq(which, "tag-only");
	if (mirror->digest_only || mirror->tag_only || str_eq(which, "all"))
		return 0;
	return json_fail(json_get(table, "pull-from-mirror"), err,
			 "'%s' is none of all, digest-only, tag-only", which);
}

static int read_mirror(const struct json *table, struct arena *arena,
		       struct registry_mirror *mirror, struct error *err)
{
	int r = get_location(table, "location", arena, &mirror->location, err);

	if (r >= 0 && !mirror->location)
		return json_fail_missing(table, "location", err);
	if (r >= 0)
		r = json_get_bool(table, "insecure", &mirror->insecure, err);
	return r < 0 ? r : read_which(table, mirror, err);
}

static int read_mirrors(const struct json *table, struct arena *arena, struct registry_rule *rule,
			struct error *err)
{
	const struct json *mirrors = NULL, *m;
	bool digest_only = false;
	int r = json_get_array(table, "mirror", &mirrors, err);

	if (r >= 0)
		r = json_get_bool(table, "mirror-by-digest-only", &digest_only, err);
	if (r < 0 || !mirrors)
		return r;
	rule->mirrors = arena_alloc(arena, mirrors->n * sizeof(*rule->mirrors));
	json_foreach(m, mirrors) {
		struct registry_mirror *mirror = &rule->mirrors[rule->n_mirrors++];

		r = read_mirror(m, arena, mirror, err);
		if (r < 0)
			return r;
		if (digest_only && json_get(m, "pull-from-mirror"))
			return json_fail(m, err,
					 "'pull-from-mirror' contradicts 'mirror-by-digest-only'");
		mirror->digest_only |= digest_only;
	}
	return 0;
}

/* A tag or digest in a prefix: what it forbids would be allowed if it were overlooked. */
static bool names_a_version(const char *prefix)
{
	const char *slash = strrchr(prefix, '/');

	return strchr(prefix, '@') || (slash && strchr(slash, ':'));
}

static int check_prefix(const struct json *table, const char *prefix, struct error *err)
{
	const char *star = strchr(prefix, '*');

	if (star && (star != prefix || prefix[1] != '.' || strchr(star + 1, '*')))
		return json_fail(table, err, "'%s': a wildcard stands in front only, as '*.'",
				 prefix);
	if (names_a_version(prefix))
		return json_fail_kind(table, ERROR_UNSUPPORTED, err,
				      "'%s': a prefix with a tag or digest is not known here",
				      prefix);
	return 0;
}

static int read_rule(const struct json *table, struct arena *arena, struct registry_rule *rule,
		     struct error *err)
{
	int r = get_location(table, "prefix", arena, &rule->prefix, err);

	if (r >= 0)
		r = get_location(table, "location", arena, &rule->location, err);
	if (r >= 0)
		r = json_get_bool(table, "insecure", &rule->insecure, err);
	if (r >= 0)
		r = json_get_bool(table, "blocked", &rule->blocked, err);
	if (r >= 0)
		r = read_mirrors(table, arena, rule, err);
	if (r < 0)
		return r;
	if (!rule->prefix)
		rule->prefix = rule->location;
	if (!rule->prefix)
		return json_fail_missing(table, "location", err);
	return check_prefix(table, rule->prefix, err);
}

/* Files */

/* A rule replaces that of an earlier file for the same prefix. */
static int add_rule(struct registry_rules *rules, const struct registry_rule *rule,
		    const struct json *table, struct error *err)
{
	for (size_t i = 0; i < rules->n; i++) {
		if (!str_eq(rules->list[i].prefix, rule->prefix))
			continue;
		if (str_eq(rules->list[i].file, rule->file))
			return json_fail(table, err, "'%s' is there twice", rule->prefix);
		rules->list[i] = *rule;
		return 0;
	}
	rules->list = array_grow(rules->list, rules->n, &rules->capacity, sizeof(*rules->list));
	rules->list[rules->n++] = *rule;
	return 0;
}

static int read_document(struct registry_rules *rules, const struct json *root, const char *file,
			 struct error *err)
{
	const struct json *tables = NULL, *table;
	int r;

	if (json_get(root, "registries"))
		return json_fail(
			json_get(root, "registries"), err,
			"the format of version 1 is not read any more: write [[registry]]");
	r = json_get_array(root, "registry", &tables, err);
	json_foreach(table, tables) {
		struct registry_rule rule = { .file = file };

		if (r >= 0 && table->type != JSON_OBJECT)
			r = json_fail(table, err, "not a table");
		if (r >= 0)
			r = read_rule(table, rules->arena, &rule, err);
		if (r >= 0)
			r = add_rule(rules, &rule, table, err);
	}
	return r;
}

/* 1 read, 0 there is no such file. */
static int read_file(struct registry_rules *rules, const char *path, struct error *err)
{
	cleanup_free char *text = NULL;
	const struct json *root;
	size_t len;
	int r = file_read(AT_FDCWD, path, TOML_MAX_BYTES, &text, &len, err);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return r;
	r = toml_parse(text, len, rules->arena, &root, err);
	if (r >= 0)
		r = read_document(rules, root, arena_strdup(rules->arena, path), err);
	return r < 0 ? error_prefix(err, r, "'%s'", path) : 1;
}

static int is_conf(const struct dirent *entry)
{
	return str_ends(entry->d_name, ".conf");
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_directory(struct registry_rules *rules, const char *dir, struct error *err)
{
	struct dirent **entries = NULL;
	int r = 0, n = scandir(dir, &entries, is_conf, compare_names);

	if (n < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : error_sys(err, "cannot read '%s'", dir);
	for (int i = 0; i < n; i++) {
		cleanup_free char *path = path_join(dir, entries[i]->d_name);

		if (r >= 0)
			r = read_file(rules, path, err);
		free(entries[i]);
	}
	free(entries);
	return r;
}

static int read_all(struct registry_rules *rules, struct error *err)
{
	const char *named = getenv("CONTAINERS_REGISTRIES_CONF");
	cleanup_free char *own_file = userdir_config("containers/registries.conf");
	cleanup_free char *own_dir = userdir_config("containers/registries.conf.d");
	int r;

	if (!str_empty(named)) {
		r = read_file(rules, named, err);
		return r ? r : error_num(err, ENOENT, "cannot open '%s'", named);
	}
	r = read_file(rules, own_file, err);
	if (r == 0)
		r = read_file(rules, SYSTEM_FILE, err);
	if (r >= 0)
		r = read_directory(rules, SYSTEM_DIR, err);
	if (r >= 0)
		r = read_directory(rules, own_dir, err);
	return r;
}

int registry_rules_load(struct registry_rules *ret, struct error *err)
{
	cleanup_registry_rules struct registry_rules rules = { .arena = arena_new() };
	int r = read_all(&rules, err);

	if (r < 0)
		return r;
	*ret = rules;
	rules = (struct registry_rules){ 0 };
	return 0;
}

/* Matching */

static bool ends_a_part(char c)
{
	return c == '\0' || c == '/';
}

/* How much of name the prefix covers, 0: it is not its prefix. */
static size_t covered(const char *prefix, const char *name)
{
	size_t host = strcspn(name, "/:"), length;
	const char *suffix, *rest;

	if (*prefix != '*') {
		rest = str_after(name, prefix);
		/* "example.com" does not cover "example.com:5000", another registry */
		return rest && ends_a_part(*rest) ? strlen(prefix) : 0;
	}
	suffix = prefix + 1;
	length = strcspn(suffix, "/:");
	if (host <= length || memcmp(name + host - length, suffix, length) != 0)
		return 0;
	rest = str_after(name + host, suffix + length);
	return rest && ends_a_part(*rest) ? (size_t)(rest - name) : 0;
}

const struct registry_rule *registry_rules_find(const struct registry_rules *rules,
						const char *name, size_t *ret_length)
{
	const struct registry_rule *best = NULL;

	for (size_t i = 0; i < rules->n; i++) {
		const struct registry_rule *rule = &rules->list[i];
		size_t length = covered(rule->prefix, name);

		if (length == 0 || (best && strlen(rule->prefix) <= strlen(best->prefix)))
			continue;
		best = rule;
		*ret_length = length;
	}
	return best;
}
