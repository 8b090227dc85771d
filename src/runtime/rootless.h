/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The user namespace in which an ordinary user's engine and all his containers live. One a user, made
 * by the first command that needs it and held by a process that does nothing else.
 */

#include "base/error.h"

/*
 * Become root of the user's own namespace: uid 0 is the caller, 1 and up are his subordinate ids, if
 * /etc/subuid and /etc/subgid give him any and package uidmap is there. Single-threaded callers
 * only.
 *
 * state_path   a directory of the user's own, made if it is not there: the namespace's holder is
 *              registered in it
 * Errors       ERROR_DENIED where the host lets nobody make user namespaces, or the directory is
 *              another user's
 * Leaves       on success the caller in the namespace, as uid and gid 0; its supplementary groups
 *              stay, for files that only they may read
 * Source       user_namespaces(7), newuidmap(1), subuid(5); docs/decisions/0030-rootless.md
 */
int rootless_enter(const char *state_path, struct error *err);

/* Then: mounts of the caller and its children that end with the last of them. Single-threaded callers
 * only. */
int rootless_own_mounts(struct error *err);
