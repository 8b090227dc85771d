/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/db.h"

#define ID_A "aaaa000000000000000000000000000000000000000000000000000000000001"
#define ID_B "aaaa000000000000000000000000000000000000000000000000000000000002"

struct fixture {
	char dir[64], path[96];
	struct db *db;
	struct arena *arena;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct error err;

	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/berth-engine-db-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	(void)snprintf(f->path, sizeof(f->path), "%s/berth.db", f->dir);
	f->arena = arena_new();
	*state = f;
	return db_open(f->path, &f->db, &err);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r;

	db_close(f->db);
	arena_free(f->arena);
	r = dir_remove_tree(AT_FDCWD, f->dir, NULL);
	free(f);
	return r;
}

static struct record make(const char *id, const char *name, int64_t created)
{
	return (struct record){ .id = id,
				.name = name,
				.image = "busybox",
				.image_id = "sha256:1",
				.command = "sh",
				.network = "none",
				.platform = "linux/amd64",
				.labels = "[\"a=1\"]",
				.mounts = "[]",
				.created_ns = created,
				.flags = RECORD_TTY,
				.error = "" };
}

static void test_row_comes_back_as_it_was(void **state)
{
	struct fixture *f = *state;
	struct record in = make(ID_A, "one", 7), out;
	struct error err;

	assert_int_equal(db_insert(f->db, &in, &err), 0);
	in.state = CONTAINER_STATE_RUNNING;
	in.pid = 42;
	in.pid_start = UINT64_C(1) << 40;
	in.oom_killed = true;
	assert_int_equal(db_update_life(f->db, NULL, &in, &err), 0);
	assert_int_equal(db_find(f->db, "one", f->arena, &out, &err), 0);
	assert_string_equal(out.id, ID_A);
	assert_string_equal(out.labels, "[\"a=1\"]");
	assert_int_equal(out.state, CONTAINER_STATE_RUNNING);
	assert_int_equal(out.pid, 42);
	assert_true(out.pid_start == UINT64_C(1) << 40);
	assert_true(out.oom_killed);
	assert_int_equal(out.flags, RECORD_TTY);
}

static void test_taken_name_is_a_conflict_that_names_its_holder(void **state)
{
	struct fixture *f = *state;
	struct record a = make(ID_A, "one", 1), b = make(ID_B, "one", 2);
	struct error err;

	assert_int_equal(db_insert(f->db, &a, &err), 0);
	assert_true(db_insert(f->db, &b, &err) < 0);
	assert_int_equal(err.kind, ERROR_CONFLICT);
	assert_string_equal(err.msg,
			    "Conflict. The container name \"/one\" is already in use by container "
			    "\"" ID_A "\". You have to remove (or rename) that container to be "
			    "able to reuse that name.");
	b.name = "two";
	assert_int_equal(db_insert(f->db, &b, &err), 0);
	assert_true(db_rename(f->db, ID_B, "one", &err) < 0);
	assert_int_equal(err.kind, ERROR_CONFLICT);
}

static void test_container_is_found_by_id_name_and_prefix(void **state)
{
	struct fixture *f = *state;
	struct record a = make(ID_A, "one", 1), b = make(ID_B, "abcd", 2), out;
	struct error err;

	assert_int_equal(db_insert(f->db, &a, &err), 0);
	assert_int_equal(db_insert(f->db, &b, &err), 0);
	assert_int_equal(db_find(f->db, ID_B, f->arena, &out, &err), 0);
	assert_string_equal(out.name, "abcd");
	assert_int_equal(db_find(f->db, "/one", f->arena, &out, &err), 0);
	assert_string_equal(out.id, ID_A);
	assert_true(db_find(f->db, "aaaa", f->arena, &out, &err) < 0);
	assert_int_equal(err.kind, ERROR_INVALID);
	assert_string_equal(err.msg, "multiple IDs found with provided prefix: aaaa");
	assert_true(db_find(f->db, "bbbb", f->arena, &out, &err) < 0);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_string_equal(err.msg, "No such container: bbbb");
	assert_int_equal(db_delete(f->db, ID_B, &err), 0);
	assert_int_equal(db_find(f->db, "aaaa", f->arena, &out, &err), 0);
	assert_string_equal(out.id, ID_A);
}

static void test_list_is_newest_first(void **state)
{
	struct fixture *f = *state;
	struct record a = make(ID_A, "one", 1), b = make(ID_B, "two", 2), *rows;
	struct error err;
	size_t n;

	assert_int_equal(db_insert(f->db, &a, &err), 0);
	assert_int_equal(db_insert(f->db, &b, &err), 0);
	assert_int_equal(db_list(f->db, f->arena, &rows, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_string_equal(rows[0].name, "two");
	assert_string_equal(rows[1].name, "one");
}

static void test_row_survives_reopening_and_a_second_opener_sees_it(void **state)
{
	struct fixture *f = *state;
	cleanup_with(db_close) struct db *second = NULL;
	struct record a = make(ID_A, "one", 1), out;
	struct error err;

	assert_int_equal(db_open(f->path, &second, &err), 0);
	assert_int_equal(db_insert(f->db, &a, &err), 0);
	assert_int_equal(db_find(second, "one", f->arena, &out, &err), 0);
	f->db = db_close(f->db);
	second = db_close(second);
	assert_int_equal(db_open(f->path, &f->db, &err), 0);
	assert_int_equal(db_find(f->db, "one", f->arena, &out, &err), 0);
}

static void test_update_of_a_removed_row_says_so(void **state)
{
	struct fixture *f = *state;
	struct record a = make(ID_A, "one", 1);
	struct error err;

	assert_int_equal(db_update_life(f->db, NULL, &a, &err), -ENOENT);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_int_equal(db_delete(f->db, ID_A, &err), 0);
}

static void test_row_that_changed_meanwhile_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct record was = make(ID_A, "one", 1), now = was, out;
	struct error err;

	assert_int_equal(db_insert(f->db, &was, &err), 0);
	now.state = CONTAINER_STATE_RUNNING;
	now.pid = 7;
	assert_int_equal(db_update_life(f->db, &was, &now, &err), 0);
	now.pid = 8;
	assert_int_equal(db_update_life(f->db, &was, &now, &err), 1);
	assert_int_equal(db_find(f->db, ID_A, f->arena, &out, &err), 0);
	assert_int_equal(out.pid, 7);
}

static void test_running_user_of_an_image_is_named_first(void **state)
{
	struct fixture *f = *state;
	struct record a = make(ID_A, "one", 1), b = make(ID_B, "two", 2), out;
	struct error err;
	bool found;

	assert_int_equal(db_image_user(f->db, "sha256:1", f->arena, &out, &found, &err), 0);
	assert_false(found);
	b.state = CONTAINER_STATE_RUNNING;
	assert_int_equal(db_insert(f->db, &a, &err), 0);
	assert_int_equal(db_insert(f->db, &b, &err), 0);
	assert_int_equal(db_image_user(f->db, "sha256:1", f->arena, &out, &found, &err), 0);
	assert_true(found);
	assert_string_equal(out.name, "two");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_row_comes_back_as_it_was),
		T(test_taken_name_is_a_conflict_that_names_its_holder),
		T(test_container_is_found_by_id_name_and_prefix),
		T(test_list_is_newest_first),
		T(test_row_survives_reopening_and_a_second_opener_sees_it),
		T(test_update_of_a_removed_row_says_so),
		T(test_row_that_changed_meanwhile_is_left_alone),
		T(test_running_user_of_an_image_is_named_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
