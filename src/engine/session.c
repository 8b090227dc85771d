/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/session.h"

#include "base/log.h"
#include "base/mem.h"
#include "engine/handle.h"
#include "engine/wait.h"

struct engine_session *session_new(struct engine *e)
{
	struct engine_session *s = xcalloc(1, sizeof(*s));

	s->e = e;
	s->arena = arena_new();
	s->is_starter = true;
	s->monitor = (struct monitor_client)MONITOR_CLIENT_INIT;
	return s;
}

struct engine_session *engine_session_close(struct engine_session *s)
{
	if (s) {
		if (s->is_attached)
			attach_close(&s->streams);
		monitor_client_done(&s->monitor);
		arena_free(s->arena);
		free(s);
	}
	return NULL;
}

unsigned session_wants(unsigned flags)
{
	return ((flags & ENGINE_START_STDIN) ? ATTACH_WANT_STDIN : 0) |
	       ((flags & ENGINE_START_STDOUT) ? ATTACH_WANT_STDOUT : 0) |
	       ((flags & ENGINE_START_STDERR) ? ATTACH_WANT_STDERR : 0);
}

const char *engine_session_id(const struct engine_session *s)
{
	return s->record.id;
}

struct attach_client *engine_session_streams(struct engine_session *s)
{
	return s->is_attached ? &s->streams : NULL;
}

int engine_session_pump(struct engine_session *s, const struct attach_io *io, struct error *err)
{
	int r = attach_pump(&s->streams, io, &s->end, err);

	s->has_ended = r == ATTACH_ENDED;
	return r;
}

int engine_attach(struct engine *e, const char *ref, unsigned flags,
		  struct engine_session **ret_session, struct error *err)
{
	cleanup_with(engine_session_close) struct engine_session *s = session_new(e);
	cleanup_free char *run_dir = NULL;
	int r;

	s->is_starter = false;
	r = container_find(e, ref, s->arena, &s->record, err);
	if (r < 0)
		return r;
	if (s->record.state == CONTAINER_STATE_PAUSED)
		return error_kind(err, ERROR_CONFLICT,
				  "You cannot attach to a paused container, unpause it first");
	if (s->record.state != CONTAINER_STATE_RUNNING)
		return error_kind(err, ERROR_CONFLICT,
				  "You cannot attach to a stopped container, start it first");
	run_dir = container_run_dir(e, s->record.id);
	r = attach_open(run_dir, session_wants(flags), &s->streams, err);
	if (r == -ENOENT || r == -ECONNREFUSED)
		return error_kind(err, ERROR_CONFLICT,
				  "the monitor of container %s is gone: it runs, but nobody holds "
				  "its streams",
				  s->record.name);
	if (r < 0)
		return r;
	s->is_attached = true;
	*ret_session = take_ptr(&s);
	return 0;
}

int engine_session_wait(struct engine_session *s, int *ret_exit_code, struct error *err)
{
	struct error lost;
	int r;

	if (!s->is_starter) {
		if (s->has_ended) {
			*ret_exit_code = s->end.code;
			return 0;
		}
		return wait_for_end(s->e, &s->record, -1, ret_exit_code, err);
	}
	r = monitor_wait_exited(&s->monitor, -1, &s->end, &lost);
	if (r < 0) {
		log_debug("the monitor of '%s' is lost: %s", s->record.id, lost.msg);
		return wait_for_end(s->e, &s->record, -1, ret_exit_code, err);
	}
	r = container_settle(s->e, &s->record, &s->end, err);
	if (r < 0)
		return r;
	if (r == 0)
		monitor_recorded(&s->monitor);
	*ret_exit_code = s->end.code;
	return 0;
}
