/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/lookaside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "codec/yaml_map.h"
#include "registry/http.h"
#include "registry/http_header.h"
#include "registry/userdir.h"

#define SYSTEM_DIR    "/etc/containers/registries.d"
#define SYSTEM_STORE  "/var/lib/containers/sigstore"
#define USER_STORE    ".local/share/containers/sigstore"
#define REDIRECTS_MAX 5
#define NUMBERS_MAX   1000

void lookaside_done(struct lookaside *l)
{
	free(l->url);
	l->url = NULL;
}

/* Configuration */

struct search {
	const char *domain;
	char *name;    /* domain/path */
	char *url;     /* of the most exact scope so far */
	size_t length; /* of that scope; 0: default-docker */
	bool write;    /* where signatures are to be put, not where they are */
	bool staging;  /* url is for that alone */
};

/* How much of the name a scope covers; 0: another one. */
static size_t covers(const struct search *s, const char *scope)
{
	const char *rest = str_after(s->name, scope);

	if (rest && (!*rest || *rest == '/'))
		return strlen(scope);
	if (scope[0] == '*' && scope[1] == '.' && str_ends(s->domain, scope + 1))
		return 1; /* any real name is more exact */
	return 0;
}

static int take_entry(void *ctx, const char *const *keys, size_t n, const char *value,
		      struct error *err)
{
	struct search *s = ctx;
	const char *field = keys[n - 1];
	size_t length = n == 3 && str_eq(keys[0], "docker") ? covers(s, keys[1]) : 0;
	bool staging = str_eq(field, "lookaside-staging") || str_eq(field, "sigstore-staging");

	if (!value || (staging && !s->write) ||
	    (!staging && !str_eq(field, "lookaside") && !str_eq(field, "sigstore")))
		return 0; /* also flags of attachments, which are always asked */
	if (!(n == 2 && str_eq(keys[0], "default-docker")) && length == 0)
		return 0;
	if (s->url && (length < s->length || (length == s->length && s->staging && !staging)))
		return 0;
	free(s->url);
	s->url = xstrdup(value);
	s->length = length;
	s->staging = staging;
	return 0;
}

static int read_file(struct search *s, const char *dir, const char *name, struct error *err)
{
	cleanup_free char *path = path_join(dir, name), *text = NULL;
	size_t len;
	int r = file_read(AT_FDCWD, path, YAML_MAP_MAX_BYTES, &text, &len, err);

	if (r < 0)
		return r;
	r = yaml_map_read(text, len, take_entry, s, err);
	return r < 0 ? error_prefix(err, r, "'%s'", path) : 0;
}

static int is_yaml(const struct dirent *entry)
{
	return str_ends(entry->d_name, ".yaml");
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* 1 read, 0 there is no such directory. */
static int read_directory(struct search *s, const char *dir, struct error *err)
{
	struct dirent **entries = NULL;
	int r = 0, n = scandir(dir, &entries, is_yaml, compare_names);

	if (n < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : error_sys(err, "cannot read '%s'", dir);
	for (int i = 0; i < n; i++) {
		if (r >= 0)
			r = read_file(s, dir, entries[i]->d_name, err);
		free(entries[i]);
	}
	free(entries);
	return r < 0 ? r : 1;
}

static char *default_url(void)
{
	cleanup_free char *own = geteuid() ? userdir_home(USER_STORE) : NULL;

	return xasprintf("file://%s", own ? own : SYSTEM_STORE);
}

static bool is_known_url(const char *url)
{
	return str_after(url, "file:///") || str_after(url, "http://") ||
	       str_after(url, "https://");
}

static int find(const char *domain, const char *path, bool write, struct lookaside *ret,
		struct error *err)
{
	struct search s = { .domain = domain, .write = write };
	cleanup_free char *own = userdir_config("containers/registries.d");
	cleanup_free char *base = NULL;
	int r;

	s.name = xasprintf("%s/%s", domain, path);
	r = read_directory(&s, own, err);
	if (r == 0)
		r = read_directory(&s, SYSTEM_DIR, err);
	free(s.name);
	base = s.url ? s.url : default_url();
	if (r < 0)
		return r;
	if (!is_known_url(base))
		return error_kind(err, ERROR_UNSUPPORTED,
				  "lookaside '%.200s' is none of file, http, https", base);
	while (str_ends(base, "/"))
		base[strlen(base) - 1] = '\0';
	ret->url = xasprintf("%s/%s", base, path);
	return 0;
}

int lookaside_find(const char *domain, const char *path, struct lookaside *ret, struct error *err)
{
	return find(domain, path, false, ret, err);
}

int lookaside_find_staging(const char *domain, const char *path, struct lookaside *ret,
			   struct error *err)
{
	int r = find(domain, path, true, ret, err);

	if (r == 0 && !str_after(ret->url, "file://"))
		return error_kind(err, ERROR_UNSUPPORTED,
				  "signatures cannot be put at '%.200s': registries.d is to name a "
				  "lookaside-staging of file://",
				  ret->url);
	return r;
}

/* Reading */

static int read_local(const char *path, char **ret_data, size_t *ret_len, struct error *err)
{
	int r = file_read(AT_FDCWD, path, LOOKASIDE_MAX_BYTES, ret_data, ret_len, err);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	return r < 0 ? r : 1;
}

static int read_body(struct http_exchange *x, char **ret_data, size_t *ret_len, struct error *err)
{
	cleanup_buf struct buf body = { 0 };
	char piece[8192];
	ssize_t n;

	while ((n = http_read(x, piece, sizeof(piece), err)) > 0) {
		if (body.len + (size_t)n > LOOKASIDE_MAX_BYTES)
			return error_num(err, EFBIG, "a signature of more than %u bytes",
					 LOOKASIDE_MAX_BYTES);
		buf_add(&body, piece, (size_t)n);
	}
	if (n < 0)
		return (int)n;
	*ret_len = body.len;
	*ret_data = buf_take(&body);
	return 1;
}

/* One request: 1 read, 0 not there, 2 go on at *ret_next. */
static int get(struct http_client *client, const char *url, char **ret_next, char **ret_data,
	       size_t *ret_len, struct error *err)
{
	cleanup_with(http_close) struct http_exchange *x = NULL;
	enum http_fault fault;
	const char *location;
	int status, r;

	r = http_open(client, &(struct http_request){ .method = "GET", .url = url }, &x, &fault,
		      err);
	if (r < 0)
		return r;
	status = http_status(x);
	location = http_headers_get(http_headers(x), "Location");
	if (status == 200)
		return read_body(x, ret_data, ret_len, err);
	if (status == 404)
		return 0;
	if (status >= 300 && status < 400 && location) {
		r = http_resolve(client, url, location, ret_next, err);
		return r < 0 ? r : 2;
	}
	return error_kind(err, ERROR_INTERNAL, "'%s' answers with status %d", url, status);
}

static int read_remote(const char *url, char **ret_data, size_t *ret_len, struct error *err)
{
	cleanup_with(http_client_free) struct http_client *client = NULL;
	cleanup_free char *at = xstrdup(url);
	int r = http_client_new(&(struct http_options){ 0 }, &client, err);

	for (unsigned i = 0; r >= 0 && i <= REDIRECTS_MAX; i++) {
		char *next = NULL;

		r = get(client, at, &next, ret_data, ret_len, err);
		if (r != 2)
			return r;
		free(at);
		at = next;
	}
	return r < 0 ? r : error_kind(err, ERROR_INTERNAL, "'%s' leads nowhere", url);
}

int lookaside_read(const struct lookaside *l, const struct digest *id, unsigned n, char **ret_data,
		   size_t *ret_len, struct error *err)
{
	cleanup_free char *url = xasprintf("%s@sha256=%s/signature-%u", l->url, digest_hex(id), n);
	const char *path = str_after(url, "file://");

	return path ? read_local(path, ret_data, ret_len, err)
		    : read_remote(url, ret_data, ret_len, err);
}

/* Writing */

int lookaside_write(const struct lookaside *l, const struct digest *id, const char *data,
		    size_t len, struct error *err)
{
	cleanup_free char *dir =
		xasprintf("%s@sha256=%s", str_after(l->url, "file://"), digest_hex(id));
	int r = path_mkdir_all(dir, 0755, err);

	for (unsigned n = 1; r >= 0 && n <= NUMBERS_MAX; n++) {
		cleanup_free char *path = xasprintf("%s/signature-%u", dir, n);

		r = file_write_atomic(AT_FDCWD, path, data, len, 0644,
				      FILE_WRITE_SYNC | FILE_WRITE_EXCL, err);
		if (r != -EEXIST)
			return r;
		r = 0;
	}
	return r < 0 ? r : error_kind(err, ERROR_INVALID, "'%s' is full", dir);
}
