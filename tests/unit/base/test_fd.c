/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fd.h"
#include "base/macro.h"

#define FIRST 20
#define END   32

/* In a child: which of FIRST to END are open after the call, as bits. */
static unsigned open_after(unsigned first, const int *keep, size_t n)
{
	int copy[8] = { 0 }, out[2], status;
	unsigned bits = ~0U;
	pid_t pid;

	assert_int_equal(pipe(out), 0);
	pid = fork();
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		for (int fd = FIRST; fd < END; fd++)
			dup2(STDOUT_FILENO, fd);
		for (size_t i = 0; i < n; i++)
			copy[i] = keep[i];
		bits = 0;
		if (fd_close_others(first, copy, n) < 0)
			_exit(1);
		for (int fd = FIRST; fd < END; fd++)
			bits |= (fcntl(fd, F_GETFD) >= 0 ? 1U : 0U) << (fd - FIRST);
		_exit(write(STDOUT_FILENO, &bits, sizeof(bits)) != sizeof(bits));
	}
	close(out[1]);
	assert_int_equal(read(out[0], &bits, sizeof(bits)), sizeof(bits));
	close(out[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return bits;
}

static void test_all_but_those_to_keep_are_closed(void **state)
{
	static const struct {
		unsigned first;
		int keep[4];
		size_t n;
		unsigned open;
	} cases[] = {
		{ 3, { 0 }, 0, 0 },
		{ 3, { 22 }, 1, 0x4 },
		{ 3, { 31, 20, 25, 25 }, 4, 0x821 },
		{ 3, { -EBADF, 21, -1, 20 }, 4, 0x3 },
		{ 3, { 2, 1000 }, 2, 0 },
		{ 24, { 23, 24 }, 2, 0x1f },
		{ 24, { 10, 30 }, 2, 0x40f },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(open_after(cases[i].first, cases[i].keep, cases[i].n),
				 cases[i].open);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_but_those_to_keep_are_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
