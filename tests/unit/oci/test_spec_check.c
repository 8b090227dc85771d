/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "oci/spec.h"

/* Documents are put together from a version, process members and linux members. */
static int check(const char *version, const char *top, const char *process, const char *linux_,
		 struct error *err)
{
	struct oci_spec *spec cleanup_with(oci_spec_free) = NULL;
	cleanup_free char *text =
		xasprintf("{\"ociVersion\":\"%s\",\"root\":{\"path\":\"rootfs\"}%s%s"
			  ",\"process\":{%s},\"linux\":{%s}}",
			  version, *top ? "," : "", top,
			  *process ? process : "\"cwd\":\"/\",\"args\":[\"a\"]", linux_);

	if (oci_spec_parse(text, strlen(text), &spec, err) < 0)
		fail_msg("%s: %s", text, err->msg);
	return oci_spec_check(spec, err);
}

struct rule {
	const char *part, *message; /* message NULL: accepted */
};

static void assert_rule(int r, const struct error *err, const struct rule *rule)
{
	if (!rule->message) {
		if (r < 0)
			fail_msg("%s: %s", rule->part, err->msg);
		return;
	}
	assert_int_equal(r, -EINVAL);
	assert_int_equal(err->kind, ERROR_INVALID);
	assert_true(strncmp(err->msg, "config.json: ", 13) == 0);
	assert_string_equal(err->msg + 13, rule->message);
}

static void test_only_version_1_is_accepted(void **state)
{
	static const struct rule rules[] = {
		{ "1.0.0", NULL },
		{ "1.0.2-dev", NULL },
		{ "1.3.0", NULL },
		{ "1.99.7+build.5", NULL },
		{ "2.0.0", "ociVersion: '2.0.0' is not supported, only 1.x" },
		{ "0.6.0", "ociVersion: '0.6.0' is not supported, only 1.x" },
		{ "", "ociVersion: '' is not a version like " OCI_VERSION },
		{ "1.0", "ociVersion: '1.0' is not a version like " OCI_VERSION },
		{ "1.0.x", "ociVersion: '1.0.x' is not a version like " OCI_VERSION },
		{ "v1.0.0", "ociVersion: 'v1.0.0' is not a version like " OCI_VERSION },
		{ "1.0.0.0", "ociVersion: '1.0.0.0' is not a version like " OCI_VERSION },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		struct error err = { 0 };

		assert_rule(check(rules[i].part, "", "", "", &err), &err, &rules[i]);
	}
}

static void test_a_process_must_be_runnable(void **state)
{
	static const struct rule rules[] = {
		{ "\"cwd\":\"/a\",\"args\":[\"a\"]", NULL },
		{ "\"cwd\":\"a\",\"args\":[\"a\"]", "process.cwd: 'a' is not absolute" },
		{ "\"cwd\":\"\",\"args\":[\"a\"]", "process.cwd: '' is not absolute" },
		{ "\"cwd\":\"/\",\"args\":[]", "process.args: missing, there is nothing to run" },
		{ "\"cwd\":\"/\"", "process.args: missing, there is nothing to run" },
		{ "\"cwd\":\"/\",\"args\":[\"a\"],\"user\":{\"uid\":4294967295}",
		  "process.user: 4294967295 is no user or group id" },
		{ "\"cwd\":\"/\",\"args\":[\"a\"],\"user\":{\"additionalGids\":[1,4294967295]}",
		  "process.user.additionalGids[1]: 4294967295 is no group id" },
		{ "\"cwd\":\"/\",\"args\":[\"a\"],\"user\":{\"umask\":512}",
		  "process.user.umask: 512 is out of range" },
		{ "\"cwd\":\"/\",\"args\":[\"a\"],\"oomScoreAdj\":1001",
		  "process.oomScoreAdj: 1001 is not -1000 to 1000" },
		{ "\"cwd\":\"/\",\"args\":[\"a\"],\"scheduler\":{\"policy\":\"FAST\"}",
		  "process.scheduler.policy: unknown policy 'FAST'" },
		{ "\"cwd\":\"/\",\"args\":[\"a\"],\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\","
		  "\"priority\":8}",
		  "process.ioPriority.priority: 8 is not 0 to 7" },
		{ "\"cwd\":\"/\",\"args\":[\"a\"],\"rlimits\":["
		  "{\"type\":\"RLIMIT_CORE\",\"soft\":1,\"hard\":1},"
		  "{\"type\":\"RLIMIT_CORE\",\"soft\":1,\"hard\":1}]",
		  "process.rlimits[1]: RLIMIT_CORE is listed twice" },
		{ "\"cwd\":\"/\",\"args\":[\"a\"],\"rlimits\":["
		  "{\"type\":\"RLIMIT_CORE\",\"soft\":2,\"hard\":1}]",
		  "process.rlimits[0]: soft limit of RLIMIT_CORE is above the hard one" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		struct error err = { 0 };

		assert_rule(check("1.0.0", "", rules[i].part, "", &err), &err, &rules[i]);
	}
}

static void test_mounts_and_hooks_are_checked(void **state)
{
	static const struct rule rules[] = {
		{ "\"mounts\":[{\"destination\":\"relative\",\"type\":\"tmpfs\"}]", NULL },
		{ "\"mounts\":[{\"destination\":\"\"}]", "mounts[0].destination: missing" },
		{ "\"mounts\":[{\"destination\":\"/a\",\"type\":\"bind\"}]",
		  "mounts[0].source: missing for the bind mount on '/a'" },
		{ "\"mounts\":[{\"destination\":\"/a\",\"source\":\"/b\",\"type\":\"bind\","
		  "\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]}]",
		  "mounts[0]: an id-mapped mount needs both uidMappings and gidMappings" },
		{ "\"mounts\":[{\"destination\":\"/a\",\"type\":\"tmpfs\","
		  "\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}],"
		  "\"gidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]}]",
		  "mounts[0]: '/a' is not a bind mount, only these can be id-mapped" },
		{ "\"mounts\":[{\"destination\":\"/a\",\"source\":\"/b\",\"options\":[\"rbind\"],"
		  "\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":0}],"
		  "\"gidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]}]",
		  "mounts[0].uidMappings[0]: size is 0" },
		{ "\"hooks\":{\"poststop\":[{\"path\":\"/a\"},{\"path\":\"a\"}]}",
		  "hooks.poststop[1].path: 'a' is not absolute" },
		{ "\"hooks\":{\"createRuntime\":[{\"path\":\"/a\",\"timeout\":-1}]}",
		  "hooks.createRuntime[0].timeout: -1 is negative" },
		{ "\"hostname\":\"h\"", "hostname: needs 'uts' in linux.namespaces" },
		{ "\"domainname\":\"h\"", "domainname: needs 'uts' in linux.namespaces" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		struct error err = { 0 };

		assert_rule(check("1.0.0", rules[i].part, "", "", &err), &err, &rules[i]);
	}
}

#define MAP	"[{\"containerID\":0,\"hostID\":1,\"size\":1}]"
#define SECCOMP "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\","

static void assert_linux_rules(const struct rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct error err = { 0 };

		assert_rule(check("1.0.0", "", "", rules[i].part, &err), &err, &rules[i]);
	}
}

static void test_fields_need_their_namespace(void **state)
{
	static const struct rule rules[] = {
		{ "\"uidMappings\":" MAP, "linux.uidMappings: needs 'user' in linux.namespaces" },
		{ "\"namespaces\":[{\"type\":\"user\"}],\"uidMappings\":" MAP,
		  "linux.gidMappings: missing for the new user namespace" },
		{ "\"namespaces\":[{\"type\":\"user\"}]",
		  "linux.uidMappings: missing for the new user namespace" },
		{ "\"namespaces\":[{\"type\":\"user\",\"path\":\"/x\"}]", NULL },
		{ "\"namespaces\":[{\"type\":\"pid\",\"path\":\"x\"}]",
		  "linux.namespaces: path 'x' is not absolute" },
		{ "\"namespaces\":[{\"type\":\"user\"}],\"gidMappings\":" MAP ",\"uidMappings\":"
		  "[{\"containerID\":0,\"hostID\":4294967295,\"size\":1}]",
		  "linux.uidMappings[0]: reaches beyond the last id" },
		{ "\"maskedPaths\":[\"/a\"]",
		  "linux.maskedPaths: needs 'mount' in linux.namespaces" },
		{ "\"namespaces\":[{\"type\":\"mount\"}],\"maskedPaths\":[\"/a\",\"b\"]",
		  "linux.maskedPaths[1]: 'b' is not absolute" },
		{ "\"timeOffsets\":{}", "linux.timeOffsets: needs 'time' in linux.namespaces" },
		{ "\"namespaces\":[{\"type\":\"time\",\"path\":\"/t\"}],\"timeOffsets\":{}",
		  "linux.timeOffsets: cannot be set in a time namespace that is joined" },
		{ "\"netDevices\":{\"e\":{}}",
		  "linux.netDevices: needs 'network' in linux.namespaces" },
		{ "\"namespaces\":[{\"type\":\"network\"}],\"netDevices\":{\"e\":{\"name\":\"a/b\"}}",
		  "linux.netDevices: 'a/b' is no interface name" },
		{ "\"namespaces\":[{\"type\":\"network\"}],\"netDevices\":{\"0123456789abcdef\":{}}",
		  "linux.netDevices: '0123456789abcdef' is no interface name" },
	};

	assert_linux_rules(rules, ARRAY_SIZE(rules));
}

#define ALL_NS	     "\"namespaces\":[{\"type\":\"network\"},{\"type\":\"ipc\"},{\"type\":\"uts\"}],"
#define NO_HOST(key) "linux.sysctl: '" key "' is not namespaced, it would change the host"

static void test_sysctls_need_their_namespace(void **state)
{
	static const struct rule rules[] = {
		{ ALL_NS "\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"}", NULL },
		{ ALL_NS "\"sysctl\":{\"net/ipv4/conf/eth0.100/forwarding\":\"1\"}", NULL },
		{ ALL_NS "\"sysctl\":{\"net.ipv4.conf.eth0/100.forwarding\":\"1\"}", NULL },
		{ ALL_NS "\"sysctl\":{\"kernel.shmmax\":\"1\",\"fs.mqueue.msg_max\":\"1\"}", NULL },
		{ ALL_NS "\"sysctl\":{\"kernel/sem\":\"1 2 3 4\"}", NULL },
		{ ALL_NS "\"sysctl\":{\"kernel.domainname\":\"d\"}", NULL },
		{ ALL_NS "\"sysctl\":{\"kernel.hostname\":\"d\"}",
		  "linux.sysctl: 'kernel.hostname' is set by the hostname field" },
		{ "\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"}",
		  "linux.sysctl: 'net.ipv4.ip_forward' needs 'network' in linux.namespaces" },
		{ "\"sysctl\":{\"kernel.msgmax\":\"1\"}",
		  "linux.sysctl: 'kernel.msgmax' needs 'ipc' in linux.namespaces" },
		{ "\"sysctl\":{\"fs.mqueue.msg_max\":\"1\"}",
		  "linux.sysctl: 'fs.mqueue.msg_max' needs 'ipc' in linux.namespaces" },
		{ ALL_NS "\"sysctl\":{\"kernel.core_pattern\":\"|/x\"}",
		  NO_HOST("kernel.core_pattern") },
		{ ALL_NS "\"sysctl\":{\"kernel.semx\":\"1\"}", NO_HOST("kernel.semx") },
		{ ALL_NS "\"sysctl\":{\"vm.swappiness\":\"1\"}", NO_HOST("vm.swappiness") },
		{ ALL_NS "\"sysctl\":{\"netx.a\":\"1\"}", NO_HOST("netx.a") },
		{ ALL_NS "\"sysctl\":{\"net/../kernel/core_pattern\":\"1\"}",
		  "linux.sysctl: 'net/../kernel/core_pattern' is no sysctl name" },
		{ ALL_NS "\"sysctl\":{\"net.ipv4..x\":\"1\"}",
		  "linux.sysctl: 'net.ipv4..x' is no sysctl name" },
		{ ALL_NS "\"sysctl\":{\"net.\":\"1\"}", "linux.sysctl: 'net.' is no sysctl name" },
		{ ALL_NS "\"sysctl\":{\"net\":\"1\"}", "linux.sysctl: 'net' is no sysctl name" },
	};

	assert_linux_rules(rules, ARRAY_SIZE(rules));
}

static void test_seccomp_rules_are_checked(void **state)
{
	static const struct rule rules[] = {
		{ SECCOMP "\"architectures\":[\"SCMP_ARCH_X86_64\"]}", NULL },
		{ SECCOMP "\"architectures\":[\"x86_64\"]}",
		  "linux.seccomp.architectures[0]: unknown architecture 'x86_64'" },
		{ SECCOMP "\"defaultErrnoRet\":65536}",
		  "linux.seccomp.defaultErrnoRet: out of range" },
		{ SECCOMP "\"syscalls\":[{\"names\":[],\"action\":\"SCMP_ACT_LOG\"}]}",
		  "linux.seccomp.syscalls[0].names: empty" },
		{ SECCOMP "\"syscalls\":[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_LOG\",\"args\":["
			  "{\"index\":6,\"value\":0,\"op\":\"SCMP_CMP_EQ\"}]}]}",
		  "linux.seccomp.syscalls[0].args[0].index: 6 is above 5" },
		{ SECCOMP "\"syscalls\":[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}",
		  "linux.seccomp.listenerPath: missing, but SCMP_ACT_NOTIFY is used" },
		{ SECCOMP "\"listenerPath\":\"/s\",\"syscalls\":[{\"names\":[\"read\",\"write\"],"
			  "\"action\":\"SCMP_ACT_NOTIFY\"}]}",
		  "linux.seccomp.syscalls[0]: SCMP_ACT_NOTIFY is not possible for write" },
		{ "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}",
		  "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY cannot be the default" },
	};

	assert_linux_rules(rules, ARRAY_SIZE(rules));
}

static void test_other_words_are_checked(void **state)
{
	static const struct rule rules[] = {
		{ "\"rootfsPropagation\":\"rslave\"", NULL },
		{ "\"rootfsPropagation\":\"some\"",
		  "linux.rootfsPropagation: unknown propagation 'some'" },
		{ "\"personality\":{\"domain\":\"BSD\"}",
		  "linux.personality.domain: unknown domain 'BSD'" },
		{ "\"memoryPolicy\":{\"mode\":\"X\"}",
		  "linux.memoryPolicy.mode: unknown mode 'X'" },
		{ "\"intelRdt\":{\"closID\":\"..\"}",
		  "linux.intelRdt.closID: '..' is no directory name" },
		{ "\"devices\":[{\"path\":\"a\",\"type\":\"c\",\"major\":1,\"minor\":1}]",
		  "linux.devices[0].path: 'a' is not absolute" },
		{ "\"devices\":[{\"path\":\"/a\",\"type\":\"c\",\"major\":-1,\"minor\":1}]",
		  "linux.devices[0]: '/a' needs a major and a minor number" },
		{ "\"devices\":[{\"path\":\"/a\",\"type\":\"c\",\"major\":1,\"minor\":1,"
		  "\"fileMode\":8612}]",
		  NULL },
		{ "\"devices\":[{\"path\":\"/a\",\"type\":\"c\",\"major\":1,\"minor\":1,"
		  "\"fileMode\":4294967296}]",
		  "linux.devices[0].fileMode: 4294967296 is out of range" },
		{ "\"resources\":{\"hugepageLimits\":[{\"pageSize\":\"2M\",\"limit\":1}]}",
		  "linux.resources.hugepageLimits[0].pageSize: '2M' is no size like 2MB" },
		{ "\"resources\":{\"unified\":{\"../x.y\":\"1\"}}",
		  "linux.resources.unified: '../x.y' is no CONTROLLER.FILE name" },
		{ "\"resources\":{\"unified\":{\"memory.high\":\"1\"}}", NULL },
	};

	assert_linux_rules(rules, ARRAY_SIZE(rules));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_version_1_is_accepted),
		cmocka_unit_test(test_a_process_must_be_runnable),
		cmocka_unit_test(test_mounts_and_hooks_are_checked),
		cmocka_unit_test(test_fields_need_their_namespace),
		cmocka_unit_test(test_sysctls_need_their_namespace),
		cmocka_unit_test(test_seccomp_rules_are_checked),
		cmocka_unit_test(test_other_words_are_checked),
	};

	return cmocka_run_group_tests_name("spec_check", tests, NULL, NULL);
}
