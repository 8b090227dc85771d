/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/creation.h"
#include "runtime/runtime.h"

int runtime_create(const struct runtime_create_options *o, pid_t *ret_pid, struct error *err)
{
	struct creation c;
	int r = creation_prepare(o, &c, err);

	if (r >= 0)
		r = creation_spawn(&c, true, err);
	if (r >= 0)
		r = creation_record(&c, err);
	if (r >= 0) {
		c.created = true;
		if (ret_pid)
			*ret_pid = c.pid;
	}
	creation_done(&c);
	return r;
}
