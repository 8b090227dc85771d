/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/platform.h"

#include <stdio.h>
#include <sys/utsname.h>

#include "base/str.h"
#include "oci/image.h"

/* The kernel's words for machines and those of images. */
static const struct {
	const char *machine, *architecture, *variant;
} machines[] = {
	{ "x86_64", "amd64", NULL },	{ "aarch64", "arm64", NULL },
	{ "armv7l", "arm", "v7" },	{ "armv6l", "arm", "v6" },
	{ "i686", "386", NULL },	{ "i386", "386", NULL },
	{ "riscv64", "riscv64", NULL }, { "ppc64le", "ppc64le", NULL },
	{ "s390x", "s390x", NULL },	{ "loongarch64", "loong64", NULL },
};

static const char *architecture_of(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (str_eq(machines[i].machine, word))
			return machines[i].architecture;
	return word;
}

void platform_host(char *buf)
{
	struct utsname u;

	if (uname(&u) < 0) {
		(void)snprintf(buf, PLATFORM_TEXT_MAX, "linux");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (str_eq(machines[i].machine, u.machine) && machines[i].variant) {
			(void)snprintf(buf, PLATFORM_TEXT_MAX, "linux/%s/%s",
				       machines[i].architecture, machines[i].variant);
			return;
		}
	(void)snprintf(buf, PLATFORM_TEXT_MAX, "linux/%.60s", architecture_of(u.machine));
}

void platform_format(const struct oci_platform *p, char *buf)
{
	bool has_variant = !str_empty(p->variant);

	(void)snprintf(buf, PLATFORM_TEXT_MAX, "%.30s/%.30s%s%.30s", p->os ? p->os : "linux",
		       p->architecture ? p->architecture : "unknown", has_variant ? "/" : "",
		       has_variant ? p->variant : "");
}

static bool part_matches(const char *wanted, const char *have)
{
	return str_empty(wanted) || str_empty(have) || str_eq(wanted, have);
}

bool platform_matches(const char *wanted, const struct oci_platform *p)
{
	cleanup_with(strv_free) char **parts = strv_split(wanted, "/", true);
	size_t n = strv_len(parts);

	if (n == 1 && !str_eq(parts[0], "linux"))
		return part_matches(architecture_of(parts[0]), p->architecture);
	if (n < 1 || n > 3 || !part_matches(parts[0], p->os))
		return false;
	if (n >= 2 && !part_matches(architecture_of(parts[1]), p->architecture))
		return false;
	/* an arm64 image may or may not say v8: it is the same */
	if (n == 3 && str_eq(parts[1], "arm64"))
		return true;
	return n < 3 || part_matches(parts[2], p->variant);
}
