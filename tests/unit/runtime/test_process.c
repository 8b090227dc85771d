/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <cmocka.h>

#include "base/macro.h"
#include "kernel/capability.h"
#include "oci/spec.h"
#include "runtime/process.h"

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* The smallest process that is valid. */
static struct oci_process minimal(void)
{
	static const char *const args[] = { "/bin/true", NULL };

	return (struct oci_process){ .args = args, .n_args = 1, .cwd = "/" };
}

static void check_refused(const struct oci_process *p, enum error_kind kind, const char *words)
{
	struct process_setup s = { 0 };
	struct error err;

	assert_true(process_prepare(p, NULL, &s, &err) < 0);
	assert_int_equal(err.kind, kind);
	if (!strstr(err.msg, words))
		fail_msg("'%s' is not in '%s'", words, err.msg);
}

static void test_the_last_of_equal_variables_counts(void **state)
{
	struct oci_process p = minimal();
	struct process_setup s;
	struct error err;

	p.env = LIST("A=1", "AB=2", "A=3", "HOME=/h");
	p.n_env = 4;
	assert_int_equal(process_prepare(&p, NULL, &s, &err), 0);
	assert_int_equal(s.n_env, 3);
	assert_string_equal(s.env[0], "AB=2");
	assert_string_equal(s.env[1], "A=3");
	assert_true(s.has_home);
	process_add_env(&s, "N=1");
	assert_string_equal(s.env[3], "N=1");
	assert_null(s.env[4]);
	process_add_env(&s, "A=4");
	assert_string_equal(s.env[1], "A=4");
	assert_null(s.env[4]);
	process_setup_done(&s);
}

static void test_an_empty_home_is_looked_up(void **state)
{
	struct oci_process p = minimal();
	struct process_setup s;
	struct error err;

	p.env = LIST("HOME=");
	p.n_env = 1;
	assert_int_equal(process_prepare(&p, NULL, &s, &err), 0);
	assert_false(s.has_home);
	assert_int_equal(s.n_env, 0);
	process_setup_done(&s);
}

static void test_fields_that_cannot_be_met_are_named(void **state)
{
	struct oci_process p = minimal();

	p.n_args = 0;
	check_refused(&p, ERROR_INVALID, "process.args");
	p = minimal();
	p.cwd = "tmp";
	check_refused(&p, ERROR_INVALID, "process.cwd");
	p = minimal();
	p.env = LIST("A=1", "novalue");
	p.n_env = 2;
	check_refused(&p, ERROR_INVALID, "process.env[1]: 'novalue'");
	p = minimal();
	p.cpu_affinity_final = "0,x";
	check_refused(&p, ERROR_INVALID, "process.execCPUAffinity.final: '0,x'");
	p = minimal();
	p.scheduler.set = true;
	p.scheduler.policy = "SCHED_FAST";
	check_refused(&p, ERROR_INVALID, "process.scheduler.policy");
	p = minimal();
	p.io_priority_class = "IOPRIO_CLASS_BE";
	p.io_priority = 8;
	check_refused(&p, ERROR_INVALID, "process.ioPriority.priority");
	p = minimal();
	p.rlimits = &(struct oci_rlimit){ RLIMIT_NOFILE, 5, 4 };
	p.n_rlimits = 1;
	check_refused(&p, ERROR_INVALID, "RLIMIT_NOFILE");
}

static void test_a_scheduler_with_what_its_policy_lacks_is_refused(void **state)
{
	static const char *const unknown[] = { "SCHED_FLAG_X", NULL };
	static const struct {
		struct oci_scheduler scheduler;
		const char *field;
	} cases[] = {
		{ { .policy = "SCHED_OTHER", .nice = 20 }, "process.scheduler.nice" },
		{ { .policy = "SCHED_BATCH", .nice = -21 }, "process.scheduler.nice" },
		{ { .policy = "SCHED_OTHER", .priority = 1 }, "process.scheduler.priority" },
		{ { .policy = "SCHED_RR", .runtime = 1 }, "SCHED_DEADLINE" },
		{ { .policy = "SCHED_OTHER", .period = 1 }, "SCHED_DEADLINE" },
		{ { .policy = "SCHED_FIFO", .flags = unknown, .n_flags = 1 },
		  "process.scheduler.flags[0]: unknown flag 'SCHED_FLAG_X'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct oci_process p = minimal();

		p.scheduler = cases[i].scheduler;
		p.scheduler.set = true;
		check_refused(&p, ERROR_INVALID, cases[i].field);
	}
}

static void test_security_modules_of_other_hosts_are_named(void **state)
{
	struct oci_process p = minimal();

	if (access("/sys/module/apparmor/parameters/enabled", F_OK) == 0)
		skip();
	p.apparmor_profile = "docker-default";
	check_refused(&p, ERROR_UNSUPPORTED, "process.apparmorProfile 'docker-default'");
}

/* In a child, as whoever runs the tests: 0 or the number of the check that failed. */
static void check_child(int (*fn)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status)
		fail_msg("child ended with %#x", status);
}

static int limits_and_scheduler(void)
{
	struct oci_process p = minimal();
	struct process_setup s;
	struct rlimit now;
	struct error err;
	int proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	p.rlimits = &(struct oci_rlimit){ RLIMIT_CORE, 0, 0 };
	p.n_rlimits = 1;
	p.scheduler.set = true;
	p.scheduler.policy = "SCHED_BATCH";
	p.oom_score_adj = (struct opt_i64){ true, 1000 };
	p.io_priority_class = "IOPRIO_CLASS_IDLE";
	if (process_prepare(&p, NULL, &s, &err) < 0)
		return 1;
	if (process_apply_limits(&s, proc_fd, &err) < 0)
		return 2;
	if (getrlimit(RLIMIT_CORE, &now) < 0 || now.rlim_max != 0)
		return 3;
	if (syscall(SYS_sched_getscheduler, 0) != 3)
		return 4;
	if (syscall(SYS_ioprio_get, 1, 0) >> 13 != 3)
		return 5;
	process_setup_done(&s);
	return 0;
}

static void test_limits_are_applied(void **state)
{
	check_child(limits_and_scheduler);
}

/* no_new_privs: what an ordinary user may do, too */
static int confined(void)
{
	static const char *const names[] = { "getppid" };
	struct oci_seccomp_rule rule = { .names = names, .n_names = 1 };
	struct oci_seccomp seccomp = { .default_action = OCI_SECCOMP_ALLOW,
				       .rules = &rule,
				       .n_rules = 1 };
	struct oci_capabilities caps = { 0 };
	struct capability_sets sets;
	struct oci_process p = minimal();
	struct process_setup s;
	struct error err;

	rule.action = OCI_SECCOMP_ERRNO;
	rule.errno_ret = (struct opt_u64){ true, 99 };
	caps.sets[OCI_CAP_PERMITTED] = caps.sets[OCI_CAP_EFFECTIVE] = CAPABILITY_BIT(CAP_KILL);
	p.capabilities = &caps;
	p.no_new_privileges = true;
	if (process_prepare(&p, &seccomp, &s, &err) < 0)
		return 1;
	if (process_find_executable(&s, &err) < 0)
		return 2;
	if (process_confine(&s, &err) < 0)
		return 3;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 4;
	if (syscall(SYS_getppid) != -1 || errno != 99)
		return 5;
	if (capability_get(&sets) < 0 || (sets.permitted & ~CAPABILITY_BIT(CAP_KILL)))
		return 6;
	if (sets.effective != sets.permitted || sets.inheritable)
		return 7;
	process_exec(&s, &err);
	return 8;
}

static void test_confinement_is_complete_before_exec(void **state)
{
	check_child(confined);
}

/* As root: another user, without no_new_privs, so the filter comes before the capabilities go. */
static int other_user(void)
{
	struct oci_seccomp seccomp = { .default_action = OCI_SECCOMP_ALLOW };
	struct oci_capabilities caps = { 0 };
	struct capability_sets sets;
	struct oci_process p = minimal();
	const gid_t gids[] = { 7, 8 };
	struct process_setup s;
	struct error err;
	int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	p.user = (struct oci_user){ .uid = 4711,
				    .gid = 4712,
				    .umask = { true, 077 },
				    .additional_gids = gids,
				    .n_additional_gids = 2 };
	caps.sets[OCI_CAP_BOUNDING] = CAPABILITY_BIT(CAP_KILL) | CAPABILITY_BIT(CAP_CHOWN);
	caps.sets[OCI_CAP_PERMITTED] = CAPABILITY_BIT(CAP_KILL);
	caps.sets[OCI_CAP_INHERITABLE] = CAPABILITY_BIT(CAP_KILL);
	caps.sets[OCI_CAP_EFFECTIVE] = CAPABILITY_BIT(CAP_KILL);
	caps.sets[OCI_CAP_AMBIENT] = CAPABILITY_BIT(CAP_KILL);
	p.capabilities = &caps;
	p.cwd = "/root"; /* 0700: its WORKDIR is root's, as in many images */
	if (process_prepare(&p, &seccomp, &s, &err) < 0)
		return 1;
	if (process_set_user(&s, &err) < 0 || process_set_cwd(&s, root_fd, &err) < 0)
		return 2;
	if (getuid() != 4711 || getegid() != 4712 || getgroups(0, NULL) != 2 || umask(0) != 077)
		return 3;
	if (capability_get(&sets) < 0 || sets.effective != CAPABILITY_BIT(CAP_KILL))
		return 4;
	if (strcmp(s.env[0], "HOME=/") != 0)
		return 5;
	if (process_find_executable(&s, &err) < 0 || process_confine(&s, &err) < 0)
		return 6;
	if (prctl(PR_GET_SECCOMP) != 2)
		return 7;
	if (capability_get(&sets) < 0 || sets.permitted != CAPABILITY_BIT(CAP_KILL) ||
	    capability_bounding_get() != caps.sets[OCI_CAP_BOUNDING] ||
	    capability_ambient_get() != CAPABILITY_BIT(CAP_KILL))
		return 8;
	process_exec(&s, &err);
	return 9;
}

static void test_another_user_keeps_only_what_it_was_given(void **state)
{
	struct capability_sets sets;
	uint64_t needed = CAPABILITY_BIT(CAP_SETUID) | CAPABILITY_BIT(CAP_SETGID) |
			  CAPABILITY_BIT(CAP_SETPCAP) | CAPABILITY_BIT(CAP_SYS_ADMIN) |
			  CAPABILITY_BIT(CAP_DAC_OVERRIDE) | CAPABILITY_BIT(CAP_KILL);

	assert_int_equal(capability_get(&sets), 0);
	if ((sets.effective & needed) != needed)
		skip();
	check_child(other_user);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_last_of_equal_variables_counts),
		cmocka_unit_test(test_an_empty_home_is_looked_up),
		cmocka_unit_test(test_fields_that_cannot_be_met_are_named),
		cmocka_unit_test(test_a_scheduler_with_what_its_policy_lacks_is_refused),
		cmocka_unit_test(test_security_modules_of_other_hosts_are_named),
		cmocka_unit_test(test_limits_are_applied),
		cmocka_unit_test(test_confinement_is_complete_before_exec),
		cmocka_unit_test(test_another_user_keeps_only_what_it_was_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
