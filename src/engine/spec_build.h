/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The runtime's document of a container, with docker's defaults. Pure: data in, data out; what it
 * points to belongs to the config's arena. The parts are one file each.
 */

#include "engine/container_config.h"

/* What lies on this host for the container. */
struct spec_paths {
	const char *dir;	/* its directory: hostname, hosts, resolv.conf are in it */
	const char *rootfs;	/* root.path */
	const char *init;	/* the berth-init program, or NULL without --init */
	const char *mount_type; /* of the mount on "/", or NULL: rootfs is used as it is */
	const char *mount_source;
	const char *const *mount_options;
	size_t n_mount_options;
};

/* What belongs to another container has no pid yet: start puts it in the place of the 0. */
#define SPEC_JOIN_LATER "/proc/0/ns/"

/* The whole document; cannot fail, as options are checked before. *ret_spec points into c, paths, user and
 * c->arena. */
void spec_build(const struct container_config *c, const struct spec_paths *paths,
		const struct user_identity *user, struct oci_spec *ret_spec);

/* Parts */
void spec_build_process(const struct container_config *c, const struct spec_paths *paths,
			const struct user_identity *user, struct oci_process *ret);
void spec_build_namespaces(const struct container_config *c, struct oci_linux *ret);
void spec_build_mounts(const struct container_config *c, const struct spec_paths *paths,
		       const struct oci_mount **ret, size_t *ret_n);
void spec_build_resources(const struct container_config *c, struct oci_resources *ret);

/* "/berth/ID", or below the user's parent: heap. */
char *spec_cgroups_path(const char *parent, const char *id, bool rootless);

/* Name in /proc/PID/ns: "net", "mnt", ... */
const char *spec_namespace_file(enum oci_ns ns);

/* Where --init is put: docker's place, which tools know. */
#define SPEC_INIT_PATH "/sbin/berth-init"
/* Of a container: what its image's volumes hold, by their number. */
#define SPEC_VOLUMES_DIR "volumes"
/* Destination and source of a container's own shared memory. */
#define SPEC_SHM_PATH	"/dev/shm"
#define SPEC_SHM_SOURCE "shm"
