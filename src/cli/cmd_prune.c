/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd_prune.h"
#include "cli/value.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/units.h"
#include "engine/engine.h"
#include "engine/prune.h"

#define SPACE " \t\r\n"

const struct option prune_options[PRUNE_OPTIONS_SYSTEM] = {
	{ .name = "filter",
	  OPTION_FILTER,
	  OPTION_FIELD(prune_flags, filter),
	  .help = "Only what these allow: \"label=<key>[=<value>]\", \"label!=...\", \"until=<time>\"" },
	{ .name = "force",
	  .short_name = 'f',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(prune_flags, force),
	  .help = "Do not prompt for confirmation" },
	{ .name = "all",
	  .short_name = 'a',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(prune_flags, all),
	  .help = "Remove all unused images, not just dangling ones" },
	{ .name = "external",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(prune_flags, external),
	  .help = "Images used by containers of other programs, too (there are none: the same)" },
	{ .name = "volumes",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(prune_flags, volumes),
	  .help = "Prune anonymous volumes (there are none yet)" },
};

/* A line with "y" and nothing else, as docker takes it. */
static bool confirm(const char *warning)
{
	cleanup_free char *line = NULL;
	size_t size = 0, len;
	const char *answer;

	(void)printf("WARNING! %sAre you sure you want to continue? [y/N] ", warning);
	(void)fflush(stdout); /* the question comes before the answer; the end checks stdout */
	if (getline(&line, &size, stdin) < 0)
		return false;
	answer = line + strspn(line, SPACE);
	len = strcspn(answer, SPACE);
	return len == 1 && tolower((unsigned char)*answer) == 'y' &&
	       !answer[len + strspn(answer + len, SPACE)];
}

static void print_containers(const struct engine_pruned *p)
{
	if (!p->containers)
		return;
	(void)puts("Deleted Containers:");
	for (size_t i = 0; p->containers[i]; i++)
		(void)puts(p->containers[i]);
	(void)putchar('\n');
}

static void print_images(const struct engine_pruned *p)
{
	if (p->images.n == 0)
		return;
	(void)puts("Deleted Images:");
	for (size_t i = 0; i < p->images.n; i++)
		(void)printf("%s: %s\n", p->images.rows[i].deleted ? "deleted" : "untagged",
			     p->images.rows[i].what);
	(void)putchar('\n');
}

/* Also after a failure: what is gone is gone. */
static int finish(struct engine_pruned *p, int r)
{
	char size[UNITS_TEXT_MAX];

	print_containers(p);
	print_images(p);
	if (r == 0)
		(void)printf("Total reclaimed space: %s\n",
			     units_format_size((double)p->freed_bytes, 4, size));
	engine_pruned_done(p);
	return r;
}

int cmd_prune_containers(struct cli *cli, void *target, int n UNUSED, char **args UNUSED,
			 struct error *err)
{
	const struct prune_flags *f = target;
	struct engine_pruned pruned = { 0 };
	struct engine *e;
	int r;

	if (!f->force && !confirm("This will remove all stopped containers.\n"))
		return 0;
	r = cli_engine(cli, &e, err);
	if (r == 0)
		r = engine_prune_containers(e, f->filter, &pruned, err);
	return finish(&pruned, r);
}

int cmd_prune_images(struct cli *cli, void *target, int n UNUSED, char **args UNUSED,
		     struct error *err)
{
	const struct prune_flags *f = target;
	struct engine_pruned pruned = { 0 };
	struct engine *e;
	int r;

	if (!f->force &&
	    !confirm(f->all ? "This will remove all images without at least one container "
			      "associated to them.\n"
			    : "This will remove all dangling images.\n"))
		return 0;
	r = cli_engine(cli, &e, err);
	if (r == 0)
		r = engine_prune_images(e, f->all, f->filter, &pruned, err);
	return finish(&pruned, r);
}

static bool confirm_system(const struct prune_flags *f)
{
	cleanup_free char *filters = strv_join(f->filter, "\n  - ");
	cleanup_free char *text = NULL;

	text = xasprintf(
		"This will remove:\n  - all stopped containers\n%s  - all %s\n\n%s%s%s",
		f->volumes ? "  - all anonymous volumes not used by at least one container\n" : "",
		f->all ? "images without at least one container associated to them"
		       : "dangling images",
		f->filter ? "  Items to be pruned will be filtered with:\n  - " : "", filters,
		f->filter ? "\n\n" : "");
	return confirm(text);
}

int cmd_prune_system(struct cli *cli, void *target, int n UNUSED, char **args UNUSED,
		     struct error *err)
{
	const struct prune_flags *f = target;
	struct engine_pruned pruned = { 0 };
	struct engine *e;
	int r;

	for (size_t i = 0; f->volumes && f->filter && f->filter[i]; i++) {
		if (str_after(f->filter[i], "until="))
			return error_kind(err, ERROR_INVALID,
					  "the \"until\" filter is not supported with "
					  "\"--volumes\"");
	}
	if (!f->force && !confirm_system(f))
		return 0;
	r = cli_engine(cli, &e, err);
	if (r == 0)
		r = engine_prune_containers(e, f->filter, &pruned, err);
	if (r == 0)
		r = engine_prune_images(e, f->all, f->filter, &pruned, err);
	return finish(&pruned, r);
}
