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
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/macro.h"
#include "monitor/log.h"
#include "monitor/log_read.h"

struct fixture {
	char dir[64], path[80];
	struct container_log log;
	struct buf seen; /* what log_read() gave: "1text" lines, 1 or 2 the stream */
	int entries;
	int stop_after;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/berth-test-log-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof(f->path), "%s/log", f->dir);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char path[128];

	container_log_close(&f->log);
	buf_done(&f->seen);
	(void)unlink(f->path);
	for (int i = 1; i < 10; i++) {
		(void)snprintf(path, sizeof(path), "%s.%d", f->path, i);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

static void open_log(struct fixture *f, const char *driver, const char *opt, const char *opt2)
{
	char *opts[] = { (char *)(uintptr_t)opt, (char *)(uintptr_t)opt2, NULL };
	struct error err;

	assert_int_equal(container_log_open(&f->log, driver, f->path, opts, &err), 0);
}

static void put(struct fixture *f, enum log_stream stream, const char *text)
{
	container_log_write(&f->log, stream, text, strlen(text));
}

/* The file's text, with each time replaced by T. Freed by the caller. */
static char *text_of(const char *path)
{
	char *text, *at;
	struct error err;

	assert_int_equal(file_read(AT_FDCWD, path, 1 << 24, &text, NULL, &err), 0);
	for (at = text; (at = strstr(at, "\"time\":\"")); at++) {
		char *begin = at + strlen("\"time\":\""), *end = strchr(begin, '"');

		memmove(begin + 1, end, strlen(end) + 1);
		*begin = 'T';
	}
	return text;
}

static void assert_file(const char *path, const char *expected)
{
	char *text = text_of(path);

	assert_string_equal(text, expected);
	free(text);
}

static int see(void *arg, const struct log_entry *entry)
{
	struct fixture *f = arg;

	buf_putc(&f->seen, entry->stream == LOG_STDOUT ? '1' : '2');
	buf_add(&f->seen, entry->text, entry->len);
	f->entries++;
	return f->stop_after && f->entries == f->stop_after;
}

static void read_log(struct fixture *f, const char *driver, int64_t tail)
{
	const struct log_read_options o = { .driver = driver, .tail = tail, .stop_fd = -1 };
	struct error err;

	buf_clear(&f->seen);
	f->entries = 0;
	assert_int_equal(log_read(f->path, &o, see, f, &err), 0);
}

static void test_lines_are_written_as_docker_writes_them(void **state)
{
	struct fixture *f = *state;

	open_log(f, "json-file", NULL, NULL);
	put(f, LOG_STDOUT, "hello \"world\" <&>\t\r\\\x01\n");
	put(f, LOG_STDERR, "caf\xc3\xa9 \xe2\x80\xa8 \xff\n");
	assert_file(
		f->path,
		"{\"log\":\"hello \\\"world\\\" \\u003c\\u0026\\u003e\\u0009\\r\\\\\\u0001\\n\","
		"\"stream\":\"stdout\",\"time\":\"T\"}\n"
		"{\"log\":\"caf\xc3\xa9 \\u2028 \\ufffd\\n\",\"stream\":\"stderr\",\"time\":\"T\"}\n");
}

static void test_a_line_waits_for_its_end(void **state)
{
	struct fixture *f = *state;

	open_log(f, "json-file", NULL, NULL);
	put(f, LOG_STDOUT, "one ");
	put(f, LOG_STDERR, "other\n");
	put(f, LOG_STDOUT, "two\nrest");
	container_log_finish(&f->log);
	assert_file(f->path, "{\"log\":\"other\\n\",\"stream\":\"stderr\",\"time\":\"T\"}\n"
			     "{\"log\":\"one two\\n\",\"stream\":\"stdout\",\"time\":\"T\"}\n"
			     "{\"log\":\"rest\",\"stream\":\"stdout\",\"time\":\"T\"}\n");
}

static void test_long_lines_are_cut_between_characters(void **state)
{
	struct fixture *f = *state;
	char *line = malloc(LOG_LINE_MAX + 3);

	open_log(f, "json-file", NULL, NULL);
	memset(line, 'a', LOG_LINE_MAX - 1);
	memcpy(line + LOG_LINE_MAX - 1, "\xc3\xa9\n", 4);
	put(f, LOG_STDOUT, line);
	read_log(f, "json-file", -1);
	assert_int_equal(f->entries, 2);
	assert_int_equal(f->seen.len, LOG_LINE_MAX + 2 + 2);
	assert_memory_equal(f->seen.data + LOG_LINE_MAX, "1\xc3\xa9\n", 4);
	free(line);
}

static void test_pieces_of_a_line_have_one_time(void **state)
{
	struct fixture *f = *state;
	char *line = calloc(1, LOG_LINE_MAX + 1), *text, *first, *second;
	struct error err;

	open_log(f, "k8s-file", NULL, NULL);
	memset(line, 'x', LOG_LINE_MAX);
	put(f, LOG_STDOUT, line);
	usleep(2000);
	put(f, LOG_STDOUT, "end\n");
	assert_int_equal(file_read(AT_FDCWD, f->path, 1 << 20, &text, NULL, &err), 0);
	first = strchr(text, ' ');
	assert_memory_equal(first, " stdout P xxx", 13);
	second = strchr(text, '\n') + 1;
	assert_memory_equal(text, second, (size_t)(first - text));
	assert_non_null(strstr(second, " stdout F end\n"));
	free(text);
	free(line);
}

static void test_rotation_keeps_the_last_files_and_no_line_is_lost_before(void **state)
{
	struct fixture *f = *state;
	char line[64], path[100];

	open_log(f, "json-file", "max-size=1k", "max-file=3");
	for (int i = 0; i < 30; i++) {
		(void)snprintf(line, sizeof(line), "line %03d\n", i);
		put(f, LOG_STDOUT, line);
	}
	(void)snprintf(path, sizeof(path), "%s.2", f->path);
	assert_int_equal(access(path, F_OK), 0);
	(void)snprintf(path, sizeof(path), "%s.3", f->path);
	assert_int_equal(access(path, F_OK), -1);
	read_log(f, "json-file", -1);
	assert_true(f->entries >= 26);
	assert_non_null(strstr(f->seen.data, "1line 029\n"));
	for (int i = 30 - f->entries; i < 30; i++) { /* without gaps */
		(void)snprintf(line, sizeof(line), "1line %03d\n", i);
		assert_non_null(strstr(f->seen.data, line));
	}
}

static void test_tail_counts_over_rotated_files(void **state)
{
	struct fixture *f = *state;
	char line[64];

	open_log(f, "json-file", "max-size=1k", "max-file=5");
	for (int i = 0; i < 40; i++) {
		(void)snprintf(line, sizeof(line), "%03d\n", i);
		put(f, LOG_STDOUT, line);
	}
	for (int tail = 0; tail <= 40; tail += 5) {
		read_log(f, "json-file", tail);
		assert_int_equal(f->entries, tail);
		if (tail) {
			(void)snprintf(line, sizeof(line), "1%03d\n", 40 - tail);
			assert_memory_equal(f->seen.data, line, 5);
		}
	}
	read_log(f, "json-file", 1000);
	assert_int_equal(f->entries, 40);
}

static void test_one_file_is_emptied_when_it_is_full(void **state)
{
	struct fixture *f = *state;
	char path[100];

	open_log(f, "json-file", "max-size=200", "max-file=1");
	for (int i = 0; i < 20; i++)
		put(f, LOG_STDOUT, "a line of some length\n");
	(void)snprintf(path, sizeof(path), "%s.1", f->path);
	assert_int_equal(access(path, F_OK), -1);
	read_log(f, "json-file", -1);
	assert_in_range(f->entries, 0, 3);
}

static void test_a_full_disk_is_counted_and_never_blocks(void **state)
{
	struct fixture *f = *state;

	open_log(f, "json-file", NULL, NULL);
	close(f->log.file.fd);
	f->log.file.fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_true(f->log.file.fd >= 0);
	for (int i = 0; i < 10; i++)
		put(f, LOG_STDOUT, "lost\n");
	assert_int_equal(container_log_errors(&f->log), 10);
}

static void test_a_cut_last_line_is_ended_on_reopening(void **state)
{
	struct fixture *f = *state;

	open_log(f, "json-file", NULL, NULL);
	put(f, LOG_STDOUT, "whole\n");
	container_log_close(&f->log);
	assert_int_equal(truncate(f->path, 20), 0);
	open_log(f, "json-file", NULL, NULL);
	put(f, LOG_STDOUT, "next\n");
	read_log(f, "json-file", -1);
	assert_string_equal(buf_str(&f->seen), "1next\n");
}

static void test_what_was_written_is_read_back(void **state)
{
	static const char *const drivers[] = { "json-file", "k8s-file" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		open_log(f, drivers[i], NULL, NULL);
		put(f, LOG_STDOUT, "out \"quoted\" \xc3\xa9\n\n");
		put(f, LOG_STDERR, "err\nno end");
		container_log_close(&f->log);
		read_log(f, drivers[i], -1);
		assert_string_equal(buf_str(&f->seen),
				    "1out \"quoted\" \xc3\xa9\n1\n2err\n2no end");
		assert_int_equal(unlink(f->path), 0);
	}
}

static void test_nul_characters_survive(void **state)
{
	struct fixture *f = *state;

	open_log(f, "json-file", NULL, NULL);
	container_log_write(&f->log, LOG_STDOUT, "a\0b\n", 4);
	read_log(f, "json-file", -1);
	assert_int_equal(f->seen.len, 5);
	assert_memory_equal(f->seen.data, "1a\0b\n", 5);
}

static void test_a_reader_can_stop(void **state)
{
	struct fixture *f = *state;

	open_log(f, "json-file", NULL, NULL);
	put(f, LOG_STDOUT, "1\n2\n3\n");
	f->stop_after = 2;
	read_log(f, "json-file", -1);
	assert_int_equal(f->entries, 2);
}

static void test_times_bound_what_is_read(void **state)
{
	static const char lines[] =
		"{\"log\":\"a\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-01T00:00:01Z\"}\n"
		"garbage\n"
		"{\"log\":\"b\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-01T00:00:02.5Z\"}\n"
		"{\"log\":\"c\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-01T00:00:03Z\"}\n"
		"{\"log\":\"cut";
	struct log_read_options o = { .driver = "json-file", .tail = -1, .stop_fd = -1 };
	struct fixture *f = *state;
	struct error err;

	assert_int_equal(
		file_write_atomic(AT_FDCWD, f->path, lines, sizeof(lines) - 1, 0600, 0, &err), 0);
	o.since_ns = INT64_C(1767225602) * 1000000000;
	o.until_ns = INT64_C(1767225602) * 1000000000 + 600000000;
	assert_int_equal(log_read(f->path, &o, see, f, &err), 0);
	assert_string_equal(buf_str(&f->seen), "1b\n");
}

static void test_following_ends_when_the_container_does(void **state)
{
	struct log_read_options o = { .driver = "json-file", .tail = -1, .follow = true };
	struct fixture *f = *state;
	struct error err;
	int pair[2];

	open_log(f, "json-file", NULL, NULL);
	put(f, LOG_STDOUT, "before\n");
	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	close(pair[1]); /* hangs up: there will be no more */
	o.stop_fd = pair[0];
	assert_int_equal(log_read(f->path, &o, see, f, &err), 0);
	assert_string_equal(buf_str(&f->seen), "1before\n");
	close(pair[0]);
}

static void test_no_log_has_no_lines(void **state)
{
	struct fixture *f = *state;

	read_log(f, "json-file", -1);
	assert_int_equal(f->entries, 0);
}

static void test_unknown_words_are_refused(void **state)
{
	static const struct {
		const char *driver, *opt;
		enum error_kind kind;
	} cases[] = {
		{ "fluffy", NULL, ERROR_INVALID },
		{ "journald", NULL, ERROR_UNSUPPORTED },
		{ "json-file", "max-size", ERROR_INVALID },
		{ "json-file", "max-size=0", ERROR_INVALID },
		{ "json-file", "max-file=0", ERROR_INVALID },
		{ "json-file", "shape=round", ERROR_INVALID },
		{ "json-file", "tag=x", ERROR_UNSUPPORTED },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *opts[] = { (char *)(uintptr_t)cases[i].opt, NULL };
		struct error err;

		assert_true(container_log_check(cases[i].driver, opts, &err) < 0);
		assert_int_equal(err.kind, cases[i].kind);
	}
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(test_lines_are_written_as_docker_writes_them),
		LOG_TEST(test_a_line_waits_for_its_end),
		LOG_TEST(test_long_lines_are_cut_between_characters),
		LOG_TEST(test_pieces_of_a_line_have_one_time),
		LOG_TEST(test_rotation_keeps_the_last_files_and_no_line_is_lost_before),
		LOG_TEST(test_tail_counts_over_rotated_files),
		LOG_TEST(test_one_file_is_emptied_when_it_is_full),
		LOG_TEST(test_a_full_disk_is_counted_and_never_blocks),
		LOG_TEST(test_a_cut_last_line_is_ended_on_reopening),
		LOG_TEST(test_what_was_written_is_read_back),
		LOG_TEST(test_nul_characters_survive),
		LOG_TEST(test_a_reader_can_stop),
		LOG_TEST(test_times_bound_what_is_read),
		LOG_TEST(test_following_ends_when_the_container_does),
		LOG_TEST(test_no_log_has_no_lines),
		cmocka_unit_test(test_unknown_words_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
