/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Removing a container, which must work on every half-made or half-removed one:
 *
 *	1. stop what runs (force, or it was only created)
 *	2. kill what is left in its cgroups: processes that outlived an init of a shared pid
 *namespace
 *	3. remove the cgroups (stop the unit, where systemd made them)
 *	4. run the poststop hooks (config-linux "Lifecycle": after the container is deleted but
 *before the delete operation returns)
 *	5. remove the state directory: last, so that a delete that failed can be repeated
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "oci/spec.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/cgroup/systemd.h"
#include "runtime/hook.h"
#include "runtime/host_mounts.h"
#include "runtime/rdt.h"
#include "runtime/runtime.h"
#include "runtime/statedir.h"

#define DIE_TIMEOUT_MS 10000

/* Kill init and wait until it is dead. Its parent reaps it: not us, in general. */
static int stop(const struct container *c, struct cgroup *cg, struct error *err)
{
	cleanup_fd int pidfd = -EBADF;
	struct error ignored;
	int r = container_open_init(c, &pidfd, err);

	if (r != 0)
		return r < 0 ? r : 0;
	r = proc_kill(pidfd, SIGKILL);
	if (r < 0 && r != -ESRCH)
		return error_num(err, -r, "cannot kill the container's init");
	(void)cgroup_thaw(cg, &ignored); /* frozen by v1, it could not die; else nothing happens */
	r = fd_wait_readable(pidfd, DIE_TIMEOUT_MS);
	if (r < 0)
		return error_num(err, -r, "cannot wait for the container's init");
	if (r == 0)
		return error_num(err, ETIMEDOUT, "the container's init %d does not die",
				 (int)c->pid);
	return 0;
}

/*
 * Without the cgroup there is no unit of ours: it went with its last process, or was never started and
 * the name may be another's. If systemd cannot be asked (the user logged out, and his manager ended),
 * what is left of the cgroup is removed as any other.
 */
static void stop_unit(const struct container *c, struct cgroup *cg)
{
	cleanup_with(systemd_unit_free) struct systemd_unit *unit = NULL;
	struct error err;

	if (!c->systemd_unit || !cgroup_exists(cg))
		return;
	unit = systemd_unit_new(c->systemd_unit, c->systemd_user);
	(void)cgroup_kill(cg, SIGKILL, &err); /* systemd would wait for them to end by themselves */
	if (systemd_stop(unit, &err) < 0)
		log_debug("%s", err.msg);
}

static void run_poststop(const struct container *c)
{
	cleanup_with(oci_spec_free) struct oci_spec *spec = NULL;
	cleanup_hook_output struct hook_output output = HOOK_OUTPUT_CALLER;
	cleanup_buf struct buf state = { 0 };
	struct error err;
	char text[ERROR_TEXT_MAX];

	if (!c->has_poststop || container_config(c, &spec, &err) < 0)
		return;
	container_format_state(c, CONTAINER_STOPPED, 0, NULL, &state);
	if (hook_output_open(spec, &output, &err) < 0) /* they clean up, so they run all the same */
		log_warning("%s", error_text(&err, text, sizeof(text)));
	(void)hooks_run(&spec->hooks, OCI_HOOK_POSTSTOP,
			&(struct hook_how){ .state = buf_str(&state),
					    .output = &output,
					    .dir = c->bundle_path },
			&err); /* never fails */
}

int runtime_delete(const char *root_path, const char *id, bool force, struct error *err)
{
	cleanup_with(container_free) struct container *c = NULL;
	cleanup_with(cgroup_close) struct cgroup *cg = NULL;
	enum container_status status;
	int r = container_open(root_path, id, &c, err);

	if (r < 0)
		return force && err->kind == ERROR_NOT_FOUND ? 0 : r;
	r = container_get_status(c, &status, err);
	if (r == 0)
		r = cgroup_open(c->cgroups, &cg, err);
	if (r < 0)
		return r;
	if (!force && (status == CONTAINER_RUNNING || status == CONTAINER_PAUSED))
		return error_kind(err, ERROR_CONFLICT,
				  "cannot delete container %s that is not stopped: %s", id,
				  container_status_name(status));
	if (status != CONTAINER_STOPPED) {
		r = stop(c, cg, err);
		if (r < 0)
			return r;
	}
	stop_unit(c, cg);
	r = cgroup_destroy(cg, err);
	if (r < 0)
		return r;
	if (c->systemd_unit)
		cgroup_remove_scope(cg, c->systemd_unit);
	if (c->host_mounts_below && c->rootfs_path)
		r = host_mounts_remove(c->rootfs_path, c->host_mounts_below, err);
	if (r >= 0 && c->rdt_path)
		r = rdt_remove(c->rdt_path, err);
	if (r < 0)
		return r;
	run_poststop(c);
	return container_remove(c, err);
}
