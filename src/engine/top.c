/* SPDX-License-Identifier: Apache-2.0 */
/* `ps` on the host, and of its lines those of the container's processes: docker's own way. */
#include "base/buf.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "engine/handle.h"
#include "engine/ps_text.h"
#include "runtime/runtime.h"

#define PS_MAX_BYTES (16u << 20)
#define PS_WORDS_MAX 64

static int run_ps(char *const *ps_args, char **ret_text, struct error *err)
{
	const char *argv[PS_WORDS_MAX + 3] = { "ps", "-ef" };
	const struct proc_run run = { .argv = argv, .output_max = PS_MAX_BYTES };
	cleanup_buf struct buf text = { 0 };
	struct proc_status status;
	size_t n = strv_len(ps_args);
	int r;

	if (n > PS_WORDS_MAX)
		return error_kind(err, ERROR_INVALID, "too many words for ps");
	for (size_t i = 0; i < n; i++)
		argv[i + 1] = ps_args[i];
	r = proc_run(&run, &text, &status, err);
	if (r < 0)
		return error_prefix(err, r, "running ps");
	if (status.code != 0)
		return error_kind(err, ERROR_INVALID, "ps: exit status %d", status.code);
	*ret_text = buf_take(&text);
	return 0;
}

int engine_top(struct engine *e, const char *ref, char *const *ps_args, struct engine_top *ret_top,
	       struct error *err)
{
	struct engine_top top = { .arena = arena_new() };
	cleanup_free char *text = NULL;
	cleanup_free pid_t *pids = NULL;
	struct record record;
	size_t n = 0;
	int r = container_find(e, ref, top.arena, &record, err);

	if (r >= 0 && !record_is_live(&record))
		r = error_kind(err, ERROR_CONFLICT, "container %s is not running", record.id);
	if (r >= 0)
		r = run_ps(ps_args, &text, err);
	/* After ps: what it saw of the container is then among them, or has ended. */
	if (r >= 0)
		r = runtime_pids(e->runtime_root, record.id, &pids, &n, err);
	if (r >= 0)
		r = ps_text_parse(text, pids, n, &top, err);
	if (r < 0)
		engine_top_done(&top);
	else
		*ret_top = top;
	return r;
}

void engine_top_done(struct engine_top *top)
{
	arena_free(top->arena);
	*top = (struct engine_top){ 0 };
}
