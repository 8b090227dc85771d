/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/credential_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "codec/json.h"

#define INPUT_MAX_BYTES \
	4096 /* PIPE_BUF: written before anybody reads, it neither waits nor fails */
#define ANSWER_MAX_BYTES 65536

/* The user name that says: the secret is an identity token. */
#define TOKEN_USER "<token>"

/* What helpers answer when they have nothing: the sentence of the library they are all made with. */
static const char nothing[] = "credentials not found in native keychain";

static void wipe(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->size);
	buf_done(b);
}
#define cleanup_secret_buf __attribute__((cleanup(wipe)))

/* A pipe with the input in it and nobody who could write more. */
static int input_pipe(const struct buf *input, int *ret_fd, struct error *err)
{
	cleanup_fd int read_fd = -EBADF, write_fd = -EBADF;
	int fds[2], r;

	if (input->len > INPUT_MAX_BYTES)
		return error_kind(err, ERROR_INVALID, "a credential of more than %d bytes",
				  INPUT_MAX_BYTES);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_sys(err, "cannot make a pipe");
	read_fd = fds[0];
	write_fd = fds[1];
	r = fd_write_all(write_fd, input->data, input->len);
	if (r < 0)
		return error_num(err, -r, "cannot write to a pipe");
	*ret_fd = take_fd(&read_fd);
	return 0;
}

static int spawn(const char *program, const char *verb, int in_fd, int *ret_out_fd, int *ret_pidfd,
		 struct error *err)
{
	const char *const argv[] = { program, verb, NULL };
	cleanup_fd int read_fd = -EBADF, write_fd = -EBADF;
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_sys(err, "cannot make a pipe");
	read_fd = fds[0];
	write_fd = fds[1];
	r = proc_spawn(
		&(struct proc_spawn){ .argv = argv,
				      .fds = (struct proc_fd[]){ { in_fd, STDIN_FILENO },
								 { write_fd, STDOUT_FILENO } },
				      .n_fds = 2,
				      .flags = PROC_SEARCH_PATH | PROC_INHERIT_STDIO },
		ret_pidfd, NULL, err);
	if (r >= 0)
		*ret_out_fd = take_fd(&read_fd);
	return r;
}

/* The first line of what a helper complains about. */
static int COLD fail(const char *program, const char *verb, const struct buf *answer,
		     const struct proc_status *status, struct error *err)
{
	char how[PROC_STATUS_TEXT_MAX];
	size_t len = strcspn(buf_str(answer), "\r\n");

	if (len > 0 && status->signal == 0)
		return error_kind(err, ERROR_INTERNAL, "'%s %s' failed: %.*s", program, verb,
				  (int)MIN(len, 200u), buf_str(answer));
	return error_kind(err, ERROR_INTERNAL, "'%s %s' failed: %s", program, verb,
			  proc_status_text(status, how));
}

/* Runs the helper to its end: 1 it did it, 0 it has nothing for this server. */
static int run(const char *name, const char *verb, const struct buf *input, struct buf *answer,
	       struct error *err)
{
	cleanup_free char *program = xasprintf("docker-credential-%s", name);
	cleanup_fd int in_fd = -EBADF, out_fd = -EBADF, pidfd = -EBADF;
	struct proc_status status;
	ssize_t n;
	int r;

	if (str_empty(name) || strchr(name, '/'))
		return error_kind(err, ERROR_INVALID, "'%s' is no name of a credential helper",
				  name);
	r = input_pipe(input, &in_fd, err);
	if (r >= 0)
		r = spawn(program, verb, in_fd, &out_fd, &pidfd, err);
	if (r < 0) {
		err->kind = ERROR_INTERNAL; /* not a container's command: no 127 */
		return error_prefix(err, r, "credential helper '%s'", program);
	}
	buf_reserve(answer, ANSWER_MAX_BYTES + 1);
	n = fd_read_full(out_fd, answer->data, ANSWER_MAX_BYTES);
	out_fd = (close(out_fd), -EBADF); /* one that says more gets SIGPIPE */
	r = proc_wait(pidfd, &status, err);
	if (r < 0)
		return r;
	answer->len = n > 0 ? (size_t)n : 0;
	answer->data[answer->len] = '\0';
	if (status.code == 0)
		return 1;
	if (str_after(buf_str(answer), nothing))
		return 0;
	return fail(program, verb, answer, &status, err);
}

static int parse_answer(const struct buf *answer, struct credential *ret, struct error *err)
{
	struct arena *arena cleanup_with(arena_free) = arena_new();
	const char *user = NULL, *secret = NULL;
	const struct json *root;
	int r = json_parse(buf_str(answer), answer->len, arena, &root, err);

	if (r >= 0)
		r = json_get_string(root, "Username", &user, err);
	if (r >= 0)
		r = json_get_string(root, "Secret", &secret, err);
	if (r < 0)
		return r;
	if (str_empty(secret))
		return 0;
	if (str_eq(user, TOKEN_USER)) {
		ret->identity_token = xstrdup(secret);
	} else {
		ret->username = xstrdup(user ? user : "");
		ret->secret = xstrdup(secret);
	}
	return 1;
}

int credential_helper_get(const char *name, const char *server, struct credential *ret,
			  struct error *err)
{
	cleanup_secret_buf struct buf answer = { 0 };
	cleanup_buf struct buf input = { 0 };
	int r;

	buf_puts(&input, server);
	r = run(name, "get", &input, &answer, err);
	if (r <= 0)
		return r;
	r = parse_answer(&answer, ret, err);
	return r < 0 ? error_prefix(err, r, "answer of 'docker-credential-%s get'", name) : r;
}

int credential_helper_store(const char *name, const char *server, const struct credential *c,
			    struct error *err)
{
	cleanup_secret_buf struct buf input = { 0 }, answer = { 0 };
	struct json_writer w;
	int r;

	buf_reserve(&input, INPUT_MAX_BYTES); /* in one place, that wipe() finds */
	json_writer_init(&w, &input, NULL);
	json_begin_object(&w, NULL);
	json_add_string(&w, "ServerURL", server);
	json_add_string(&w, "Username", c->identity_token ? TOKEN_USER : c->username);
	json_add_string(&w, "Secret", c->identity_token ? c->identity_token : c->secret);
	json_end(&w);
	r = run(name, "store", &input, &answer, err);
	if (r == 0) /* its sentence makes no sense here */
		return error_kind(err, ERROR_INTERNAL, "'docker-credential-%s store' failed: %s",
				  name, nothing);
	return r < 0 ? r : 0;
}

int credential_helper_erase(const char *name, const char *server, struct error *err)
{
	cleanup_buf struct buf input = { 0 }, answer = { 0 };
	int r;

	buf_puts(&input, server);
	r = run(name, "erase", &input, &answer, err);
	return r < 0 ? r : 0;
}
