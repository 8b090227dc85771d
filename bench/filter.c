/* SPDX-License-Identifier: Apache-2.0 */
/* filter: writes docker's default seccomp filter, as berth compiles it, to its output: the one that
 * floor loads. */
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/seccomp_profile.h"
#include "engine/spec_security.h"
#include "runtime/seccomp.h"

int main(void)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	const struct oci_seccomp *profile = seccomp_profile_default(SECURITY_DEFAULT_CAPS, arena);
	struct seccomp_filter filter;
	struct error err;
	int r;

	if (seccomp_compile(profile, &filter, &err) < 0) {
		log_report(&err);
		return 1;
	}
	r = fd_write_all(STDOUT_FILENO, filter.program.insns,
			 filter.program.n_insns * sizeof(*filter.program.insns));
	seccomp_filter_done(&filter);
	return r < 0;
}
