/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/mount_word.h"

#include <limits.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "base/units.h"

static const char *const propagations[] = { "private", "rprivate", "rshared",
					    "rslave",  "shared",   "slave" };

/* docker mounts every tmpfs so unless told otherwise. */
static const char *const tmpfs_defaults[] = { "noexec", "nosuid", "nodev" };

static const char *clean_copy(struct arena *arena, const char *path)
{
	cleanup_free char *clean = path_clean(path);

	return arena_strdup(arena, clean);
}

static int set_destination(struct mount_word *m, struct arena *arena, const char *path,
			   const char *text, struct error *err)
{
	if (str_empty(path) || path[0] != '/')
		return error_kind(
			err, ERROR_INVALID,
			"invalid mount config for '%s': mount path must be absolute: '%s'", text,
			path ? path : "");
	m->destination = clean_copy(arena, path);
	if (str_eq(m->destination, "/"))
		return error_kind(err, ERROR_INVALID,
				  "invalid specification: destination can't be '/' in '%s'", text);
	return 0;
}

static int set_source(struct mount_word *m, struct arena *arena, const char *source,
		      const char *text, struct error *err)
{
	char cwd[PATH_MAX];

	if (source[0] == '/') {
		m->source = clean_copy(arena, source);
		return 0;
	}
	if (strncmp(source, "./", 2) == 0 || strncmp(source, "../", 3) == 0 ||
	    str_eq(source, ".") || str_eq(source, "..")) {
		cleanup_free char *joined = NULL;

		if (!getcwd(cwd, sizeof(cwd)))
			return error_sys(err, "cannot find the current directory for '%s'", text);
		joined = path_join(cwd, source);
		m->source = clean_copy(arena, joined);
		return 0;
	}
	return error_kind(err, ERROR_UNSUPPORTED,
			  "not supported yet: named volumes ('%s'); give a path that begins with "
			  "'/' or './'",
			  text);
}

static int volume_mode(struct mount_word *m, const char *mode, struct error *err)
{
	cleanup_with(strv_free) char **words = strv_split(mode, ",", true);
	bool saw_rw = false;

	for (size_t i = 0; i < strv_len(words); i++) {
		const char *w = words[i];
		int p = str_index(propagations, ARRAY_SIZE(propagations), w);

		if (str_eq(w, "ro") || str_eq(w, "rw") || str_eq(w, "readonly")) {
			if (saw_rw)
				return error_kind(err, ERROR_INVALID, "invalid mode: %s", mode);
			saw_rw = true;
			m->read_only = m->read_only_below = w[1] != 'w';
		} else if (p >= 0) {
			m->propagation = propagations[p];
		} else if (str_eq(w, "nocopy")) {
			return error_kind(err, ERROR_INVALID,
					  "invalid mode: %s: nocopy is for named volumes", mode);
		} else if (str_eq(w, "z") || str_eq(w, "Z")) {
			m->relabel = w[0];
		} else if (str_index((const char *const[]){ "consistent", "cached", "delegated" },
				     3, w) >= 0) {
			continue; /* they mean something on macOS only */
		} else {
			return error_kind(err, ERROR_INVALID, "invalid mode: %s", mode);
		}
	}
	return 0;
}

int mount_word_parse_volume(const char *text, struct arena *arena, struct mount_word *ret,
			    struct error *err)
{
	cleanup_with(strv_free) char **parts = strv_split(text, ":", true);
	size_t n = strv_len(parts);
	int r;

	*ret = (struct mount_word){ .type = MOUNT_WORD_BIND,
				    .mode = "",
				    .propagation = "rprivate",
				    .recursive = true,
				    .create_source = true };
	if (n == 1 && parts[0][0] == '/')
		return error_kind(err, ERROR_UNSUPPORTED,
				  "not supported yet: anonymous volumes ('%s'); bind a directory "
				  "with -v /host:%s",
				  text, text);
	if (n < 2 || n > 3 || !*parts[0] || !*parts[1])
		return error_kind(err, ERROR_INVALID, "invalid volume specification: '%s'", text);
	r = set_source(ret, arena, parts[0], text, err);
	if (r < 0)
		return r;
	r = set_destination(ret, arena, parts[1], text, err);
	if (r < 0 || n == 2)
		return r;
	ret->mode = arena_strdup(arena, parts[2]);
	return volume_mode(ret, parts[2], err);
}

/* --mount */

struct mount_fields {
	const char *type, *source, *target, *propagation;
	const char *tmpfs_size, *tmpfs_mode;
	bool read_only, must_below, not_below, non_recursive, create_source;
};

/* "key", "key=true", "key=0" */
static int field_bool(const char *key, const char *value, bool *ret, struct error *err)
{
	*ret = true;
	if (value && str_to_bool(value, ret) < 0)
		return error_kind(err, ERROR_INVALID, "invalid value for %s: %s", key, value);
	return 0;
}

static int field_recursive(const char *value, struct mount_fields *f, struct error *err)
{
	if (str_eq(value, "enabled"))
		return 0;
	if (str_eq(value, "writable")) {
		f->not_below = true;
		return 0;
	}
	if (str_eq(value, "disabled")) {
		f->non_recursive = true;
		return 0;
	}
	if (str_eq(value, "readonly")) {
		f->must_below = true;
		return 0;
	}
	return error_kind(err, ERROR_INVALID,
			  "invalid value for bind-recursive: %s (must be \"enabled\", "
			  "\"disabled\", \"writable\", or \"readonly\")",
			  value ? value : "");
}

static int mount_field(const char *key, const char *value, struct mount_fields *f,
		       struct error *err)
{
	static const struct {
		const char *name, *alias;
		size_t offset;
	} texts[] = {
		{ "type", "type", offsetof(struct mount_fields, type) },
		{ "source", "src", offsetof(struct mount_fields, source) },
		{ "target", "destination", offsetof(struct mount_fields, target) },
		{ "dst", "dst", offsetof(struct mount_fields, target) },
		{ "bind-propagation", "bind-propagation",
		  offsetof(struct mount_fields, propagation) },
		{ "tmpfs-size", "tmpfs-size", offsetof(struct mount_fields, tmpfs_size) },
		{ "tmpfs-mode", "tmpfs-mode", offsetof(struct mount_fields, tmpfs_mode) },
	};

	if (str_eq(key, "readonly") || str_eq(key, "ro"))
		return field_bool(key, value, &f->read_only, err);
	if (str_eq(key, "bind-nonrecursive"))
		return field_bool(key, value, &f->non_recursive, err);
	if (str_eq(key, "bind-create-src"))
		return field_bool(key, value, &f->create_source, err);
	if (str_eq(key, "bind-recursive"))
		return field_recursive(value, f, err);
	if (str_eq(key, "consistency"))
		return 0; /* means something on macOS only */
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (!str_eq(key, texts[i].name) && !str_eq(key, texts[i].alias))
			continue;
		if (!value)
			return error_kind(err, ERROR_INVALID,
					  "invalid field '%s' must be a key=value pair", key);
		*(const char **)((char *)f + texts[i].offset) = value;
		return 0;
	}
	if (str_after(key, "volume-") || str_after(key, "image-"))
		return error_kind(err, ERROR_UNSUPPORTED, "not supported yet: --mount %s", key);
	return error_kind(err, ERROR_INVALID, "unknown option '%s' in '%s%s%s'", key, key,
			  value ? "=" : "", value ? value : "");
}

/* The options of a tmpfs: docker's defaults that the user's words do not contradict, then his. */
static void tmpfs_options(struct mount_word *m, struct arena *arena, char *const *user)
{
	static const char *const opposites[] = { "exec", "suid", "dev" };
	size_t n_user = strv_len(user), n = 0;
	const char **out =
		arena_alloc(arena, (n_user + ARRAY_SIZE(tmpfs_defaults) + 2) * sizeof(*out));

	for (size_t i = 0; i < ARRAY_SIZE(tmpfs_defaults); i++)
		if (!strv_has(user, opposites[i]) && !strv_has(user, tmpfs_defaults[i]))
			out[n++] = tmpfs_defaults[i];
	for (size_t i = 0; i < n_user; i++)
		out[n++] = arena_strdup(arena, user[i]);
	m->options = out;
	m->read_only = strv_has(user, "ro");
}

static int mount_tmpfs(const struct mount_fields *f, struct arena *arena, struct mount_word *ret,
		       struct error *err)
{
	cleanup_with(strv_free) char **words = NULL;
	int64_t size;
	unsigned mode;

	if (f->source)
		return error_kind(err, ERROR_INVALID,
				  "invalid mount config for type \"tmpfs\": field Source must not "
				  "be specified");
	if (f->tmpfs_size) {
		if (units_parse_bytes(f->tmpfs_size, &size) < 0)
			return error_kind(err, ERROR_INVALID, "invalid value for tmpfs-size: %s",
					  f->tmpfs_size);
		words = strv_push_owned(words, xasprintf("size=%lld", (long long)size));
	}
	if (f->tmpfs_mode) {
		if (str_to_octal(f->tmpfs_mode, &mode) < 0)
			return error_kind(err, ERROR_INVALID, "invalid value for tmpfs-mode: %s",
					  f->tmpfs_mode);
		words = strv_push_owned(words, xasprintf("mode=%o", mode));
	}
	if (f->read_only)
		words = strv_push(words, "ro");
	ret->type = MOUNT_WORD_TMPFS;
	tmpfs_options(ret, arena, words);
	return 0;
}

static int mount_bind(const struct mount_fields *f, struct arena *arena, struct mount_word *ret,
		      const char *text, struct error *err)
{
	if (str_empty(f->source))
		return error_kind(err, ERROR_INVALID,
				  "invalid mount config for type \"bind\": field Source must not "
				  "be empty");
	if (f->tmpfs_size || f->tmpfs_mode)
		return error_kind(err, ERROR_INVALID,
				  "cannot mix 'tmpfs-*' options with mount type 'bind'");
	if (f->propagation) {
		int p = str_index(propagations, ARRAY_SIZE(propagations), f->propagation);

		if (p < 0)
			return error_kind(err, ERROR_INVALID, "invalid propagation mode: %s",
					  f->propagation);
		ret->propagation = propagations[p];
	}
	if (f->not_below && !f->read_only)
		return error_kind(err, ERROR_INVALID,
				  "option 'bind-recursive=writable' requires 'readonly' to be "
				  "specified in conjunction");
	if (f->must_below && !(f->read_only && str_eq(f->propagation, "rprivate")))
		return error_kind(err, ERROR_INVALID,
				  "option 'bind-recursive=readonly' requires '%s' to be specified "
				  "in conjunction",
				  f->read_only ? "bind-propagation=rprivate" : "readonly");
	if (f->source[0] != '/' && f->source[0] != '.')
		return error_kind(err, ERROR_INVALID,
				  "invalid mount config for type \"bind\": invalid mount path: "
				  "'%s' mount path must be absolute",
				  f->source);
	ret->type = MOUNT_WORD_BIND;
	ret->read_only = f->read_only;
	ret->read_only_below = f->read_only && !f->not_below; /* as docker since 25 */
	ret->recursive = !f->non_recursive;
	ret->create_source = f->create_source;
	return set_source(ret, arena, f->source, text, err);
}

/* The next field of a CSV line into out (as long as the rest of the line): quotes hold commas. */
static int csv_next(const char **line, char *out, struct error *err)
{
	const char *p = *line;
	bool quoted = *p == '"';

	if (quoted)
		p++;
	for (; *p && (quoted || *p != ','); p++) {
		if (quoted && *p == '"') {
			if (p[1] != '"') {
				quoted = false;
				p++;
				break;
			}
			p++;
		}
		*out++ = *p;
	}
	*out = '\0';
	if (quoted || (*p && *p != ','))
		return error_kind(err, ERROR_INVALID, "parse error: bad quotes in '%s'", *line);
	*line = *p ? p + 1 : p;
	return 0;
}

int mount_word_parse_mount(const char *text, struct arena *arena, struct mount_word *ret,
			   struct error *err)
{
	struct mount_fields f = { 0 };
	const char *rest = text;
	int r;

	*ret = (struct mount_word){ .mode = "", .propagation = "rprivate" };
	while (*rest) {
		char *field = arena_strdup(arena, rest), *equals;

		r = csv_next(&rest, field, err);
		if (r < 0)
			return r;
		equals = strchr(field, '=');
		if (equals)
			*equals++ = '\0';
		r = mount_field(field, equals, &f, err);
		if (r < 0)
			return r;
	}
	if (!f.target)
		return error_kind(err, ERROR_INVALID, "target is required");
	r = set_destination(ret, arena, f.target, text, err);
	if (r < 0)
		return r;
	if (str_eq(f.type, "bind"))
		return mount_bind(&f, arena, ret, text, err);
	if (str_eq(f.type, "tmpfs"))
		return mount_tmpfs(&f, arena, ret, err);
	return error_kind(err, ERROR_UNSUPPORTED, "not supported yet: --mount type=%s",
			  f.type ? f.type : "volume");
}

int mount_word_parse_tmpfs(const char *text, struct arena *arena, struct mount_word *ret,
			   struct error *err)
{
	const char *colon = strchr(text, ':');
	cleanup_with(strv_free) char **words = colon ? strv_split(colon + 1, ",", false) : NULL;
	const char *path = colon ? arena_strndup(arena, text, (size_t)(colon - text)) : text;

	*ret = (struct mount_word){ .type = MOUNT_WORD_TMPFS, .mode = "", .propagation = "" };
	if (colon)
		ret->mode = arena_strdup(arena, colon + 1);
	tmpfs_options(ret, arena, words);
	return set_destination(ret, arena, path, text, err);
}

/* Parents before what lies below them. */
static int by_destination(const void *a, const void *b)
{
	const struct mount_word *x = a, *y = b;

	return strcmp(x->destination, y->destination);
}

int mount_words_parse(char *const *volumes, char *const *mounts, char *const *tmpfs,
		      struct arena *arena, struct mount_word **ret, size_t *ret_n,
		      struct error *err)
{
	const struct {
		char *const *texts;
		int (*parse)(const char *, struct arena *, struct mount_word *, struct error *);
	} lists[] = {
		{ volumes, mount_word_parse_volume },
		{ mounts, mount_word_parse_mount },
		{ tmpfs, mount_word_parse_tmpfs },
	};
	size_t n = 0, max = strv_len(volumes) + strv_len(mounts) + strv_len(tmpfs);
	struct mount_word *words = arena_alloc(arena, (max + 1) * sizeof(*words));

	for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
		for (size_t i = 0; i < strv_len(lists[l].texts); i++) {
			int r = lists[l].parse(lists[l].texts[i], arena, &words[n++], err);

			if (r < 0)
				return r;
		}
	qsort(words, n, sizeof(*words), by_destination);
	for (size_t i = 1; i < n; i++)
		if (str_eq(words[i - 1].destination, words[i].destination))
			return error_kind(err, ERROR_INVALID, "Duplicate mount point: %s",
					  words[i].destination);
	*ret = words;
	*ret_n = n;
	return 0;
}
