/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "base/file.h"
#include "runtime/namespaces.h"

int timens_set_offsets(const struct oci_linux *config, int proc_fd, struct error *err)
{
	char text[160];
	int r;

	if (!config->has_time_offsets)
		return 0;
	/* until the first process is in it the new namespace's clocks can be moved */
	(void)snprintf(text, sizeof(text), "monotonic %lld %u\nboottime %lld %u\n",
		       (long long)config->monotonic_s, config->monotonic_ns,
		       (long long)config->boottime_s, config->boottime_ns);
	r = file_poke(proc_fd, "self/timens_offsets", text);
	return r < 0 ? error_num(err, -r, "cannot set linux.timeOffsets") : 0;
}
