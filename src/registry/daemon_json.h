/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What docker's daemon was told about registries: /etc/docker/daemon.json. Source: dockerd(8). */

#include <stdbool.h>
#include "base/error.h"

#define DAEMON_JSON_PATH "/etc/docker/daemon.json"

struct daemon_json {
	char **mirrors;	 /* of docker.io: URLs; strv */
	char **insecure; /* host[:port], or networks "10.0.0.0/8"; strv */
};

/* A file that is not there says nothing. */
int daemon_json_load(const char *path, struct daemon_json *ret, struct error *err);
void daemon_json_done(struct daemon_json *d);
#define cleanup_daemon_json __attribute__((cleanup(daemon_json_done)))

/*
 * Is "host[:port]" one of the insecure registries? Networks are compared with addresses only; a name
 * is not looked up for that.
 */
bool daemon_json_is_insecure(const struct daemon_json *d, const char *domain);
