/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a container will be: the user's options and the image's defaults, merged by docker's rules
 * and every word understood. spec_build() makes the runtime's document of it, document.c docker's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/id.h"
#include "engine/device_word.h"
#include "engine/mount_word.h"
#include "engine/namespace_mode.h"
#include "engine/options.h"
#include "engine/spec_security.h"
#include "kernel/idmap.h"
#include "oci/spec.h"

struct arena;
struct oci_image_run;
struct user_identity;

struct container_config {
	struct arena *arena; /* borrowed: owns what is pointed to */
	const struct container_options *options;

	char id[ID_LEN + 1];
	const char *image_id; /* "sha256:..." or "" */
	int64_t created_ns;

	/* Process; lists are NULL-terminated */
	const char *const *entrypoint, *const *cmd, *const *args;
	size_t n_entrypoint, n_cmd, n_args;
	const char *const *env; /* docker's Config.Env */
	size_t n_env;
	const char *workdir; /* "" : none given; the runtime gets "/" */
	const char *user;
	const char *stop_signal; /* or NULL: SIGTERM */
	const char *hostname, *domainname;
	const char *etc_dir; /* whose hostname, hosts, resolv.conf: NULL for its own */
	const char *const *labels, *const *annotations; /* "k=v", sorted, keys unique */
	size_t n_labels, n_annotations;
	const struct oci_rlimit *rlimits;
	size_t n_rlimits;
	const struct oci_pair *sysctls;
	size_t n_sysctls;

	/* Surroundings */
	struct namespace_mode ns[OCI_NS_COUNT]; /* container: a full id */
	const struct mount_word *mounts;
	size_t n_mounts;
	const char *const *volumes; /* of the image: "/data" */
	size_t n_volumes;
	struct device_words devices;
	const struct oci_throttle *throttle[OCI_THROTTLE_COUNT];
	size_t n_throttle[OCI_THROTTLE_COUNT];
	const struct oci_weight_device *weights;
	size_t n_weights;
	struct security security;
	const char *const *extra_hosts; /* "name:ip" */
	enum idmap_extent ids;		/* which the engine, and with it the container, has */
	bool no_mqueue;			/* it is the host's, which an ordinary user cannot reach */
	bool cgroup_v2;			/* the host's cgroups are the unified hierarchy alone */
};

/*
 * Fills what follows from options and image (NULL with --rootfs); c->arena, options, id, name,
 * image_id, created_ns, ids and cgroup_v2 are set already. Files named by options (--env-file) are read;
 * `environment` gives -e NAME its value.
 * Errors   ERROR_INVALID, ERROR_UNSUPPORTED in docker's words
 */
int container_config_merge(struct container_config *c, const struct oci_image_run *image,
			   char *const *environment, struct error *err);

/* "soft[:hard]" behind "name=". */
int ulimit_parse(const char *word, struct oci_rlimit *ret, struct error *err);

/*
 * Environment words as process variables: "K=V", a lone "K" from `environment` (left out if not
 * there), files of such lines. A later K replaces an earlier one in its place.
 */
int env_words_parse(char *const *files, char *const *words, char *const *environment,
		    struct arena *arena, const char *const **ret, size_t *ret_n, struct error *err);
