/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/keyring.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int keyring_join_new(const char *name, struct error *err)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name) >= 0)
		return 0;
	if (errno == ENOSYS)
		return 1;
	return error_sys(err, "cannot join a new session keyring '%s'", name);
}
