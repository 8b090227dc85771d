/* SPDX-License-Identifier: Apache-2.0 */

/*
 *	client                                    server
 *	NUL, AUTH EXTERNAL, DATA ───────────────▶ who we are it asks the kernel (SO_PEERCRED)
 *	BEGIN, (bus: Hello) ────────────────────▶ all in one write: nothing depends on the answers
 *	            ◀──────── DATA, OK guid ───── text lines
 *	messages    ◀──────────────────────────▶  binary from here on
 *
 * The user id is left to the kernel because a process in a user namespace does not know the one that
 * the server sees.
 */
#include "kernel/dbus.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/sock.h"
#include "base/str.h"

#define LINE_MAX_BYTES 512
#define SIGNALS_MAX    256 /* kept for later; systemd tells of few while we wait for one answer */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BYTE_ORDER_MARK 'l'
#else
#define BYTE_ORDER_MARK 'B'
#endif

#define FLAG_NO_AUTO_START 0x2

struct dbus {
	int fd;
	uint32_t serial;
	struct dbus_message *signals; /* that came while we waited for an answer */
	size_t n_signals, capacity;
};

/* Messages */

void dbus_message_done(struct dbus_message *m)
{
	buf_done(&m->bytes);
	*m = (struct dbus_message){ 0 };
}

ssize_t dbus_message_length(const char *head)
{
	uint32_t body, fields;
	size_t n;

	memcpy(&body, head + 4, sizeof(body));
	memcpy(&fields, head + 12, sizeof(fields));
	if (head[0] != BYTE_ORDER_MARK || head[3] != 1 || body > DBUS_MESSAGE_MAX_BYTES ||
	    fields > DBUS_MESSAGE_MAX_BYTES)
		return -EBADMSG;
	n = DBUS_HEAD_BYTES + ((size_t)fields + 7) / 8 * 8 + body;
	return n > DBUS_MESSAGE_MAX_BYTES ? -EBADMSG : (ssize_t)n;
}

enum field {
	FIELD_PATH = 1,
	FIELD_INTERFACE,
	FIELD_MEMBER,
	FIELD_ERROR_NAME,
	FIELD_REPLY_SERIAL,
	FIELD_DESTINATION,
	FIELD_SENDER,
	FIELD_SIGNATURE,
};

static void read_field(struct dbus_reader *r, struct dbus_message *m)
{
	const char *type, *s = "";
	uint32_t number = 0;
	uint8_t field;

	dbus_read_align(r, 8);
	field = dbus_read_u8(r);
	type = dbus_read_signature(r);
	if (str_eq(type, "u"))
		number = dbus_read_u32(r);
	else if (str_eq(type, "s") || str_eq(type, "o"))
		s = dbus_read_string(r);
	else if (str_eq(type, "g"))
		s = dbus_read_signature(r);
	else
		r->bad = true; /* the specification has no field of another type */
	if (field == FIELD_PATH)
		m->path = s;
	else if (field == FIELD_INTERFACE)
		m->interface = s;
	else if (field == FIELD_MEMBER)
		m->member = s;
	else if (field == FIELD_ERROR_NAME)
		m->error_name = s;
	else if (field == FIELD_SIGNATURE)
		m->types = s;
	else if (field == FIELD_REPLY_SERIAL) /* and not the count of descriptors */
		m->reply_serial = number;
}

int dbus_message_parse(struct dbus_message *m)
{
	struct dbus_reader r = { .data = m->bytes.data, .len = m->bytes.len, .pos = 12 };
	struct dbus_reader fields;

	if (m->bytes.len < DBUS_HEAD_BYTES ||
	    dbus_message_length(m->bytes.data) != (ssize_t)m->bytes.len)
		return -EBADMSG;
	m->type = (uint8_t)m->bytes.data[1];
	m->path = m->interface = m->member = m->error_name = m->types = "";
	fields = dbus_read_array(&r, 8);
	while (!fields.bad && fields.pos < fields.len)
		read_field(&fields, m);
	dbus_read_align(&r, 8);
	if (fields.bad || r.bad)
		return -EBADMSG;
	m->body = (struct dbus_reader){ .data = r.data + r.pos, .len = r.len - r.pos };
	return 0;
}

static void add_field(struct buf *b, enum field field, char type, const char *value)
{
	dbus_align(b, 8);
	buf_putc(b, (char)field);
	dbus_add_signature(b, (char[]){ type, '\0' });
	if (type == 'g')
		dbus_add_signature(b, value);
	else
		dbus_add_string(b, value);
}

static void format_call(const struct dbus_call *call, uint32_t serial, struct buf *out)
{
	const char head[4] = { BYTE_ORDER_MARK, DBUS_TYPE_CALL, FLAG_NO_AUTO_START, 1 };
	struct dbus_array fields;

	buf_add(out, head, sizeof(head));
	dbus_add_u32(out, call->types ? (uint32_t)call->body->len : 0);
	dbus_add_u32(out, serial);
	fields = dbus_open_array(out, 8);
	add_field(out, FIELD_PATH, 'o', call->path);
	add_field(out, FIELD_INTERFACE, 's', call->interface);
	add_field(out, FIELD_MEMBER, 's', call->member);
	add_field(out, FIELD_DESTINATION, 's', call->destination);
	if (call->types)
		add_field(out, FIELD_SIGNATURE, 'g', call->types);
	dbus_close_array(out, fields);
	dbus_align(out, 8);
	if (call->types)
		buf_add(out, call->body->data, call->body->len);
}

/* Input */

/* Exactly n more bytes. */
static int receive_bytes(int fd, struct buf *b, size_t n, int64_t end)
{
	buf_reserve(b, n);
	while (n > 0) {
		char chunk[4096];
		int64_t left_ms = (end - clock_monotonic_ns()) / 1000000;
		ssize_t got;
		int r = fd_wait_readable(fd, left_ms > 0 ? (int)left_ms : 0);

		if (r <= 0)
			return r < 0 ? r : -ETIMEDOUT;
		got = read(fd, chunk, MIN(n, sizeof(chunk)));
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got == 0)
			return -ECONNRESET;
		if (got > 0) {
			buf_add(b, chunk, (size_t)got);
			n -= (size_t)got;
		}
	}
	return 0;
}

static int receive(struct dbus *d, struct dbus_message *m, int64_t end)
{
	ssize_t n;
	int r = receive_bytes(d->fd, &m->bytes, DBUS_HEAD_BYTES, end);

	if (r < 0)
		return r;
	n = dbus_message_length(m->bytes.data);
	if (n < 0)
		return (int)n;
	r = receive_bytes(d->fd, &m->bytes, (size_t)n - DBUS_HEAD_BYTES, end);
	return r < 0 ? r : dbus_message_parse(m);
}

static int64_t deadline(int timeout_ms)
{
	return clock_monotonic_ns() + timeout_ms * 1000000LL;
}

static void keep_signal(struct dbus *d, struct dbus_message *m)
{
	if (m->type != DBUS_TYPE_SIGNAL || d->n_signals >= SIGNALS_MAX)
		return;
	d->signals = array_grow(d->signals, d->n_signals, &d->capacity, sizeof(*d->signals));
	d->signals[d->n_signals++] = *m;
	*m = (struct dbus_message){ 0 };
}

/* Connection */

static int send_all(int fd, const char *data, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, data, n, MSG_NOSIGNAL);

		if (sent < 0 && errno != EINTR)
			return -errno;
		if (sent > 0) {
			data += sent;
			n -= (size_t)sent;
		}
	}
	return 0;
}

/* One line of the text protocol, without its end. A byte at a time: messages follow. */
static int read_line(struct dbus *d, struct buf *line, int64_t end)
{
	buf_clear(line);
	while (line->len < LINE_MAX_BYTES) {
		int r = receive_bytes(d->fd, line, 1, end);

		if (r < 0)
			return r;
		if (line->len >= 2 && str_ends(line->data, "\r\n")) {
			line->len -= 2;
			line->data[line->len] = '\0';
			return 0;
		}
	}
	return -EBADMSG;
}

static int authenticate(struct dbus *d, const char *path, struct error *err)
{
	static const char words[] = "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n";
	int64_t end = deadline(DBUS_TIMEOUT_MS);
	cleanup_buf struct buf line = { 0 };
	int r = send_all(d->fd, words, sizeof(words) - 1);

	if (r >= 0)
		r = read_line(d, &line, end);
	if (r >= 0 && str_after(buf_str(&line), "DATA"))
		r = read_line(d, &line, end);
	if (r < 0)
		return error_num(err, -r, "cannot talk D-Bus on '%s'", path);
	if (!str_after(buf_str(&line), "OK"))
		return error_kind(err, ERROR_DENIED, "D-Bus on '%s' does not accept us: %s", path,
				  buf_str(&line));
	return 0;
}

static int say_hello(struct dbus *d, struct error *err)
{
	static const struct dbus_call hello = {
		.destination = "org.freedesktop.DBus",
		.path = "/org/freedesktop/DBus",
		.interface = "org.freedesktop.DBus",
		.member = "Hello",
	};

	return dbus_call(d, &hello, NULL, err);
}

int dbus_connect(const char *path, enum dbus_kind kind, struct dbus **ret, struct error *err)
{
	cleanup_with(dbus_close) struct dbus *d = xcalloc(1, sizeof(*d));
	int r;

	d->fd = -EBADF;
	r = sock_connect(path, SOCK_STREAM, &d->fd, err);
	if (r == 0)
		r = authenticate(d, path, err);
	if (r == 0 && kind == DBUS_BUS)
		r = say_hello(d, err);
	if (r < 0)
		return r;
	*ret = take_ptr(&d);
	return 0;
}

struct dbus *dbus_close(struct dbus *d)
{
	if (!d)
		return NULL;
	for (size_t i = 0; i < d->n_signals; i++)
		dbus_message_done(&d->signals[i]);
	free(d->signals);
	cleanup_close_fd(&d->fd);
	free(d);
	return NULL;
}

/* Calls */

static int error_of(const struct dbus_message *m, struct error *err)
{
	static const struct {
		const char *end; /* of the error's name */
		enum error_kind kind;
	} kinds[] = {
		{ ".NoSuchUnit", ERROR_NOT_FOUND },
		{ ".UnitExists", ERROR_CONFLICT },
		{ ".AccessDenied", ERROR_DENIED },
		{ ".InteractiveAuthorizationRequired", ERROR_DENIED },
	};
	struct dbus_reader r = m->body;
	const char *text = m->types[0] == 's' ? dbus_read_string(&r) : m->error_name;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (str_ends(m->error_name, kinds[i].end))
			return error_kind(err, kinds[i].kind, "%s", text);
	return error_kind(err, ERROR_INVALID, "%s", text);
}

int dbus_call(struct dbus *d, const struct dbus_call *call, struct dbus_message *ret,
	      struct error *err)
{
	int64_t end = deadline(DBUS_TIMEOUT_MS);
	cleanup_buf struct buf out = { 0 };
	int r;

	format_call(call, ++d->serial, &out);
	r = send_all(d->fd, out.data, out.len);
	while (r >= 0) {
		cleanup_dbus_message struct dbus_message m = { 0 };

		r = receive(d, &m, end);
		if (r < 0)
			break;
		keep_signal(d, &m);
		if (m.reply_serial != d->serial ||
		    (m.type != DBUS_TYPE_REPLY && m.type != DBUS_TYPE_ERROR))
			continue;
		if (m.type == DBUS_TYPE_ERROR)
			return error_of(&m, err);
		if (ret) {
			*ret = m;
			m = (struct dbus_message){ 0 };
		}
		return 0;
	}
	return error_num(err, -r, "no answer to the D-Bus call %s", call->member);
}

int dbus_wait_signal(struct dbus *d, bool (*accept)(const struct dbus_message *m, void *arg),
		     void *arg, int timeout_ms, struct error *err)
{
	int64_t end = deadline(timeout_ms);

	for (size_t i = 0; i < d->n_signals; i++)
		if (accept(&d->signals[i], arg))
			return 0;
	for (;;) {
		cleanup_dbus_message struct dbus_message m = { 0 };
		int r = receive(d, &m, end);

		if (r < 0)
			return error_num(err, -r, "cannot wait for a D-Bus signal");
		if (m.type == DBUS_TYPE_SIGNAL && accept(&m, arg))
			return 0;
	}
}
