/* SPDX-License-Identifier: Apache-2.0 */
#include "image/store_label.h"

#include "base/macro.h"
#include "kernel/selinux.h"

int store_label_readable(int dir_fd, const char *name, struct error *err)
{
	cleanup_free char *label = selinux_container_context("ro_file");

	return label ? selinux_set_label(dir_fd, name, label, err) : 0;
}
