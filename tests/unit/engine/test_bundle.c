/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "base/buf.h"
#include "engine/bundle.h"

static void test_hosts_of_a_private_network_knows_only_itself(void **state)
{
	const char *const extra[] = { "db:10.0.0.2", "v6=[::2]", NULL };
	struct container_config c = { .extra_hosts = extra };
	cleanup_buf struct buf out = { 0 };

	(void)state;
	bundle_hosts(&c, "192.0.2.1\thost\n", &out);
	assert_non_null(strstr(buf_str(&out), "127.0.0.1\tlocalhost\n"));
	assert_non_null(strstr(buf_str(&out), "10.0.0.2\tdb\n"));
	assert_non_null(strstr(buf_str(&out), "::2\tv6\n"));
	assert_null(strstr(buf_str(&out), "192.0.2.1"));
}

static void test_hosts_of_the_host_network_is_the_hosts(void **state)
{
	struct container_config c = { 0 };
	cleanup_buf struct buf out = { 0 };

	(void)state;
	c.ns[OCI_NS_NET].kind = NAMESPACE_HOST;
	bundle_hosts(&c, "192.0.2.1\thost\n", &out);
	assert_string_equal(buf_str(&out), "192.0.2.1\thost\n");
}

static void test_loopback_servers_are_dropped_from_a_private_network(void **state)
{
	static const char host[] = "nameserver 127.0.0.53\nnameserver 192.0.2.53\nsearch a b\n";
	struct container_options o = { 0 };
	struct container_config c = { .options = &o };
	cleanup_buf struct buf out = { 0 };

	(void)state;
	bundle_resolv_conf(&c, host, &out);
	assert_string_equal(buf_str(&out), "nameserver 192.0.2.53\nsearch a b\n");
	buf_clear(&out);
	c.ns[OCI_NS_NET].kind = NAMESPACE_HOST;
	bundle_resolv_conf(&c, host, &out);
	assert_string_equal(buf_str(&out), host);
}

static void test_dns_options_replace_the_hosts_lines(void **state)
{
	char *dns[] = { (char *)"192.0.2.1", (char *)"192.0.2.2", NULL };
	char *search[] = { (char *)"x", (char *)"y", NULL };
	struct container_options o = { .dns = dns, .dns_search = search };
	struct container_config c = { .options = &o };
	cleanup_buf struct buf out = { 0 };

	(void)state;
	bundle_resolv_conf(&c, "nameserver 9.9.9.9\nsearch a\noptions ndots:1\n", &out);
	assert_string_equal(buf_str(&out), "options ndots:1\nnameserver 192.0.2.1\n"
					   "nameserver 192.0.2.2\nsearch x y\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts_of_a_private_network_knows_only_itself),
		cmocka_unit_test(test_hosts_of_the_host_network_is_the_hosts),
		cmocka_unit_test(test_loopback_servers_are_dropped_from_a_private_network),
		cmocka_unit_test(test_dns_options_replace_the_hosts_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
