/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/daemon_json.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"

#define FILE_MAX_BYTES (1u << 20)

void daemon_json_done(struct daemon_json *d)
{
	d->mirrors = strv_free(d->mirrors);
	d->insecure = strv_free(d->insecure);
}

static int take_list(const struct json *root, const char *key, char ***ret, struct error *err)
{
	const struct json *list = NULL, *item;
	int r = json_get_array(root, key, &list, err);

	json_foreach(item, list) {
		const char *text;

		if (r >= 0)
			r = json_to_string(item, &text, err);
		if (r >= 0)
			*ret = strv_push(*ret, text);
	}
	return r;
}

static int check_mirrors(const struct daemon_json *d, struct error *err)
{
	for (char **m = d->mirrors; m && *m; m++)
		if (!str_after(*m, "https://") && !str_after(*m, "http://"))
			return error_kind(err, ERROR_INVALID,
					  "registry-mirrors: '%s' is no address with http:// or "
					  "https://",
					  *m);
	return 0;
}

int daemon_json_load(const char *path, struct daemon_json *ret, struct error *err)
{
	struct arena *arena cleanup_with(arena_free) = arena_new();
	cleanup_daemon_json struct daemon_json d = { 0 };
	cleanup_free char *text = NULL;
	const struct json *root;
	size_t len;
	int r = file_read(AT_FDCWD, path, FILE_MAX_BYTES, &text, &len, err);

	if (r == -ENOENT || r == -ENOTDIR || r == -EACCES) /* root's secret: not for this user */
		return 0;
	if (r < 0)
		return r;
	r = json_parse(text, len, arena, &root, err);
	if (r >= 0)
		r = take_list(root, "registry-mirrors", &d.mirrors, err);
	if (r >= 0)
		r = take_list(root, "insecure-registries", &d.insecure, err);
	if (r >= 0)
		r = check_mirrors(&d, err);
	if (r < 0)
		return error_prefix(err, r, "'%s'", path);
	*ret = d;
	d = (struct daemon_json){ 0 };
	return 0;
}

/* The host of "host[:port]", "[v6]:port", without port and brackets; heap. */
static char *host_of(const char *domain)
{
	if (*domain == '[')
		return xstrndup(domain + 1, strcspn(domain + 1, "]"));
	return xstrndup(domain, strcspn(domain, ":"));
}

static int parse_address(const char *text, unsigned char *address)
{
	if (inet_pton(AF_INET, text, address) == 1)
		return AF_INET;
	return inet_pton(AF_INET6, text, address) == 1 ? AF_INET6 : AF_UNSPEC;
}

static bool same_bits(const unsigned char *a, const unsigned char *b, uint32_t bits)
{
	unsigned char mask = (unsigned char)(0xff00u >> bits % 8);

	return memcmp(a, b, bits / 8) == 0 &&
	       (bits % 8 == 0 || ((a[bits / 8] ^ b[bits / 8]) & mask) == 0);
}

/* Is the address in a network "10.0.0.0/8"? */
static bool is_in_network(const char *network, const char *address)
{
	unsigned char net[16], own[16];
	cleanup_free char *base = xstrndup(network, strcspn(network, "/"));
	uint32_t bits;
	int family = parse_address(base, net);

	if (!network[strlen(base)] || str_to_u32(network + strlen(base) + 1, &bits) < 0)
		return false;
	return family != AF_UNSPEC && parse_address(address, own) == family &&
	       bits <= (family == AF_INET ? 32 : 128) && same_bits(net, own, bits);
}

bool daemon_json_is_insecure(const struct daemon_json *d, const char *domain)
{
	cleanup_free char *host = host_of(domain);

	for (char **i = d->insecure; i && *i; i++)
		if (str_eq(*i, domain) || is_in_network(*i, host))
			return true;
	return false;
}
