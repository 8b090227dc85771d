/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/spec_build.h"

#include "base/mem.h"

const char *spec_namespace_file(enum oci_ns ns)
{
	static const char *const files[OCI_NS_COUNT] = {
		[OCI_NS_USER] = "user", [OCI_NS_CGROUP] = "cgroup", [OCI_NS_IPC] = "ipc",
		[OCI_NS_UTS] = "uts",	[OCI_NS_NET] = "net",	    [OCI_NS_PID] = "pid",
		[OCI_NS_TIME] = "time", [OCI_NS_MOUNT] = "mnt",
	};

	return files[ns];
}

/* Always a mount namespace of its own, never a time or (yet) a user namespace. */
void spec_build_namespaces(const struct container_config *c, struct oci_linux *ret)
{
	static const enum oci_ns kinds[] = { OCI_NS_NET, OCI_NS_PID, OCI_NS_IPC, OCI_NS_UTS,
					     OCI_NS_CGROUP };

	ret->namespaces[OCI_NS_MOUNT].wanted = true;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct oci_namespace *ns = &ret->namespaces[kinds[i]];

		ns->wanted = c->ns[kinds[i]].kind != NAMESPACE_HOST;
		if (c->ns[kinds[i]].kind == NAMESPACE_CONTAINER)
			ns->path = arena_printf(c->arena, SPEC_JOIN_LATER "%s",
						spec_namespace_file(kinds[i]));
	}
}
