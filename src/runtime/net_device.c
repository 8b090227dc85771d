/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/net_device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "kernel/netlink.h"
#include "kernel/rtnl.h"
#include "oci/spec.h"
#include "runtime/creation.h"

#define NUMBERS_MAX 4096 /* tried for a "%d" */

struct device {
	struct rtnl_link host; /* as it was */
	char name[IFNAMSIZ];   /* in the container */
	struct rtnl_address *addresses;
	size_t n_addresses;
	bool moved;
};

struct net_devices {
	int host_fd, inside_fd; /* netlink sockets */
	int host_netns_fd, netns_fd;
	struct device *list;
	size_t n;
};

struct net_devices *net_devices_free(struct net_devices *d)
{
	if (!d)
		return NULL;
	for (size_t i = 0; i < d->n; i++)
		free(d->list[i].addresses);
	free(d->list);
	cleanup_close_fd(&d->host_fd);
	cleanup_close_fd(&d->inside_fd);
	cleanup_close_fd(&d->host_netns_fd);
	cleanup_close_fd(&d->netns_fd);
	free(d);
	return NULL;
}

static int open_host(int *ret_fd, struct error *err)
{
	int fd = netlink_open();

	if (fd < 0)
		return error_num(err, -fd, "cannot open a netlink socket");
	*ret_fd = fd;
	return 0;
}

static int find_host(int host_fd, const char *name, struct rtnl_link *ret, struct error *err)
{
	int r = rtnl_link_find(host_fd, name, ret);

	if (r == -ENODEV)
		return error_kind(err, ERROR_NOT_FOUND,
				  "linux.netDevices: there is no network device '%s' on the host",
				  name);
	if (r < 0)
		return error_num(err, -r, "linux.netDevices: cannot look for '%s'", name);
	return 0;
}

int net_devices_check(const struct oci_linux *config, struct error *err)
{
	cleanup_fd int fd = -EBADF;
	struct rtnl_link link;
	int r = 0;

	if (!config->n_net_devices)
		return 0;
	if (geteuid() != 0)
		return error_kind(err, ERROR_DENIED,
				  "linux.netDevices: only root can move network devices");
	r = open_host(&fd, err);
	for (size_t i = 0; r >= 0 && i < config->n_net_devices; i++)
		r = find_host(fd, config->net_devices[i].host_name, &link, err);
	return r;
}

/* The socket of the other namespace is opened by a helper that goes there and shares our table. */
static int open_inside(void *arg)
{
	struct net_devices *d = arg;

	if (setns(d->netns_fd, CLONE_NEWNET) < 0)
		d->inside_fd = -errno;
	else
		d->inside_fd = netlink_open();
	return 0;
}

static int open_all(struct net_devices *d, pid_t pid, struct error *err)
{
	char path[64];
	int r = open_host(&d->host_fd, err);

	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	d->netns_fd = open(path, O_RDONLY | O_CLOEXEC);
	d->host_netns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (d->netns_fd < 0 || d->host_netns_fd < 0)
		return error_sys(err, "cannot open a network namespace");
	r = spawn_helper(CLONE_FILES, open_inside, d, err);
	if (r >= 0 && d->inside_fd < 0)
		return error_num(err, -d->inside_fd,
				 "cannot open a netlink socket in the container's network "
				 "namespace");
	return r;
}

/* "eth%d" becomes the first name that is free in there. */
static int choose_name(struct net_devices *d, struct device *dev, const char *pattern,
		       struct error *err)
{
	const char *number = strstr(pattern, "%d");
	struct rtnl_link link;
	int r = 0;

	for (int i = 0; i < (number ? NUMBERS_MAX : 1) && r >= 0; i++) {
		int n = number ? snprintf(dev->name, sizeof(dev->name), "%.*s%d%s",
					  (int)(number - pattern), pattern, i, number + 2)
			       : snprintf(dev->name, sizeof(dev->name), "%s", pattern);

		if (n >= (int)sizeof(dev->name))
			break;
		r = rtnl_link_find(d->inside_fd, dev->name, &link);
		if (r == -ENODEV)
			return 0;
	}
	if (r < 0)
		return error_num(err, -r, "linux.netDevices: cannot look for '%s' in the container",
				 dev->name);
	return error_kind(err, ERROR_CONFLICT,
			  "linux.netDevices: '%s' is in the container's network namespace already",
			  pattern);
}

/* What is meant to last, and to be reached from elsewhere. */
static bool is_kept(const struct rtnl_address *a)
{
	return (a->flags & IFA_F_PERMANENT) && a->scope == RT_SCOPE_UNIVERSE;
}

/* Addresses and state, on a link that just came into the namespace of fd. */
static int restore(int fd, const char *name, const struct device *dev, bool all, bool up)
{
	struct rtnl_link link;
	int r = rtnl_link_find(fd, name, &link);

	for (size_t i = 0; r >= 0 && i < dev->n_addresses; i++) {
		const struct rtnl_address *a = &dev->addresses[i];

		if (!is_kept(a) && !(all && (a->flags & IFA_F_PERMANENT)))
			continue;
		r = rtnl_address_add(fd, link.index, a);
		if (r == -EEXIST) /* the kernel makes link-local ones by itself */
			r = 0;
	}
	if (r >= 0 && up)
		r = rtnl_link_set_up(fd, link.index);
	return r;
}

static int move_device(struct net_devices *d, struct device *dev, const struct oci_net_device *wish,
		       struct error *err)
{
	const char *host_name = wish->host_name;
	int r = find_host(d->host_fd, host_name, &dev->host, err);

	if (r >= 0)
		r = choose_name(d, dev, str_empty(wish->name) ? host_name : wish->name, err);
	if (r < 0)
		return r;
	r = rtnl_addresses(d->host_fd, dev->host.index, &dev->addresses, &dev->n_addresses);
	if (r < 0)
		return error_num(err, -r, "linux.netDevices: cannot read the addresses of '%s'",
				 host_name);
	r = rtnl_link_move(d->host_fd, dev->host.index, d->netns_fd, dev->name);
	if (r == -EINVAL)
		return error_kind(err, ERROR_UNSUPPORTED,
				  "linux.netDevices: '%s' is of a kind that cannot leave its "
				  "network namespace",
				  host_name);
	if (r < 0)
		return error_num(err, -r, "linux.netDevices: cannot move '%s' to the container",
				 host_name);
	dev->moved = true;
	r = restore(d->inside_fd, dev->name, dev, false, true);
	if (r < 0)
		return error_num(err, -r, "linux.netDevices: cannot set up '%s' in the container",
				 dev->name);
	return 0;
}

int net_devices_move(const struct oci_linux *config, pid_t pid, struct net_devices **ret,
		     struct error *err)
{
	cleanup_with(net_devices_free) struct net_devices *d = xcalloc(1, sizeof(*d));
	int r;

	d->host_fd = d->inside_fd = d->host_netns_fd = d->netns_fd = -EBADF;
	d->list = xcalloc(config->n_net_devices, sizeof(*d->list));
	d->n = config->n_net_devices;
	r = open_all(d, pid, err);
	for (size_t i = 0; r >= 0 && i < d->n; i++)
		r = move_device(d, &d->list[i], &config->net_devices[i], err);
	if (r < 0) {
		net_devices_take_back(d);
		return r;
	}
	*ret = take_ptr(&d);
	return 0;
}

void net_devices_take_back(struct net_devices *d)
{
	for (size_t i = d ? d->n : 0; i-- > 0;) {
		struct device *dev = &d->list[i];
		const char *name = dev->host.name;
		struct rtnl_link link;

		/* what fails is told already, and more than try we cannot */
		if (!dev->moved || rtnl_link_find(d->inside_fd, dev->name, &link) < 0 ||
		    rtnl_link_move(d->inside_fd, link.index, d->host_netns_fd, name) < 0)
			continue;
		dev->moved = false;
		(void)restore(d->host_fd, name, dev, true, dev->host.flags & IFF_UP);
	}
}
