/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Whether the kernel's OOM killer took a process of a cgroup. */

#include <stdbool.h>

/* path: memory.events (v2) or memory.oom_control (v1); both have a line "oom_kill N". false also if
 * it cannot be read: then nobody counted. */
bool oom_happened(const char *path);
/* The same on the file's text. */
bool oom_in_text(const char *text);
