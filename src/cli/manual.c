/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/manual.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/help.h"

/* Manual pages */

/* "berth-container-ls": the name of a command's manual page. Heap. */
static char *manual_name(const struct command *c)
{
	if (c->top)
		return xasprintf("berth-%.*s", (int)strcspn(c->top, " "), c->top);
	return xasprintf("berth-%s-%s", c->group, c->name);
}

/* Text as man(7) wants it: hyphens that are to be copied, lines that do not begin with a request.
 */
static void put_roff(struct buf *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		buf_puts(out, "\\&");
	for (; *text; text++) {
		if (*text == '-' || *text == '\\')
			buf_putc(out, '\\');
		buf_putc(out, *text == '\\' ? 'e' : *text);
	}
}

static void put_option(struct buf *out, const struct option *o)
{
	buf_puts(out, ".TP\n");
	if (o->short_name)
		buf_printf(out, "\\fB\\-%c\\fR, ", o->short_name);
	buf_puts(out, "\\fB\\-\\-");
	put_roff(out, o->name);
	buf_puts(out, "\\fR");
	if (o->arg)
		buf_printf(out, " \\fI%s\\fR", o->arg);
	buf_putc(out, '\n');
	put_roff(out, o->help);
	buf_puts(out, ".\n");
}

static void put_exit_status(struct buf *out, const struct command *c)
{
	buf_puts(out, ".SH EXIT STATUS\n");
	if (c->fail_code == 125)
		buf_puts(
			out,
			".TP\n125\nberth itself failed.\n.TP\n126\nThe command cannot be executed.\n.TP\n127\n"
			"The command is not in the container.\n.TP\nany other\n"
			"That of the command; 128 + n if signal n ended it.\n");
	else
		buf_puts(
			out,
			"0 when everything asked for was done, 1 when something failed, 125 for unknown options.\n");
}

/* The page in man(7), section 1. */
static void manual_page(const struct command *c, struct buf *out)
{
	cleanup_free char *page = manual_name(c), *name = help_command_name(c),
			  *title = xstrdup(page);

	for (char *p = title; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	buf_printf(out, ".TH %s 1 \"\" \"berth %s\" \"User Commands\"\n.SH NAME\n", title,
		   BERTH_VERSION);
	put_roff(out, page);
	buf_puts(out, " \\- ");
	put_roff(out, c->summary);
	buf_puts(out, "\n.SH SYNOPSIS\n\\fBberth ");
	put_roff(out, name);
	buf_puts(out, "\\fR ");
	put_roff(out, c->usage);
	buf_puts(out, "\n.SH DESCRIPTION\n");
	put_roff(out, c->summary);
	buf_puts(out, ".\n");
	if (c->group && c->top)
		buf_printf(out, ".PP\nThe same as \\fBberth %s %s\\fR.\n", c->group, c->name);
	if (c->n_options > 0)
		buf_puts(out, ".SH OPTIONS\n");
	for (size_t i = 0; i < c->n_options; i++)
		if (!c->options[i].hidden)
			put_option(out, &c->options[i]);
	put_exit_status(out, c);
	buf_puts(out, ".SH SEE ALSO\n.BR berth (1)\n");
}

struct writing {
	const char *directory;
	struct error *err;
	int r;
};

static void write_one(const struct command *c, void *data)
{
	struct writing *w = data;
	cleanup_free char *name = manual_name(c), *path = xasprintf("%s/%s.1", w->directory, name);
	cleanup_buf struct buf page = { 0 };

	if (w->r < 0)
		return;
	manual_page(c, &page);
	w->r = file_write_atomic(AT_FDCWD, path, page.data, page.len, 0644, 0, w->err);
}

int manual_write_all(const char *directory, struct error *err)
{
	struct writing w = { .directory = directory, .err = err };

	command_each(write_one, &w);
	return w.r;
}

/* Completion */

struct completion {
	struct buf *out;
};

static void put_words(const struct command *c, void *data)
{
	struct completion *x = data;
	cleanup_free char *name = help_command_name(c);

	buf_printf(x->out, "    '%s') words='--help", name);
	for (size_t i = 0; i < c->n_options; i++)
		if (!c->options[i].hidden)
			buf_printf(x->out, " --%s", c->options[i].name);
	buf_puts(x->out, "' ;;\n");
}

static void put_top_name(const struct command *c, void *data)
{
	struct completion *x = data;

	if (c->top)
		buf_printf(x->out, " %.*s", (int)strcspn(c->top, " "), c->top);
}

static void put_fish(const struct command *c, void *data)
{
	struct completion *x = data;
	cleanup_free char *name = help_command_name(c);

	if (c->top)
		buf_printf(x->out,
			   "complete -c berth -f -n __fish_use_subcommand -a %s -d \"%s\"\n", name,
			   c->summary);
	for (size_t i = 0; c->top && i < c->n_options; i++) {
		const struct option *o = &c->options[i];

		if (o->hidden)
			continue;
		buf_printf(x->out, "complete -c berth -n '__fish_seen_subcommand_from %s' -l %s",
			   name, o->name);
		if (o->short_name)
			buf_printf(x->out, " -s %c", o->short_name);
		buf_puts(x->out, o->arg ? " -r\n" : "\n");
	}
}

/* bash and zsh share one function; names of containers and images are asked from berth. */
static void put_bash(struct buf *out)
{
	struct completion x = { .out = out };

	buf_puts(out,
		 "# completion of berth for bash and zsh; written by `berth completion`\n"
		 "_berth() {\n  local cur=${COMP_WORDS[COMP_CWORD]} cmd=${COMP_WORDS[1]} words=\n"
		 "  case $cmd in container|image|system) cmd=\"$cmd ${COMP_WORDS[2]}\" ;; esac\n"
		 "  if [ \"$COMP_CWORD\" = 1 ]; then\n    words='container image system");
	command_each(put_top_name, &x);
	buf_puts(out, "'\n  elif [[ $cur == -* ]]; then\n    case $cmd in\n");
	command_each(put_words, &x);
	buf_puts(
		out,
		"    esac\n  else\n    case $cmd in\n"
		"    run|create|rmi|save|tag) words=$(berth images --format '{{.Repository}}:{{.Tag}}' 2>/dev/null) ;;\n"
		"    start|rm|logs|inspect|wait|rename|restart) words=$(berth ps -a --format '{{.Names}}' 2>/dev/null) ;;\n"
		"    exec|attach|stop|kill|top|stats|pause|unpause) words=$(berth ps --format '{{.Names}}' 2>/dev/null) ;;\n"
		"    esac\n  fi\n"
		"  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
		"complete -o default -F _berth berth\n");
}

int manual_completion(const char *shell, struct buf *out, struct error *err)
{
	struct completion x = { .out = out };

	if (str_eq(shell, "zsh"))
		buf_puts(out, "autoload -U +X bashcompinit && bashcompinit\n");
	if (str_eq(shell, "bash") || str_eq(shell, "zsh"))
		put_bash(out);
	else if (str_eq(shell, "fish"))
		command_each(put_fish, &x);
	else
		return error_kind(err, ERROR_INVALID,
				  "no completion for the shell '%s': bash, zsh and fish are known",
				  shell);
	return 0;
}
