/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Seccomp profiles in docker's JSON format (archMap, includes, excludes), and docker's default one,
 * which is compiled in, as the OCI section for one machine and one set of capabilities.
 */

#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "oci/spec.h"

struct arena;

/* Use */

/* docker's default profile on this machine; caps: the container's bounding set. Never NULL. */
const struct oci_seccomp *seccomp_profile_default(uint64_t caps, struct arena *arena);

/*
 * A profile text; name is for messages. Errors: ERROR_INVALID naming the place.
 * The result hangs on arena.
 */
int seccomp_profile_parse(const char *json, size_t len, const char *name, uint64_t caps,
			  struct arena *arena, const struct oci_seccomp **ret_seccomp,
			  struct error *err);

/* The same from a file of at most SECCOMP_PROFILE_MAX_BYTES. */
int seccomp_profile_load(const char *path, uint64_t caps, struct arena *arena,
			 const struct oci_seccomp **ret_seccomp, struct error *err);

#define SECCOMP_PROFILE_MAX_BYTES (1u << 20)

/* Parts, shared by the compiled-in profile and the parser */

#define SECCOMP_KERNEL(major, minor) ((major) << 16 | (minor))

/* "includes" or "excludes" of a rule. */
struct seccomp_profile_filter {
	uint64_t caps;
	const char *const *arches; /* NULL-terminated GOARCH names, or NULL */
	uint32_t min_kernel;	   /* SECCOMP_KERNEL(), or 0 */
};

struct seccomp_profile_rule {
	const char *const *names;
	size_t n_names;
	enum oci_seccomp_action action;
	struct opt_u64 errno_ret;
	const struct oci_seccomp_arg *args;
	size_t n_args;
	struct seccomp_profile_filter includes, excludes;
};

struct seccomp_profile {
	enum oci_seccomp_action default_action;
	struct opt_u64 default_errno_ret;
	const struct seccomp_profile_rule *rules;
	size_t n_rules;
	const char *const *const *arch_map; /* each: an architecture, then those it brings */
	const char *const *architectures;   /* NULL-terminated; instead of arch_map */
	const char *listener_path, *listener_metadata;
	unsigned flags;
	bool has_flags;
};

/* The machine a profile is resolved for. */
struct seccomp_machine {
	const char *goarch;    /* "amd64" */
	const char *scmp_arch; /* "SCMP_ARCH_X86_64" */
	uint32_t kernel;       /* SECCOMP_KERNEL() */
};

struct seccomp_machine seccomp_machine_this(void);

/* The rules that apply to machine and caps. Strings are borrowed from profile. */
const struct oci_seccomp *seccomp_profile_resolve(const struct seccomp_profile *profile,
						  const struct seccomp_machine *machine,
						  uint64_t caps, struct arena *arena);
