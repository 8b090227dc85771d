/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Platforms in Go's words: "linux/amd64", "linux/arm/v7". */

#include <stdbool.h>
#include "base/error.h"

struct oci_platform;

struct platform {
	char os[16];
	char architecture[16];
	char variant[16]; /* "" if there is none */
};

/* This machine. */
void platform_host(struct platform *ret);

/* "linux/arm64/v8", "arm64" (linux), "linux/amd64". ERROR_INVALID otherwise. */
int platform_parse(const char *text, struct platform *ret, struct error *err);

/* --platform of a command, or podman's --os, --arch and --variant; each may be NULL. As one text, heap;
 * NULL: none is given. ERROR_INVALID for both at once. */
int platform_join(const char *platform, const char *os, const char *arch, const char *variant,
		  char **ret, struct error *err);

/* Does an image of platform have run on want? Without a variant in one of them, any will do. */
bool platform_match(const struct platform *want, const struct oci_platform *have);

/* --platform of a command on an image that is there; ref is how the user named it, wanted may be
 * NULL. ERROR_NOT_FOUND in docker's words if the image is not for it. */
int platform_check(const char *wanted, const struct oci_platform *have, const char *ref,
		   struct error *err);
