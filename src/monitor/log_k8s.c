/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The format of Kubernetes' container runtime interface, which podman calls k8s-file:
 *
 *     2026-11-21T22:57:06.123456789Z stdout F text
 *
 * F is a full line, P a piece of one.
 */
#include "monitor/log.h"

#include "base/clock.h"

static void k8s_write(struct log_file *file, const struct log_line *line)
{
	log_file_puts(file, line->time);
	log_file_puts(file, line->stream == LOG_STDOUT ? " stdout " : " stderr ");
	log_file_puts(file, line->ended ? "F " : "P ");
	log_file_put(file, line->text, line->len);
	log_file_put(file, "\n", 1);
}

const struct log_driver log_driver_k8s_file = { "k8s-file", clock_format, k8s_write };
