/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/capability.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "engine/seccomp_profile.h"
#include "engine/spec_security.h"
#include "kernel/capability.h"

#define BIT	   CAPABILITY_BIT
#define WORDS(...) ((char **)(const char *[]){ __VA_ARGS__, NULL })

struct fixture {
	struct arena *arena;
	struct security s;
	struct error err;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->arena = arena_new();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	arena_free(f->arena);
	free(f);
	return 0;
}

static void accept(struct fixture *f, struct security_options o)
{
	if (spec_security(&o, f->arena, &f->s, &f->err) < 0)
		fail_msg("%s", f->err.msg);
}

static void refuse(struct fixture *f, struct security_options o, enum error_kind kind,
		   const char *words)
{
	assert_true(spec_security(&o, f->arena, &f->s, &f->err) < 0);
	assert_int_equal(f->err.kind, kind);
	if (!strstr(f->err.msg, words))
		fail_msg("'%s' is not in '%s'", words, f->err.msg);
}

static void test_default_is_dockers_fourteen_and_its_profile(void **state)
{
	struct fixture *f = *state;

	accept(f, (struct security_options){ 0 });
	assert_int_equal(__builtin_popcountll(f->s.caps), 14);
	assert_int_equal(f->s.capabilities->sets[OCI_CAP_BOUNDING], SECURITY_DEFAULT_CAPS);
	assert_int_equal(f->s.capabilities->sets[OCI_CAP_EFFECTIVE], SECURITY_DEFAULT_CAPS);
	assert_int_equal(f->s.capabilities->sets[OCI_CAP_PERMITTED], SECURITY_DEFAULT_CAPS);
	assert_int_equal(f->s.capabilities->sets[OCI_CAP_INHERITABLE], 0);
	assert_int_equal(f->s.capabilities->sets[OCI_CAP_AMBIENT], 0);
	assert_non_null(f->s.seccomp);
	assert_false(f->s.no_new_privileges);
	assert_false(f->s.unmask_paths);
}

static void test_other_users_have_the_bounding_set_alone(void **state)
{
	struct fixture *f = *state;
	const struct oci_capabilities *c = security_caps(SECURITY_DEFAULT_CAPS, 1000, f->arena);

	assert_int_equal(c->sets[OCI_CAP_BOUNDING], SECURITY_DEFAULT_CAPS);
	assert_int_equal(c->sets[OCI_CAP_EFFECTIVE] | c->sets[OCI_CAP_PERMITTED], 0);
}

static void test_added_and_dropped_names_in_any_form(void **state)
{
	struct fixture *f = *state;

	accept(f, (struct security_options){ .cap_add = WORDS("net_admin", "CAP_SYS_TIME"),
					     .cap_drop = WORDS("Chown", "cap_kill") });
	assert_int_equal(f->s.caps,
			 (SECURITY_DEFAULT_CAPS | BIT(CAP_NET_ADMIN) | BIT(CAP_SYS_TIME)) &
				 ~(BIT(CAP_CHOWN) | BIT(CAP_KILL)));
}

static void test_a_name_in_both_lists_is_added(void **state)
{
	struct fixture *f = *state;

	accept(f,
	       (struct security_options){ .cap_add = WORDS("chown"), .cap_drop = WORDS("chown") });
	assert_int_equal(f->s.caps, SECURITY_DEFAULT_CAPS);
}

static void test_all_makes_the_other_list_the_exceptions(void **state)
{
	struct fixture *f = *state;

	accept(f, (struct security_options){ .cap_add = WORDS("all"),
					     .cap_drop = WORDS("sys_admin") });
	assert_int_equal(f->s.caps, CAPABILITY_ALL & ~BIT(CAP_SYS_ADMIN));
	accept(f,
	       (struct security_options){ .cap_add = WORDS("setuid"), .cap_drop = WORDS("ALL") });
	assert_int_equal(f->s.caps, BIT(CAP_SETUID));
	accept(f, (struct security_options){ .cap_drop = WORDS("ALL") });
	assert_int_equal(f->s.caps, 0);
}

static void test_unknown_capabilities_in_dockers_words(void **state)
{
	struct fixture *f = *state;

	refuse(f, (struct security_options){ .cap_add = WORDS("foo") }, ERROR_INVALID,
	       "invalid CapAdd: unknown capability: \"CAP_FOO\"");
	refuse(f, (struct security_options){ .cap_drop = WORDS("cap_foo") }, ERROR_INVALID,
	       "invalid CapDrop: unknown capability: \"CAP_FOO\"");
}

static void test_privileged_lifts_everything(void **state)
{
	struct fixture *f = *state;

	accept(f, (struct security_options){ .privileged = true });
	assert_int_equal(f->s.caps, CAPABILITY_ALL);
	assert_null(f->s.seccomp);
	assert_true(f->s.unmask_paths);
	accept(f, (struct security_options){ .privileged = true,
					     .security_opts = WORDS("seccomp=builtin") });
	assert_non_null(f->s.seccomp);
}

static void test_no_new_privileges_in_all_spellings(void **state)
{
	static const struct {
		const char *word;
		bool on;
	} cases[] = {
		{ "no-new-privileges", true },	      { "no-new-privileges=true", true },
		{ "no-new-privileges:true", true },   { "no-new-privileges:false", false },
		{ "no-new-privileges=false", false }, { "no-new-privileges=1", true },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		accept(f, (struct security_options){ .security_opts = WORDS(cases[i].word) });
		assert_int_equal(f->s.no_new_privileges, cases[i].on);
	}
	refuse(f, (struct security_options){ .security_opts = WORDS("no-new-privileges=maybe") },
	       ERROR_INVALID, "invalid --security-opt");
}

static void test_seccomp_unconfined_in_both_spellings(void **state)
{
	struct fixture *f = *state;

	accept(f, (struct security_options){ .security_opts = WORDS("seccomp=unconfined") });
	assert_null(f->s.seccomp);
	accept(f, (struct security_options){ .security_opts = WORDS("seccomp:unconfined") });
	assert_null(f->s.seccomp);
}

static void test_apparmor_and_label_words(void **state)
{
	struct fixture *f = *state;

	accept(f, (struct security_options){
			  .security_opts = WORDS("apparmor=my-profile", "label=disable") });
	assert_string_equal(f->s.apparmor_profile, "my-profile");
	assert_true(f->s.selinux.disable);
	accept(f, (struct security_options){ .security_opts = WORDS("apparmor=unconfined") });
	assert_null(f->s.apparmor_profile);
	accept(f, (struct security_options){
			  .security_opts = WORDS("label=type:x_t", "label:level:s0:c1,c2") });
	assert_string_equal(f->s.selinux.type, "x_t");
	assert_string_equal(f->s.selinux.level, "s0:c1,c2");
	assert_null(f->s.selinux.user);
	refuse(f, (struct security_options){ .security_opts = WORDS("label=type:") }, ERROR_INVALID,
	       "label=type:");
	refuse(f, (struct security_options){ .security_opts = WORDS("label=colour:red") },
	       ERROR_INVALID, "valid are disable, and user");
}

static void test_words_that_are_wrong_or_not_ours_yet(void **state)
{
	struct fixture *f = *state;

	refuse(f, (struct security_options){ .security_opts = WORDS("frobnicate=1") },
	       ERROR_INVALID, "invalid --security-opt: \"frobnicate=1\"");
	refuse(f, (struct security_options){ .security_opts = WORDS("seccomp") }, ERROR_INVALID,
	       "invalid --security-opt: \"seccomp\"");
	refuse(f, (struct security_options){ .security_opts = WORDS("seccomp=") }, ERROR_INVALID,
	       "invalid --security-opt");
	refuse(f, (struct security_options){ .security_opts = WORDS("unmask=ALL") },
	       ERROR_UNSUPPORTED, "not supported yet");
	refuse(f, (struct security_options){ .security_opts = WORDS("writable-cgroups=perhaps") },
	       ERROR_INVALID, "invalid --security-opt: \"writable-cgroups=perhaps\"");
	refuse(f, (struct security_options){ .security_opts = WORDS("seccomp=/no/such.json") },
	       ERROR_INTERNAL, "opening seccomp profile (/no/such.json) failed");
}

static void test_systempaths_unmask(void **state)
{
	struct fixture *f = *state;

	accept(f, (struct security_options){ .security_opts = WORDS("systempaths=unconfined") });
	assert_true(f->s.unmask_paths);
}

static void test_writable_cgroups(void **state)
{
	struct fixture *f = *state;

	accept(f, (struct security_options){ .security_opts = WORDS("writable-cgroups") });
	assert_true(f->s.writable_cgroups);
	accept(f, (struct security_options){ .security_opts = WORDS("writable-cgroups=false") });
	assert_false(f->s.writable_cgroups);
}

/* Profiles */

static void check_same(const struct oci_seccomp *a, const struct oci_seccomp *b)
{
	assert_int_equal(a->default_action, b->default_action);
	assert_int_equal(a->default_errno_ret.value, b->default_errno_ret.value);
	assert_int_equal(a->n_architectures, b->n_architectures);
	for (size_t i = 0; i < a->n_architectures; i++)
		assert_string_equal(a->architectures[i], b->architectures[i]);
	assert_int_equal(a->n_rules, b->n_rules);
	for (size_t i = 0; i < a->n_rules; i++) {
		const struct oci_seccomp_rule *x = &a->rules[i], *y = &b->rules[i];

		assert_int_equal(x->action, y->action);
		assert_int_equal(x->errno_ret.set, y->errno_ret.set);
		assert_int_equal(x->errno_ret.value, y->errno_ret.value);
		assert_int_equal(x->n_names, y->n_names);
		for (size_t j = 0; j < x->n_names; j++)
			assert_string_equal(x->names[j], y->names[j]);
		assert_int_equal(x->n_args, y->n_args);
		for (size_t j = 0; j < x->n_args; j++) {
			assert_int_equal(x->args[j].index, y->args[j].index);
			assert_int_equal(x->args[j].op, y->args[j].op);
			assert_int_equal(x->args[j].value, y->args[j].value);
			assert_int_equal(x->args[j].value_two, y->args[j].value_two);
		}
	}
}

static void test_the_compiled_in_profile_is_the_data_file(void **state)
{
	static const uint64_t caps[] = { 0, SECURITY_DEFAULT_CAPS, CAPABILITY_ALL,
					 BIT(CAP_SYS_CHROOT) | BIT(CAP_BPF) };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		const struct oci_seccomp *file;

		if (seccomp_profile_load(PROFILE_PATH, caps[i], f->arena, &file, &f->err) < 0)
			fail_msg("%s", f->err.msg);
		check_same(file, seccomp_profile_default(caps[i], f->arena));
	}
}

static const struct oci_seccomp *parse(struct fixture *f, const char *json, uint64_t caps)
{
	const struct oci_seccomp *s;

	if (seccomp_profile_parse(json, strlen(json), "test", caps, f->arena, &s, &f->err) < 0)
		fail_msg("%s", f->err.msg);
	return s;
}

static void test_includes_and_excludes_choose_rules(void **state)
{
	static const char json[] =
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
		"{\"name\":\"a\",\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"caps\":[\"CAP_KILL\",\"CAP_BPF\"]}},"
		"{\"names\":[\"b\"],\"action\":\"SCMP_ACT_ALLOW\",\"excludes\":{\"caps\":[\"CAP_KILL\",\"CAP_BPF\"]}},"
		"{\"names\":[\"c\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"arches\":[\"vax\"]}},"
		"{\"names\":[\"d\"],\"action\":\"SCMP_ACT_ALLOW\",\"excludes\":{\"arches\":[\"vax\"]}},"
		"{\"names\":[\"e\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"minKernel\":\"99.0\"}},"
		"{\"names\":[\"f\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"minKernel\":\"3.0\"}},"
		"{\"names\":[\"g\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{}}]}";
	struct fixture *f = *state;
	const struct oci_seccomp *s = parse(f, json, BIT(CAP_KILL));

	assert_int_equal(s->n_rules, 3);
	assert_string_equal(s->rules[0].names[0], "d");
	assert_string_equal(s->rules[1].names[0], "f");
	assert_string_equal(s->rules[2].names[0], "g");
	s = parse(f, json, BIT(CAP_KILL) | BIT(CAP_BPF));
	assert_string_equal(s->rules[0].names[0], "a");
	s = parse(f, json, 0);
	assert_string_equal(s->rules[0].names[0], "b");
}

static void test_broken_profiles_name_the_place(void **state)
{
	static const struct {
		const char *json, *words;
	} cases[] = {
		{ "{", "ends too early" },
		{ "{}", "defaultAction" },
		{ "{\"defaultAction\":\"SCMP_ACT_FOO\"}", "SCMP_ACT_FOO" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"]}]}",
		  "syscalls[0].action" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":5}]}",
		  "syscalls[0].names" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X86\"],"
		  "\"archMap\":[{\"architecture\":\"SCMP_ARCH_X86\"}]}",
		  "archMap" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"X\"]}", "unknown flag 'X'" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct oci_seccomp *s;

		assert_true(seccomp_profile_parse(cases[i].json, strlen(cases[i].json), "p.json", 0,
						  f->arena, &s, &f->err) < 0);
		assert_int_equal(f->err.kind, ERROR_INVALID);
		if (!strstr(f->err.msg, cases[i].words) || !strstr(f->err.msg, "p.json"))
			fail_msg("'%s' is not in '%s'", cases[i].words, f->err.msg);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_default_is_dockers_fourteen_and_its_profile),
		TEST(test_other_users_have_the_bounding_set_alone),
		TEST(test_added_and_dropped_names_in_any_form),
		TEST(test_a_name_in_both_lists_is_added),
		TEST(test_all_makes_the_other_list_the_exceptions),
		TEST(test_unknown_capabilities_in_dockers_words),
		TEST(test_privileged_lifts_everything),
		TEST(test_no_new_privileges_in_all_spellings),
		TEST(test_seccomp_unconfined_in_both_spellings),
		TEST(test_apparmor_and_label_words),
		TEST(test_words_that_are_wrong_or_not_ours_yet),
		TEST(test_systempaths_unmask),
		TEST(test_writable_cgroups),
		TEST(test_the_compiled_in_profile_is_the_data_file),
		TEST(test_includes_and_excludes_choose_rules),
		TEST(test_broken_profiles_name_the_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
