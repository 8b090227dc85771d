/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "base/fd.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/sock.h"
#include "base/str.h"
#include "kernel/dbus.h"

/* Text to a variant and back to text. Heap. */
static char *there_and_back(const char *text)
{
	cleanup_buf struct buf b = { 0 }, out = { 0 };
	struct error err = { 0 };
	struct dbus_reader r;

	if (dbus_add_text(&b, text, &err) < 0)
		return xasprintf("error: %s", err.msg);
	r = (struct dbus_reader){ .data = b.data, .len = b.len };
	dbus_format(&r, "v", &out);
	assert_false(r.bad);
	assert_int_equal(r.pos, b.len);
	return buf_take(&out);
}

static void test_text_becomes_the_value_it_says(void **state)
{
	static const struct {
		const char *text, *value;
	} rows[] = {
		{ "true", "<true>" },
		{ "false", "<false>" },
		{ "5", "<5>" },
		{ "-2147483648", "<-2147483648>" },
		{ "0x10", "<16>" },
		{ "uint64 18446744073709551615", "<uint64 18446744073709551615>" },
		{ "int64 -1", "<int64 -1>" },
		{ "int16 -3", "<int16 -3>" },
		{ "byte 255", "<byte 255>" },
		{ "1.5", "<double 1.5>" },
		{ "double 2", "<double 2>" },
		{ "'it\\'s'", "<'it\\'s'>" },
		{ "\"it's\"", "<'it\\'s'>" },
		{ "objectpath '/a'", "<'/a'>" },
		{ " [ 'a' , \"b\" ] ", "<['a', 'b']>" },
		{ "[uint64 1, 2]", "<[uint64 1, uint64 2]>" },
		{ "@at [1, 2]", "<[uint64 1, uint64 2]>" },
		{ "@as []", "<[]>" },
		{ "[[1], [2, 3]]", "<[[1], [2, 3]]>" },
		{ "[('/dev/sda', uint64 50), ('/dev/sdb', 60)]",
		  "<[('/dev/sda', uint64 50), ('/dev/sdb', uint64 60)]>" },
		{ "('a',)", "<('a')>" },
		{ "[<1>, <'x'>]", "<[<1>, <'x'>]>" },
		{ "[byte 1, 2]", "<[byte 1, byte 2]>" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *value = there_and_back(rows[i].text);

		assert_string_equal(value, rows[i].value);
	}
}

static void test_text_that_is_no_value_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"soon",
		"5x",
		"5 6",
		"2147483648",
		"byte 256",
		"uint32 -1",
		"'a",
		"[1, 'a']",
		"[1 2]",
		"[",
		"[]",
		"(",
		"(1 2)",
		"()",
		"<1",
		"@q",
		"@() 1",
		"@zz 1",
		"true1",
		"uint64",
		"int64 1.",
		"{'a': 1}",
		"[uint64 1, int64 2]",
		"@as ['a', 5]",
		"--1",
		"tru",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		cleanup_free char *value = there_and_back(texts[i]);

		if (!str_after(value, "error: '"))
			fail_msg("'%s' gave %s", texts[i], value);
	}
}

static void test_deep_nesting_is_refused(void **state)
{
	cleanup_buf struct buf text = { 0 };
	cleanup_free char *value = NULL;

	for (int i = 0; i < 5000; i++)
		buf_putc(&text, i % 2 ? '[' : '<');
	value = there_and_back(buf_str(&text));
	assert_non_null(strstr(value, "nested too deeply"));
}

static void test_arrays_are_aligned(void **state)
{
	static const char expected[] = "\x01\0\0\0"	     /* 1 */
				       "\x08\0\0\0"	     /* length without the padding */
				       "\x02\0\0\0\0\0\0\0"; /* 2 */
	cleanup_buf struct buf b = { 0 };
	struct dbus_array a;

	dbus_add_u32(&b, 1);
	a = dbus_open_array(&b, 8);
	dbus_add_u64(&b, 2);
	dbus_close_array(&b, a);
	assert_int_equal(b.len, sizeof(expected) - 1);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	assert_memory_equal(b.data, expected, b.len);
#endif
}

static void test_reader_stops_at_the_end(void **state)
{
	static const char bytes[] = { 100, 0, 0, 0, 'a', 'b', 0 };
	struct dbus_reader r = { .data = bytes, .len = sizeof(bytes) };

	assert_string_equal(dbus_read_string(&r), "");
	assert_true(r.bad);
	r = (struct dbus_reader){ .data = bytes, .len = sizeof(bytes) };
	(void)dbus_read_array(&r, 8);
	assert_true(r.bad);
	r = (struct dbus_reader){ .data = bytes, .len = sizeof(bytes) };
	assert_int_equal(dbus_read_u32(&r), 100);
	assert_int_equal(dbus_read_u64(&r), 0);
	assert_true(r.bad);
}

/* A service that answers one call with what the test wants. */
struct server {
	int listen_fd;
	const char *answers; /* "signal", "reply", "error", one after the other; "" hangs up */
	char asked[64];
};

static void add_field(struct buf *b, int field, const char *type, const char *s)
{
	dbus_align(b, 8);
	buf_putc(b, (char)field);
	dbus_add_signature(b, type);
	if (*type == 'g')
		dbus_add_signature(b, s);
	else
		dbus_add_string(b, s);
}

static void add_number_field(struct buf *b, int field, uint32_t n)
{
	dbus_align(b, 8);
	buf_putc(b, (char)field);
	dbus_add_signature(b, "u");
	dbus_add_u32(b, n);
}

static void put_message(struct buf *out, int type, const char *member_or_error, const char *text)
{
	cleanup_buf struct buf body = { 0 }, m = { 0 };
	struct dbus_array fields;

	dbus_add_string(&body, text);
	buf_putc(&m, __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 'l' : 'B');
	buf_putc(&m, (char)type);
	buf_add(&m, "\0\1", 2);
	dbus_add_u32(&m, (uint32_t)body.len);
	dbus_add_u32(&m, 9);
	fields = dbus_open_array(&m, 8);
	add_field(&m, type == DBUS_TYPE_ERROR ? 4 : 3, "s", member_or_error);
	add_number_field(&m, 5, type == DBUS_TYPE_SIGNAL ? 0 : 1);
	add_number_field(&m, 9, 0); /* how many descriptors came with it */
	add_field(&m, 8, "g", "s");
	dbus_close_array(&m, fields);
	dbus_align(&m, 8);
	buf_add(&m, body.data, body.len);
	buf_add(out, m.data, m.len);
}

static void *serve(void *arg)
{
	struct server *s = arg;
	cleanup_fd int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	cleanup_dbus_message struct dbus_message call = { 0 };
	cleanup_buf struct buf out = { 0 };
	char greeting[] = "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n", head[DBUS_HEAD_BYTES];
	char got[sizeof(greeting) - 1];
	size_t n;

	if (fd_read_full(fd, got, sizeof(got)) != sizeof(got) ||
	    memcmp(got, greeting, sizeof(got)) != 0)
		return NULL;
	if (str_eq(s->answers, "rejected")) {
		(void)fd_write_all(fd, "REJECTED EXTERNAL\r\n", 19);
		return NULL;
	}
	(void)fd_write_all(fd, "DATA\r\nOK 0123\r\n", 15);
	if (fd_read_full(fd, head, sizeof(head)) != sizeof(head))
		return NULL;
	n = (size_t)dbus_message_length(head);
	buf_add(&call.bytes, head, sizeof(head));
	buf_reserve(&call.bytes, n);
	(void)fd_read_full(fd, call.bytes.data + call.bytes.len, n - sizeof(head));
	call.bytes.len = n;
	if (dbus_message_parse(&call) == 0)
		(void)snprintf(s->asked, sizeof(s->asked), "%s %s %s %s", call.path, call.interface,
			       call.member, dbus_read_string(&call.body));
	if (strstr(s->answers, "signal"))
		put_message(&out, DBUS_TYPE_SIGNAL, "Happened", "before");
	if (strstr(s->answers, "reply"))
		put_message(&out, DBUS_TYPE_REPLY, "", "fine");
	if (strstr(s->answers, "error"))
		put_message(&out, DBUS_TYPE_ERROR, "org.example.NoSuchUnit", "unit is not there");
	(void)fd_write_all(fd, out.data, out.len);
	return NULL;
}

/* One call to a server that answers so. The result of the call. */
static int converse(struct server *s, struct dbus **ret_bus, struct dbus_message *answer,
		    struct error *err)
{
	char path[] = "/tmp/berth-test-dbus-XXXXXX";
	cleanup_free char *socket_path = NULL;
	cleanup_buf struct buf body = { 0 };
	const struct dbus_call call = { "org.example", "/here", "org.example.I", "Do", "s", &body };
	pthread_t thread;
	int r;

	assert_non_null(mkdtemp(path));
	socket_path = xasprintf("%s/socket", path);
	assert_int_equal(sock_listen(socket_path, SOCK_STREAM, 0600, &s->listen_fd, err), 0);
	assert_int_equal(pthread_create(&thread, NULL, serve, s), 0);
	dbus_add_string(&body, "something");
	r = dbus_connect(socket_path, DBUS_PEER, ret_bus, err);
	if (r == 0)
		r = dbus_call(*ret_bus, &call, answer, err);
	assert_int_equal(pthread_join(thread, NULL), 0);
	close(s->listen_fd);
	(void)unlink(socket_path);
	(void)rmdir(path);
	return r;
}

static bool is_happened(const struct dbus_message *m, void *arg)
{
	struct dbus_reader body = m->body;

	return str_eq(m->member, "Happened") && str_eq(dbus_read_string(&body), arg);
}

static void test_a_call_gets_its_answer_and_signals_wait(void **state)
{
	cleanup_with(dbus_close) struct dbus *bus = NULL;
	cleanup_dbus_message struct dbus_message answer = { 0 };
	struct server s = { .answers = "signal reply" };
	struct error err = { 0 };
	char before[] = "before", after[] = "after";

	assert_int_equal(converse(&s, &bus, &answer, &err), 0);
	assert_string_equal(s.asked, "/here org.example.I Do something");
	assert_string_equal(dbus_read_string(&answer.body), "fine");
	assert_int_equal(dbus_wait_signal(bus, is_happened, before, 1000, &err), 0);
	assert_true(dbus_wait_signal(bus, is_happened, after, 50, &err) < 0);
}

static void test_an_error_has_its_text_and_kind(void **state)
{
	cleanup_with(dbus_close) struct dbus *bus = NULL;
	struct server s = { .answers = "error" };
	struct error err = { 0 };

	assert_true(converse(&s, &bus, NULL, &err) < 0);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_string_equal(err.msg, "unit is not there");
}

static void test_a_server_that_refuses_us(void **state)
{
	cleanup_with(dbus_close) struct dbus *bus = NULL;
	struct server s = { .answers = "rejected" };
	struct error err = { 0 };

	assert_true(converse(&s, &bus, NULL, &err) < 0);
	assert_int_equal(err.kind, ERROR_DENIED);
}

static void test_a_server_that_hangs_up(void **state)
{
	cleanup_with(dbus_close) struct dbus *bus = NULL;
	struct server s = { .answers = "" };
	struct error err = { 0 };

	assert_int_equal(converse(&s, &bus, NULL, &err), -ECONNRESET);
}

static void test_messages_of_wrong_length_are_refused(void **state)
{
	char head[DBUS_HEAD_BYTES] = { __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 'l' : 'B', 2, 0,
				       1 };
	uint32_t huge = UINT32_MAX;

	assert_int_equal(dbus_message_length(head), DBUS_HEAD_BYTES);
	memcpy(head + 4, &huge, sizeof(huge));
	assert_int_equal(dbus_message_length(head), -EBADMSG);
	memset(head + 4, 0, 4);
	memcpy(head + 12, &huge, sizeof(huge));
	assert_int_equal(dbus_message_length(head), -EBADMSG);
	memset(head + 12, 0, 4);
	head[0] = 'x';
	assert_int_equal(dbus_message_length(head), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_becomes_the_value_it_says),
		cmocka_unit_test(test_text_that_is_no_value_is_refused),
		cmocka_unit_test(test_deep_nesting_is_refused),
		cmocka_unit_test(test_arrays_are_aligned),
		cmocka_unit_test(test_reader_stops_at_the_end),
		cmocka_unit_test(test_a_call_gets_its_answer_and_signals_wait),
		cmocka_unit_test(test_an_error_has_its_text_and_kind),
		cmocka_unit_test(test_a_server_that_refuses_us),
		cmocka_unit_test(test_a_server_that_hangs_up),
		cmocka_unit_test(test_messages_of_wrong_length_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
