/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/exit_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/mem.h"
#include "codec/json.h"

#define EXIT_FILE_MAX_BYTES	65536
#define EXIT_FILE_RESERVE	".reserve"
#define EXIT_FILE_RESERVE_BYTES 512 /* of some 250 */

static void add_time(struct json_writer *w, const char *key, int64_t ns)
{
	char text[CLOCK_TEXT_MAX];

	/* docker's zero time, which its clients know as "never" */
	json_add_string(w, key, ns ? clock_format(ns, text) : "0001-01-01T00:00:00Z");
}

static char *reserve_path(const char *path)
{
	return xasprintf("%s" EXIT_FILE_RESERVE, path);
}

int exit_file_reserve(const char *path, struct error *err)
{
	cleanup_free char *reserve = reserve_path(path);
	cleanup_fd int fd =
		open(reserve, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	char blanks[EXIT_FILE_RESERVE_BYTES];
	int r = fd < 0 ? -errno : 0;

	memset(blanks, ' ', sizeof(blanks));
	if (r == 0)
		r = fd_write_all(fd, blanks, sizeof(blanks));
	if (r < 0 && fd >= 0)
		(void)unlink(reserve); /* what has no room reserves none */
	return r < 0 ? error_num(err, -r, "cannot reserve room for '%s'", path) : 0;
}

/* Into the room that was kept. Fails without a word: then it is tried as a new file. */
static bool write_reserved(const char *path, const struct buf *text)
{
	cleanup_free char *reserve = reserve_path(path);
	cleanup_fd int fd = open(reserve, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0 && text->len <= EXIT_FILE_RESERVE_BYTES &&
	       fd_write_all(fd, text->data, text->len) == 0 &&
	       ftruncate(fd, (off_t)text->len) == 0 && rename(reserve, path) == 0;
}

int exit_file_write(const char *path, const struct monitor_exit *status, struct error *err)
{
	cleanup_buf struct buf text = { 0 };
	struct json_writer w;

	json_writer_init(&w, &text, NULL);
	json_begin_object(&w, NULL);
	json_add_i64(&w, "version", EXIT_FILE_VERSION);
	json_add_i64(&w, "exitCode", status->code);
	json_add_i64(&w, "signal", status->signal);
	json_add_bool(&w, "oomKilled", status->oom_killed);
	json_add_i64(&w, "pid", status->pid);
	add_time(&w, "startedAt", status->started_ns);
	add_time(&w, "finishedAt", status->finished_ns);
	json_add_u64(&w, "logErrors", status->log_errors);
	json_end(&w);
	buf_putc(&text, '\n');
	if (write_reserved(path, &text))
		return 0;
	return file_write_atomic(AT_FDCWD, path, text.data, text.len, 0600, 0, err);
}

static int get_time(const struct json *doc, const char *key, int64_t *ret, struct error *err)
{
	const char *text = NULL;
	int r = json_get_string(doc, key, &text, err);

	if (r < 0)
		return r;
	*ret = 0;
	if (!text || strncmp(text, "0001-", 5) == 0)
		return 0;
	if (clock_parse(text, ret) < 0)
		return json_fail(json_get(doc, key), err, "not a time");
	return 0;
}

static int parse(const struct json *doc, struct monitor_exit *status, struct error *err)
{
	bool oom = false;
	int r;

	if (!json_get(doc, "exitCode"))
		return json_fail_missing(doc, "exitCode", err);
	if ((r = json_get_i32(doc, "exitCode", &status->code, err)) < 0 ||
	    (r = json_get_i32(doc, "signal", &status->signal, err)) < 0 ||
	    (r = json_get_i32(doc, "pid", &status->pid, err)) < 0 ||
	    (r = json_get_bool(doc, "oomKilled", &oom, err)) < 0 ||
	    (r = get_time(doc, "startedAt", &status->started_ns, err)) < 0 ||
	    (r = get_time(doc, "finishedAt", &status->finished_ns, err)) < 0 ||
	    (r = json_get_u64(doc, "logErrors", &status->log_errors, err)) < 0)
		return r;
	status->oom_killed = oom;
	return 0;
}

int exit_file_read(const char *path, struct monitor_exit *ret, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = NULL;
	cleanup_free char *text = NULL;
	struct monitor_exit status = { 0 };
	const struct json *doc;
	size_t len;
	int r;

	r = file_read(AT_FDCWD, path, EXIT_FILE_MAX_BYTES, &text, &len, err);
	if (r < 0)
		return r;
	arena = arena_new();
	r = json_parse(text, len, arena, &doc, err);
	if (r == 0)
		r = parse(doc, &status, err);
	if (r < 0)
		return error_prefix(err, r, "exit file '%s'", path);
	*ret = status;
	return 0;
}
