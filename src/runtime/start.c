/* SPDX-License-Identifier: Apache-2.0 */

/*
 * start.sock leads to the waiting init. Of several starts at once, the one that removes the name
 * may speak; the connection closes when init executes.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/path.h"
#include "base/sock.h"
#include "oci/spec.h"
#include "runtime/hook.h"
#include "runtime/lifecycle.h"
#include "runtime/runtime.h"
#include "runtime/statedir.h"
#include "runtime/sync.h"

static int connect_init(const struct container *c, int *ret_fd, struct error *err)
{
	cleanup_free char *dir = path_join(c->root_path, c->id);
	cleanup_free char *path = path_join(dir, CONTAINER_START_SOCK);
	cleanup_fd int fd = -EBADF;
	int r = sock_connect(path, SOCK_SEQPACKET, &fd, err);

	if (r == -ENOENT)
		return lifecycle_check(LIFECYCLE_START, CONTAINER_RUNNING, c->id, err);
	if (r == -ECONNREFUSED) /* it died in the last moment */
		return lifecycle_check(LIFECYCLE_START, CONTAINER_STOPPED, c->id, err);
	if (r < 0)
		return r;
	if (unlinkat(c->dir_fd, CONTAINER_START_SOCK, 0) < 0) {
		if (errno == ENOENT)
			return lifecycle_check(LIFECYCLE_START, CONTAINER_RUNNING, c->id, err);
		return error_sys(err, "cannot start container '%s'", c->id);
	}
	*ret_fd = take_fd(&fd);
	return 0;
}

/* A hook that fails ends the container (runtime.md "Lifecycle"). */
static int run_poststart(const struct container *c, struct error *err)
{
	cleanup_with(oci_spec_free) struct oci_spec *spec = NULL;
	cleanup_hook_output struct hook_output output = HOOK_OUTPUT_CALLER;
	cleanup_buf struct buf state = { 0 };
	struct error ignored;
	int r = container_config(c, &spec, err);

	if (r < 0 || spec->hooks.n[OCI_HOOK_POSTSTART] == 0)
		return r;
	container_format_state(c, CONTAINER_RUNNING, c->pid, NULL, &state);
	r = hook_output_open(spec, &output, err);
	if (r == 0)
		r = hooks_run(&spec->hooks, OCI_HOOK_POSTSTART,
			      &(struct hook_how){ .state = buf_str(&state),
						  .output = &output,
						  .dir = c->bundle_path },
			      err);
	if (r < 0) /* it may have ended by itself */
		(void)runtime_kill(c->root_path, c->id, SIGKILL, true, &ignored);
	return r;
}

int runtime_start(const char *root_path, const char *id, struct error *err)
{
	cleanup_with(container_free) struct container *c = NULL;
	enum container_status status;
	cleanup_fd int fd = -EBADF, agent_fd = -EBADF;
	struct error own = { 0 };
	int r = container_open(root_path, id, &c, err);

	if (r >= 0)
		r = container_get_status(c, &status, err);
	if (r >= 0)
		r = lifecycle_check(LIFECYCLE_START, status, id, err);
	if (r >= 0 && c->listener_path) /* first: it may fail, and start.sock is used once */
		r = sock_connect(c->listener_path, SOCK_STREAM, &agent_fd, err);
	if (r >= 0)
		r = connect_init(c, &fd, err);
	if (r < 0)
		return r;
	r = agent_fd < 0 ? sync_send(fd, SYNC_START, c->pid)
			 : sync_send_fd(fd, SYNC_START, c->pid, agent_fd);
	cleanup_close_fd(&agent_fd); /* init closes the last one when it has sent its state */
	agent_fd = -EBADF;
	if (r < 0)
		return error_num(err, -r, "cannot talk to the init of container '%s'", id);
	r = sync_expect(fd, SYNC_FAILED, NULL, &own);
	if (r != 1) { /* end of file: the execve closed it */
		*err = own;
		return r < 0 ? r : -EIO;
	}
	return run_poststart(c, err);
}
