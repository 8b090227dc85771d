/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/prompt.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/terminal.h"

#define LINE_MAX_BYTES 4096 /* the terminal's own limit */
#define CTRL_C	       3

/*
 * No echo. A signal in the middle would leave the terminal so: ctrl-c is a character that ends the
 * line instead, until we have put everything back.
 */
static int hide(struct terminal *t, struct error *err)
{
	struct termios quiet;

	if (tcgetattr(STDIN_FILENO, &t->saved) < 0)
		return error_sys(err, "the input device is not a TTY");
	quiet = t->saved;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	quiet.c_cc[VEOL] = CTRL_C;
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) < 0)
		return error_sys(err, "cannot turn off the terminal's echo");
	t->fd = STDIN_FILENO;
	return 0;
}

int prompt_line(const char *question, bool secret, char **ret, struct error *err)
{
	struct terminal terminal cleanup_terminal = TERMINAL_NONE;
	char line[LINE_MAX_BYTES];
	ssize_t n;
	/* first, as it drops what was typed: who answers the question at once is heard */
	int r = secret ? hide(&terminal, err) : 0;

	if (r < 0)
		return r;
	(void)printf("%s", question);
	(void)fflush(stdout); /* command_main() reports what stdout refuses */
	n = read(STDIN_FILENO, line, sizeof(line) - 1);
	if (n < 0)
		return error_sys(err, "cannot read from the terminal");
	if (secret)
		(void)printf("\n");
	if (n == 0 || line[n - 1] == CTRL_C)
		return error_kind(err, ERROR_INVALID, "interrupted");
	line[n] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	*ret = xstrdup(line);
	explicit_bzero(line, sizeof(line));
	return 0;
}
