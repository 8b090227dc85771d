/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"
#include "home.h"
#include "registry/daemon_json.h"
#include "registry/registries_conf.h"

#define CONF "registries.conf"

/* "host path[,insecure][,mirror][,digest][,tag]; ...", or the error. */
static char *places(const char *domain, const char *path)
{
	cleanup_buf struct buf out = { 0 };
	struct registry_place *list = NULL;
	struct error err = { 0 };
	size_t n = 0;
	int r = registries_conf_places(domain, path, &list, &n, &err);

	if (r < 0)
		return xasprintf("error %d: %s", (int)err.kind, err.msg);
	for (size_t i = 0; i < n; i++)
		buf_printf(&out, "%s%s %s%s%s%s%s", i ? "; " : "", list[i].domain, list[i].path,
			   list[i].insecure ? ",insecure" : "", list[i].is_mirror ? ",mirror" : "",
			   list[i].digest_only ? ",digest" : "", list[i].tag_only ? ",tag" : "");
	registry_places_free(list, n);
	return buf_take(&out);
}

static void assert_places(const char *domain, const char *path, const char *expected)
{
	cleanup_free char *text = places(domain, path);

	assert_string_equal(text, expected);
}

static void assert_error(enum error_kind kind, const char *domain, const char *path,
			 const char *part)
{
	cleanup_free char *text = places(domain, path);
	cleanup_free char *start = xasprintf("error %d: ", (int)kind);

	if (!str_after(text, start) || !strstr(text, part))
		fail_msg("'%s' instead of '%s...%s'", text, start, part);
}

/* The file that $CONTAINERS_REGISTRIES_CONF names. */
static void configure(void **state, const char *text)
{
	cleanup_free char *path = path_join(*state, CONF);

	home_write(state, CONF, text, 0644);
	setenv("CONTAINERS_REGISTRIES_CONF", path, 1);
}

static void test_a_registry_is_asked_itself(void **state)
{
	configure(state, "# nothing\n");
	assert_places("docker.io", "library/nginx", "docker.io library/nginx");
	assert_places("example.com", NULL, "example.com ");
	assert_places("localhost:5000", "a", "localhost:5000 a,insecure");
	assert_places("127.0.0.1", "a", "127.0.0.1 a,insecure");
	assert_places("localhost.example.com", "a", "localhost.example.com a");
}

static void test_mirrors_come_first(void **state)
{
	configure(
		state,
		"unqualified-search-registries = ['quay.io']\n"
		"[[registry]]\nlocation = 'docker.io'\n"
		"[[registry.mirror]]\nlocation = 'mirror.local/hub/'\ninsecure = true\n"
		"[[registry.mirror]]\nlocation = 'second:5000'\npull-from-mirror = 'digest-only'\n"
		"[[registry.mirror]]\nlocation = 'third'\npull-from-mirror = 'tag-only'\n"
		"[[registry]]\nprefix = 'quay.io'\nmirror-by-digest-only = true\n"
		"mirror = [{ location = 'm' }]\n");
	assert_places("docker.io", "library/nginx",
		      "mirror.local hub/library/nginx,insecure,mirror; "
		      "second:5000 library/nginx,mirror,digest; third library/nginx,mirror,tag; "
		      "docker.io library/nginx");
	assert_places("quay.io", "a/b", "m a/b,mirror,digest; quay.io a/b");
	assert_places("docker.io.example.com", "a", "docker.io.example.com a");
}

static void test_the_longest_prefix_wins(void **state)
{
	configure(state,
		  "[[registry]]\nprefix = 'example.com'\nlocation = 'one'\n"
		  "[[registry]]\nprefix = 'example.com/team'\nlocation = 'two/deep'\n"
		  "[[registry]]\nprefix = 'example.com/team/app'\nlocation = 'three:1/other'\n"
		  "[[registry]]\nprefix = '*.example.com'\ninsecure = true\n"
		  "[[registry]]\nprefix = '*.wild.org'\nlocation = 'calm.org/w'\n");
	assert_places("example.com", "x/y", "one x/y");
	assert_places("example.com", "team/y", "two deep/y");
	assert_places("example.com", "teams/y", "one teams/y");
	assert_places("example.com", "team/app", "three:1 other");
	assert_places("example.com:5000", "team/app", "example.com:5000 team/app");
	assert_places("a.b.example.com", "x", "a.b.example.com x,insecure");
	assert_places("a.wild.org", "x/y", "calm.org w/x/y");
	assert_places("wild.org", "x", "wild.org x");
	assert_places("awild.org", "x", "awild.org x");
}

static void test_blocked_is_denied(void **state)
{
	configure(state, "[[registry]]\nlocation = 'bad.example'\nblocked = true\n"
			 "[[registry]]\nprefix = '*.bad.example'\nblocked = true\n");
	assert_error(ERROR_DENIED, "bad.example", "x", "registry 'bad.example' is blocked in '");
	assert_error(ERROR_DENIED, "sub.bad.example", "x", "registry '*.bad.example' is blocked");
	assert_places("good.example", "x", "good.example x");
}

static void test_the_users_files_come_first(void **state)
{
	home_write(
		state, ".config/containers/registries.conf",
		"[[registry]]\nlocation = 'a'\ninsecure = true\n[[registry]]\nlocation = 'b'\ninsecure = true\n",
		0644);
	assert_places("a", "x", "a x,insecure");
	home_write(state, ".config/containers/registries.conf.d/10.conf",
		   "[[registry]]\nprefix = 'a'\nlocation = 'c'\n", 0644);
	home_write(state, ".config/containers/registries.conf.d/20.conf",
		   "[[registry]]\nprefix = 'a'\nlocation = 'd'\n", 0644);
	home_write(state, ".config/containers/registries.conf.d/30.old", "not read", 0644);
	assert_places("a", "x", "d x");
	assert_places("b", "x", "b x,insecure");
}

static void test_faults_are_named(void **state)
{
	static const struct {
		const char *text, *message;
		enum error_kind kind;
	} faults[] = {
		{ "a =", "registries.conf': line 1: expected a value", ERROR_INVALID },
		{ "[[registry]]\ninsecure = 1\nlocation='x'",
		  "registry[0].insecure: not true or false", ERROR_INVALID },
		{ "[[registry]]\ninsecure = true", "registry[0].location: missing", ERROR_INVALID },
		{ "[[registry]]\nlocation = 'https://x'", "must not begin with http://",
		  ERROR_INVALID },
		{ "[[registry]]\nlocation = 'x'\n[[registry]]\nlocation = 'x'",
		  "registry[1]: 'x' is there twice", ERROR_INVALID },
		{ "[[registry]]\nprefix = 'a.*.b'", "a wildcard stands in front only",
		  ERROR_INVALID },
		{ "[[registry]]\nprefix = 'a/b:1'", "with a tag or digest is not known",
		  ERROR_UNSUPPORTED },
		{ "[[registry]]\nlocation = 'x'\n[[registry.mirror]]\n",
		  "mirror[0].location: missing", ERROR_INVALID },
		{ "[[registry]]\nlocation = 'x'\n[[registry.mirror]]\nlocation='m'\npull-from-mirror='no'",
		  "is none of all", ERROR_INVALID },
		{ "[registries.search]\nregistries = []", "version 1", ERROR_INVALID },
		{ "registry = 1", "registry: not an array", ERROR_INVALID },
	};

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		configure(state, faults[i].text);
		assert_error(faults[i].kind, "y", "z", faults[i].message);
	}
	setenv("CONTAINERS_REGISTRIES_CONF", "/nonexistent/x.conf", 1);
	assert_error(ERROR_INTERNAL, "y", "z", "cannot open '/nonexistent/x.conf'");
}

static void load_daemon(void **state, const char *text, struct daemon_json *d)
{
	cleanup_free char *path = path_join(*state, "daemon.json");
	struct error err = { 0 };

	home_write(state, "daemon.json", text, 0644);
	if (daemon_json_load(path, d, &err) < 0)
		fail_msg("%s", err.msg);
}

static void test_docker_lists_insecure_registries(void **state)
{
	cleanup_daemon_json struct daemon_json d = { 0 };

	load_daemon(state,
		    "{\"insecure-registries\":[\"reg:5000\",\"10.1.0.0/15\",\"fd00::/8\"],"
		    "\"registry-mirrors\":[\"https://m/\"]}",
		    &d);
	assert_string_equal(d.mirrors[0], "https://m/");
	assert_true(daemon_json_is_insecure(&d, "reg:5000"));
	assert_false(daemon_json_is_insecure(&d, "reg"));
	assert_true(daemon_json_is_insecure(&d, "10.1.255.1:80"));
	assert_false(daemon_json_is_insecure(&d, "10.2.0.1"));
	assert_true(daemon_json_is_insecure(&d, "[fd12::1]:5000"));
	assert_false(daemon_json_is_insecure(&d, "[fe80::1]"));
}

static void test_docker_mirrors_are_addresses(void **state)
{
	cleanup_free char *path = path_join(*state, "daemon.json");
	struct daemon_json d = { 0 };
	struct error err = { 0 };

	home_write(state, "daemon.json", "{\"registry-mirrors\":[\"m\"]}", 0644);
	assert_true(daemon_json_load(path, &d, &err) < 0);
	assert_non_null(strstr(err.msg, "'m' is no address"));
	assert_int_equal(daemon_json_load("/nonexistent", &d, &err), 0);
}

int main(void)
{
#define AT_HOME(test) cmocka_unit_test_setup_teardown(test, home_setup, home_teardown)
	const struct CMUnitTest tests[] = {
		AT_HOME(test_a_registry_is_asked_itself),
		AT_HOME(test_mirrors_come_first),
		AT_HOME(test_the_longest_prefix_wins),
		AT_HOME(test_blocked_is_denied),
		AT_HOME(test_the_users_files_come_first),
		AT_HOME(test_faults_are_named),
		AT_HOME(test_docker_lists_insecure_registries),
		AT_HOME(test_docker_mirrors_are_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
