/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "engine/container_config.h"
#include "oci/image.h"

static const char *const image_entrypoint[] = { "/entry", NULL };
static const char *const image_cmd[] = { "serve", "--all", NULL };
static const char *const image_env[] = { "PATH=/bin", "LANG=C", NULL };
static const struct oci_pair image_labels[] = { { "a", "image" }, { "b", "image" } };
static const struct oci_image_run image = {
	.entrypoint = image_entrypoint,
	.n_entrypoint = 1,
	.cmd = image_cmd,
	.n_cmd = 2,
	.env = image_env,
	.n_env = 2,
	.user = "www",
	.working_dir = "/srv",
	.stop_signal = "SIGQUIT",
	.labels = image_labels,
	.n_labels = 2,
};

struct fixture {
	struct arena *arena;
	struct container_options o;
	struct container_config c;
	struct error err;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->arena = arena_new();
	container_options_init(&f->o);
	f->o.image = "x";
	f->c.arena = f->arena;
	f->c.options = &f->o;
	memset(f->c.id, 'a', ID_LEN);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	container_options_done(&f->o);
	arena_free(f->arena);
	free(f);
	return 0;
}

static void merge(struct fixture *f)
{
	assert_int_equal(container_config_merge(&f->c, &image, NULL, &f->err), 0);
}

static void test_image_gives_the_command(void **state)
{
	struct fixture *f = *state;

	merge(f);
	assert_int_equal(f->c.n_args, 3);
	assert_string_equal(f->c.args[0], "/entry");
	assert_string_equal(f->c.args[2], "--all");
	assert_string_equal(f->c.workdir, "/srv");
	assert_string_equal(f->c.user, "www");
	assert_string_equal(f->c.stop_signal, "SIGQUIT");
}

static void test_command_replaces_cmd_and_keeps_the_entrypoint(void **state)
{
	struct fixture *f = *state;

	f->o.command = strv_push(NULL, "sh");
	merge(f);
	assert_int_equal(f->c.n_args, 2);
	assert_string_equal(f->c.args[0], "/entry");
	assert_string_equal(f->c.args[1], "sh");
}

static void test_entrypoint_voids_the_images_cmd(void **state)
{
	struct fixture *f = *state;

	f->o.entrypoint = "/bin/true";
	merge(f);
	assert_int_equal(f->c.n_args, 1);
	assert_string_equal(f->c.args[0], "/bin/true");
}

static void test_empty_entrypoint_without_command_is_an_error(void **state)
{
	struct fixture *f = *state;

	f->o.entrypoint = "";
	assert_true(container_config_merge(&f->c, &image, NULL, &f->err) < 0);
	assert_string_equal(f->err.msg, "No command specified");
}

static void test_user_variables_come_before_and_over_the_images(void **state)
{
	struct fixture *f = *state;

	f->o.env = strv_push(NULL, "LANG=de");
	merge(f);
	assert_int_equal(f->c.n_env, 2);
	assert_string_equal(f->c.env[0], "LANG=de");
	assert_string_equal(f->c.env[1], "PATH=/bin");
}

static void test_labels_are_sorted_and_the_users_win(void **state)
{
	struct fixture *f = *state;

	f->o.label = strv_push(strv_push(NULL, "b=user"), "0");
	merge(f);
	assert_int_equal(f->c.n_labels, 3);
	assert_string_equal(f->c.labels[0], "0=");
	assert_string_equal(f->c.labels[1], "a=image");
	assert_string_equal(f->c.labels[2], "b=user");
}

static void test_hostname_is_the_short_id_unless_given(void **state)
{
	struct fixture *f = *state;

	merge(f);
	assert_string_equal(f->c.hostname, "aaaaaaaaaaaa");
	f->o.hostname = "web";
	merge(f);
	assert_string_equal(f->c.hostname, "web");
}

static void test_cgroup_namespace_follows_the_host(void **state)
{
	struct fixture *f = *state;

	merge(f);
	assert_int_equal(f->c.ns[OCI_NS_CGROUP].kind, NAMESPACE_HOST);
	f->c.cgroup_v2 = true;
	merge(f);
	assert_int_equal(f->c.ns[OCI_NS_CGROUP].kind, NAMESPACE_PRIVATE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_image_gives_the_command),
		T(test_command_replaces_cmd_and_keeps_the_entrypoint),
		T(test_entrypoint_voids_the_images_cmd),
		T(test_empty_entrypoint_without_command_is_an_error),
		T(test_user_variables_come_before_and_over_the_images),
		T(test_labels_are_sorted_and_the_users_win),
		T(test_hostname_is_the_short_id_unless_given),
		T(test_cgroup_namespace_follows_the_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
