/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Manifests on their way into the store: one that came along as it is, or a new one for layers and a config; and
 * on their way out in another format. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/digest.h"
#include "base/error.h"

struct store_work;
struct layer_job;
struct index_entry;

/*
 * json      the manifest, or NULL to write one
 * entry     manifest_id and manifest_bytes are set
 */
int manifest_put(struct store_work *work, const char *json, size_t len,
		 const struct digest *config_id, uint64_t config_bytes,
		 const struct layer_job *layers, size_t n_layers, struct index_entry *entry,
		 struct error *err);

struct arena;
struct oci_manifest;
/*
 * The manifest in docker's format, or in OCI's; the config and the layers stay as they are.
 *
 * arena    for what changes
 * Errors   ERROR_UNSUPPORTED: there are zstd layers or other things that the format does not have
 */
int manifest_convert(struct oci_manifest *m, bool docker, struct arena *arena, struct error *err);
