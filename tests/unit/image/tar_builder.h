/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Archives as a test wants them, also those that no tar program writes. */

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "codec/archive.h"

struct tar_header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type;
	char link[100], magic[8], uname[32], gname[32], major[8], minor[8], prefix[155], pad[12];
};

_Static_assert(sizeof(struct tar_header) == 512, "a tar header is one block");

#define TAR_MTIME 1234567890

static inline void tar_pad(struct buf *out)
{
	static const char zeros[512];

	buf_add(out, zeros, (512 - out->len % 512) % 512);
}

static inline void tar_add_raw(struct buf *out, char type, const char *name, const char *link,
			       unsigned mode, const void *data, size_t n)
{
	struct tar_header h = { .type = type };
	const unsigned char *p = (const unsigned char *)&h;
	unsigned sum = 0;
	char field[16];

	memcpy(h.name, name, MIN(strlen(name), sizeof(h.name)));
	if (link)
		memcpy(h.link, link, MIN(strlen(link), sizeof(h.link)));
	(void)snprintf(h.mode, sizeof(h.mode), "%07o", mode);
	(void)snprintf(h.uid, sizeof(h.uid), "%07o", (unsigned)geteuid());
	(void)snprintf(h.gid, sizeof(h.gid), "%07o", (unsigned)getegid());
	(void)snprintf(field, sizeof(field), "%011zo", n);
	memcpy(h.size, field, sizeof(h.size));
	(void)snprintf(h.mtime, sizeof(h.mtime), "%011o", TAR_MTIME);
	memcpy(h.magic, "ustar\00000", 8);
	memset(h.checksum, ' ', sizeof(h.checksum));
	for (size_t i = 0; i < sizeof(h); i++)
		sum += p[i];
	(void)snprintf(h.checksum, sizeof(h.checksum), "%06o", sum);
	buf_add(out, &h, sizeof(h));
	if (n > 0)
		buf_add(out, data, n);
	tar_pad(out);
}

static inline void tar_add_file(struct buf *out, const char *name, const char *text)
{
	tar_add_raw(out, '0', name, NULL, 0644, text, strlen(text));
}

static inline void tar_add_bytes(struct buf *out, const char *name, const struct buf *data)
{
	tar_add_raw(out, '0', name, NULL, 0644, data->data, data->len);
}

static inline void tar_add_dir(struct buf *out, const char *name)
{
	tar_add_raw(out, '5', name, NULL, 0755, NULL, 0);
}

static inline void tar_add_symlink(struct buf *out, const char *name, const char *target)
{
	tar_add_raw(out, '2', name, target, 0777, NULL, 0);
}

static inline void tar_add_hardlink(struct buf *out, const char *name, const char *target)
{
	tar_add_raw(out, '1', name, target, 0644, NULL, 0);
}

/* A pax record for the next entry. */
static inline void tar_add_pax(struct buf *out, const char *key, const char *value)
{
	size_t body = strlen(key) + strlen(value) + 3; /* blank, '=' and newline */
	size_t len = body + 1;
	char *record = NULL;

	while (len != body + (size_t)snprintf(NULL, 0, "%zu", len))
		len++;
	if (asprintf(&record, "%zu %s=%s\n", len, key, value) < 0)
		return;
	tar_add_raw(out, 'x', "pax", NULL, 0644, record, len);
	free(record);
}

static inline void tar_end(struct buf *out)
{
	static const char zeros[1024];

	buf_add(out, zeros, sizeof(zeros));
}

/* An archive in small chunks, so that headers and contents are cut somewhere. */
struct tar_chunks {
	const struct buf *tar;
	size_t at;
};

static inline ssize_t tar_chunks_next(void *ctx, const void **ret_data, struct error *err)
{
	struct tar_chunks *c = ctx;
	size_t n = MIN(c->tar->len - c->at, (size_t)700);

	(void)err; /* memory can be read */
	*ret_data = c->tar->data + c->at;
	c->at += n;
	return (ssize_t)n;
}

static inline struct archive_source tar_chunks_source(struct tar_chunks *c)
{
	return (struct archive_source){ .next = tar_chunks_next, .ctx = c };
}
