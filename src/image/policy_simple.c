/* SPDX-License-Identifier: Apache-2.0 */
#include "image/policy_private.h"

int policy_check_simple(const struct policy_rule *rule, struct error *err)
{
	return error_kind(err, ERROR_UNSUPPORTED,
			  "signatures by OpenPGP keys are not supported yet");
}
