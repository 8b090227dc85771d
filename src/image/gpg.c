/* SPDX-License-Identifier: Apache-2.0 */
#include "image/gpg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/dir.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"

/*
 * gpg has no way to say "these keys and no others" but a home directory of its own. One is made, the
 * keys are imported, the message is verified, it is removed. No agent and no trust database: a key
 * of the policy is trusted because it is there.
 *
 * The exit code is not enough: it is 0 also where a second signature was not by a known key. So the
 * status lines decide: one signature, which is good and valid, and nothing that speaks against it.
 */

#define STATUS_MAX_BYTES 65536
#define GPG_MAX_MS	 60000 /* a megabyte takes it less than one second */

struct home {
	char *path;
};

static void home_done(struct home *h)
{
	struct error ignored; /* a directory in /tmp that stays is no reason to fail */

	if (h->path)
		(void)dir_remove_tree(AT_FDCWD, h->path, &ignored);
	free(h->path);
}
#define cleanup_home __attribute__((cleanup(home_done)))

static int home_make(struct home *h, struct error *err)
{
	const char *dir = getenv("TMPDIR");
	char *path = path_join(str_empty(dir) ? "/tmp" : dir, "berth-gpg-XXXXXX");

	if (!mkdtemp(path)) { /* 0700 */
		int r = error_sys(err, "cannot make '%s'", path);

		free(path);
		return r;
	}
	h->path = path;
	return 0;
}

static int put(const struct home *h, const char *name, const char *data, size_t len,
	       struct error *err)
{
	cleanup_free char *path = path_join(h->path, name);

	return file_write_atomic(AT_FDCWD, path, data, len, 0600, 0, err);
}

/* Runs gpg with words behind the common ones; what it says on its status fd, and its exit code. */
static int run_gpg(const struct home *h, const char *const *words, struct buf *status,
		   struct proc_status *ret_exit, struct error *err)
{
	const char *argv[24] = {
		"gpg",		 "--homedir", h->path,		"--batch",
		"--no-options",	 "--no-tty",  "--no-autostart", "--no-auto-key-retrieve",
		"--trust-model", "always",    "--status-fd",	"1"
	};
	const struct proc_run run = { .argv = argv,
				      .output_max = STATUS_MAX_BYTES,
				      .timeout_ms = GPG_MAX_MS };
	size_t n = 12;
	int r;

	while (*words)
		argv[n++] = *words++;
	r = proc_run(&run, status, ret_exit, err);
	if (r < 0 && err->kind == ERROR_CMD_NOT_FOUND)
		return error_kind(err, ERROR_UNSUPPORTED,
				  "signatures by OpenPGP keys are verified by gpg: install gpg");
	return r;
}

static int import(const struct home *h, const char *keys, size_t len, struct error *err)
{
	cleanup_free char *path = path_join(h->path, "keys");
	const char *const words[] = { "--import", "--", path, NULL };
	cleanup_buf struct buf status = { 0 };
	struct proc_status exit_status;
	int r = put(h, "keys", keys, len, err);

	if (r >= 0)
		r = run_gpg(h, words, &status, &exit_status, err);
	if (r < 0)
		return r;
	if (!strstr(buf_str(&status), "[GNUPG:] IMPORT_OK "))
		return error_kind(err, ERROR_INVALID, "no OpenPGP key");
	return 0;
}

static const char *const against[] = { "BADSIG",     "ERRSIG",		"EXPSIG",
				       "EXPKEYSIG",  "REVKEYSIG",	"KEYEXPIRED",
				       "KEYREVOKED", "NO_PUBKEY",	"NODATA",
				       "UNEXPECTED", "DECRYPTION_INFO", "FAILURE",
				       "ERROR",	     "BEGIN_DECRYPTION" };

/* Does a status line of this word occur, and how often? */
static size_t count(const char *status, const char *word)
{
	cleanup_free char *line = xasprintf("[GNUPG:] %s", word);
	size_t n = 0;

	for (const char *at = strstr(status, line); at; at = strstr(at + 1, line)) {
		const char *end = at + strlen(line);

		n += (at == status || at[-1] == '\n') && (*end == ' ' || *end == '\n');
	}
	return n;
}

static int judge(const char *status, const struct proc_status *exit_status, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(against); i++)
		if (count(status, against[i]))
			return error_kind(err, ERROR_DENIED,
					  "the signature is not good (gpg says %s)", against[i]);
	if (exit_status->code != 0 || count(status, "NEWSIG") != 1 ||
	    count(status, "GOODSIG") != 1 || count(status, "VALIDSIG") != 1)
		return error_kind(err, ERROR_DENIED, "it is not signed by one good key");
	return 0;
}

int gpg_verify(const struct gpg_keys *keys, size_t n_keys, const char *message, size_t len,
	       char **ret_text, size_t *ret_len, struct error *err)
{
	cleanup_home struct home h = { 0 };
	cleanup_buf struct buf status = { 0 };
	cleanup_free char *in = NULL, *out = NULL, *most = NULL;
	struct proc_status exit_status;
	int r = home_make(&h, err);

	for (size_t i = 0; r >= 0 && i < n_keys; i++)
		r = import(&h, keys[i].data, keys[i].len, err);
	if (r >= 0)
		r = put(&h, "message", message, len, err);
	if (r < 0)
		return r;
	in = path_join(h.path, "message");
	out = path_join(h.path, "text");
	most = xasprintf("%u", GPG_TEXT_MAX_BYTES);
	/* what is compressed in a message may be a thousand times as large */
	r = run_gpg(&h,
		    (const char *const[]){ "--max-output", most, "--output", out, "--verify", "--",
					   in, NULL },
		    &status, &exit_status, err);
	if (r >= 0)
		r = judge(buf_str(&status), &exit_status, err);
	if (r < 0)
		return r;
	return file_read(AT_FDCWD, out, GPG_TEXT_MAX_BYTES, ret_text, ret_len, err);
}

int gpg_sign(const char *key, const char *passphrase_file, const char *text, size_t len,
	     struct buf *ret_message, struct error *err)
{
	const char *argv[] = { "gpg", "--batch", "--no-tty", "--sign", "--local-user", key, NULL,
			       NULL,  NULL,	 NULL,	     NULL };
	const struct proc_run run = { .argv = argv,
				      .input = text,
				      .input_len = len,
				      .output_max = GPG_TEXT_MAX_BYTES,
				      .keep_stderr = true };
	struct proc_status exit_status;
	int r;

	if (passphrase_file) {
		argv[6] = "--pinentry-mode";
		argv[7] = "loopback";
		argv[8] = "--passphrase-file";
		argv[9] = passphrase_file;
	}
	r = proc_run(&run, ret_message, &exit_status, err);
	if (r < 0 && err->kind == ERROR_CMD_NOT_FOUND)
		return error_kind(err, ERROR_UNSUPPORTED,
				  "signatures are made by gpg: install gpg");
	if (r == 0 && (exit_status.code != 0 || exit_status.signal || ret_message->len == 0))
		return error_kind(err, ERROR_DENIED, "gpg does not sign with the key '%s'", key);
	return r;
}
