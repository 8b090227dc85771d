/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/runtime_match.h"

#include <regex.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "runtime/statedir.h"

static int each(const char *root_path, const regex_t *regex,
		int (*one)(const char *id, void *data, struct error *err), void *data,
		struct error *err)
{
	cleanup_with(strv_free) char **ids = NULL;
	size_t n_matched = 0, n_failed = 0;
	int r = container_list(root_path, &ids, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < strv_len(ids); i++) {
		char text[ERROR_TEXT_MAX];
		struct error failure;

		if (regexec(regex, ids[i], 0, NULL, 0) != 0)
			continue;
		n_matched++;
		if (one(ids[i], data, &failure) >= 0)
			continue;
		n_failed++;
		log_warning("container %s: %s", ids[i], error_text(&failure, text, sizeof(text)));
	}
	if (n_failed > 0)
		return error_kind(err, ERROR_CONFLICT, "failed for %zu of %zu containers", n_failed,
				  n_matched);
	return 0;
}

int match_each(const char *root_path, const char *pattern,
	       int (*one)(const char *id, void *data, struct error *err), void *data,
	       struct error *err)
{
	char text[128];
	regex_t regex;
	int r = regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB);

	if (r != 0) {
		(void)regerror(r, &regex, text, sizeof(text)); /* cut off at worst */
		return error_kind(err, ERROR_INVALID, "invalid regular expression '%s': %s",
				  pattern, text);
	}
	r = each(root_path, &regex, one, data, err);
	regfree(&regex);
	return r;
}
