/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The files in a container's directory, written once before its row. */

#include "engine/container_config.h"

struct buf;

/* A new file; the directory is new, so there is nothing to replace. */
int bundle_write(int dir_fd, const char *name, const struct buf *text, mode_t mode,
		 struct error *err);

/* hostname, hosts and resolv.conf, which become those in /etc. */
int bundle_write_etc(const struct container_config *c, int dir_fd, struct error *err);

/* Their texts; host_*: the host's own files. Pure. */
void bundle_hosts(const struct container_config *c, const char *host_hosts, struct buf *out);
void bundle_resolv_conf(const struct container_config *c, const char *host_resolv_conf,
			struct buf *out);

/*
 * The source of each bind mount: a missing directory is made for -v, an error for --mount.
 */
int bundle_check_sources(const struct container_config *c, struct error *err);
