/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a registry answers to an upload, read without trust; no network here. */

#include <stdint.h>
#include "base/digest.h"

/*
 * A Range header as how many bytes the registry has: "0-1023" or "bytes=0-1023" is 1024. "0-0" is
 * none, as docker's registry means it: who has one byte only gets it again.
 * Returns   0, or -EINVAL also for a range that does not begin at 0
 */
int upload_range(const char *value, uint64_t *ret_bytes);

/* The URL that ends an upload: the digest behind the query parameters that Location came with, which
 * are kept as they are. Heap. */
char *upload_finish_url(const char *location, const struct digest *id);
