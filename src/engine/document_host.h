/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The HostConfig part of container.json. */

#include "codec/json.h"
#include "engine/container_config.h"

void document_add_host_config(const struct container_config *c, struct json_writer *w);

/* HostConfig.Runtime of the built-in runtime. */
#define DOCUMENT_RUNTIME_BUILTIN "berth-runtime"

/* Shared with document.c */
void document_add_pairs(struct json_writer *w, const char *key, const char *const *words, size_t n);
void document_add_list(struct json_writer *w, const char *key, char *const *list);
