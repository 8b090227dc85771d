/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Seccomp profiles in docker's JSON format (archMap, includes, excludes) and docker's default one,
 * which is compiled in, as the OCI section for this machine and these capabilities.
 */

#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

struct arena;
struct oci_seccomp;

/* docker's default profile for the native architecture; caps: the container's bounding set. */
const struct oci_seccomp *seccomp_profile_default(uint64_t caps, struct arena *arena);

/* A profile text; name is for messages. Errors: ERROR_INVALID naming the place. */
int seccomp_profile_parse(const char *json, size_t len, const char *name, uint64_t caps,
			  struct arena *arena, const struct oci_seccomp **ret_seccomp,
			  struct error *err);
/* The same from a file of at most SECCOMP_PROFILE_MAX_BYTES. */
int seccomp_profile_load(const char *path, uint64_t caps, struct arena *arena,
			 const struct oci_seccomp **ret_seccomp, struct error *err);

#define SECCOMP_PROFILE_MAX_BYTES (1u << 20)
