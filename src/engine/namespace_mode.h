/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The words of --network, --pid, --ipc, --uts, --userns and --cgroupns. */

#include <stdbool.h>
#include "base/error.h"
#include "oci/spec.h"

enum namespace_mode_kind {
	NAMESPACE_PRIVATE, /* a new one */
	NAMESPACE_HOST,
	NAMESPACE_CONTAINER, /* that of another container */
};

struct namespace_mode {
	enum namespace_mode_kind kind;
	const char *container; /* a reference; points into the word */
};

/*
 * word   NULL or "": the default
 * Errors ERROR_INVALID with docker's words: "--pid: invalid PID mode"; ERROR_UNSUPPORTED
 */
int namespace_mode_parse(enum oci_ns ns, const char *word, struct namespace_mode *ret,
			 struct error *err);

/* As HostConfig shows it: "NetworkMode". NULL for namespaces without a word. */
const char *namespace_mode_field(enum oci_ns ns);
