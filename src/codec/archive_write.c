/* SPDX-License-Identifier: Apache-2.0 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "codec/archive.h"

struct archive_writer {
	struct archive *ar;
};

struct archive_writer *archive_writer_open(int fd)
{
	struct archive_writer *w = xcalloc(1, sizeof(*w));

	w->ar = archive_write_new();
	if (w->ar) {
		archive_write_set_format_pax_restricted(w->ar);
		archive_write_set_bytes_in_last_block(w->ar, 1);
		archive_write_open_fd(w->ar, fd); /* a failure shows in the first header */
	}
	return w;
}

static int writer_failed(struct archive_writer *w, struct error *err)
{
	int sys = archive_errno(w->ar);

	return error_num(err, sys > 0 ? sys : EIO, "cannot write the archive");
}

int archive_writer_finish(struct archive_writer *w, struct error *err)
{
	int r = 0;

	if (w->ar && archive_write_close(w->ar) != ARCHIVE_OK)
		r = writer_failed(w, err);
	archive_writer_abandon(w);
	return r;
}

struct archive_writer *archive_writer_abandon(struct archive_writer *w)
{
	if (!w)
		return NULL;
	if (w->ar) {
		archive_write_fail(w->ar); /* no end marks: what we leave is visibly cut */
		archive_write_free(w->ar);
	}
	free(w);
	return NULL;
}

int archive_writer_add(struct archive_writer *w, const struct archive_member *member,
		       struct error *err)
{
	struct archive_entry *e = w->ar ? archive_entry_new() : NULL;
	int r = 0;

	if (!e)
		return error_oom(err);
	archive_entry_set_pathname(e, member->path);
	archive_entry_set_filetype(e, member->type == ARCHIVE_DIR	? AE_IFDIR
				      : member->type == ARCHIVE_SYMLINK ? AE_IFLNK
									: AE_IFREG);
	if (member->type == ARCHIVE_SYMLINK)
		archive_entry_set_symlink(e, member->link);
	archive_entry_set_perm(e, member->mode);
	archive_entry_set_size(e, member->type == ARCHIVE_FILE ? (la_int64_t)member->size : 0);
	archive_entry_set_uid(e, (la_int64_t)member->uid);
	archive_entry_set_gid(e, (la_int64_t)member->gid);
	archive_entry_set_mtime(e, member->mtime.tv_sec, member->mtime.tv_nsec);
	if (archive_write_header(w->ar, e) < ARCHIVE_WARN)
		r = writer_failed(w, err);
	archive_entry_free(e);
	return r;
}

int archive_writer_data(struct archive_writer *w, const void *data, size_t n, struct error *err)
{
	const char *p = data;

	while (n > 0) {
		la_ssize_t done = archive_write_data(w->ar, p, n);

		if (done < 0)
			return writer_failed(w, err);
		if (done == 0)
			return error_kind(err, ERROR_INTERNAL,
					  "archive member is longer than announced");
		p += done;
		n -= (size_t)done;
	}
	return 0;
}
