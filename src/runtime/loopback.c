/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/loopback.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int loopback_up(struct error *err)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING | IFF_LOOPBACK };
	cleanup_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 && errno == EAFNOSUPPORT)
		return 0; /* a kernel without IPv4 has nothing to set up */
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0)
		return error_sys(err, "cannot set the loopback interface up");
	return 0;
}
