/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "engine/document.h"
#include "engine/handle.h"
#include "monitor/log_read.h"

struct reader {
	const struct engine_logs_options *options;
	engine_logs_line line;
	void *data;
	struct buf text;
	bool is_inside_line[LOG_STREAMS]; /* the last entry had no newline */
};

static int stream_number(enum log_stream stream)
{
	return stream == LOG_STDERR ? 2 : 1;
}

static int read_entry(void *arg, const struct log_entry *entry)
{
	struct reader *r = arg;
	char time[CLOCK_TEXT_MAX];
	bool *inside = &r->is_inside_line[entry->stream];
	bool is_stamped = r->options->timestamps && !*inside;

	*inside = entry->len > 0 && entry->text[entry->len - 1] != '\n';
	if (!is_stamped)
		return r->line(r->data, stream_number(entry->stream), entry->text, entry->len);
	buf_clear(&r->text);
	buf_printf(&r->text, "%s ", clock_format(entry->time_ns, time));
	buf_add(&r->text, entry->text, entry->len);
	return r->line(r->data, stream_number(entry->stream), r->text.data, r->text.len);
}

/* Readable when nothing more will be written: the monitor has gone, or (if it was killed) init. */
static int open_writer(const struct record *r)
{
	int pidfd = record_is_live(r) ? proc_open(r->monitor_pid) : -ESRCH;

	return pidfd == -ESRCH && record_is_live(r) ? proc_open(r->pid) : pidfd;
}

static int read_found(struct engine *e, const struct record *record, struct arena *arena,
		      struct reader *reader, struct error *err)
{
	const struct engine_logs_options *o = reader->options;
	cleanup_fd int stop_fd = -EBADF;
	struct document document;
	struct log_read_options options;
	int r = container_document(e, record->id, arena, &document, err);

	if (r < 0)
		return r;
	if (o->follow)
		stop_fd = open_writer(record);
	options = (struct log_read_options){
		.driver = document.log_driver,
		.tail = o->tail,
		.since_ns = o->since_ns,
		.until_ns = o->until_ns,
		.follow = stop_fd >= 0,
		.stop_fd = stop_fd >= 0 ? stop_fd : -1,
	};
	return log_read(document.log_path, &options, read_entry, reader, err);
}

int engine_logs(struct engine *e, const char *ref, const struct engine_logs_options *o,
		engine_logs_line line, void *data, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct reader reader = { .options = o, .line = line, .data = data };
	struct record record;
	int r = container_find(e, ref, arena, &record, err);

	if (r >= 0)
		r = read_found(e, &record, arena, &reader, err);
	buf_done(&reader.text);
	return r;
}
