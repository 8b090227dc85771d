/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/terminal.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/str.h"

int terminal_raw(struct terminal *t, int fd, struct error *err)
{
	struct termios raw;

	if (tcgetattr(fd, &t->saved) < 0)
		return error_sys(err, "the input device is not a TTY");
	raw = t->saved;
	cfmakeraw(&raw);
	if (tcsetattr(fd, TCSANOW, &raw) < 0)
		return error_sys(err, "cannot set the terminal to raw mode");
	t->fd = fd;
	return 0;
}

void terminal_restore(struct terminal *t)
{
	if (t->fd < 0)
		return;
	(void)tcsetattr(t->fd, TCSANOW, &t->saved); /* a terminal that is gone needs no restoring */
	t->fd = -1;
}

bool terminal_size(int fd, uint16_t *ret_rows, uint16_t *ret_columns)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) < 0)
		return false;
	*ret_rows = size.ws_row;
	*ret_columns = size.ws_col;
	return true;
}

/* "a", "ctrl-a", "ctrl-@", "ctrl-[" ...: the byte, or -1. */
static int key_of(const char *word)
{
	const char *ctrl = str_after(word, "ctrl-");

	if (!ctrl)
		return strlen(word) == 1 ? (unsigned char)*word : -1;
	if (strlen(ctrl) != 1)
		return -1;
	if (islower((unsigned char)*ctrl))
		return *ctrl - 'a' + 1;
	if (*ctrl == '@')
		return 0;
	if (strchr("[\\]^_", *ctrl))
		return *ctrl - '[' + 27;
	return -1;
}

int detach_keys_parse(const char *text, struct detach_keys *ret_keys, struct error *err)
{
	cleanup_with(strv_free) char **words = strv_split(text, ",", true);
	struct detach_keys keys = { 0 };

	for (size_t i = 0; words[i]; i++) {
		int key = key_of(words[i]);

		if (key < 0 || keys.n == DETACH_KEYS_MAX)
			return error_kind(
				err, ERROR_INVALID,
				"invalid detach keys (%s) provided: unknown character '%s'", text,
				words[i]);
		keys.keys[keys.n++] = (unsigned char)key;
	}
	*ret_keys = keys;
	return 0;
}

bool detach_keys_feed(struct detach_keys *k, const unsigned char *in, size_t n, unsigned char *out,
		      size_t *ret_n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (k->n > 0 && in[i] == k->keys[k->matched]) {
			if (++k->matched == k->n) {
				k->matched = 0;
				*ret_n = len;
				return true;
			}
			continue;
		}
		memcpy(out + len, k->keys,
		       k->matched); /* a broken sequence was meant for the container */
		len += k->matched;
		k->matched = 0;
		if (k->n > 0 && in[i] == k->keys[0] && k->n > 1)
			k->matched = 1;
		else
			out[len++] = in[i];
	}
	*ret_n = len;
	return false;
}
