/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/dir.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "engine/bundle.h"
#include "engine/document.h"

static void test_settings_come_back_from_the_file(void **state)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	char dir[] = "/tmp/berth-engine-doc-XXXXXX";
	cleanup_fd int dir_fd = -EBADF;
	cleanup_buf struct buf text = { 0 };
	struct container_options o;
	struct container_config c = { .arena = arena, .options = &o, .image_id = "sha256:1" };
	struct document_paths paths = { .dir = "/d", .log_path = "/d/log", .driver = "overlay" };
	struct document d;
	const char *mode = NULL;
	struct error err;

	(void)state;
	container_options_init(&o);
	o.image = "x";
	o.command = strv_push(NULL, "sh");
	o.tty = o.interactive = true;
	o.stop_signal = "SIGINT";
	o.stop_timeout_s = 3;
	o.log_opt = strv_push(NULL, "max-size=1m");
	o.network = "container:"
		    "abc";
	assert_int_equal(container_config_merge(&c, NULL, NULL, &err), 0);
	document_format(&c, &paths, &text);

	assert_non_null(mkdtemp(dir));
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(bundle_write(dir_fd, "container.json", &text, 0600, &err), 0);
	assert_int_equal(document_load(dir_fd, arena, &d, &err), 0);
	assert_true(d.tty && d.open_stdin && d.stdin_once);
	assert_false(d.auto_remove);
	assert_string_equal(d.stop_signal, "SIGINT");
	assert_int_equal(d.stop_timeout_s, 3);
	assert_string_equal(d.log_driver, "json-file");
	assert_string_equal(d.log_path, "/d/log");
	assert_string_equal(d.log_opts[0], "max-size=1m");
	assert_null(d.runtime);
	assert_int_equal(
		json_get_string(json_get(d.root, "HostConfig"), "NetworkMode", &mode, &err), 0);
	assert_string_equal(mode, "container:abc");

	container_options_done(&o);
	assert_int_equal(dir_remove_tree(AT_FDCWD, dir, &err), 0);
}

static void test_broken_file_is_named(void **state)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	char dir[] = "/tmp/berth-engine-doc-XXXXXX";
	cleanup_fd int dir_fd = -EBADF;
	cleanup_buf struct buf text = { 0 };
	struct document d;
	struct error err;

	(void)state;
	assert_non_null(mkdtemp(dir));
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	buf_puts(&text, "{\"Config\":{\"Tty\":3}}");
	assert_int_equal(bundle_write(dir_fd, "container.json", &text, 0600, &err), 0);
	assert_true(document_load(dir_fd, arena, &d, &err) < 0);
	assert_int_equal(err.kind, ERROR_INVALID);
	assert_non_null(strstr(err.msg, "container.json: Config.Tty"));
	assert_int_equal(dir_remove_tree(AT_FDCWD, dir, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings_come_back_from_the_file),
		cmocka_unit_test(test_broken_file_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
