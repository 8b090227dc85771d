/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients of the attach socket may send anything: the monitor stays alive and drops them. Input: a
 * byte that says which of three clients speaks, a byte of length, so many bytes as one packet;
 * again. A byte of 0xff ends the container.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/event.h"
#include "base/macro.h"
#include "base/sock.h"
#include "monitor/attach.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CLIENTS 3

static void on_taken(struct attach_server *s, int stream)
{
	(void)attach_offer(s, stream, "more", 4);
}

static bool on_input(struct attach_server *s, const char *data, size_t n)
{
	return n < 3 || data[2] != 'x'; /* now and then the container does not read */
}

static void on_nothing(struct attach_server *s)
{
}

static void on_resize(struct attach_server *s, const struct attach_size *size)
{
}

static const struct attach_events events = {
	.taken = on_taken,
	.input = on_input,
	.input_eof = on_nothing,
	.resize = on_resize,
	.recorded = on_nothing,
	.settled = on_nothing,
};

static void turn(struct event_loop *loop)
{
	struct error err;

	while (event_loop_once(loop, 0, &err) > 0)
		;
}

static void run(struct attach_server *server, int fds[CLIENTS], const uint8_t *data, size_t size)
{
	const struct monitor_exit status = { .code = 1 };

	while (size >= 2) {
		size_t n = MIN((size_t)data[1], size - 2);
		int *fd = &fds[data[0] % CLIENTS];

		if (data[0] == 0xff && !server->ended) {
			attach_end(server, &status);
		} else if (n == 0 && *fd >= 0) {
			close(*fd);
			*fd = -1;
		} else if (*fd >= 0) {
			(void)sock_send(*fd, data + 2, n, NULL, 0);
		}
		turn(server->loop);
		if (server->input_busy && data[0] % 2)
			attach_input_done(server);
		if (!server->ended)
			(void)attach_offer(server, data[0] % ATTACH_STREAMS, "output", 6);
		data += 2 + n;
		size -= 2 + n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct attach_server server;
	struct event_loop loop;
	int fds[CLIENTS], theirs;
	struct error err;

	if (event_loop_init(&loop, &err) < 0)
		return 0;
	attach_server_init(&server, &loop, &events);
	for (int i = 0; i < CLIENTS; i++) {
		fds[i] = -1;
		if (sock_pair(SOCK_SEQPACKET | SOCK_NONBLOCK, &fds[i], &theirs, &err) == 0)
			(void)attach_server_adopt(&server, theirs, &err);
	}
	run(&server, fds, data, size);
	for (int i = 0; i < CLIENTS; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	turn(&loop);
	while (server.input_busy) { /* each packet that was held may be held again */
		attach_input_done(&server);
		turn(&loop);
	}
	assert(server.n_peers == 0); /* all have closed, so all are noticed */
	attach_server_done(&server);
	event_loop_done(&loop);
	return 0;
}
