/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * linux.netDevices: network devices of the host that go into the container's network namespace, with
 * their global permanent addresses, under another name if one is given ("%d": the first free
 * number), and up. When the container ends the kernel decides over them: physical ones come back to
 * the host, virtual ones end with the namespace. Source: runtime-spec config-linux.md "Network
 * Devices".
 */

#include <sys/types.h>
#include "base/error.h"
#include "base/macro.h"

struct net_devices;
struct oci_linux;

/*
 * Before anything is made: are they there, may we.
 * Errors   ERROR_DENIED, ERROR_NOT_FOUND naming linux.netDevices
 */
int net_devices_check(const struct oci_linux *config, struct error *err);

/*
 * Move them to the network namespace of pid. On failure all are back.
 * Errors   ERROR_CONFLICT the name is taken in there; what the kernel says
 */
int net_devices_move(const struct oci_linux *config, pid_t pid, struct net_devices **ret,
		     struct error *err);

/* The container will not be: back to the caller's namespace as they were, while the other one lives. */
void net_devices_take_back(struct net_devices *d);

struct net_devices *net_devices_free(struct net_devices *d);
DEFINE_CLEANUP(struct net_devices *, net_devices_free)
