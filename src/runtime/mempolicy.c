/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/mempolicy.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bitlist.h"
#include "base/str.h"
#include "oci/field.h"
#include "oci/spec.h"
#include "oci/words.h"

#define FIELD	  "linux.memoryPolicy"
#define NODES_MAX 1024 /* MAX_NUMNODES of the largest kernels */

static const struct oci_word *find_mode(const struct oci_linux *config)
{
	return config->mempolicy_mode
		       ? oci_words_find(&oci_mempolicy_mode_words, config->mempolicy_mode)
		       : NULL;
}

/* All flags together, or -EINVAL and the index of the one that is unknown. */
static int sum_flags(const struct oci_linux *config, unsigned *ret, size_t *ret_bad)
{
	unsigned sum = 0;

	for (size_t i = 0; i < config->n_mempolicy_flags; i++) {
		const struct oci_word *flag =
			oci_words_find(&oci_mempolicy_flag_words, config->mempolicy_flags[i]);

		if (!flag) {
			*ret_bad = i;
			return -EINVAL;
		}
		sum |= (unsigned)flag->value;
	}
	*ret = sum;
	return 0;
}

static bool takes_nodes(const struct oci_word *mode)
{
	return !str_eq(mode->name, "MPOL_DEFAULT") && !str_eq(mode->name, "MPOL_LOCAL");
}

static int check_nodes(const struct oci_linux *config, const struct oci_word *mode,
		       struct error *err)
{
	unsigned long nodes[BITLIST_LONGS(NODES_MAX)];
	const char *text = config->mempolicy_nodes ? config->mempolicy_nodes : "";
	int n = bitlist_parse(text, nodes, NODES_MAX);

	if (n < 0)
		return error_kind(err, ERROR_INVALID, FIELD ".nodes: '%s' is not a list like 0-3,7",
				  text);
	if (n > 0 && !takes_nodes(mode))
		return error_kind(err, ERROR_INVALID, FIELD ".nodes: %s takes none", mode->name);
	/* preferred without a node is the local one, set_mempolicy(2) */
	if (n == 0 && takes_nodes(mode) && !str_eq(mode->name, "MPOL_PREFERRED"))
		return error_kind(err, ERROR_INVALID, FIELD ".nodes: %s needs some", mode->name);
	return 0;
}

int mempolicy_check(const struct oci_linux *config, struct error *err)
{
	const struct oci_word *mode = find_mode(config);
	unsigned sum;
	size_t bad = 0;

	if (!config->mempolicy_mode)
		return 0;
	if (!mode)
		return error_kind(err, ERROR_INVALID, FIELD ".mode: unknown mode '%s'",
				  config->mempolicy_mode);
	if (sum_flags(config, &sum, &bad) < 0)
		return error_kind(err, ERROR_INVALID, FIELD ".flags[%zu]: unknown flag '%s'", bad,
				  config->mempolicy_flags[bad]);
	return check_nodes(config, mode, err);
}

int mempolicy_apply(const struct oci_linux *config, struct error *err)
{
	unsigned long nodes[BITLIST_LONGS(NODES_MAX)];
	const struct oci_word *mode = find_mode(config);
	unsigned sum = 0;
	size_t bad;
	int n;

	if (!mode)
		return 0;
	n = bitlist_parse(config->mempolicy_nodes ? config->mempolicy_nodes : "", nodes, NODES_MAX);
	(void)sum_flags(config, &sum, &bad); /* the parent checked them */
	/* the kernel takes one bit less than maxnode says */
	if (syscall(SYS_set_mempolicy, (unsigned)mode->value | sum, n > 0 ? nodes : NULL,
		    n > 0 ? NODES_MAX + 1 : 0) == 0)
		return 0;
	if (errno == ENOSYS)
		return error_kind(err, ERROR_UNSUPPORTED,
				  "cannot set " FIELD ": this kernel has no NUMA memory policies");
	if (errno == EINVAL)
		return error_sys(err,
				 "cannot set " FIELD
				 " to %s with nodes '%s': the kernel must know the mode, "
				 "the nodes exist and be in the container's cpuset, the flags fit",
				 mode->name,
				 config->mempolicy_nodes ? config->mempolicy_nodes : "");
	return error_sys(err, "cannot set " FIELD " to %s", mode->name);
}
