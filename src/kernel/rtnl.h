/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Network links and addresses, over a socket of netlink_open(), in its network namespace.
 * 0 or -errno without text. Source: rtnetlink(7).
 */

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rtnl_link {
	int index;
	unsigned flags; /* IFF_* */
	char name[IFNAMSIZ];
};

/* -ENODEV: there is none of that name. */
int rtnl_link_find(int fd, const char *name, struct rtnl_link *ret);
/* Into another network namespace under a name, in one request; it is down there. */
int rtnl_link_move(int fd, int index, int netns_fd, const char *name);
int rtnl_link_set_up(int fd, int index);

/* An address as the kernel has it, without what the kernel finds out by itself. */
struct rtnl_address {
	uint8_t family, prefix_len, scope;
	uint8_t n_local, n_address, n_broadcast; /* bytes; 0: not there */
	uint8_t local[16], address[16], broadcast[16];
	uint32_t flags;	   /* IFA_F_* */
	uint32_t priority; /* metric of its route; 0: default */
};

/* All addresses of a link; heap. */
int rtnl_addresses(int fd, int index, struct rtnl_address **ret, size_t *ret_n);
int rtnl_address_add(int fd, int index, const struct rtnl_address *address);
