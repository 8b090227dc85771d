/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The built-in runtime as the monitor knows one: its library's verbs as a table. */

#include "monitor/monitor.h"

extern const struct monitor_runtime monitor_runtime_builtin;
