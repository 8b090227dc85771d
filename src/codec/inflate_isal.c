/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip by ISA-L, two to four times as fast as zlib. Debian has it as a shared library only, and it
 * is needed in `load` and nowhere else: it is opened when the first gzip layer comes, so that no
 * other verb pays for it. Where it is missing, inflate_zlib does the work.
 */
#include <dlfcn.h>
#include <isa-l/igzip_lib.h>

#include "base/mem.h"
#include "codec/inflate_backend.h"

#define ISAL_LIBRARY "libisal.so.2"

struct isal {
	void *library;
	void (*init)(struct inflate_state *);
	void (*reset)(struct inflate_state *);
	int (*inflate)(struct inflate_state *);
	struct inflate_state z;
};

static void close_isal(void *state)
{
	struct isal *s = state;

	(void)dlclose(s->library); /* still used by another layer, or gone: both fine */
	free(s);
}

static void reset_isal(void *state)
{
	struct isal *s = state;

	s->reset(&s->z);
	s->z.crc_flag = ISAL_GZIP;
}

static void *open_isal(void)
{
	struct isal *s = xcalloc(1, sizeof(*s));

	s->library = dlopen(ISAL_LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!s->library) {
		free(s);
		return NULL;
	}
	s->init = (void (*)(struct inflate_state *))dlsym(s->library, "isal_inflate_init");
	s->reset = (void (*)(struct inflate_state *))dlsym(s->library, "isal_inflate_reset");
	s->inflate = (int (*)(struct inflate_state *))dlsym(s->library, "isal_inflate");
	if (!s->init || !s->reset || !s->inflate) {
		close_isal(s);
		return NULL;
	}
	s->init(&s->z);
	s->z.crc_flag = ISAL_GZIP; /* header, data and check sum */
	return s;
}

static enum inflate_result run_isal(void *state, struct inflate_io *io)
{
	struct isal *s = state;
	size_t in = MIN(io->in_left, (size_t)UINT32_MAX);
	size_t out = MIN(io->out_left, (size_t)UINT32_MAX);
	int r;

	s->z.next_in = (uint8_t *)io->in;
	s->z.avail_in = (uint32_t)in;
	s->z.next_out = io->out;
	s->z.avail_out = (uint32_t)out;
	r = s->inflate(&s->z);
	io->in = s->z.next_in;
	io->in_left -= in - s->z.avail_in;
	io->out = s->z.next_out;
	io->out_left -= out - s->z.avail_out;
	if (r != ISAL_DECOMP_OK && r != ISAL_END_INPUT && r != ISAL_OUT_OVERFLOW)
		return INFLATE_DAMAGED;
	return s->z.block_state == ISAL_BLOCK_FINISH ? INFLATE_END : INFLATE_MORE;
}

const struct inflate_backend inflate_isal = {
	.name = "gzip",
	.open = open_isal,
	.run = run_isal,
	.reset = reset_isal,
	.close = close_isal,
};
