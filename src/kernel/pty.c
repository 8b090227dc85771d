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

int pty_open(int root_fd, const char *ptmx_path, int *ret_master_fd, int *ret_slave_fd,
	     struct error *err)
{
	cleanup_fd int master_fd = -EBADF;
	cleanup_fd int slave_fd = -EBADF;
	struct statfs fs;
	int unlocked = 0;

	master_fd = path_open_in_root(root_fd, ptmx_path, O_RDWR | O_NOCTTY, 0);
	if (master_fd < 0)
		return error_num(err, -master_fd, "cannot open '%s'", ptmx_path);
	if (fstatfs(master_fd, &fs) < 0)
		return error_sys(err, "cannot stat '%s'", ptmx_path);
	if (fs.f_type != DEVPTS_SUPER_MAGIC) /* CVE-2025-52565: a path put there by an image */
		return error_kind(err, ERROR_DENIED, "'%s' is not on a devpts file system",
				  ptmx_path);
	if (ioctl(master_fd, TIOCSPTLCK, &unlocked) < 0)
		return error_sys(err, "cannot unlock the terminal of '%s'", ptmx_path);
	slave_fd = ioctl(master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave_fd < 0)
		return error_sys(err, "cannot open the terminal of '%s'", ptmx_path);

	*ret_master_fd = take_fd(&master_fd);
	*ret_slave_fd = take_fd(&slave_fd);
	return 0;
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
