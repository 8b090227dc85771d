/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/caps.h"

#include <errno.h>
#include <sys/prctl.h>

#include "kernel/capability.h"
#include "oci/spec.h"

static const struct oci_capabilities no_caps;

int caps_before_user(const struct oci_capabilities *caps, struct error *err)
{
	int r = capability_bounding_limit((caps ? caps : &no_caps)->sets[OCI_CAP_BOUNDING]);

	if (r < 0)
		return error_num(err, -r, "cannot limit the capability bounding set");
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0) /* execve(2) clears it */
		return error_sys(err, "cannot keep capabilities over a change of user");
	return 0;
}

static int get_held(struct capability_sets *ret, struct error *err)
{
	int r = capability_get(ret);

	return r < 0 ? error_num(err, -r, "cannot read capabilities") : 0;
}

int caps_raise(struct error *err)
{
	struct capability_sets held;
	int r = get_held(&held, err);

	if (r < 0 || held.effective == held.permitted)
		return r;
	held.effective = held.permitted;
	r = capability_set(&held);
	return r < 0 ? error_num(err, -r, "cannot raise capabilities") : 0;
}

int caps_lower(const struct oci_capabilities *caps, struct error *err)
{
	struct capability_sets held;
	int r = get_held(&held, err);

	if (r < 0)
		return r;
	held.effective = held.permitted & (caps ? caps : &no_caps)->sets[OCI_CAP_EFFECTIVE];
	r = capability_set(&held);
	return r < 0 ? error_num(err, -r, "cannot lower capabilities") : 0;
}

int caps_apply(const struct oci_capabilities *caps, struct error *err)
{
	struct capability_sets held, wanted;
	uint64_t ambient;
	int r = get_held(&held, err);

	if (r < 0)
		return r;
	if (!caps)
		caps = &no_caps;
	wanted.permitted = caps->sets[OCI_CAP_PERMITTED] & held.permitted;
	wanted.effective = caps->sets[OCI_CAP_EFFECTIVE] & held.permitted;
	/* new inheritable bits must be permitted, and in the bounding set */
	wanted.inheritable = caps->sets[OCI_CAP_INHERITABLE] & (held.inheritable | held.permitted);
	if (wanted.inheritable)
		wanted.inheritable &= held.inheritable | capability_bounding_get();

	r = capability_set(&wanted);
	if (r < 0)
		return error_num(
			err, -r,
			"cannot set process.capabilities (is effective a part of permitted?)");

	/* ambient bits need both; without inheritable ones the kernel has just cleared them all */
	ambient = caps->sets[OCI_CAP_AMBIENT] & wanted.permitted & wanted.inheritable;
	if (!wanted.inheritable)
		return 0;
	r = capability_ambient_set(ambient);
	return r < 0 ? error_num(err, -r, "cannot set process.capabilities.ambient") : 0;
}
