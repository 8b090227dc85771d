/* SPDX-License-Identifier: Apache-2.0 */
#include "base/inject.h"

#ifdef BERTH_FAIL_INJECTION
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"

int inject_failure(const char *scope, const char *step, struct error *err)
{
	const char *wanted = getenv("BERTH_FAIL");
	const char *rest = wanted ? str_after(wanted, scope) : NULL;

	rest = rest ? str_after(rest, ".") : NULL;
	rest = rest ? str_after(rest, step) : NULL;
	if (str_eq(rest, ":kill")) {
		(void)kill(getpid(), SIGKILL);
		abort(); /* pid 1 does not hear its own SIGKILL */
	}
	if (str_eq(rest, ""))
		return error_kind(err, ERROR_INTERNAL, "failure on purpose in step '%s.%s'", scope,
				  step);
	return 0;
}
#endif
