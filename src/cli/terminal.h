/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The user's terminal: raw mode that is always undone, and its size. */

#include <stdbool.h>
#include <stdint.h>
#include <termios.h>
#include "base/error.h"

struct terminal {
	int fd; /* borrowed; -1: not raw */
	struct termios saved;
};
#define TERMINAL_NONE ((struct terminal){ .fd = -1 })

/* Raw mode on fd. Not a terminal: -ENOTTY. */
int terminal_raw(struct terminal *t, int fd, struct error *err);
/* Back to what it was; harmless twice and on TERMINAL_NONE. */
void terminal_restore(struct terminal *t);
#define cleanup_terminal __attribute__((cleanup(terminal_restore)))

/* Rows and columns; false if fd is not a terminal. */
bool terminal_size(int fd, uint16_t *ret_rows, uint16_t *ret_columns);

/*
 * Detach keys ("ctrl-p,ctrl-q"): recognises the sequence in what is typed.
 * Feed filters data in place; what belongs to the sequence is held back until it is complete or
 * broken.
 */
#define DETACH_KEYS_MAX 8
struct detach_keys {
	unsigned char keys[DETACH_KEYS_MAX];
	size_t n;
	size_t matched;
};
int detach_keys_parse(const char *text, struct detach_keys *ret_keys, struct error *err);
/*
 * out needs room for n + DETACH_KEYS_MAX bytes. *ret_n: bytes to forward. True: the sequence was
 * typed, forward them and detach.
 */
bool detach_keys_feed(struct detach_keys *k, const unsigned char *in, size_t n, unsigned char *out,
		      size_t *ret_n);
