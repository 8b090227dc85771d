/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Help texts, made from the command and option rows; printed to stdout. */

#include <stddef.h>

struct command;
struct option;

/* "container ls" or "run": the shortest words that name the command. Heap. */
char *help_command_name(const struct command *c);

/* On stdout: a command, the commands of a group, all of them. */
void help_print_command(const struct command *c);
void help_print_group(const char *group);
void help_print_all(const struct option *global, size_t n_global);
