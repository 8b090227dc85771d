/* SPDX-License-Identifier: Apache-2.0 */
#include "base/macro.h"
#include "runtime/creation.h"
#include "runtime/runtime.h"

/* The plain way: init is made, served, saved, and started, one after the other. */
static int run_plain(struct creation *c, struct error *err)
{
	int r = creation_spawn(c, false, err);

	if (r >= 0)
		r = creation_record(c, err);
	if (r >= 0)
		r = creation_start(c, err);
	return r;
}

/* On shared memory: when we wake up, init has become the container's program. */
static int run_shared(struct creation *c, struct error *err)
{
	int r = creation_run_shared(c, err);

	if (r == 0)
		r = creation_record(c, err);
	return r;
}

int runtime_run(const struct runtime_create_options *o, pid_t *ret_pid, int *ret_pidfd,
		struct error *err)
{
	struct creation c;
	int r = creation_prepare(o, &c, err);

	if (r >= 0) {
		r = creation_can_share_memory(&c) ? run_shared(&c, err) : 1;
		if (r == 1)
			r = run_plain(&c, err);
	}
	return creation_finish(&c, r, ret_pid, ret_pidfd, err);
}
