/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/certs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "registry/userdir.h"

#define CERTIFICATE_MAX_BYTES (1u << 20)

static const char *const system_dirs[] = { "/etc/containers/certs.d", "/etc/docker/certs.d" };

void registry_certs_done(struct registry_certs *c)
{
	free(c->ca_pem);
	for (size_t i = 0; i < c->n_pairs; i++) {
		free(c->pairs[i].cert_file);
		free(c->pairs[i].key_file);
	}
	free(c->pairs);
	*c = (struct registry_certs){ 0 };
}

/* The directory of a registry below one of the roots: 1 found, 0 not there. */
static int find_directory(const char *root, const char *domain, char **ret_path, struct error *err)
{
	cleanup_free char *path = path_join(root, domain);
	cleanup_fd int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
		return 0;
	if (fd < 0)
		return error_sys(err, "cannot open '%s'", path);
	*ret_path = take_ptr(&path);
	return 1;
}

/* The registry's directory: the user's first. 1 found, 0 there is none. */
static int locate(const char *domain, char **ret_path, struct error *err)
{
	cleanup_free char *own = userdir_config("containers/certs.d");
	int r = find_directory(own, domain, ret_path, err);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(system_dirs); i++)
		r = find_directory(system_dirs[i], domain, ret_path, err);
	return r;
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int take_ca(const char *path, struct buf *ca, struct error *err)
{
	cleanup_free char *text = NULL;
	size_t len;
	int r = file_read(AT_FDCWD, path, CERTIFICATE_MAX_BYTES, &text, &len, err);

	if (r < 0)
		return r;
	buf_add(ca, text, len);
	buf_putc(ca, '\n');
	return 0;
}

/* x.cert belongs to x.key: docker's rule. */
static int take_pair(const char *path, const char *have, const char *want, struct error *err)
{
	cleanup_free char *stem = xstrndup(path, strlen(path) - strlen(have));
	cleanup_free char *other = xasprintf("%s%s", stem, want);

	if (access(other, R_OK) < 0)
		return error_kind(err, ERROR_INVALID, "'%s' has no '%s' beside it", path,
				  path_base(other));
	return 0;
}

static int take_file(const char *dir, const char *name, struct buf *ca, struct registry_certs *c,
		     struct error *err)
{
	cleanup_free char *path = path_join(dir, name);
	struct client_pair *pair;
	int r = 0;

	if (str_ends(name, ".crt"))
		return take_ca(path, ca, err);
	if (str_ends(name, ".key"))
		return take_pair(path, ".key", ".cert", err);
	if (!str_ends(name, ".cert"))
		return 0;
	r = take_pair(path, ".cert", ".key", err);
	if (r < 0)
		return r;
	c->pairs = xrealloc(c->pairs, (c->n_pairs + 1) * sizeof(*c->pairs));
	pair = &c->pairs[c->n_pairs++];
	pair->key_file = xasprintf("%.*s.key", (int)(strlen(path) - strlen(".cert")), path);
	pair->cert_file = take_ptr(&path);
	return 0;
}

static int read_directory(const char *dir, struct registry_certs *c, struct error *err)
{
	cleanup_buf struct buf ca = { 0 };
	struct dirent **entries = NULL;
	int r = 0, n = scandir(dir, &entries, NULL, compare_names);

	if (n < 0)
		return error_sys(err, "cannot read '%s'", dir);
	for (int i = 0; i < n; i++) {
		if (r >= 0)
			r = take_file(dir, entries[i]->d_name, &ca, c, err);
		free(entries[i]);
	}
	free(entries);
	if (r >= 0 && ca.len)
		c->ca_pem = buf_take(&ca);
	return r;
}

int registry_certs_load(const char *named, const char *domain, struct registry_certs *ret,
			struct error *err)
{
	cleanup_registry_certs struct registry_certs c = { 0 };
	cleanup_free char *dir = NULL;
	int r = named ? 1 : locate(domain, &dir, err);

	if (r > 0)
		r = read_directory(named ? named : dir, &c, err);
	if (r < 0)
		return error_prefix(err, r, "certificates for %s", domain);
	*ret = c;
	c = (struct registry_certs){ 0 };
	return 0;
}
