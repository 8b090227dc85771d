/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/macro.h"
#include "base/sock.h"

static void test_packets_keep_their_borders(void **state)
{
	cleanup_fd int a = -EBADF, b = -EBADF;
	struct error err;
	char buf[16];

	(void)state;
	assert_int_equal(sock_pair(SOCK_SEQPACKET, &a, &b, &err), 0);
	assert_int_equal(sock_send(a, "one", 3, NULL, 0), 0);
	assert_int_equal(sock_send_parts(a, "tw", 2, "o", 1), 0);
	assert_int_equal(sock_recv(b, buf, sizeof(buf), NULL, NULL), 3);
	assert_memory_equal(buf, "one", 3);
	assert_int_equal(sock_recv(b, buf, sizeof(buf), NULL, NULL), 3);
	assert_memory_equal(buf, "two", 3);
}

static void test_descriptors_travel_and_are_close_on_exec(void **state)
{
	cleanup_fd int a = -EBADF, b = -EBADF;
	int pair[2], fds[SOCK_FDS_MAX];
	struct error err;
	char buf[16];
	size_t n = 0;

	(void)state;
	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	assert_int_equal(sock_pair(SOCK_SEQPACKET, &a, &b, &err), 0);
	assert_int_equal(sock_send(a, "x", 1, pair, 2), 0);
	assert_int_equal(sock_recv(b, buf, sizeof(buf), fds, &n), 1);
	assert_int_equal(n, 2);
	assert_int_equal(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(fds[1], "y", 1), 1);
	assert_int_equal(read(pair[0], buf, 1), 1);
	for (int i = 0; i < 2; i++) {
		close(fds[i]);
		close(pair[i]);
	}
}

static void test_unwanted_descriptors_are_closed(void **state)
{
	cleanup_fd int a = -EBADF, b = -EBADF;
	struct error err;
	int pair[2];
	char buf[4];

	(void)state;
	assert_int_equal(pipe2(pair, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(sock_pair(SOCK_SEQPACKET, &a, &b, &err), 0);
	assert_int_equal(sock_send(a, "x", 1, &pair[1], 1), 0);
	close(pair[1]);
	assert_int_equal(sock_recv(b, buf, sizeof(buf), NULL, NULL), 1);
	assert_int_equal(read(pair[0], buf, 1), 0); /* no writer is left */
	close(pair[0]);
}

static void test_a_packet_that_does_not_fit_is_refused(void **state)
{
	cleanup_fd int a = -EBADF, b = -EBADF;
	struct error err;
	char buf[2];

	(void)state;
	assert_int_equal(sock_pair(SOCK_SEQPACKET, &a, &b, &err), 0);
	assert_int_equal(sock_send(a, "long", 4, NULL, 0), 0);
	assert_int_equal(sock_recv(b, buf, sizeof(buf), NULL, NULL), -EMSGSIZE);
}

static void test_a_closed_peer_is_an_error_and_no_signal(void **state)
{
	cleanup_fd int a = -EBADF;
	struct error err;
	int b;

	(void)state;
	assert_int_equal(sock_pair(SOCK_SEQPACKET, &a, &b, &err), 0);
	close(b);
	assert_int_equal(sock_send(a, "x", 1, NULL, 0), -EPIPE);
}

static void test_last_words_are_read_though_the_peer_did_not_listen(void **state)
{
	cleanup_fd int a = -EBADF;
	struct error err;
	char buf[16];
	int b;

	(void)state;
	assert_int_equal(sock_pair(SOCK_SEQPACKET, &a, &b, &err), 0);
	assert_int_equal(sock_send(a, "unread", 6, NULL, 0), 0);
	assert_int_equal(sock_send(b, "last", 4, NULL, 0), 0);
	close(b);
	assert_int_equal(sock_recv(a, buf, sizeof(buf), NULL, NULL), 4);
	assert_int_equal(sock_recv(a, buf, sizeof(buf), NULL, NULL), 0);
}

/* A socket below a directory whose path alone is longer than sun_path. */
static void test_long_paths_listen_and_connect(void **state)
{
	cleanup_fd int listener = -EBADF, client = -EBADF, served = -EBADF;
	char dir[] = "/tmp/berth-test-sock-XXXXXX", path[512];
	struct ucred peer;
	struct error err;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/%0150d", dir, 0);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/%0150d/sock", dir, 0);

	assert_int_equal(sock_listen(path, SOCK_SEQPACKET, 0600, &listener, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(sock_connect(path, SOCK_SEQPACKET, &client, &err), 0);
	served = accept(listener, NULL, NULL);
	assert_int_equal(sock_peer(served, &peer, &err), 0);
	assert_int_equal(peer.pid, getpid());

	assert_int_equal(unlink(path), 0);
	*strrchr(path, '/') = '\0';
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void test_connecting_to_nothing_is_enoent(void **state)
{
	struct error err;
	int fd = -1;

	(void)state;
	assert_int_equal(sock_connect("/nonexistent/sock", SOCK_STREAM, &fd, &err), -ENOENT);
	assert_int_equal(fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packets_keep_their_borders),
		cmocka_unit_test(test_descriptors_travel_and_are_close_on_exec),
		cmocka_unit_test(test_unwanted_descriptors_are_closed),
		cmocka_unit_test(test_a_packet_that_does_not_fit_is_refused),
		cmocka_unit_test(test_a_closed_peer_is_an_error_and_no_signal),
		cmocka_unit_test(test_last_words_are_read_though_the_peer_did_not_listen),
		cmocka_unit_test(test_long_paths_listen_and_connect),
		cmocka_unit_test(test_connecting_to_nothing_is_enoent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
