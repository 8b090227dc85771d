/* SPDX-License-Identifier: Apache-2.0 */
#include "image/platform.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/mem.h"
#include "base/str.h"
#include "oci/image.h"

/* uname's machine, sorted, and Go's word for it */
static const struct {
	const char *machine, *architecture, *variant;
} machines[] = {
	{ "aarch64", "arm64", "v8" }, { "armv6l", "arm", "v6" },
	{ "armv7l", "arm", "v7" },    { "i386", "386", "" },
	{ "i686", "386", "" },	      { "loongarch64", "loong64", "" },
	{ "mips64", "mips64le", "" }, { "ppc64le", "ppc64le", "" },
	{ "riscv64", "riscv64", "" }, { "s390x", "s390x", "" },
	{ "x86_64", "amd64", "" },
};

static int copy_word(char out[16], const char *word, size_t n)
{
	if (n == 0 || n > 15 || strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_") < n)
		return -1;
	memcpy(out, word, n);
	out[n] = '\0';
	return 0;
}

void platform_host(struct platform *ret)
{
	struct utsname host;

	*ret = (struct platform){ .os = "linux" };
	if (uname(&host) < 0) /* only for a bad pointer */
		return;
	(void)snprintf(ret->architecture, sizeof(ret->architecture), "%.15s", host.machine);
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		if (!str_eq(host.machine, machines[i].machine))
			continue;
		(void)snprintf(ret->architecture, sizeof(ret->architecture), "%s",
			       machines[i].architecture);
		(void)snprintf(ret->variant, sizeof(ret->variant), "%s", machines[i].variant);
	}
}

int platform_parse(const char *text, struct platform *ret, struct error *err)
{
	char *const places[] = { ret->os, ret->architecture, ret->variant };
	size_t n = 0;
	const char *p = text;

	*ret = (struct platform){ 0 };
	if (!strchr(text, '/')) {
		strcpy(ret->os, "linux");
		n = 1;
	}
	for (;; n++) {
		size_t len = strcspn(p, "/");

		if (n == ARRAY_SIZE(places) || copy_word(places[n], p, len) < 0)
			return error_kind(err, ERROR_INVALID,
					  "'%.100s' is no platform (linux/amd64, linux/arm/v7)",
					  text);
		if (!p[len])
			return 0;
		p += len + 1;
	}
}

int platform_join(const char *platform, const char *os, const char *arch, const char *variant,
		  char **ret, struct error *err)
{
	bool parts = os || arch || variant;
	struct platform host;

	if (platform && parts)
		return error_kind(err, ERROR_INVALID,
				  "--platform option can not be specified with --arch, --os or "
				  "--variant");
	platform_host(&host);
	*ret = NULL;
	if (platform)
		*ret = xstrdup(platform);
	else if (parts)
		*ret = xasprintf("%s/%s%s%s", os ? os : host.os, arch ? arch : host.architecture,
				 variant ? "/" : "", variant ? variant : "");
	return 0;
}

bool platform_match(const struct platform *want, const struct oci_platform *have)
{
	if (!str_eq(want->os, have->os) || !str_eq(want->architecture, have->architecture))
		return false;
	return !*want->variant || str_empty(have->variant) || str_eq(want->variant, have->variant);
}

int platform_check(const char *wanted, const struct oci_platform *have, const char *ref,
		   struct error *err)
{
	struct platform want;
	int r = wanted ? platform_parse(wanted, &want, err) : 0;

	if (r < 0 || !wanted || platform_match(&want, have))
		return r;
	return error_kind(err, ERROR_NOT_FOUND,
			  "image with reference %s was found but its platform (%s/%s%s%s) does not "
			  "match the specified platform (%s)",
			  ref, have->os, have->architecture, str_empty(have->variant) ? "" : "/",
			  str_empty(have->variant) ? "" : have->variant, wanted);
}
