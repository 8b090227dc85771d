/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One file from a web server, for `import URL`. No credentials, no mirrors. */

#include <stdatomic.h>
#include <stdbool.h>
#include "base/error.h"
#include "codec/stream.h"

/*
 * The body that a GET of an http or https URL gives, over redirects; never from https to http. A
 * body that ends too early is an error of the stream.
 *
 * stopped   borrowed; once true it ends with -ECANCELED
 * Errors   ERROR_INVALID for a bad URL or too many redirects; ERROR_NOT_FOUND for 404; else what the
 *          server or the network said
 */
int download_open(const char *url, const atomic_bool *stopped, struct stream **ret,
		  struct error *err);
