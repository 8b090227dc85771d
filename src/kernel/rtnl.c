/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/rtnl.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/mem.h"
#include "kernel/netlink.h"

/* Links */

static int take_link(const struct nlmsghdr *h, void *arg)
{
	struct rtnl_link *link = arg;
	struct ifinfomsg info;

	if (h->nlmsg_type != RTM_NEWLINK || h->nlmsg_len < NLMSG_LENGTH(sizeof(info)))
		return 0;
	memcpy(&info, NLMSG_DATA(h), sizeof(info));
	link->index = info.ifi_index;
	link->flags = info.ifi_flags;
	return 0;
}

int rtnl_link_find(int fd, const char *name, struct rtnl_link *ret)
{
	struct rtnl_link link = { 0 };
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC };
	struct netlink_message m;
	int r;

	if (strlen(name) >= sizeof(link.name))
		return -ENODEV;
	strcpy(link.name, name);
	netlink_begin(&m, RTM_GETLINK, 0, &info, sizeof(info));
	netlink_add(&m, IFLA_IFNAME, name, strlen(name) + 1);
	r = netlink_call(fd, &m, take_link, &link);
	if (r < 0)
		return r;
	if (link.index <= 0)
		return -ENODEV;
	*ret = link;
	return 0;
}

int rtnl_link_move(int fd, int index, int netns_fd, const char *name)
{
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC, .ifi_index = index };
	struct netlink_message m;

	netlink_begin(&m, RTM_NEWLINK, 0, &info, sizeof(info));
	netlink_add(&m, IFLA_NET_NS_FD, &netns_fd, sizeof(netns_fd));
	netlink_add(&m, IFLA_IFNAME, name, strlen(name) + 1);
	return netlink_call(fd, &m, NULL, NULL);
}

int rtnl_link_set_up(int fd, int index)
{
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC,
				  .ifi_index = index,
				  .ifi_flags = IFF_UP,
				  .ifi_change = IFF_UP };
	struct netlink_message m;

	netlink_begin(&m, RTM_NEWLINK, 0, &info, sizeof(info));
	return netlink_call(fd, &m, NULL, NULL);
}

/* Addresses */

struct addresses {
	int index;
	struct rtnl_address *list;
	size_t n, capacity;
};

static void take_bytes(const struct nlattr *a, uint8_t *to, uint8_t *ret_n)
{
	size_t n = MIN(netlink_size(a), 16u);

	memcpy(to, netlink_value(a), n);
	*ret_n = (uint8_t)n;
}

static void take_u32(const struct nlattr *a, uint32_t *to)
{
	if (netlink_size(a) >= sizeof(*to))
		memcpy(to, netlink_value(a), sizeof(*to));
}

static int take_address(const struct nlmsghdr *h, void *arg)
{
	struct addresses *all = arg;
	struct rtnl_address *to;
	struct ifaddrmsg info;

	if (h->nlmsg_type != RTM_NEWADDR || h->nlmsg_len < NLMSG_LENGTH(sizeof(info)))
		return 0;
	memcpy(&info, NLMSG_DATA(h), sizeof(info));
	if ((int)info.ifa_index != all->index)
		return 0;
	all->list = array_grow(all->list, all->n, &all->capacity, sizeof(*all->list));
	to = &all->list[all->n++];
	*to = (struct rtnl_address){ .family = info.ifa_family,
				     .prefix_len = info.ifa_prefixlen,
				     .scope = info.ifa_scope,
				     .flags = info.ifa_flags };
	for (const struct nlattr *a = NULL; (a = netlink_next(h, sizeof(info), a));) {
		switch (a->nla_type & NLA_TYPE_MASK) {
		case IFA_LOCAL:
			take_bytes(a, to->local, &to->n_local);
			break;
		case IFA_ADDRESS:
			take_bytes(a, to->address, &to->n_address);
			break;
		case IFA_BROADCAST:
			take_bytes(a, to->broadcast, &to->n_broadcast);
			break;
		case IFA_FLAGS: /* all of them; the header has eight bits */
			take_u32(a, &to->flags);
			break;
		case IFA_RT_PRIORITY:
			take_u32(a, &to->priority);
			break;
		default:
			break;
		}
	}
	return 0;
}

int rtnl_addresses(int fd, int index, struct rtnl_address **ret, size_t *ret_n)
{
	struct addresses all = { .index = index };
	struct ifaddrmsg info = { .ifa_family = AF_UNSPEC };
	struct netlink_message m;
	int r;

	netlink_begin(&m, RTM_GETADDR, NLM_F_DUMP, &info, sizeof(info));
	r = netlink_call(fd, &m, take_address, &all);
	if (r < 0) {
		free(all.list);
		return r;
	}
	*ret = all.list;
	*ret_n = all.n;
	return 0;
}

int rtnl_address_add(int fd, int index, const struct rtnl_address *address)
{
	const uint32_t settable = IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR |
				  IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN | IFA_F_PERMANENT;
	uint32_t flags = address->flags & settable;
	struct ifaddrmsg info = { .ifa_family = address->family,
				  .ifa_prefixlen = address->prefix_len,
				  .ifa_scope = address->scope,
				  .ifa_index = (unsigned)index };
	struct netlink_message m;

	netlink_begin(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof(info));
	if (address->n_local)
		netlink_add(&m, IFA_LOCAL, address->local, address->n_local);
	if (address->n_address)
		netlink_add(&m, IFA_ADDRESS, address->address, address->n_address);
	if (address->n_broadcast)
		netlink_add(&m, IFA_BROADCAST, address->broadcast, address->n_broadcast);
	if (address->priority)
		netlink_add(&m, IFA_RT_PRIORITY, &address->priority, sizeof(address->priority));
	netlink_add(&m, IFA_FLAGS, &flags, sizeof(flags));
	return netlink_call(fd, &m, NULL, NULL);
}
