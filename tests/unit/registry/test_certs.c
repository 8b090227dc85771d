/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/str.h"
#include "home.h"
#include "registry/certs.h"

#define DIR ".config/containers/certs.d/reg.test:5000/"

static void test_all_authorities_and_all_pairs_are_taken(void **state)
{
	cleanup_registry_certs struct registry_certs c = { 0 };
	struct error err = { 0 };

	home_write(state, DIR "b.crt", "SECOND\n", 0644);
	home_write(state, DIR "a.crt", "FIRST", 0644);
	home_write(state, DIR "x.cert", "C", 0644);
	home_write(state, DIR "x.key", "K", 0600);
	home_write(state, DIR "y.cert", "C", 0644);
	home_write(state, DIR "y.key", "K", 0600);
	home_write(state, DIR "README", "not read", 0644);
	assert_int_equal(registry_certs_load(NULL, "reg.test:5000", &c, &err), 0);
	assert_string_equal(c.ca_pem, "FIRST\nSECOND\n\n");
	assert_int_equal(c.n_pairs, 2);
	assert_true(str_ends(c.pairs[0].cert_file, "reg.test:5000/x.cert"));
	assert_true(str_ends(c.pairs[0].key_file, "reg.test:5000/x.key"));
	assert_true(str_ends(c.pairs[1].cert_file, "reg.test:5000/y.cert"));
}

static void test_another_port_is_another_registry(void **state)
{
	cleanup_registry_certs struct registry_certs c = { 0 };
	struct error err = { 0 };

	home_write(state, DIR "a.crt", "FIRST", 0644);
	assert_int_equal(registry_certs_load(NULL, "reg.test", &c, &err), 0);
	assert_null(c.ca_pem);
	assert_int_equal(c.n_pairs, 0);
}

static void test_half_a_pair_is_refused(void **state)
{
	struct registry_certs c = { 0 };
	struct error err = { 0 };

	home_write(state, DIR "x.cert", "C", 0644);
	assert_true(registry_certs_load(NULL, "reg.test:5000", &c, &err) < 0);
	assert_int_equal(err.kind, ERROR_INVALID);
	assert_non_null(strstr(err.msg, "x.cert' has no 'x.key' beside it"));
}

int main(void)
{
#define AT_HOME(test) cmocka_unit_test_setup_teardown(test, home_setup, home_teardown)
	const struct CMUnitTest tests[] = {
		AT_HOME(test_all_authorities_and_all_pairs_are_taken),
		AT_HOME(test_another_port_is_another_registry),
		AT_HOME(test_half_a_pair_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
