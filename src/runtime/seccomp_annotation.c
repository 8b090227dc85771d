/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "oci/spec.h"
#include "runtime/seccomp.h"

/* crun(1) "EXTENSIONS"; what stands in the configuration goes before the receiver. */

static struct oci_seccomp *writable_section(struct oci_spec *spec)
{
	const struct oci_seccomp *old = spec->linux_.seccomp;
	struct oci_seccomp *s = arena_alloc(spec->arena, sizeof(*s));

	if (old)
		*s = *old;
	else
		s->default_action = OCI_SECCOMP_ALLOW;
	return s;
}

/* Who calls the caller can name an agent, too. */
static struct oci_seccomp *apply_environment(struct oci_spec *spec, struct oci_seccomp *s)
{
	const char *path = getenv("RUN_OCI_SECCOMP_RECEIVER");
	const struct oci_seccomp *now = s ? s : spec->linux_.seccomp;

	if (str_empty(path) || !str_empty(now->listener_path))
		return s;
	if (!s)
		s = writable_section(spec);
	s->listener_path = arena_strdup(spec->arena, path);
	return s;
}

int seccomp_apply_annotations(struct oci_spec *spec, struct error *err)
{
	struct oci_seccomp *s = NULL;

	for (size_t i = 0; i < spec->n_annotations; i++) {
		const char *name = str_after(spec->annotations[i].key, "run.oci.seccomp");
		const char *value = spec->annotations[i].value;

		if (!name)
			continue;
		if (!s)
			s = writable_section(spec);
		if (str_eq(name, "_fail_unknown_syscall"))
			s->fail_unknown = !str_eq(value, "0");
		else if (str_eq(name, "_bpf_data"))
			s->bpf_data = value;
		else if (str_eq(name, ".receiver") && str_empty(s->listener_path))
			s->listener_path = value;
		else if (str_eq(name, ".plugins"))
			return error_kind(
				err, ERROR_UNSUPPORTED,
				"annotation run.oci.seccomp.plugins: '%s' would be loaded "
				"into the runtime, which is not done: let an agent listen "
				"at run.oci.seccomp.receiver",
				value);
	}
	if (s || spec->linux_.seccomp)
		s = apply_environment(spec, s);
	/* alone, the others mean nothing */
	if (s && (spec->linux_.seccomp || s->bpf_data))
		spec->linux_.seccomp = s;
	return 0;
}
