/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/macro.h"
#include "runtime/lifecycle.h"

/* Rows of the table in docs: y may, n may not; creating, created, running, paused, stopped. */
static const struct {
	enum lifecycle_verb verb;
	const char *allowed;
} rows[] = {
	{ LIFECYCLE_START, "nynnn" },  { LIFECYCLE_KILL, "nyyyn" },   { LIFECYCLE_DELETE, "yynny" },
	{ LIFECYCLE_PAUSE, "nyynn" },  { LIFECYCLE_RESUME, "nnnyn" }, { LIFECYCLE_EXEC, "nyynn" },
	{ LIFECYCLE_UPDATE, "nyyyn" },
};

static void test_each_verb_is_allowed_where_the_table_says(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (unsigned s = CONTAINER_CREATING; s <= CONTAINER_STOPPED; s++) {
			struct error err;
			int r = lifecycle_check(rows[i].verb, (enum container_status)s, "x", &err);

			assert_int_equal(r == 0, rows[i].allowed[s] == 'y');
			if (r < 0)
				assert_int_equal(err.kind, ERROR_CONFLICT);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_verb_is_allowed_where_the_table_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
