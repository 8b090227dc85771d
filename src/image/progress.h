/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a pull or a push tells whoever watches it, in docker's words. cli/progress.h shows it. */

#include <stdint.h>

struct progress {
	const char *id;	  /* of the line that this replaces ("5f70bf18a086"); NULL: a line more */
	const char *text; /* "Pushing", "Layer already exists", "Mounted from library/nginx" */
	uint64_t done, total; /* bytes; total 0: nothing to measure */
};

/* Called by several threads at once, often: the callee locks and leaves out what is too much. Strings
 * are borrowed for the call. show NULL: nobody watches. */
struct progress_sink {
	void (*show)(void *ctx, const struct progress *p);
	void *ctx;
};

static inline void progress_show(const struct progress_sink *sink, const char *id, const char *text,
				 uint64_t done, uint64_t total)
{
	const struct progress p = { id, text, done, total };

	if (sink->show)
		sink->show(sink->ctx, &p);
}
