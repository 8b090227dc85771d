/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/str.h"
#include "registry/credential.h"
#include "home.h"

#define DOCKER ".docker/config.json"

/* "user secret token", or "none". */
static char *found(const char *domain, const char *path)
{
	cleanup_credential struct credential c = { 0 };
	struct error err = { 0 };
	int r = credential_find(NULL, domain, path, &c, &err);

	if (r < 0)
		return xasprintf("error: %s", err.msg);
	if (r == 0)
		return xstrdup("none");
	return xasprintf("%s %s %s", c.username ? c.username : "-", c.secret ? c.secret : "-",
			 c.identity_token ? c.identity_token : "-");
}

static void assert_found(const char *domain, const char *path, const char *expected)
{
	cleanup_free char *text = found(domain, path);

	assert_string_equal(text, expected);
}

static void store(const char *file, const char *domain, const char *user, const char *secret,
		  const char *expected_helper)
{
	cleanup_credential struct credential c = { xstrdup(user), xstrdup(secret), NULL };
	cleanup_credential_place struct credential_place place = { 0 };
	struct error err = { 0 };

	if (credential_store(file, domain, &c, &place, &err) != 0)
		fail_msg("%s", err.msg);
	assert_non_null(place.file);
	assert_true(str_eq(place.helper, expected_helper));
}

static void test_without_files_there_is_nothing(void **state)
{
	struct error err;

	assert_found("docker.io", "library/nginx", "none");
	assert_int_equal(credential_erase(NULL, "docker.io", &err), 0);
}

static void test_entries_are_found_by_all_their_names(void **state)
{
	home_write(
		state, DOCKER,
		"{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"bWU6aHVi\"},"
		"\"https://old.example/v2/\":{\"auth\":\"bWU6b2xk\"},"
		"\"reg.example:5000/\":{\"username\":\"me\",\"password\":\"plain\"},"
		"\"tok.example\":{\"auth\":\"bWU6\",\"identitytoken\":\"T\"},"
		"\"empty.example\":{},"
		"\"quay.io\":{\"auth\":\"bWU6YWxs\"},\"quay.io/team\":{\"auth\":\"bWU6dGVhbQ==\"},"
		"\"quay.io/team/app\":{\"auth\":\"bWU6YXBw\"}}}",
		0600);
	assert_found("docker.io", "library/nginx", "me hub -");
	assert_found("old.example", NULL, "me old -");
	assert_found("reg.example:5000", "x", "me plain -");
	assert_found("reg.example", "x", "none");
	assert_found("tok.example", "x", "me - T");
	assert_found("empty.example", "x", "none");
	assert_found("quay.io", "other", "me all -");
	assert_found("quay.io", "team", "me team -");
	assert_found("quay.io", "teams/app", "me all -");
	assert_found("quay.io", "team/app/deep", "me app -");
}

static void test_files_are_asked_in_their_order(void **state)
{
	cleanup_free char *named = path_join(*state, "named.json");
	cleanup_free char *docker = path_join(*state, "docker");

	home_write(state, ".config/containers/auth.json", "{\"auths\":{\"a\":{\"auth\":\"YTo0\"}}}",
		   0600);
	assert_found("a", NULL, "a 4 -");
	home_write(state, "containers/auth.json", "{\"auths\":{\"a\":{\"auth\":\"YToz\"}}}", 0600);
	assert_found("a", NULL, "a 3 -");
	home_write(state, DOCKER, "{\"auths\":{\"a\":{\"auth\":\"YToy\"}}}", 0600);
	assert_found("a", NULL, "a 2 -");
	home_write(state, "docker/config.json", "{\"auths\":{\"a\":{\"auth\":\"YTox\"}}}", 0600);
	setenv("DOCKER_CONFIG", docker, 1);
	assert_found("a", NULL, "a 1 -");
	setenv("REGISTRY_AUTH_FILE", named, 1);
	assert_found("a", NULL, "none");
	home_write(state, "named.json", "{\"auths\":{\"a\":{\"auth\":\"YTow\"}}}", 0600);
	assert_found("a", NULL, "a 0 -");
}

static void test_damaged_files_are_named(void **state)
{
	cleanup_free char *text = NULL;

	home_write(state, DOCKER, "{\"auths\":", 0600);
	text = found("a", NULL);
	assert_non_null(strstr(text, ".docker/config.json': the text ends too early"));
	free(text);
	home_write(state, DOCKER, "{\"auths\":{\"a\":{\"auth\":\"c2VjcmV0\"}}}", 0600);
	text = found("a", NULL);
	assert_non_null(strstr(text, "auths.a: 'auth' is not user:password"));
	assert_null(strstr(text, "secret"));
	free(text);
	home_write(state, DOCKER, "{\"auths\":{\"a\":{\"auth\":\"%%\"}}}", 0600);
	text = found("a", NULL);
	assert_non_null(strstr(text, "auths.a: 'auth' is not base64"));
}

static void test_storing_keeps_what_else_the_file_says(void **state)
{
	cleanup_free char *path = path_join(*state, DOCKER);
	cleanup_free char *text = NULL, *after = NULL;
	struct error err = { 0 };
	struct stat st;

	home_write(
		state, DOCKER,
		"{\"detachKeys\":\"ctrl-e\",\"auths\":{\"https://docker.io\":{\"auth\":\"eDp5\"},"
		"\"b\":{\"auth\":\"YTox\",\"email\":\"e\"}},\"psFormat\":\"x\"}",
		0644);
	store(NULL, "docker.io", "me", "pass:word", NULL);
	text = home_read(state, DOCKER);
	assert_string_equal(
		text, "{\n\t\"detachKeys\": \"ctrl-e\",\n\t\"auths\": {\n"
		      "\t\t\"b\": {\n\t\t\t\"auth\": \"YTox\",\n\t\t\t\"email\": \"e\"\n\t\t},\n"
		      "\t\t\"https://index.docker.io/v1/\": {\n"
		      "\t\t\t\"auth\": \"bWU6cGFzczp3b3Jk\"\n\t\t}\n\t},\n"
		      "\t\"psFormat\": \"x\"\n}");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_found("docker.io", "library/x", "me pass:word -");
	assert_int_equal(credential_erase(NULL, "docker.io", &err), 1);
	assert_int_equal(credential_erase(NULL, "docker.io", &err), 0);
	assert_found("docker.io", "library/x", "none");
	after = home_read(state, DOCKER);
	assert_null(strstr(after, "index.docker.io"));
	assert_non_null(strstr(after, "\"psFormat\": \"x\""));
}

static void test_a_new_file_is_the_users_alone(void **state)
{
	cleanup_free char *dir = path_join(*state, ".docker"), *path = path_join(*state, DOCKER);
	struct stat st;

	store(NULL, "localhost:5000", "a", "b", NULL);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_found("localhost:5000", "x", "a b -");
}

static void test_a_symlink_stays_one(void **state)
{
	cleanup_free char *link = path_join(*state, "link.json"), *text = NULL;
	struct stat st;

	home_write(state, "real/auth.json", "", 0600);
	assert_int_equal(symlink("real/auth.json", link), 0);
	store(link, "docker.io", "me", "p", NULL);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	text = home_read(state, "real/auth.json");
	assert_non_null(strstr(text, "\"docker.io\": {")); /* podman's name for it */
}

/* A helper that keeps one credential in a file beside itself, and logs its calls. */
static const char helper[] =
	"#!/bin/sh\n"
	"dir=$(dirname \"$0\")\n"
	"echo \"$1\" >>$dir/calls\n"
	"case $1 in\n"
	"store) cat >$dir/kept ;;\n"
	"get) read -r server; [ -e $dir/kept ] && grep -q \"\\\"$server\\\"\" $dir/kept && cat $dir/kept && exit 0\n"
	"  echo 'credentials not found in native keychain'; exit 1 ;;\n"
	"erase) rm $dir/kept ;;\n"
	"esac\n";

static void install_helper(void **state, const char *name, const char *text)
{
	cleanup_free char *dir = path_join(*state, "bin"), *file = xasprintf("bin/%s", name);
	cleanup_free char *path = xasprintf("%s:/usr/bin:/bin", dir);

	home_write(state, file, text, 0755);
	setenv("PATH", path, 1);
}

static void test_a_helper_keeps_the_secret(void **state)
{
	cleanup_free char *text = NULL, *kept = NULL;
	struct error err = { 0 };

	install_helper(state, "docker-credential-fake", helper);
	home_write(state, DOCKER, "{\"credsStore\":\"fake\"}", 0600);
	assert_found("docker.io", "library/x", "none");
	store(NULL, "docker.io", "me", "hidden \"x\"", "fake");
	text = home_read(state, DOCKER);
	kept = home_read(state, "bin/kept");
	assert_string_equal(text, "{\n\t\"credsStore\": \"fake\",\n\t\"auths\": {\n"
				  "\t\t\"https://index.docker.io/v1/\": {}\n\t}\n}");
	assert_string_equal(kept, "{\"ServerURL\":\"https://index.docker.io/v1/\","
				  "\"Username\":\"me\",\"Secret\":\"hidden \\\"x\\\"\"}");
	assert_found("docker.io", "library/x", "me hidden \"x\" -");
	assert_int_equal(credential_erase(NULL, "docker.io", &err), 1);
	assert_found("docker.io", "library/x", "none");
	assert_int_equal(credential_erase(NULL, "docker.io", &err), 0);
}

static void test_one_registry_may_have_its_own_helper(void **state)
{
	install_helper(state, "docker-credential-one",
		       "#!/bin/sh\necho '{\"Username\":\"<token>\",\"Secret\":\"T\"}'\n");
	home_write(state, DOCKER,
		   "{\"credsStore\":\"missing\",\"credHelpers\":{\"one.example\":\"one\"}}", 0600);
	assert_found("one.example", "x", "- - T");
}

static void test_a_helpers_failure_is_one_sentence(void **state)
{
	cleanup_free char *missing = NULL, *failing = NULL, *slash = NULL, *garbage = NULL;

	install_helper(state, "docker-credential-bad",
		       "#!/bin/sh\necho 'the keys are lost'; echo more; exit 2\n");
	install_helper(state, "docker-credential-noise", "#!/bin/sh\necho hello\n");
	home_write(
		state, DOCKER,
		"{\"credHelpers\":{\"a\":\"bad\",\"b\":\"none\",\"c\":\"../x\",\"d\":\"noise\"}}",
		0600);
	failing = found("a", NULL);
	assert_string_equal(failing,
			    "error: 'docker-credential-bad get' failed: the keys are lost");
	missing = found("b", NULL);
	assert_non_null(str_after(missing, "error: credential helper 'docker-credential-none': "));
	slash = found("c", NULL);
	assert_string_equal(slash, "error: '../x' is no name of a credential helper");
	garbage = found("d", NULL);
	assert_non_null(
		str_after(garbage, "error: answer of 'docker-credential-noise get': line 1"));
}

int main(void)
{
#define AT_HOME(test) cmocka_unit_test_setup_teardown(test, home_setup, home_teardown)
	const struct CMUnitTest tests[] = {
		AT_HOME(test_without_files_there_is_nothing),
		AT_HOME(test_entries_are_found_by_all_their_names),
		AT_HOME(test_files_are_asked_in_their_order),
		AT_HOME(test_damaged_files_are_named),
		AT_HOME(test_storing_keeps_what_else_the_file_says),
		AT_HOME(test_a_new_file_is_the_users_alone),
		AT_HOME(test_a_symlink_stays_one),
		AT_HOME(test_a_helper_keeps_the_secret),
		AT_HOME(test_one_registry_may_have_its_own_helper),
		AT_HOME(test_a_helpers_failure_is_one_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
