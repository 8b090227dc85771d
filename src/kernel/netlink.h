/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Requests to the kernel over NETLINK_ROUTE: one message, its answers, its acknowledgement.
 * A socket belongs to the network namespace it was opened in, wherever its owner goes later.
 * No function leaves error text: 0 or -errno, the kernel's own where it refuses. Source: netlink(7).
 */

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

#define NETLINK_MESSAGE_MAX 1024

/* A request under construction. What does not fit makes netlink_call() fail with -EMSGSIZE. */
struct netlink_message {
	_Alignas(NLMSG_ALIGNTO) char data[NETLINK_MESSAGE_MAX];
	size_t len; /* more than there is room for: overflow */
};

/* Returns the fd, close-on-exec. */
int netlink_open(void);

/* head: the fixed part behind the netlink header ("struct ifinfomsg"). flags: NLM_F_* besides
 * REQUEST and ACK. */
void netlink_begin(struct netlink_message *m, uint16_t type, uint16_t flags, const void *head,
		   size_t head_len);
void netlink_add(struct netlink_message *m, uint16_t attribute, const void *value, size_t len);

/* Called with each answer; < 0 ends the call with that number. */
typedef int (*netlink_answer)(const struct nlmsghdr *h, void *arg);

/* Send and wait for the end; answer may be NULL. */
int netlink_call(int fd, struct netlink_message *m, netlink_answer answer, void *arg);

/*
 * The next attribute of an answer. *cursor is NULL at first. head_len: of the fixed part.
 * Returns NULL at the end.
 */
const struct nlattr *netlink_next(const struct nlmsghdr *h, size_t head_len,
				  const struct nlattr *cursor);
static inline const void *netlink_value(const struct nlattr *a)
{
	return (const char *)a + NLA_HDRLEN;
}
static inline size_t netlink_size(const struct nlattr *a)
{
	return a->nla_len - NLA_HDRLEN;
}
