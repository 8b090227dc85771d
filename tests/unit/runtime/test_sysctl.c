/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/macro.h"
#include "runtime/sysctl.h"

static int check(const char *key, enum oci_ns own)
{
	struct oci_pair pair = { key, "1" };
	struct oci_linux config = { .sysctl = &pair, .n_sysctl = 1 };
	struct error err;

	config.namespaces[own].wanted = true;
	return sysctl_check(&config, &err);
}

static void test_parameters_of_an_own_namespace_are_allowed(void **state)
{
	assert_int_equal(check("net.ipv4.ip_forward", OCI_NS_NET), 0);
	assert_int_equal(check("net/ipv4/conf/eth0.1/forwarding", OCI_NS_NET), 0);
	assert_int_equal(check("kernel.shmmax", OCI_NS_IPC), 0);
	assert_int_equal(check("fs.mqueue.msg_max", OCI_NS_IPC), 0);
	assert_int_equal(check("kernel.domainname", OCI_NS_UTS), 0);
}

static void test_parameters_of_the_host_are_refused(void **state)
{
	assert_true(check("net.ipv4.ip_forward", OCI_NS_IPC) < 0);
	assert_true(check("kernel.shmmax", OCI_NS_NET) < 0);
	assert_true(check("kernel.core_pattern", OCI_NS_IPC) < 0);
	assert_true(check("vm.swappiness", OCI_NS_NET) < 0);
	assert_true(check("kernel.shmmaxx", OCI_NS_IPC) < 0);
	assert_true(check("", OCI_NS_NET) < 0);
}

static void test_names_that_climb_are_refused(void **state)
{
	assert_true(check("net/../kernel/core_pattern", OCI_NS_NET) < 0);
	assert_true(check("net.ipv4//../../x", OCI_NS_NET) < 0);
	assert_true(check("net/ipv4/../../kernel/hostname", OCI_NS_NET) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parameters_of_an_own_namespace_are_allowed),
		cmocka_unit_test(test_parameters_of_the_host_are_refused),
		cmocka_unit_test(test_names_that_climb_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
