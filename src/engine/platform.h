/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* "linux/amd64", "linux/arm/v7": what an image was built for and what this host is. */

#include <stdbool.h>

struct oci_platform;

/* Both into buf of PLATFORM_TEXT_MAX. */
#define PLATFORM_TEXT_MAX 96
void platform_host(char *buf);
void platform_format(const struct oci_platform *p, char *buf);

/* Does what the user asked for, "os[/arch[/variant]]" or "arch", name p? A part that either side
 * leaves out matches. */
bool platform_matches(const char *wanted, const struct oci_platform *p);
