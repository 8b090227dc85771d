/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/privilege.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "kernel/capability.h"

/* Processes of any user are killed; state and cgroups may be anybody's. */
#define KEPT (CAPABILITY_BIT(CAP_KILL) | CAPABILITY_BIT(CAP_DAC_OVERRIDE))

void privilege_drop(void)
{
	const struct rlimit no_core = { 0, 0 };
	struct capability_sets held;

	if (capability_get(&held) < 0 || held.permitted == 0)
		return; /* an ordinary user's, whose processes are his */
	held.permitted &= KEPT;
	held.effective = held.permitted;
	held.inheritable = 0;
	(void)capability_set(&held);		/* less is always allowed */
	(void)prctl(PR_SET_DUMPABLE, 0);	/* cannot fail with a valid word */
	(void)setrlimit(RLIMIT_CORE, &no_core); /* likewise */
}
