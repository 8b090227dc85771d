/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where a repository is asked for. Read, if they are there:
 *
 *     $CONTAINERS_REGISTRIES_CONF                        if set, it alone
 *     ~/.config/containers/registries.conf               or else /etc/containers/registries.conf
 *     /etc/containers/registries.conf.d/NAME.conf        in the order of their names
 *     ~/.config/containers/registries.conf.d/NAME.conf
 *     /etc/docker/daemon.json                            "registry-mirrors", "insecure-registries"
 *
 * Short names are docker's business alone: "unqualified-search-registries" and "aliases" change
 * nothing (docs/decisions/0040-short-names.md).
 * Source: containers-registries.conf(5), version 2; containers-registries.conf.d(5); dockerd(8).
 */

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"

/* One place, with the names to ask there. */
struct registry_place {
	char *domain; /* host[:port]: "docker.io" stays as it is */
	char *path;   /* the repository at that host, "proxy/library/nginx"; "" if none was asked */
	bool insecure;	  /* HTTPS without verification, then plain HTTP, are fine */
	bool is_mirror;	  /* its failure is not the end: the next place is asked */
	bool digest_only; /* a mirror that is asked for digests only */
	bool tag_only;	  /* a mirror that is asked for tags only */
};

/*
 * The places of a repository in the order to try them: its mirrors, then itself (as rewritten by
 * "location"). Without any configuration: itself; "localhost" and 127.0.0.0/8 are insecure, as
 * docker has it.
 *
 * domain, path   of a normalised reference; path NULL: the registry as a whole
 * Errors         a configuration that cannot be understood (with file and line); ERROR_DENIED: the
 *                registry is blocked
 */
int registries_conf_places(const char *domain, const char *path, struct registry_place **ret,
			   size_t *ret_n, struct error *err);
struct registry_place *registry_places_free(struct registry_place *places, size_t n);
