/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/path.h"

int pty_open(int root_fd, const char *devpts_path, int *ret_master_fd, int *ret_slave_fd,
	     struct error *err)
{
	cleanup_fd int devpts_fd = -EBADF;
	cleanup_fd int master_fd = -EBADF;
	cleanup_fd int slave_fd = -EBADF;
	struct statfs fs;
	int unlocked = 0;

	/* The directory is looked at, and only the kernel makes names in it: what an image put in
	 * its place could be a device that does something when it is opened, or a link
	 * (CVE-2025-52565, CVE-2026-88265). */
	devpts_fd = path_open_in_root(root_fd, devpts_path, O_PATH | O_DIRECTORY, 0);
	if (devpts_fd < 0)
		return error_num(err, -devpts_fd, "cannot open '%s'", devpts_path);
	if (fstatfs(devpts_fd, &fs) < 0)
		return error_sys(err, "cannot stat '%s'", devpts_path);
	if (fs.f_type != DEVPTS_SUPER_MAGIC)
		return error_kind(err, ERROR_DENIED, "'%s' is not a devpts file system",
				  devpts_path);
	master_fd = path_open_same_mount(devpts_fd, "ptmx", O_RDWR | O_NOCTTY);
	if (master_fd < 0)
		return error_num(err, -master_fd, "cannot open '%s/ptmx'", devpts_path);
	if (ioctl(master_fd, TIOCSPTLCK, &unlocked) < 0)
		return error_sys(err, "cannot unlock the terminal of '%s'", devpts_path);
	slave_fd = ioctl(master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave_fd < 0)
		return error_sys(err, "cannot open the terminal of '%s'", devpts_path);

	*ret_master_fd = take_fd(&master_fd);
	*ret_slave_fd = take_fd(&slave_fd);
	return 0;
}

int pty_keep_newlines(int fd)
{
	struct termios t;

	if (tcgetattr(fd, &t) < 0)
		return -errno;
	t.c_oflag &= ~(tcflag_t)ONLCR;
	return tcsetattr(fd, TCSANOW, &t) < 0 ? -errno : 0;
}

int pty_set_size(int fd, uint16_t rows, uint16_t columns)
{
	struct winsize size = { .ws_row = rows, .ws_col = columns };

	return ioctl(fd, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

int pty_make_controlling(int slave_fd, struct error *err)
{
	if (setsid() < 0 && errno != EPERM) /* EPERM: leads a session already */
		return error_sys(err, "cannot start a session");
	if (ioctl(slave_fd, TIOCSCTTY, 0) < 0)
		return error_sys(err, "cannot make the terminal the controlling one");
	for (int fd = 0; fd <= 2; fd++)
		if (dup2(slave_fd, fd) < 0)
			return error_sys(err, "cannot put the terminal on fd %d", fd);
	return 0;
}
