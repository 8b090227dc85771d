/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The directories of a user's own configuration. */

/* $HOME/below, or that of the passwd file; heap. */
char *userdir_home(const char *below);

/* $XDG_CONFIG_HOME/below or ~/.config/below; heap. Source: XDG Base Directory Specification. */
char *userdir_config(const char *below);

/* $XDG_RUNTIME_DIR/below; NULL where there is no such directory. Heap. */
char *userdir_runtime(const char *below);
