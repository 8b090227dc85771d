/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/runtime_client.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "base/str.h"
#include "engine/document.h"
#include "engine/handle.h"

#define VERB_WORDS_MAX	 8
#define STDERR_MAX_BYTES 4096

int runtime_program(struct engine *e, const char *of_container, const char **ret_path,
		    struct error *err)
{
	int r;

	if (of_container) {
		*ret_path = of_container;
		return 0;
	}
	if (!e->runtime_path) {
		r = engine_program("berth-runtime", &e->runtime_path, err);
		if (r < 0)
			return r;
	}
	*ret_path = e->runtime_path;
	return 0;
}

int container_runtime(struct engine *e, const struct record *r, struct arena *arena,
		      const char **ret_path, struct error *err)
{
	struct document document;
	int status = container_document(e, r->id, arena, &document, err);

	return status < 0 ? status : runtime_program(e, document.runtime, ret_path, err);
}

/* The last line of what a runtime printed, which is its reason. */
static const char *last_line(char *text)
{
	char *end = text + strlen(text), *newline;

	while (end > text && end[-1] == '\n')
		*--end = '\0';
	newline = strrchr(text, '\n');
	return newline ? newline + 1 : text;
}

int runtime_call(struct engine *e, const char *of_container, const char *const *verb,
		 const char *id, struct error *err)
{
	const char *argv[VERB_WORDS_MAX + 5] = { NULL, "--root", e->runtime_root };
	char text[STDERR_MAX_BYTES] = "", status_text[PROC_STATUS_TEXT_MAX];
	cleanup_fd int read_fd = -EBADF, write_fd = -EBADF, pidfd = -EBADF;
	struct proc_status status;
	size_t n = 3;
	int pipe_fds[2], r;
	ssize_t got;

	r = runtime_program(e, of_container, &argv[0], err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < VERB_WORDS_MAX && verb[i]; i++)
		argv[n++] = verb[i];
	argv[n++] = id;
	argv[n] = NULL;
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return error_sys(err, "cannot make a pipe");
	read_fd = pipe_fds[0];
	write_fd = pipe_fds[1];
	r = proc_spawn(&(struct proc_spawn){ .argv = argv,
					     .fds = &(struct proc_fd){ write_fd, STDERR_FILENO },
					     .n_fds = 1 },
		       &pidfd, NULL, err);
	if (r < 0)
		return r;
	close(take_fd(&write_fd)); /* ours would keep the pipe from ending */
	got = fd_read_full(read_fd, text, sizeof(text) - 1);
	text[MAX(got, 0)] = '\0';
	close(take_fd(&read_fd)); /* a talkative one gets EPIPE rather than hang */
	r = proc_wait(pidfd, &status, err);
	if (r < 0)
		return r;
	if (status.code == 0)
		return 0;
	if (*text)
		return error_kind(err, ERROR_INTERNAL, "%s %s: %s", argv[0], verb[0],
				  last_line(text));
	return error_kind(err, ERROR_INTERNAL, "%s %s: %s", argv[0], verb[0],
			  proc_status_text(&status, status_text));
}
