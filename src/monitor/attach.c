/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client is in one of three conditions: it has not said HELLO (wants is 0), it is served, or it
 * owes us room in its socket (owed is not empty). What it is owed is a bit for each stream's
 * current chunk and for the last packet; the bytes themselves are not copied. The kernel's socket
 * buffer is the only queue.
 */
#include "monitor/attach.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sock.h"

#define OWED_EXIT (1u << ATTACH_STREAMS)

struct attach_peer {
	struct attach_server *server;
	struct event_source source;
	struct event_timer timer; /* HELLO or stall */
	struct attach_peer *next;
	uint32_t want;
	unsigned owed; /* bit n: stream n's chunk; OWED_EXIT */
	bool greeted;
	bool patient; /* started the container: never dropped for being slow */
	bool told;    /* has got ATTACH_EXIT */
	bool gone;    /* freed by the next sweep() */
};

static const uint32_t stream_type[ATTACH_STREAMS] = { ATTACH_STDOUT, ATTACH_STDERR };
static const uint32_t stream_want[ATTACH_STREAMS] = { ATTACH_WANT_STDOUT, ATTACH_WANT_STDERR };

static void peer_ready(struct event_loop *loop, struct event_source *source, uint32_t events);

void attach_server_init(struct attach_server *s, struct event_loop *loop,
			const struct attach_events *events)
{
	memset(s, 0, sizeof(*s));
	s->loop = loop;
	s->events = events;
	s->listener.fd = -EBADF;
	s->welcome.version = ATTACH_VERSION;
}

static void settle_chunk(struct attach_server *s, struct attach_peer *p, int stream)
{
	if (!(p->owed & (1u << stream)))
		return;
	p->owed &= ~(1u << stream);
	if (--s->chunk[stream].waiting == 0 && s->chunk[stream].data) {
		s->chunk[stream].data = NULL;
		s->events->taken(s, stream);
	}
}

/*
 * Which of its events a client is watched for; reading stops while input waits for the container.
 * LIMIT: a resize of that client waits as well; a socket of its own for control would lift that.
 */
static void peer_watch(struct attach_peer *p)
{
	bool held = p->server->input_busy && (p->want & ATTACH_WANT_STDIN);
	uint32_t events = (held ? 0 : EPOLLIN) | (p->owed ? EPOLLOUT : 0);

	event_set(p->server->loop, &p->source, events);
}

static void peer_free(struct attach_peer *p)
{
	struct attach_server *s = p->server;
	struct attach_peer **at = &s->peers;
	int fd = p->source.fd;

	while (*at != p) {
		assert(*at); /* it is in the list */
		at = &(*at)->next;
	}
	*at = p->next;
	s->n_peers--;
	event_timer_cancel(s->loop, &p->timer);
	event_remove(s->loop, &p->source);
	close(fd);
	for (int i = 0; i < ATTACH_STREAMS; i++)
		settle_chunk(s, p, i);
	free(p);
	s->events->settled(s);
}

/*
 * Callbacks may come back into this module and find another dead client, so clients are only marked
 * while somebody walks the list (busy), and freed here, from the front again after each one.
 */
static void sweep(struct attach_server *s)
{
	struct attach_peer *p = s->peers;

	while (p && s->busy == 0) {
		if (p->gone) {
			peer_free(p);
			p = s->peers;
		} else {
			p = p->next;
		}
	}
}

static void enter(struct attach_server *s)
{
	s->busy++;
}

static void leave(struct attach_server *s)
{
	s->busy--;
	sweep(s);
}

static void peer_drop(struct attach_peer *p)
{
	p->gone = true;
	p->want = 0;
	sweep(p->server);
}

static void peer_timeout(struct event_loop *loop, struct event_timer *timer)
{
	peer_drop(container_of(timer, struct attach_peer, timer));
}

/* A packet to a client. 1: it must wait for room; < 0: the client has gone. */
static int peer_send(struct attach_peer *p, uint32_t type, const void *body, size_t n)
{
	const uint32_t head[] = { type, 0 };
	int r = sock_send_parts(p->source.fd, head, sizeof(head), body, n);

	_Static_assert(sizeof(head) == ATTACH_HEAD_SIZE, "the head of a packet");

	return r == -EAGAIN || r == -ENOBUFS ? 1 : r;
}

static void peer_owe(struct attach_peer *p, unsigned what)
{
	bool first = !p->owed;

	p->owed |= what;
	if (first) {
		if (!p->patient)
			event_timer_set(p->server->loop, &p->timer, ATTACH_STALL_MS, peer_timeout);
		peer_watch(p);
	}
}

static int peer_send_exit(struct attach_peer *p)
{
	struct attach_server *s = p->server;
	int r = peer_send(p, ATTACH_EXIT, &s->exit, sizeof(s->exit));

	if (r == 0)
		p->told = true;
	return r;
}

static int peer_send_owed(struct attach_peer *p)
{
	struct attach_server *s = p->server;
	int r = 0;

	for (int i = 0; i < ATTACH_STREAMS && r == 0; i++) {
		if (!(p->owed & (1u << i)))
			continue;
		r = peer_send(p, stream_type[i], s->chunk[i].data, s->chunk[i].len);
		if (r == 0)
			settle_chunk(s, p, i);
	}
	if (r == 0 && (p->owed & OWED_EXIT)) {
		r = peer_send_exit(p);
		if (r == 0)
			p->owed &= ~OWED_EXIT;
	}
	return r;
}

/* The client's socket has room. < 0: it has gone. */
static int peer_writable(struct attach_peer *p)
{
	bool was_told = p->told;
	int r = peer_send_owed(p);

	if (r < 0)
		return r;
	event_timer_cancel(p->server->loop, &p->timer);
	if (p->owed && !p->patient)
		event_timer_set(p->server->loop, &p->timer, ATTACH_STALL_MS, peer_timeout);
	peer_watch(p);
	if (!p->told || was_told)
		return 0;
	if (!(p->want & ATTACH_WANT_EXIT))
		return -EPIPE; /* nothing more to say to it */
	p->server->events->settled(p->server);
	return 0;
}

static int peer_refuse(struct attach_peer *p, const struct error *err)
{
	(void)peer_send(p, ATTACH_REFUSED, err, sizeof(*err)); /* it is dropped in any case */
	return -EPROTO;
}

static int peer_hello(struct attach_peer *p, const struct attach_hello *hello, size_t n)
{
	struct attach_server *s = p->server;
	struct error err;

	if (n < sizeof(*hello) || hello->version != ATTACH_VERSION) {
		(void)error_kind(
			&err, ERROR_UNSUPPORTED,
			"this container's monitor speaks version %d of the attach protocol",
			ATTACH_VERSION);
		return peer_refuse(p, &err);
	}
	p->want = hello->want;
	p->greeted = true;
	event_timer_cancel(s->loop, &p->timer);
	if (peer_send(p, ATTACH_WELCOME, &s->welcome, sizeof(s->welcome)) != 0)
		return -EPIPE;
	if (s->ended) {
		int r = peer_send_exit(p);

		return r > 0 ? -EPIPE : r;
	}
	peer_watch(p);
	return 0;
}

static void hold_input(struct attach_server *s)
{
	for (struct attach_peer *p = s->peers; p; p = p->next)
		peer_watch(p);
}

static int peer_packet(struct attach_peer *p, const struct attach_packet *packet, size_t n)
{
	struct attach_server *s = p->server;

	if (!p->greeted)
		return packet->type == ATTACH_HELLO ? peer_hello(p, &packet->hello, n) : -EPROTO;

	switch (packet->type) {
	case ATTACH_STDIN:
		if (!(p->want & ATTACH_WANT_STDIN) || n == 0)
			return 0;
		if (!s->events->input(s, packet->data, n)) {
			s->input_busy = true;
			hold_input(s);
		}
		return 0;
	case ATTACH_STDIN_EOF:
		if (p->want & ATTACH_WANT_STDIN)
			s->events->input_eof(s);
		p->want &= ~(uint32_t)ATTACH_WANT_STDIN;
		return 0;
	case ATTACH_RESIZE:
		if (n >= sizeof(packet->size))
			s->events->resize(s, &packet->size);
		return 0;
	case ATTACH_RECORDED:
		s->events->recorded(s);
		return 0;
	default:
		return -EPROTO;
	}
}

static int peer_readable(struct attach_peer *p)
{
	struct attach_packet packet;
	ssize_t n = sock_recv(p->source.fd, &packet, sizeof(packet), NULL, NULL);

	if (n == -EAGAIN)
		return 0;
	if (n < (ssize_t)ATTACH_HEAD_SIZE)
		return n < 0 ? (int)n : -EPIPE;
	return peer_packet(p, &packet, (size_t)n - ATTACH_HEAD_SIZE);
}

static void peer_ready(struct event_loop *loop, struct event_source *source, uint32_t events)
{
	struct attach_peer *p = container_of(source, struct attach_peer, source);
	struct attach_server *s = p->server;
	int r = 0;

	enter(s);
	if (p->owed && (events & EPOLLOUT))
		r = peer_writable(p);
	if (r == 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		r = peer_readable(p);
	if (r < 0) {
		/* a client that leaves ends its input, in docker's sense of StdinOnce */
		if (p->want & ATTACH_WANT_STDIN)
			s->events->input_eof(s);
		peer_drop(p);
	}
	leave(s);
}

int attach_server_adopt(struct attach_server *s, int fd, struct error *err)
{
	struct attach_peer *p = xcalloc(1, sizeof(*p));
	int r = fd_set_nonblock(fd, true);

	if (r < 0)
		r = error_num(err, -r, "cannot use an attach client's socket");
	else
		r = event_add(s->loop, &p->source, fd, EPOLLIN, peer_ready, err);
	if (r < 0) {
		close(fd);
		free(p);
		return r;
	}
	p->server = s;
	p->patient = true;
	p->next = s->peers;
	s->peers = p;
	s->n_peers++;
	return 0;
}

static void listener_ready(struct event_loop *loop, struct event_source *source, uint32_t events)
{
	struct attach_server *s = container_of(source, struct attach_server, listener);
	int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred peer;
	struct error err;

	if (fd < 0)
		return; /* it gave up meanwhile, or we are out of descriptors: it may try again */
	if (s->n_peers >= ATTACH_PEERS_MAX || sock_peer(fd, &peer, &err) < 0 ||
	    (peer.uid != 0 && peer.uid != geteuid())) {
		close(fd);
		return;
	}
	if (attach_server_adopt(s, fd, &err) < 0)
		return;
	s->peers->patient = false;
	event_timer_set(loop, &s->peers->timer, ATTACH_HELLO_MS, peer_timeout);
}

int attach_server_listen(struct attach_server *s, const char *path, struct error *err)
{
	cleanup_fd int fd = -EBADF;
	int r;

	r = sock_listen(path, SOCK_SEQPACKET | SOCK_NONBLOCK, 0600, &fd, err);
	if (r < 0)
		return r;
	r = event_add(s->loop, &s->listener, fd, EPOLLIN, listener_ready, err);
	if (r < 0)
		return r;
	(void)take_fd(&fd); /* s->listener.fd has it */
	return 0;
}

void attach_server_done(struct attach_server *s)
{
	int fd = s->listener.fd;

	if (fd >= 0) {
		event_remove(s->loop, &s->listener);
		close(fd);
	}
	enter(s);
	for (struct attach_peer *p = s->peers; p; p = p->next)
		peer_drop(p);
	leave(s);
}

bool attach_offer(struct attach_server *s, int stream, const char *data, size_t n)
{
	bool waits;

	enter(s);
	s->chunk[stream].data = NULL; /* taken() is not called from in here */
	s->chunk[stream].len = n;
	s->chunk[stream].waiting = 0;
	for (struct attach_peer *p = s->peers; p; p = p->next) {
		int r;

		if (!(p->want & stream_want[stream]))
			continue;
		/* behind what it is owed already, a packet of this stream may not overtake */
		r = p->owed ? 1 : peer_send(p, stream_type[stream], data, n);
		if (r < 0) {
			peer_drop(p);
		} else if (r > 0) {
			s->chunk[stream].waiting++;
			peer_owe(p, 1u << stream);
		}
	}
	waits = s->chunk[stream].waiting > 0;
	if (waits)
		s->chunk[stream].data = data;
	leave(s);
	return !waits;
}

void attach_input_done(struct attach_server *s)
{
	s->input_busy = false;
	hold_input(s);
}

void attach_end(struct attach_server *s, const struct monitor_exit *status)
{
	enter(s);
	s->ended = true;
	s->exit = *status;
	for (struct attach_peer *p = s->peers; p; p = p->next) {
		int r;

		if (!p->greeted || p->gone)
			continue; /* HELLO will be answered with it */
		r = p->owed ? 1 : peer_send_exit(p);
		if (r > 0)
			peer_owe(p, OWED_EXIT);
		else if (r < 0 || !(p->want & ATTACH_WANT_EXIT))
			peer_drop(p);
	}
	leave(s);
}

bool attach_has_recorder(const struct attach_server *s)
{
	for (const struct attach_peer *p = s->peers; p; p = p->next) {
		if (p->want & ATTACH_WANT_EXIT)
			return true;
	}
	return false;
}

bool attach_is_flushed(const struct attach_server *s)
{
	for (const struct attach_peer *p = s->peers; p; p = p->next) {
		if (p->owed || !p->greeted)
			return false;
	}
	return true;
}
