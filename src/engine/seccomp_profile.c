/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/seccomp_profile.h"

#include <stdio.h>
#include <sys/utsname.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"

#include "engine/seccomp_default.inc"

struct seccomp_machine seccomp_machine_this(void)
{
	struct seccomp_machine m = { 0 };
	unsigned major = 0, minor = 0;
	struct utsname uts;

	if (uname(&uts) == 0 && sscanf(uts.release, "%u.%u", &major, &minor) == 2)
		m.kernel = SECCOMP_KERNEL(major, minor);
#if defined(__x86_64__)
	m.goarch = "amd64";
	m.scmp_arch = "SCMP_ARCH_X86_64";
#elif defined(__i386__)
	m.goarch = "x86";
	m.scmp_arch = "SCMP_ARCH_X86";
#elif defined(__aarch64__)
	m.goarch = "arm64";
	m.scmp_arch = "SCMP_ARCH_AARCH64";
#elif defined(__arm__)
	m.goarch = "arm";
	m.scmp_arch = "SCMP_ARCH_ARM";
#elif defined(__riscv)
	m.goarch = "riscv64";
	m.scmp_arch = "SCMP_ARCH_RISCV64";
#else
	m.goarch = "";
	m.scmp_arch = "SCMP_ARCH_NATIVE";
#endif
	return m;
}

static bool has_word(const char *const *words, const char *word)
{
	for (; *words; words++) {
		if (str_eq(*words, word))
			return true;
	}
	return false;
}

/* All of "includes" must hold; one word of "excludes" is enough. */
static bool rule_applies(const struct seccomp_profile_rule *rule, const struct seccomp_machine *m,
			 uint64_t caps)
{
	const struct seccomp_profile_filter *in = &rule->includes, *out = &rule->excludes;

	if (out->arches && has_word(out->arches, m->goarch))
		return false;
	if (out->caps & caps)
		return false;
	if (out->min_kernel && m->kernel >= out->min_kernel)
		return false;
	if (in->arches && !has_word(in->arches, m->goarch))
		return false;
	return (in->caps & caps) == in->caps && m->kernel >= in->min_kernel;
}

static const char *const *architectures_of(const struct seccomp_profile *profile,
					   const struct seccomp_machine *m)
{
	if (profile->architectures)
		return profile->architectures;
	for (size_t i = 0; profile->arch_map && profile->arch_map[i]; i++) {
		if (str_eq(profile->arch_map[i][0], m->scmp_arch))
			return profile->arch_map[i];
	}
	return NULL;
}

const struct oci_seccomp *seccomp_profile_resolve(const struct seccomp_profile *profile,
						  const struct seccomp_machine *machine,
						  uint64_t caps, struct arena *arena)
{
	struct oci_seccomp *s = arena_alloc(arena, sizeof(*s));
	struct oci_seccomp_rule *rules =
		arena_alloc(arena, (profile->n_rules + 1) * sizeof(*rules));

	s->default_action = profile->default_action;
	s->default_errno_ret = profile->default_errno_ret;
	s->listener_path = profile->listener_path;
	s->listener_metadata = profile->listener_metadata;
	s->flags = profile->flags;
	s->has_flags = profile->has_flags;
	s->architectures = architectures_of(profile, machine);
	while (s->architectures && s->architectures[s->n_architectures])
		s->n_architectures++;

	s->rules = rules;
	for (size_t i = 0; i < profile->n_rules; i++) {
		const struct seccomp_profile_rule *rule = &profile->rules[i];

		if (!rule_applies(rule, machine, caps))
			continue;
		rules[s->n_rules++] = (struct oci_seccomp_rule){
			.names = rule->names,
			.n_names = rule->n_names,
			.action = rule->action,
			.errno_ret = rule->errno_ret,
			.args = rule->args,
			.n_args = rule->n_args,
		};
	}
	return s;
}

const struct oci_seccomp *seccomp_profile_default(uint64_t caps, struct arena *arena)
{
	struct seccomp_machine machine = seccomp_machine_this();

	return seccomp_profile_resolve(&default_profile, &machine, caps, arena);
}
