/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/monitor_runtime.h"

#include <unistd.h>

#include "base/macro.h"
#include "runtime/runtime.h"

static struct runtime_create_options options_of(const struct monitor_container *c)
{
	return (struct runtime_create_options){ .cgroup_manager = c->systemd_cgroup
									  ? RUNTIME_CGROUP_SYSTEMD
									  : RUNTIME_CGROUP_FS,
						.root_path = c->runtime_root,
						.id = c->id,
						.bundle_path = c->bundle,
						.console_fd = c->tty ? c->console_fd : -1 };
}

static int builtin_create(const struct monitor_container *c, void **ret_handle, pid_t *ret_pid,
			  struct error *err)
{
	const struct runtime_create_options options = options_of(c);

	*ret_handle = NULL; /* start finds everything in the state directory */
	return runtime_create(&options, ret_pid, err);
}

static int builtin_start(const struct monitor_container *c, void *handle, struct error *err)
{
	return runtime_start(c->runtime_root, c->id, err);
}

static int builtin_run(const struct monitor_container *c, pid_t *ret_pid, struct error *err)
{
	const struct runtime_create_options options = options_of(c);
	cleanup_fd int pidfd = -EBADF; /* the monitor reaps by number */

	return runtime_run(&options, ret_pid, &pidfd, err);
}

static int builtin_delete(const struct monitor_container *c, struct error *err)
{
	return runtime_delete(c->runtime_root, c->id, true, err);
}

const struct monitor_runtime monitor_runtime_builtin = {
	.create = builtin_create,
	.start = builtin_start,
	.run = builtin_run,
	.delete = builtin_delete,
};
