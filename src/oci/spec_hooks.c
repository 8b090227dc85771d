/* SPDX-License-Identifier: Apache-2.0 */
#include "base/macro.h"
#include "oci/spec.h"
#include "oci/spec_table.h"

/* config.md "POSIX-platform Hooks" */

static const struct oci_field hook_fields[] = {
	{ FIELD_STRING("path", oci_hook, path), .required = true },
	{ OCI_ROW("args", OCI_FIELD_STRINGS, oci_hook, args, const char *const *) },
	{ OCI_ROW("env", OCI_FIELD_STRINGS, oci_hook, env, const char *const *) },
	{ FIELD_I32("timeout", oci_hook, timeout_s) },
};
static const struct oci_table hook_table = OCI_TABLE(hook_fields, sizeof(struct oci_hook));

#define HOOKS(key, kind) FIELD_OBJECTS(key, oci_hooks, list[kind], n[kind], oci_hook, hook_table)

static const struct oci_field hooks_fields[] = {
	{ HOOKS("prestart", OCI_HOOK_PRESTART) },
	{ HOOKS("createRuntime", OCI_HOOK_CREATE_RUNTIME) },
	{ HOOKS("createContainer", OCI_HOOK_CREATE_CONTAINER) },
	{ HOOKS("startContainer", OCI_HOOK_START_CONTAINER) },
	{ HOOKS("poststart", OCI_HOOK_POSTSTART) },
	{ HOOKS("poststop", OCI_HOOK_POSTSTOP) },
};
const struct oci_table oci_hooks_table = OCI_TABLE(hooks_fields, sizeof(struct oci_hooks));
