/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/credential_helper.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "codec/json.h"

#define INPUT_BYTES	 4096 /* of names around a secret, and more */
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
	const char *const argv[] = { program, verb, NULL };
	const struct proc_run helper = { .argv = argv,
					 .input = buf_str(input),
					 .input_len = input->len,
					 .output_max = ANSWER_MAX_BYTES,
					 .keep_stderr = true };
	struct proc_status status;
	int r;

	if (str_empty(name) || strchr(name, '/'))
		return error_kind(err, ERROR_INVALID, "'%s' is no name of a credential helper",
				  name);
	buf_reserve(answer, 2 * ANSWER_MAX_BYTES); /* in one place, that wipe() finds */
	r = proc_run(&helper, answer, &status, err);
	if (r < 0) {
		err->kind = ERROR_INTERNAL; /* not a container's command: no 127 */
		return error_prefix(err, r, "credential helper '%s'", program);
	}
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
	const char *secret = c->identity_token ? c->identity_token : c->secret;
	cleanup_secret_buf struct buf input = { 0 }, answer = { 0 };
	struct json_writer w;
	int r;

	/* in one place, that wipe() finds: at most six bytes of JSON for one */
	buf_reserve(&input, INPUT_BYTES + 6 * strlen(secret));
	json_writer_init(&w, &input, NULL);
	json_begin_object(&w, NULL);
	json_add_string(&w, "ServerURL", server);
	json_add_string(&w, "Username", c->identity_token ? TOKEN_USER : c->username);
	json_add_string(&w, "Secret", secret);
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
