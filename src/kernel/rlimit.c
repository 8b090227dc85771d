/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/rlimit.h"

#include <string.h>
#include <strings.h>

#include "base/macro.h"

static const char *const names[RLIM_NLIMITS] = {
	[RLIMIT_AS] = "RLIMIT_AS",
	[RLIMIT_CORE] = "RLIMIT_CORE",
	[RLIMIT_CPU] = "RLIMIT_CPU",
	[RLIMIT_DATA] = "RLIMIT_DATA",
	[RLIMIT_FSIZE] = "RLIMIT_FSIZE",
	[RLIMIT_LOCKS] = "RLIMIT_LOCKS",
	[RLIMIT_MEMLOCK] = "RLIMIT_MEMLOCK",
	[RLIMIT_MSGQUEUE] = "RLIMIT_MSGQUEUE",
	[RLIMIT_NICE] = "RLIMIT_NICE",
	[RLIMIT_NOFILE] = "RLIMIT_NOFILE",
	[RLIMIT_NPROC] = "RLIMIT_NPROC",
	[RLIMIT_RSS] = "RLIMIT_RSS",
	[RLIMIT_RTPRIO] = "RLIMIT_RTPRIO",
	[RLIMIT_RTTIME] = "RLIMIT_RTTIME",
	[RLIMIT_SIGPENDING] = "RLIMIT_SIGPENDING",
	[RLIMIT_STACK] = "RLIMIT_STACK",
};

#define PREFIX_LEN 7 /* of "RLIMIT_" */

int rlimit_parse(const char *name, size_t len)
{
	for (int i = 0; i < (int)ARRAY_SIZE(names); i++) {
		const char *full = names[i];

		if (strlen(full) == len && strncmp(full, name, len) == 0)
			return i;
		if (strlen(full) - PREFIX_LEN == len &&
		    strncasecmp(full + PREFIX_LEN, name, len) == 0)
			return i;
	}
	return -1;
}

const char *rlimit_name(int resource)
{
	return resource >= 0 && resource < (int)ARRAY_SIZE(names) ? names[resource] : NULL;
}

void rlimit_leave_room(int resource, struct rlimit *limit)
{
	struct rlimit now;

	if (resource != RLIMIT_NOFILE || getrlimit(RLIMIT_NOFILE, &now) < 0)
		return;
	/* not the hard limit: a soft one is enough, and raising needs no privilege up to there */
	if (limit->rlim_cur < now.rlim_cur)
		limit->rlim_cur = now.rlim_cur;
	if (limit->rlim_max < now.rlim_cur)
		limit->rlim_max = now.rlim_cur;
}
