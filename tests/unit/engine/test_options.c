/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "base/str.h"
#include "engine/options.h"

static void expect(const struct container_options *o, enum error_kind kind, const char *part)
{
	struct error err;

	assert_true(container_options_check(o, &err) < 0);
	assert_int_equal(err.kind, kind);
	assert_non_null(strstr(err.msg, part));
}

static struct container_options base(void)
{
	struct container_options o;

	container_options_init(&o);
	o.image = "busybox";
	return o;
}

static void test_defaults_are_accepted(void **state)
{
	struct container_options o = base();
	struct error err;

	(void)state;
	assert_int_equal(container_options_check(&o, &err), 0);
}

static void test_name_must_be_dockers(void **state)
{
	struct container_options o = base();

	(void)state;
	o.name = "-x";
	expect(&o, ERROR_INVALID, "Invalid container name (-x)");
}

static void test_memory_rules(void **state)
{
	struct container_options o = base();

	(void)state;
	o.memory = 1000;
	expect(&o, ERROR_INVALID, "Minimum memory limit");
	o.memory = 0;
	o.memory_swap = 8 << 20;
	expect(&o, ERROR_INVALID, "always set the Memory limit when using Memoryswap");
	o.memory = 16 << 20;
	expect(&o, ERROR_INVALID, "memoryswap limit should be larger than memory limit");
	o.memory_swap = -1;
	o.memory_reservation = 32 << 20;
	expect(&o, ERROR_INVALID, "less than memory reservation");
	o.memory_reservation = 0;
	o.memory_swappiness = 101;
	expect(&o, ERROR_INVALID, "valid memory swappiness range is 0-100");
}

static void test_cpu_rules(void **state)
{
	struct container_options o = base();

	(void)state;
	o.nano_cpus = INT64_C(1000000) * 1000000000;
	expect(&o, ERROR_INVALID, "Range of CPUs is from 0.01 to");
	o.nano_cpus = 1000000000;
	o.cpu_quota = 50000;
	expect(&o, ERROR_INVALID, "Nano CPUs and CPU Quota cannot both be set");
	o.nano_cpus = 0;
	o.cpu_period = 10;
	expect(&o, ERROR_INVALID, "CPU cfs period");
	o.cpu_period = 0;
	o.cpuset_cpus = "0-9999";
	expect(&o, ERROR_INVALID, "Requested CPUs are not available - requested 0-9999");
	o.cpuset_cpus = "0,x";
	expect(&o, ERROR_INVALID, "Invalid value 0,x for --cpuset-cpus");
}

static void test_namespace_words(void **state)
{
	struct container_options o = base();

	(void)state;
	o.pid = "hots";
	expect(&o, ERROR_INVALID, "--pid: invalid PID mode");
	o.pid = "container:x";
	o.uts = "host";
	o.hostname = "h";
	expect(&o, ERROR_INVALID, "conflicting options: hostname and the UTS mode");
	o.uts = NULL;
	o.network = "bridge";
	expect(&o, ERROR_UNSUPPORTED, "not supported yet: network 'bridge'");
	o.network = "container:y";
	expect(&o, ERROR_INVALID, "conflicting options: hostname and the network mode");
}

static void test_what_is_missing_says_so(void **state)
{
	struct container_options o = base();
	char *publish[] = { (char *)"80:80", NULL };

	(void)state;
	o.publish = publish;
	expect(&o, ERROR_UNSUPPORTED, "not supported yet: publishing ports");
	o.publish = NULL;
	o.restart = "always";
	expect(&o, ERROR_UNSUPPORTED, "not supported yet: --restart always");
	o.restart = "no";
	o.log_driver = "syslog";
	expect(&o, ERROR_UNSUPPORTED, "not supported yet: log driver 'syslog'");
}

/* Before anything is made; it was heard of at the start alone. */
static void test_log_options_are_checked_with_their_values(void **state)
{
	static const struct {
		const char *driver, *opt;
		enum error_kind kind;
		const char *part;
	} cases[] = {
		{ NULL, "max-size=big", ERROR_INVALID,
		  "invalid value 'big' for log opt 'max-size'" },
		{ "k8s-file", "max-file=0", ERROR_INVALID, "'0' for log opt 'max-file'" },
		{ NULL, "shape=round", ERROR_INVALID, "unknown log opt 'shape'" },
		{ NULL, "tag=x", ERROR_UNSUPPORTED, "not supported yet: log opt 'tag'" },
		{ "fluffy", NULL, ERROR_INVALID, "unknown log driver 'fluffy'" },
	};
	struct error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct container_options o = base();
		char *opts[] = { (char *)(uintptr_t)cases[i].opt, NULL };

		o.log_driver = cases[i].driver;
		o.log_opt = opts;
		expect(&o, cases[i].kind, cases[i].part);
		opts[0] = (char *)"max-size=1m";
		o.log_driver = "json-file";
		assert_int_equal(container_options_check(&o, &err), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults_are_accepted),
		cmocka_unit_test(test_name_must_be_dockers),
		cmocka_unit_test(test_memory_rules),
		cmocka_unit_test(test_cpu_rules),
		cmocka_unit_test(test_namespace_words),
		cmocka_unit_test(test_what_is_missing_says_so),
		cmocka_unit_test(test_log_options_are_checked_with_their_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
