/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/sock.h"
#include "kernel/pty.h"
#include "oci/spec.h"
#include "runtime/rootfs.h"

#define DEVPTS_PATH "/dev/pts"
#define PTMX_PATH   DEVPTS_PATH "/ptmx"

/* /dev/console is the container's terminal: the slave itself is bound, not a name of it. */
static int bind_console(struct mounter *m, int slave_fd, struct error *err)
{
	const struct mount_op op = { .kind = MOUNT_OP_BIND,
				     .dest = "/dev/console",
				     .source_fd = -EBADF };
	cleanup_fd int mount_fd = -EBADF;
	cleanup_fd int dest_fd = -EBADF;
	struct stat st;
	int r;

	r = mount_clone(slave_fd, "", false, &mount_fd, err);
	if (r < 0)
		return error_prefix(err, r, "cannot bind the terminal");
	r = mounter_open_target(m, &op, S_IFREG, &dest_fd, err);
	if (r < 0)
		return r;
	if (fstat(dest_fd, &st) < 0)
		return error_sys(err, "cannot stat '/dev/console'");
	if (S_ISDIR(st.st_mode))
		return error_kind(err, ERROR_INVALID,
				  "'/dev/console' is a directory in the rootfs");
	return mounter_attach(m, &op, mount_fd, dest_fd, err);
}

int tty_send(int console_fd, int master_fd, struct error *err)
{
	/* the name is what runc sends along; receivers use it in messages */
	int r = sock_send(console_fd, PTMX_PATH, strlen(PTMX_PATH), &master_fd, 1);

	return r < 0 ? error_num(err, -r, "cannot send the terminal to the console socket") : 0;
}

int tty_create(struct mounter *m, const struct oci_process *process, int console_fd,
	       int *ret_slave_fd, struct error *err)
{
	cleanup_fd int master_fd = -EBADF;
	cleanup_fd int slave_fd = -EBADF;
	int r = pty_open(m->root_fd, DEVPTS_PATH, &master_fd, &slave_fd, err);

	if (r < 0)
		return error_prefix(err, r, "process.terminal");
	if (process->console_height || process->console_width) {
		r = pty_set_size(master_fd, process->console_height, process->console_width);
		if (r < 0)
			return error_num(err, -r, "process.consoleSize");
	}
	/* the user's own, or a login shell could not open /dev/tty anew; the group stays tty */
	if (process->user.uid && fchown(slave_fd, process->user.uid, (gid_t)-1) < 0)
		return error_sys(err, "cannot give the terminal to user %u", process->user.uid);
	r = bind_console(m, slave_fd, err);
	if (r < 0)
		return r;
	r = tty_send(console_fd, master_fd, err);
	if (r < 0)
		return r;
	*ret_slave_fd = take_fd(&slave_fd);
	return 0;
}

int tty_adopt(int slave_fd, struct error *err)
{
	return pty_make_controlling(slave_fd, err);
}

int tty_connect(const char *socket_path, int *ret_fd, struct error *err)
{
	int r = sock_connect(socket_path, SOCK_STREAM, ret_fd, err);

	return r < 0 ? error_prefix(err, r, "console socket") : 0;
}

void stdio_set_owner(uid_t uid)
{
	for (int fd = 0; fd <= 2; fd++) {
		struct stat st;

		if (fstat(fd, &st) < 0 || st.st_uid == uid)
			continue;
		if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
			continue;
		(void)!fchown(fd, uid, (gid_t)-1); /* a file of somebody else, a read-only mount */
	}
}
