/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/credential.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "registry/credential_file.h"
#include "registry/credential_helper.h"
#include "registry/userdir.h"

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

void credential_place_done(struct credential_place *p)
{
	free(p->file);
	free(p->helper);
	*p = (struct credential_place){ 0 };
}

/* Files */

static char *docker_file(void)
{
	const char *dir = getenv("DOCKER_CONFIG");

	return str_empty(dir) ? userdir_home(".docker/config.json") : path_join(dir, "config.json");
}

/* podman's, which lives as long as the login. */
static char *runtime_file(void)
{
	char *path = userdir_runtime("containers/auth.json");

	return path ? path : xasprintf("/run/containers/%u/auth.json", geteuid());
}

static const char *named_file(void)
{
	const char *path = getenv("REGISTRY_AUTH_FILE");

	return str_empty(path) ? NULL : path;
}

static int load(const char *file, struct credential_file *ret, struct error *err)
{
	cleanup_free char *own = NULL;

	if (!file)
		file = named_file();
	if (!file)
		own = docker_file();
	return credential_file_load(file ? file : own, !file, ret, err);
}

/* One file's word on a repository: 1 found, 0 not. */
static int find(const struct credential_file *f, const char *domain, const char *path,
		struct credential *ret, struct error *err)
{
	const char *helper = NULL;
	int r = credential_file_helper(f, domain, &helper, err);

	if (r >= 0 && helper)
		r = credential_helper_get(helper, credential_file_key(f, domain), ret, err);
	return r ? r : credential_file_get(f, domain, path, ret, err);
}

static int find_at(char *file, bool is_docker, const char *domain, const char *path,
		   struct credential *ret, struct error *err)
{
	cleanup_free char *owned = file;
	cleanup_credential_file struct credential_file f = { 0 };
	int r = credential_file_load(owned, is_docker, &f, err);

	if (r == -EACCES && !is_docker)
		return 0; /* /run/containers/0 is another root's in a user namespace */
	return r < 0 ? r : find(&f, domain, path, ret, err);
}

int credential_find(const char *file, const char *domain, const char *path, struct credential *ret,
		    struct error *err)
{
	int r;

	if (!file)
		file = named_file();
	if (file)
		return find_at(xstrdup(file), false, domain, path, ret, err);
	r = find_at(docker_file(), true, domain, path, ret, err);
	if (r == 0)
		r = find_at(runtime_file(), false, domain, path, ret, err);
	if (r == 0)
		r = find_at(userdir_config("containers/auth.json"), false, domain, path, ret, err);
	return r;
}

int credential_find_in(const char *file, const char *domain, struct credential *ret,
		       struct error *err)
{
	cleanup_credential_file struct credential_file f = { 0 };
	int r = load(file, &f, err);

	return r < 0 ? r : find(&f, domain, NULL, ret, err);
}

int credential_store(const char *file, const char *domain, const struct credential *c,
		     struct credential_place *ret_place, struct error *err)
{
	static const struct credential elsewhere = { 0 };
	cleanup_credential_file struct credential_file f = { 0 };
	const char *helper = NULL;
	int r = load(file, &f, err);

	if (r >= 0)
		r = credential_file_helper(&f, domain, &helper, err);
	if (r >= 0 && helper)
		r = credential_helper_store(helper, credential_file_key(&f, domain), c, err);
	if (r >= 0)
		r = credential_file_write(&f, domain, helper ? &elsewhere : c, err);
	if (r < 0)
		return r;
	ret_place->helper = helper ? xstrdup(helper) : NULL;
	ret_place->file = take_ptr(&f.path);
	return 0;
}

int credential_erase(const char *file, const char *domain, struct error *err)
{
	cleanup_credential_file struct credential_file f = { 0 };
	cleanup_credential struct credential c = { 0 };
	const char *helper = NULL;
	bool was_there;
	int r = load(file, &f, err);

	if (r >= 0)
		r = credential_file_helper(&f, domain, &helper, err);
	if (r < 0)
		return r;
	was_there = credential_file_has(&f, domain);
	if (helper) {
		r = credential_helper_get(helper, credential_file_key(&f, domain), &c, err);
		if (r > 0)
			r = credential_helper_erase(helper, credential_file_key(&f, domain), err);
		if (r < 0)
			return r;
		was_there |= c.secret || c.identity_token;
	}
	if (credential_file_has(&f, domain)) {
		r = credential_file_write(&f, domain, NULL, err);
		if (r < 0)
			return r;
	}
	return was_there;
}

/* The helper's entry of one key, if there is a helper for it. */
static int erase_helped(const struct credential_file *f, const char *key, struct error *err)
{
	cleanup_free char *domain = credential_file_domain(key);
	const char *helper = NULL;
	int r = credential_file_helper(f, domain, &helper, err);

	return r < 0 || !helper
		       ? r
		       : credential_helper_erase(helper, credential_file_key(f, domain), err);
}

int credential_erase_all(const char *file, struct error *err)
{
	cleanup_credential_file struct credential_file f = { 0 };
	cleanup_with(strv_free) char **keys = NULL;
	int r = load(file, &f, err);

	if (r < 0)
		return r;
	keys = credential_file_keys(&f);
	for (size_t i = 0; keys && keys[i] && r >= 0; i++)
		r = erase_helped(&f, keys[i], err);
	return r < 0 || !keys ? r : credential_file_clear(&f, err);
}
