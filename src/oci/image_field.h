/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the tables of image documents share: internal to src/oci. */

#include "oci/field.h"

struct oci_platform;

extern const struct oci_table oci_platform_table;   /* struct oci_platform */
extern const struct oci_table oci_descriptor_table; /* struct oci_descriptor */

/* "sha256:..."; ERROR_UNSUPPORTED for another algorithm. */
int oci_digest_read(const struct json *v, const char **ret_digest, struct error *err);

/* The document of a table, with what it is in front of errors. */
int oci_image_document_parse(const struct oci_table *table, const char *what, const char *json,
			     size_t len, struct arena *arena, void *target, struct error *err);
struct buf;
void oci_image_document_format(const struct oci_table *table, const void *source, struct buf *out);
