/* SPDX-License-Identifier: Apache-2.0 */
#include "image/store_label.h"

#include "base/macro.h"
#include "kernel/selinux.h"

int store_label_readable(int dir_fd, const char *const *names, size_t n, struct error *err)
{
	cleanup_free char *label = selinux_container_context("ro_file");
	int r = 0;

	for (size_t i = 0; label && r == 0 && i < n; i++)
		r = selinux_set_label(dir_fd, names[i], label, err);
	return r;
}
