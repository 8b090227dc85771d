/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cgroup/device_list.h"

#include <stdlib.h>

#include "base/mem.h"

#define ACCESS_ALL (OCI_DEVICE_READ | OCI_DEVICE_WRITE | OCI_DEVICE_MKNOD)

static const struct oci_device_rule default_rules[] = {
	{ true, 'c', -1, -1, OCI_DEVICE_MKNOD }, /* a node alone opens nothing */
	{ true, 'b', -1, -1, OCI_DEVICE_MKNOD }, { true, 'c', 1, 3, ACCESS_ALL }, /* null */
	{ true, 'c', 1, 5, ACCESS_ALL },					  /* zero */
	{ true, 'c', 1, 7, ACCESS_ALL },					  /* full */
	{ true, 'c', 1, 8, ACCESS_ALL },					  /* random */
	{ true, 'c', 1, 9, ACCESS_ALL },					  /* urandom */
	{ true, 'c', 5, 0, ACCESS_ALL },					  /* tty */
	{ true, 'c', 5, 2, ACCESS_ALL },					  /* ptmx */
	{ true, 'c', 136, -1, ACCESS_ALL },					  /* pts */
};

static bool is_everything(const struct oci_device_rule *r)
{
	return r->type == 'a' && r->major < 0 && r->minor < 0 && r->access == ACCESS_ALL;
}

static bool same_device(const struct oci_device_rule *a, const struct oci_device_rule *b)
{
	return a->type == b->type && a->major == b->major && a->minor == b->minor;
}

static bool number_covers(int64_t rule, int64_t n)
{
	return rule < 0 || rule == n;
}

/* Does every device that b names fall under a? */
static bool covers(const struct oci_device_rule *a, const struct oci_device_rule *b)
{
	return (a->type == 'a' || a->type == b->type) && number_covers(a->major, b->major) &&
	       number_covers(a->minor, b->minor);
}

static bool numbers_meet(int64_t a, int64_t b)
{
	return a < 0 || b < 0 || a == b;
}

static bool overlap(const struct oci_device_rule *a, const struct oci_device_rule *b)
{
	return (a->type == 'a' || b->type == 'a' || a->type == b->type) &&
	       numbers_meet(a->major, b->major) && numbers_meet(a->minor, b->minor) &&
	       (a->access & b->access) != 0;
}

static void add(struct device_list *l, const struct oci_device_rule *r)
{
	bool opposite = false; /* an earlier rule decides otherwise about some of r's devices */

	if (r->access == 0)
		return;
	if (is_everything(r)) {
		l->n = 0;
		l->default_allow = r->allow;
		return;
	}
	for (size_t i = 0; i < l->n; i++)
		opposite |= l->rules[i].allow != r->allow && overlap(&l->rules[i], r);
	if (!opposite && r->allow == l->default_allow)
		return;
	for (size_t i = 0; !opposite && i < l->n; i++) {
		struct oci_device_rule *old = &l->rules[i];

		if (old->allow != r->allow)
			continue;
		if (covers(old, r) && (r->access & ~old->access) == 0)
			return;
		if (same_device(old, r)) { /* nothing opposite about r: its place is free */
			old->access |= r->access;
			return;
		}
	}
	l->rules[l->n++] = *r;
}

void device_list_build(const struct oci_device_rule *rules, size_t n, struct device_list *ret)
{
	*ret = (struct device_list){
		.rules = xcalloc(n + ARRAY_SIZE(default_rules), sizeof(*ret->rules)),
	};
	for (size_t i = 0; i < n; i++)
		add(ret, &rules[i]);
	for (size_t i = 0; i < ARRAY_SIZE(default_rules); i++)
		add(ret, &default_rules[i]);
}

void device_list_done(struct device_list *l)
{
	free(l->rules);
	*l = (struct device_list){ 0 };
}

bool device_list_allows(const struct device_list *l, char type, int64_t major, int64_t minor,
			unsigned access)
{
	const struct oci_device_rule device = { .type = type, .major = major, .minor = minor };
	unsigned open_bits = access;

	for (size_t i = l->n; i-- > 0 && open_bits;) {
		const struct oci_device_rule *r = &l->rules[i];

		if (!covers(r, &device))
			continue;
		if (!r->allow && (r->access & open_bits))
			return false;
		open_bits &= ~r->access;
	}
	return open_bits == 0 || l->default_allow;
}

int device_list_v1_obstacle(const struct device_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->rules[i].allow != l->default_allow)
			continue;
		/* goes back to the default for some devices: v1 can only take a whole exception
		 * away */
		for (size_t k = 0; k < i; k++)
			if (l->rules[k].allow != l->rules[i].allow &&
			    overlap(&l->rules[k], &l->rules[i]) &&
			    !same_device(&l->rules[k], &l->rules[i]))
				return (int)i;
	}
	return -1;
}
