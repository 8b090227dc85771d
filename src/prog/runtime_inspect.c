/* SPDX-License-Identifier: Apache-2.0 */

/* berth-runtime state, list, ps. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/units.h"
#include "codec/json.h"
#include "oci/spec.h"
#include "prog/runtime_verb.h"
#include "runtime/runtime.h"
#include "runtime/statedir.h"

static int print(const struct buf *b, struct error *err)
{
	int r = fd_write_all(STDOUT_FILENO, buf_str(b), b->len);

	return r < 0 ? error_num(err, -r, "cannot write to stdout") : 0;
}

static int check_format(const char *format, struct error *err)
{
	if (!format || str_eq(format, "table") || str_eq(format, "json"))
		return 0;
	return error_kind(err, ERROR_INVALID, "invalid format option: '%s'", format);
}

/* list */

struct list_options {
	const char *format;
	bool quiet;
};

static const struct option list_options[] = {
	{ "format", 'f', OPTION_STRING, OPTION_FIELD(list_options, format), .arg = "string",
	  .help = "table or json (default table)" },
	{ "quiet", 'q', OPTION_BOOL, OPTION_FIELD(list_options, quiet), .help = "ids only" },
};

/* Not getpwuid(): name service modules and a static program do not go together. Heap. */
static char *user_name(uint32_t uid)
{
	cleanup_file FILE *f = fopen("/etc/passwd", "re");
	struct passwd *p;

	while (f && (p = fgetpwent(f)))
		if (p->pw_uid == uid)
			return xstrdup(p->pw_name);
	return xasprintf("#%u", uid);
}

#define LIST_COLUMNS 6

/* Columns as runc prints them: at least 12 wide, 3 spaces between, the last one as it comes. */
static void align(char *const *cells, size_t n_rows, struct buf *out)
{
	size_t width[LIST_COLUMNS] = { 0 };

	for (size_t i = 0; i < n_rows * LIST_COLUMNS; i++)
		width[i % LIST_COLUMNS] =
			MAX(MAX(width[i % LIST_COLUMNS], 12), strlen(cells[i]) + 3);
	for (size_t i = 0; i < n_rows * LIST_COLUMNS; i++) {
		size_t column = i % LIST_COLUMNS;

		if (column == LIST_COLUMNS - 1)
			buf_printf(out, "%s\n", cells[i]);
		else
			buf_printf(out, "%-*s", (int)width[column], cells[i]);
	}
}

static char **add_row(char **cells, const struct container *c, enum container_status status)
{
	char created[CLOCK_TEXT_MAX];
	pid_t pid = status == CONTAINER_STOPPED ? 0 : c->pid;

	cells = strv_push(cells, c->id);
	cells = strv_push_owned(cells, xasprintf("%d", (int)pid));
	cells = strv_push(cells, container_status_name(status));
	cells = strv_push(cells, c->bundle_path ? c->bundle_path : "");
	cells = strv_push(cells, clock_format(c->created_ns, created));
	return strv_push_owned(cells, user_name(c->owner_uid));
}

static void add_json(struct json_writer *w, const struct container *c, enum container_status status)
{
	cleanup_free char *owner = user_name(c->owner_uid);
	char created[CLOCK_TEXT_MAX];

	json_begin_object(w, NULL);
	json_add_string(w, "ociVersion", c->oci_version);
	json_add_string(w, "id", c->id);
	json_add_i64(w, "pid", status == CONTAINER_STOPPED ? 0 : c->pid);
	json_add_string(w, "status", container_status_name(status));
	json_add_string(w, "bundle", c->bundle_path);
	json_add_string(w, "rootfs", c->rootfs_path);
	json_add_string(w, "created", clock_format(c->created_ns, created));
	if (c->n_annotations) {
		json_begin_object(w, "annotations");
		for (size_t i = 0; i < c->n_annotations; i++)
			json_add_string(w, c->annotations[i].key, c->annotations[i].value);
		json_end(w);
	}
	json_add_string(w, "owner", owner);
	json_end(w);
}

/* state: the object of list, which is runtime-spec's state with runc's additions */

static int run_state(const struct runtime_globals *g, void *target, char **args, struct error *err)
{
	cleanup_with(container_free) struct container *c = NULL;
	cleanup_buf struct buf out = { 0 };
	enum container_status status;
	struct json_writer w;
	int r = container_open(g->root, args[0], &c, err);

	if (r == 0)
		r = container_get_status(c, &status, err);
	if (r < 0)
		return r;
	json_writer_init(&w, &out, "  ");
	add_json(&w, c, status);
	buf_putc(&out, '\n');
	return print(&out, err);
}

static int run_list(const struct runtime_globals *g, void *target, char **args, struct error *err)
{
	static const char *const titles[LIST_COLUMNS] = { "ID",	    "PID",     "STATUS",
							  "BUNDLE", "CREATED", "OWNER" };
	const struct list_options *o = target;
	cleanup_with(strv_free) char **ids = NULL;
	cleanup_with(strv_free) char **cells = NULL;
	cleanup_buf struct buf out = { 0 };
	cleanup_buf struct buf array = { 0 };
	struct json_writer w;
	int r = check_format(o->format, err);

	/* the default one comes with the first container; another may be a typing error */
	if (r == 0 && !g->root_is_default && access(g->root, F_OK) < 0)
		r = error_sys(err, "cannot open '%s'", g->root);
	if (r == 0)
		r = container_list(g->root, &ids, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < LIST_COLUMNS; i++)
		cells = strv_push(cells, titles[i]);
	json_writer_init(&w, &array, NULL);
	json_begin_array(&w, NULL);
	for (size_t i = 0; i < strv_len(ids); i++) {
		cleanup_with(container_free) struct container *c = NULL;
		enum container_status status;
		struct error gone;

		if (container_open(g->root, ids[i], &c, &gone) < 0 ||
		    container_get_status(c, &status, &gone) < 0) {
			char text[ERROR_TEXT_MAX];

			log_warning("container %s: %s", ids[i],
				    error_text(&gone, text, sizeof(text)));
			continue;
		}
		if (o->quiet)
			buf_printf(&out, "%s\n", c->id);
		cells = add_row(cells, c, status);
		add_json(&w, c, status);
	}
	json_end(&w);
	if (str_eq(o->format, "json") && !o->quiet)
		buf_printf(&out, "%s\n", buf_str(&array));
	else if (!o->quiet)
		align(cells, strv_len(cells) / LIST_COLUMNS, &out);
	return print(&out, err);
}

/* ps */

struct ps_options {
	const char *format;
};

static const struct option ps_options[] = {
	{ "format", 'f', OPTION_STRING, OPTION_FIELD(ps_options, format), .arg = "string",
	  .help = "table or json (default table)" },
};

#define PS_OUTPUT_MAX (64u << 20)

/* The output of ps(1) with these arguments. */
static int run_host_ps(char *const *ps_args, char **ret_text, struct error *err)
{
	static const char *const standard[] = { "ps", "-ef", NULL };
	cleanup_with(strv_free) char **argv = strv_push(NULL, "ps");
	struct proc_run run = { .output_max = PS_OUTPUT_MAX, .keep_stderr = true };
	cleanup_buf struct buf text = { 0 };
	struct proc_status status;
	int r;

	for (size_t i = 0; ps_args[i]; i++)
		argv = strv_push(argv, ps_args[i]);
	run.argv = ps_args[0] ? (const char *const *)argv : standard;
	r = proc_run(&run, &text, &status, err);
	if (r < 0)
		return r;
	if (status.code != 0)
		return error_kind(err, ERROR_INVALID, "ps failed with exit status %d", status.code);
	*ret_text = buf_take(&text);
	return 0;
}

/* Start of the n-th word of a line, from 0; NULL if there are fewer. */
static const char *nth_word(const char *line, size_t n)
{
	const char *end = line + strcspn(line, "\n");

	for (;; n--) {
		line += strspn(line, " \t");
		if (line >= end)
			return NULL;
		if (n == 0)
			return line;
		line += strcspn(line, " \t\n");
	}
}

/* The lines of the container's processes, below the title line. */
static int filter_ps(const char *text, const pid_t *pids, size_t n_pids, struct buf *out,
		     struct error *err)
{
	size_t column = 0, title_len = strcspn(text, "\n");
	const char *word;

	while ((word = nth_word(text, column)) && strcspn(word, " \t\n") != 3)
		column++;
	while (word && strncmp(word, "PID", 3) != 0) {
		do {
			word = nth_word(text, ++column);
		} while (word && strcspn(word, " \t\n") != 3);
	}
	if (!word)
		return error_kind(err, ERROR_INVALID, "couldn't find PID field in ps output");
	buf_add(out, text, title_len);
	buf_putc(out, '\n');
	for (const char *line = text + title_len; *line;) {
		size_t len;
		long pid;

		line += *line == '\n';
		len = strcspn(line, "\n");
		word = nth_word(line, column);
		pid = word ? strtol(word, NULL, 10) : 0;
		for (size_t i = 0; i < n_pids; i++)
			if (pids[i] == pid) {
				buf_add(out, line, len);
				buf_putc(out, '\n');
			}
		line += len;
	}
	return 0;
}

static int run_ps(const struct runtime_globals *g, void *target, char **args, struct error *err)
{
	const struct ps_options *o = target;
	cleanup_free pid_t *pids = NULL;
	cleanup_free char *text = NULL;
	cleanup_buf struct buf out = { 0 };
	size_t n = 0;
	int r = check_format(o->format, err);

	if (r == 0)
		r = runtime_pids(g->root, args[0], &pids, &n, err);
	if (r < 0)
		return r;
	if (str_eq(o->format, "json")) {
		buf_putc(&out, '[');
		for (size_t i = 0; i < n; i++)
			buf_printf(&out, "%s%d", i ? "," : "", (int)pids[i]);
		buf_puts(&out, "]\n");
		return print(&out, err);
	}
	r = run_host_ps(args + 1, &text, err);
	if (r == 0)
		r = filter_ps(text, pids, n, &out, err);
	return r < 0 ? r : print(&out, err);
}

static const struct runtime_verb verbs[] = {
	{ "state", "<container-id>", "print the state of a container as JSON", .min_args = 1,
	  .max_args = 1, .run = run_state },
	{ "list", "", "list the containers below --root", VERB_OPTIONS(list_options, list_options),
	  .max_args = 0, .run = run_list },
	{ "ps", "<container-id> [ps options]", "show the processes of a container",
	  VERB_OPTIONS(ps_options, ps_options), .parse_flags = OPTION_STOP_AT_POSITIONAL,
	  .min_args = 1, .max_args = -1, .run = run_ps },
};

const struct runtime_verb_table runtime_verbs_inspect = { verbs, ARRAY_SIZE(verbs) };
