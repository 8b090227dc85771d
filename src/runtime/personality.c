/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/personality.h"

#include <errno.h>
#include <sys/personality.h>

#include "base/macro.h"
#include "base/str.h"
#include "oci/spec.h"

/* config-linux.md "Personality" */
static const struct {
	const char *domain;
	unsigned long value;
} domains[] = {
	{ "LINUX", PER_LINUX },
	{ "LINUX32", PER_LINUX32 },
};

int personality_apply(const struct oci_linux *config, struct error *err)
{
	if (str_empty(config->personality_domain))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(domains); i++) {
		if (!str_eq(config->personality_domain, domains[i].domain))
			continue;
		if (personality(domains[i].value) < 0)
			return error_sys(err, "linux.personality: cannot set '%s'",
					 domains[i].domain);
		return 0;
	}
	return error_kind(err, ERROR_INVALID, "linux.personality.domain: unknown domain '%s'",
			  config->personality_domain);
}
