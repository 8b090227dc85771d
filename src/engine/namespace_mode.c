/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/namespace_mode.h"

#include "base/str.h"

/* What each option takes. The default of cgroupns depends on the host: spec_namespaces.c. */
static const struct {
	const char *option, *docker_name, *field;
	bool host, container; /* takes the words host, container:X */
	const char *others;   /* further words for a private one, between spaces */
} words[OCI_NS_COUNT] = {
	[OCI_NS_NET] = { "network", "network", "NetworkMode", true, true, " none " },
	[OCI_NS_PID] = { "pid", "PID", "PidMode", true, true, " private " },
	[OCI_NS_IPC] = { "ipc", "IPC", "IpcMode", true, true, " none private shareable " },
	[OCI_NS_UTS] = { "uts", "UTS", "UTSMode", true, true, " private " },
	[OCI_NS_USER] = { "userns", "USER", "UsernsMode", true, false, " " },
	[OCI_NS_CGROUP] = { "cgroupns", "CGROUP", "CgroupnsMode", true, false, " private " },
};

static bool is_word_of(const char *list, const char *word)
{
	const char *at = strstr(list, word);
	size_t n = strlen(word);

	return at && n > 0 && !strchr(word, ' ') && at[-1] == ' ' && at[n] == ' ';
}

int namespace_mode_parse(enum oci_ns ns, const char *word, struct namespace_mode *ret,
			 struct error *err)
{
	const char *container;

	*ret = (struct namespace_mode){ .kind = NAMESPACE_PRIVATE };
	if (str_empty(word) || is_word_of(words[ns].others, word))
		return 0;
	if (words[ns].host && str_eq(word, "host")) {
		ret->kind = NAMESPACE_HOST;
		return 0;
	}
	container = words[ns].container ? str_after(word, "container:") : NULL;
	if (container && *container) {
		ret->kind = NAMESPACE_CONTAINER;
		ret->container = container;
		return 0;
	}
	if (ns == OCI_NS_NET && !container)
		return error_kind(err, ERROR_UNSUPPORTED,
				  "not supported yet: network '%s'; use --network none, host or "
				  "container:NAME",
				  word);
	if (ns == OCI_NS_USER)
		return error_kind(err, ERROR_UNSUPPORTED,
				  "not supported yet: user namespace mode '%s'; use --userns host",
				  word);
	return error_kind(err, ERROR_INVALID, "--%s: invalid %s mode", words[ns].option,
			  words[ns].docker_name);
}

const char *namespace_mode_field(enum oci_ns ns)
{
	return words[ns].field;
}
