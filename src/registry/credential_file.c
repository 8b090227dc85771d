/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/credential_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "codec/json.h"

/*
 * The "auths" of a file are named in many ways, by the age of the program that wrote them:
 *
 *     https://index.docker.io/v1/     docker's name of docker.io, to this day
 *     https://reg.example.com/v2/     an address: its host counts
 *     reg.example.com:5000            a host
 *     reg.example.com/team/app        a repository or what lies below it; podman's, no scheme
 *
 * credential_file_domain() makes the last two of all. The longest one that "domain/path" begins with wins.
 */

#define FILE_MAX_BYTES (1u << 20)
#define HUB	       "docker.io"
#define HUB_KEY	       "https://index.docker.io/v1/"

void credential_file_done(struct credential_file *f)
{
	free(f->path);
	f->arena = arena_free(f->arena);
	*f = (struct credential_file){ 0 };
}

/* The file that a symlink means: it is to be replaced, not the link. */
static char *real_path(const char *path)
{
	char *real = realpath(path, NULL);

	return real ? real : xstrdup(path);
}

static int parse(struct credential_file *f, const char *text, size_t len, struct error *err)
{
	int r = json_parse(text, len, f->arena, &f->root, err);

	if (r >= 0 && f->root->type != JSON_OBJECT)
		r = error_kind(err, ERROR_INVALID, "not an object");
	return r < 0 ? error_prefix(err, r, "'%s'", f->path) : r;
}

int credential_file_load(const char *path, bool is_docker, struct credential_file *ret,
			 struct error *err)
{
	cleanup_credential_file struct credential_file f = {
		.path = real_path(path),
		.arena = arena_new(),
		.is_docker = is_docker,
	};
	cleanup_free char *text = NULL;
	size_t len;
	int r = file_read(AT_FDCWD, f.path, FILE_MAX_BYTES, &text, &len, err);

	if (r < 0 && r != -ENOENT && r != -ENOTDIR)
		return r;
	if (r >= 0 && text[strspn(text, " \t\r\n")]) { /* podman takes an empty file, too */
		r = parse(&f, text, len, err);
		explicit_bzero(text, len);
		if (r < 0)
			return r;
	}
	*ret = f;
	f = (struct credential_file){ 0 };
	return 0;
}

/* Names */

static bool is_hub(const char *host)
{
	return str_eq(host, "index.docker.io") || str_eq(host, "registry-1.docker.io");
}

char *credential_file_domain(const char *key)
{
	const char *https = str_after(key, "https://"), *http = str_after(key, "http://");
	const char *start = https ? https : http ? http : key;
	size_t len = strlen(start);
	cleanup_free char *host = xstrndup(start, strcspn(start, "/"));

	if (is_hub(host))
		return xstrdup(HUB);
	if (start != key)
		return take_ptr(&host);
	while (len > 0 && start[len - 1] == '/')
		len--;
	return xstrndup(start, len);
}

const char *credential_file_key(const struct credential_file *f, const char *domain)
{
	return f->is_docker && str_eq(domain, HUB) ? HUB_KEY : domain;
}

static bool is_registry(const struct json *entry, const char *domain)
{
	cleanup_free char *name = credential_file_domain(entry->key);

	return str_eq(name, domain);
}

/* How much of "domain/path" the key covers; 0: another one. */
static size_t covers(const char *key, const char *domain, const char *path)
{
	cleanup_free char *name = credential_file_domain(key);
	cleanup_free char *full = xasprintf("%s/%s", domain, path ? path : "");
	const char *rest = str_after(full, name);

	return rest && (!*rest || *rest == '/') ? strlen(name) : 0;
}

/* Reading */

int credential_file_helper(const struct credential_file *f, const char *domain, const char **ret,
			   struct error *err)
{
	const struct json *entry;
	const char *helper = NULL;
	int r = json_get_string(f->root, "credsStore", &helper, err);

	json_foreach(entry, json_get(f->root, "credHelpers"))
		if (r >= 0 && entry->type != JSON_NULL && is_registry(entry, domain))
			r = json_to_string(entry, &helper, err);
	if (r < 0)
		return error_prefix(err, r, "'%s'", f->path);
	if (!str_empty(helper))
		*ret = helper;
	return 0;
}

/* "auth" is the base64 of "user:password", some say with NULs behind it. */
static int decode_auth(const struct json *entry, const char *auth, struct credential *ret,
		       struct error *err)
{
	void *data = NULL;
	char *colon;
	size_t len;

	if (base64_parse(auth, &data, &len) < 0)
		return json_fail(entry, err, "'auth' is not base64");
	colon = strchr(data, ':');
	if (colon) {
		free(ret->username);
		ret->username = xstrndup(data, (size_t)(colon - (char *)data));
		if (colon[1])
			ret->secret = xstrdup(colon + 1);
	}
	explicit_bzero(data, len);
	free(data);
	return colon ? 0 : json_fail(entry, err, "'auth' is not user:password");
}

static int decode_entry(const struct json *entry, struct credential *ret, struct error *err)
{
	cleanup_credential struct credential c = { 0 };
	const char *auth = NULL, *user = NULL, *password = NULL, *token = NULL;
	int r = json_get_string(entry, "auth", &auth, err);

	if (r >= 0)
		r = json_get_string(entry, "username", &user, err);
	if (r >= 0)
		r = json_get_string(entry, "password", &password, err);
	if (r >= 0)
		r = json_get_string(entry, "identitytoken", &token, err);
	if (r >= 0 && !str_empty(auth))
		r = decode_auth(entry, auth, &c, err);
	if (r < 0)
		return r;
	if (!c.username && user)
		c.username = xstrdup(user);
	if (!c.secret && !str_empty(password))
		c.secret = xstrdup(password);
	if (!str_empty(token))
		c.identity_token = xstrdup(token);
	if (!c.secret && !c.identity_token)
		return 0;
	*ret = c;
	c = (struct credential){ 0 };
	return 1;
}

int credential_file_get(const struct credential_file *f, const char *domain, const char *path,
			struct credential *ret, struct error *err)
{
	const struct json *entry, *best = NULL;
	size_t best_length = 0;
	int r;

	json_foreach(entry, json_get(f->root, "auths")) {
		size_t length = entry->n ? covers(entry->key, domain, path) : 0;

		if (length > best_length) {
			best = entry;
			best_length = length;
		}
	}
	if (!best)
		return 0;
	r = decode_entry(best, ret, err);
	return r < 0 ? error_prefix(err, r, "'%s'", f->path) : r;
}

bool credential_file_has(const struct credential_file *f, const char *domain)
{
	const struct json *entry;

	json_foreach(entry, json_get(f->root, "auths"))
		if (is_registry(entry, domain))
			return true;
	return false;
}

char **credential_file_keys(const struct credential_file *f)
{
	const struct json *entry;
	char **keys = NULL;

	json_foreach(entry, json_get(f->root, "auths"))
		keys = strv_push(keys, entry->key);
	json_foreach(entry, json_get(f->root, "credHelpers"))
		if (!strv_has(keys, entry->key))
			keys = strv_push(keys, entry->key);
	return keys;
}

/* Writing */

static void add_entry(struct json_writer *w, const char *key, const struct credential *c)
{
	cleanup_free char *plain = NULL, *encoded = NULL;

	json_begin_object(w, key);
	if (c->secret || c->identity_token) {
		plain = xasprintf("%s:%s", c->username ? c->username : "",
				  c->identity_token ? "" : c->secret);
		encoded = base64_format(plain, strlen(plain));
		json_add_string(w, "auth", encoded);
		explicit_bzero(plain, strlen(plain));
		explicit_bzero(encoded, strlen(encoded));
	}
	if (c->identity_token)
		json_add_string(w, "identitytoken", c->identity_token);
	json_end(w);
}

/* domain NULL: none is kept */
static void add_auths(const struct credential_file *f, const char *domain,
		      const struct credential *c, struct json_writer *w)
{
	const struct json *entry;

	json_begin_object(w, "auths");
	json_foreach(entry, json_get(f->root, "auths"))
		if (domain && !is_registry(entry, domain))
			json_add_value(w, entry->key, entry);
	if (c)
		add_entry(w, credential_file_key(f, domain), c);
	json_end(w);
}

static void format(const struct credential_file *f, const char *domain, const struct credential *c,
		   struct buf *out)
{
	const struct json *member;
	struct json_writer w;
	bool done = false;

	json_writer_init(&w, out, "\t");
	json_begin_object(&w, NULL);
	json_foreach(member, f->root) {
		if (!str_eq(member->key, "auths")) {
			json_add_value(&w, member->key, member);
		} else if (!done) {
			add_auths(f, domain, c, &w);
			done = true;
		}
	}
	if (!done)
		add_auths(f, domain, c, &w);
	json_end(&w);
}

/* Several logins at once: what one wrote, the next one reads. */
static int lock_directory(const char *path, int *ret_fd, struct error *err)
{
	cleanup_free char *dir = xstrndup(path, (size_t)(path_base(path) - path));
	cleanup_fd int fd = -EBADF;
	int r;

	if (!*dir)
		dir[0] = '.';
	r = path_mkdir_all(dir, 0700, err);
	if (r < 0)
		return r;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return error_sys(err, "cannot lock '%s'", dir);
	*ret_fd = take_fd(&fd);
	return 0;
}

int credential_file_write(const struct credential_file *f, const char *domain,
			  const struct credential *c, struct error *err)
{
	cleanup_credential_file struct credential_file now = { 0 };
	cleanup_fd int lock_fd = -EBADF;
	struct buf text = { 0 };
	int r = lock_directory(f->path, &lock_fd, err);

	if (r >= 0)
		r = credential_file_load(f->path, f->is_docker, &now, err);
	if (r < 0)
		return r;
	format(&now, domain, c, &text);
	r = file_write_atomic(AT_FDCWD, f->path, text.data, text.len, 0600, FILE_WRITE_SYNC, err);
	explicit_bzero(text.data, text.len);
	buf_done(&text);
	return r;
}

int credential_file_clear(const struct credential_file *f, struct error *err)
{
	return credential_file_write(f, NULL, NULL, err);
}
