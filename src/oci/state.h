/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The state document: what `state` and `list` print and what hooks read on their standard input.
 * runtime.md "State", with the members that other runtimes add: rootfs, created, owner.
 */

#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "oci/spec.h"

struct arena;
struct buf;

enum oci_status {
	OCI_STATUS_CREATING,
	OCI_STATUS_CREATED,
	OCI_STATUS_RUNNING,
	OCI_STATUS_PAUSED, /* not in the specification, but in every runtime */
	OCI_STATUS_STOPPED,
};

/* "running" */
const char *oci_status_name(enum oci_status status);

struct oci_state {
	const char *version; /* NULL: OCI_VERSION */
	const char *id;
	enum oci_status status;
	int32_t pid; /* 0: no process */
	const char *bundle;
	const char *rootfs;  /* or NULL */
	const char *created; /* RFC 3339, or NULL */
	const char *owner;   /* user name, or NULL */
	const struct oci_pair *annotations;
	size_t n_annotations;
};

/* Errors: ERROR_INVALID, "state: status: unknown status 'x'" */
int oci_state_parse(const char *json, size_t len, struct arena *arena, struct oci_state *ret_state,
		    struct error *err);

/* One document; indent: "  " as `state` prints, NULL for one line (hooks). */
void oci_state_format(const struct oci_state *state, const char *indent, struct buf *out);
/* An array of them: `list --format json`. */
void oci_states_format(const struct oci_state *states, size_t n, struct buf *out);
