/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Signals by name or number, as users write them: "TERM", "SIGTERM", "sigterm", "15", "RTMIN+3". */

/* 1..64, or -1. */
int signal_parse(const char *word);
