/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/command.h"

char *help_command_name(const struct command *c)
{
	if (c->top)
		return xstrndup(c->top, strcspn(c->top, " "));
	return xasprintf("%s %s", c->group, c->name);
}

void help_print_command(const struct command *c)
{
	cleanup_free char *name = help_command_name(c);
	cleanup_buf struct buf text = { 0 };

	buf_printf(&text, "Usage:  berth %s %s\n\n%s\n", name, c->usage, c->summary);
	if (c->group && c->top) {
		buf_printf(&text, "\nAliases:\n  berth %s %s", c->group, c->name);
		for (const char *p = c->top; *p; p += strspn(p, " ")) {
			size_t len = strcspn(p, " ");

			buf_printf(&text, ", berth %.*s", (int)len, p);
			p += len;
		}
		buf_putc(&text, '\n');
	}
	if (c->n_options > 0) {
		buf_puts(&text, "\nOptions:\n");
		option_help(c->options, c->n_options, &text);
	}
	(void)fputs(buf_str(&text), stdout);
}

struct listing {
	const char *group; /* of this group only; NULL: what has a name without a group */
};

static void list_command(const struct command *c, void *data)
{
	const struct listing *l = data;

	if (l->group && str_eq(c->group, l->group))
		(void)printf("  %-12s %s\n", c->name, c->summary);
	else if (!l->group && c->top)
		(void)printf("  %-12.*s %s\n", (int)strcspn(c->top, " "), c->top, c->summary);
}

void help_print_group(const char *group)
{
	struct listing l = { .group = group };

	(void)printf("Usage:  berth %s COMMAND\n\nCommands:\n", group);
	command_each(list_command, &l);
	(void)printf("\nRun 'berth %s COMMAND --help' for more information on a command.\n", group);
}

void help_print_all(const struct option *global, size_t n_global)
{
	cleanup_buf struct buf text = { 0 };
	struct listing l = { 0 };

	(void)printf(
		"Usage:  berth [OPTIONS] COMMAND\n\nThe container engine that you can see through\n\nCommands:\n");
	command_each(list_command, &l);
	option_help(global, n_global, &text);
	(void)printf(
		"\nCommand groups:\n  container    Manage containers\n  image        Manage images\n"
		"  manifest     Manage image manifests and manifest lists\n  system       Look after berth itself\n\nGlobal Options:\n%s\n"
		"Run 'berth COMMAND --help' for more information on a command.\n",
		buf_str(&text));
}
