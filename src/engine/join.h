/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What is known only when a container starts: the pids of the containers whose namespaces it joins,
 * and where this host has its cgroup. */

#include <stdbool.h>
#include "base/error.h"

struct arena;
struct document;
struct engine;

/*
 * For each container:ID in the document's HostConfig: write the paths of that container's
 * namespaces into config.json, and with its ipc namespace its /dev/shm (a foreign runtime cannot). Without one nothing is read or written.
 * Errors   ERROR_CONFLICT "cannot join network of a non running container: ID"
 */
int join_containers(struct engine *e, const struct document *document, int dir_fd,
		    struct arena *arena, struct error *err);

/* The file in which the kernel counts the container's OOM kills, heap; NULL if the host has none.
 */
char *join_oom_file(const char *cgroup_parent, const char *id, bool rootless);
