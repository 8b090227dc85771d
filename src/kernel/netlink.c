/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/macro.h"

int netlink_open(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	cleanup_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return take_fd(&fd);
}

/* Room for n more bytes, zeroed and aligned; NULL: the message is full, and stays so. */
static void *reserve(struct netlink_message *m, size_t n)
{
	char *p = m->data + m->len;

	n = NLMSG_ALIGN(n);
	if (m->len > sizeof(m->data) || n > sizeof(m->data) - m->len) {
		m->len = sizeof(m->data) + 1;
		return NULL;
	}
	m->len += n;
	return memset(p, 0, n);
}

void netlink_begin(struct netlink_message *m, uint16_t type, uint16_t flags, const void *head,
		   size_t head_len)
{
	struct nlmsghdr *h;
	void *p;

	m->len = 0;
	h = reserve(m, NLMSG_HDRLEN);
	h->nlmsg_type = type;
	h->nlmsg_flags = (uint16_t)(flags | NLM_F_REQUEST | NLM_F_ACK);
	h->nlmsg_seq = 1; /* one request at a time */
	p = reserve(m, head_len);
	if (p)
		memcpy(p, head, head_len);
}

void netlink_add(struct netlink_message *m, uint16_t attribute, const void *value, size_t len)
{
	struct nlattr *a = reserve(m, NLA_HDRLEN + len);

	if (!a)
		return;
	a->nla_type = attribute;
	a->nla_len = (uint16_t)(NLA_HDRLEN + len);
	memcpy((char *)a + NLA_HDRLEN, value, len);
}

/* One datagram of answers. 0: more to come, 1: the end, < 0. */
static int take_answers(const char *data, size_t n, netlink_answer answer, void *arg)
{
	while (n >= NLMSG_HDRLEN) {
		const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)data;
		size_t size = NLMSG_ALIGN(h->nlmsg_len);
		int r = 0;

		if (h->nlmsg_len < NLMSG_HDRLEN || h->nlmsg_len > n)
			return -EBADMSG;
		if (h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE) {
			if (h->nlmsg_len < NLMSG_HDRLEN + sizeof(r))
				return -EBADMSG;
			memcpy(&r, data + NLMSG_HDRLEN, sizeof(r)); /* both begin with it */
			return r < 0 ? r : 1;
		}
		if (answer && h->nlmsg_type != NLMSG_NOOP)
			r = answer(h, arg);
		if (r < 0)
			return r;
		data += MIN(size, n);
		n -= MIN(size, n);
	}
	return 0;
}

int netlink_call(int fd, struct netlink_message *m, netlink_answer answer, void *arg)
{
	_Alignas(NLMSG_ALIGNTO) char data[16384]; /* the kernel fills less: NLMSG_GOODSIZE */
	struct nlmsghdr *h = (struct nlmsghdr *)(void *)m->data;
	int r = 0;

	if (m->len > sizeof(m->data))
		return -EMSGSIZE;
	h->nlmsg_len = (uint32_t)m->len;
	if (send(fd, m->data, m->len, 0) < 0)
		return -errno;
	while (r == 0) {
		ssize_t n = recv(fd, data, sizeof(data), MSG_TRUNC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if ((size_t)n > sizeof(data))
			return -EMSGSIZE;
		r = take_answers(data, (size_t)n, answer, arg);
	}
	return r < 0 ? r : 0;
}

const struct nlattr *netlink_next(const struct nlmsghdr *h, size_t head_len,
				  const struct nlattr *cursor)
{
	const char *start = (const char *)h, *p = (const char *)cursor;
	const struct nlattr *a;
	size_t at;

	p = p ? p + NLA_ALIGN(cursor->nla_len) : start + NLMSG_HDRLEN + NLMSG_ALIGN(head_len);
	at = (size_t)(p - start);
	if (at + NLA_HDRLEN > h->nlmsg_len)
		return NULL;
	a = (const struct nlattr *)(const void *)p;
	if (a->nla_len < NLA_HDRLEN || a->nla_len > h->nlmsg_len - at)
		return NULL;
	return a;
}
