/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/upload_answer.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

int upload_range(const char *value, uint64_t *ret_bytes)
{
	const char *text = str_after(value, "bytes=");
	uint64_t last;

	text = str_after(text ? text : value, "0-");
	if (!text || str_to_u64(text, &last) < 0 || last == UINT64_MAX)
		return -EINVAL;
	*ret_bytes = last == 0 ? 0 : last + 1;
	return 0;
}

char *upload_finish_url(const char *location, const struct digest *id)
{
	size_t n = strcspn(location, "#"); /* a fragment is not for servers */
	const char *query = memchr(location, '?', n);
	const char *joint = !query ? "?" : query + 1 == location + n ? "" : "&";

	return xasprintf("%.*s%sdigest=sha256%%3A%s", (int)n, location, joint, digest_hex(id));
}
