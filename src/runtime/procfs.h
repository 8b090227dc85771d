/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Files of /proc that the runtime writes to: they must be the kernel's, not what somebody mounted
 * over them or put in their place (CVE-2019-16884, CVE-2019-19921, CVE-2025-52881).
 */

/*
 * proc_fd  borrowed: root directory of a procfs, whose type and inode the caller has checked
 * path     beneath it, "self/attr/exec", "sys/net/ipv4/ip_forward"
 * Returns  the fd, close-on-exec, or -errno. Where something covers the file, it is opened in a new
 *          procfs that nobody sees; -EXDEV if we may not make one.
 */
int procfs_open(int proc_fd, const char *path, int flags);
