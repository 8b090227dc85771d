/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libarchive's tar reader converts names: to the locale's character set, and in a UTF-8 locale to
 * Unicode's composed form, which makes one name of two different ones. A container's file names are
 * bytes. In the C locale every name that is not ASCII fails to convert, and libarchive then keeps
 * the bytes as they are and warns. So a reader works in the C locale, and this warning is ignored,
 * and no other.
 */
#include "codec/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define CONVERSION_WARNING "current locale."
/* Of what stands before one entry's content: pax headers, long names, the map of a sparse file.
 * libarchive keeps it, the map as a list twelve times as large. */
#define HEADER_MAX_BYTES (4u << 20)

struct archive_reader {
	struct archive *ar;
	struct archive_entry *entry;
	struct archive_source source;
	struct error source_err; /* what source.next reported */
	bool source_failed;
	bool in_header; /* what is read belongs to a header, or is a little of the content */
	size_t header_bytes;
	locale_t c_locale;
};

static la_ssize_t read_source(struct archive *ar, void *ctx, const void **ret_data)
{
	struct archive_reader *a = ctx;
	ssize_t n = a->source.next(a->source.ctx, ret_data, &a->source_err);

	if (a->in_header && n > 0) {
		a->header_bytes += (size_t)n;
		if (a->header_bytes > HEADER_MAX_BYTES)
			n = error_kind(&a->source_err, ERROR_INVALID,
				       "a header of the archive is longer than %u MiB",
				       HEADER_MAX_BYTES >> 20);
	}
	if (n < 0) {
		a->source_failed = true;
		archive_set_error(ar, (int)-n, "source failed");
		return ARCHIVE_FATAL;
	}
	return n;
}

static la_int64_t skip_source(struct archive *ar, void *ctx, la_int64_t n)
{
	struct archive_reader *a = ctx;

	return a->source.skip(a->source.ctx, n);
}

struct archive_reader *archive_reader_open(const struct archive_source *source)
{
	struct archive_reader *a = xcalloc(1, sizeof(*a));

	a->source = *source;
	a->c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	a->ar = archive_read_new();
	if (a->ar) {
		archive_read_support_format_tar(a->ar);
		archive_read_support_format_empty(a->ar);
		archive_read_set_read_callback(a->ar, read_source);
		if (source->skip)
			archive_read_set_skip_callback(a->ar, skip_source);
		archive_read_set_callback_data(a->ar, a);
	}
	return a;
}

struct archive_reader *archive_reader_close(struct archive_reader *a)
{
	if (!a)
		return NULL;
	if (a->ar)
		archive_read_free(a->ar);
	if (a->c_locale)
		freelocale(a->c_locale);
	free(a);
	return NULL;
}

/* libarchive's complaint as an error, or the source's own if that is the reason. */
static int reader_failed(struct archive_reader *a, struct error *err)
{
	const char *text = archive_error_string(a->ar);

	if (a->source_failed) {
		*err = a->source_err;
		return -archive_errno(a->ar);
	}
	if (archive_errno(a->ar) == ENOMEM)
		return error_oom(err);
	return error_kind(err, ERROR_INVALID, "not a tar archive, or a damaged one (%s)",
			  text ? text : "no reason given");
}

static bool only_conversion_warned(struct archive_reader *a)
{
	const char *text = archive_error_string(a->ar);

	return text && str_ends(text, CONVERSION_WARNING);
}

static enum archive_type type_of(struct archive_entry *e)
{
	if (archive_entry_hardlink(e))
		return ARCHIVE_HARDLINK;
	switch (archive_entry_filetype(e)) {
	case AE_IFREG:
		return ARCHIVE_FILE;
	case AE_IFLNK:
		return ARCHIVE_SYMLINK;
	case AE_IFDIR:
		return ARCHIVE_DIR;
	case AE_IFCHR:
		return ARCHIVE_CHAR;
	case AE_IFBLK:
		return ARCHIVE_BLOCK;
	case AE_IFIFO:
		return ARCHIVE_FIFO;
	default:
		return ARCHIVE_OTHER;
	}
}

static void fill_member(struct archive_entry *e, struct archive_member *m)
{
	const char *path = archive_entry_pathname(e);

	*m = (struct archive_member){
		.type = type_of(e),
		.path = path ? path : "",
		.size = archive_entry_size(e) > 0 ? (uint64_t)archive_entry_size(e) : 0,
		.mode = archive_entry_perm(e) & 07777,
		.uid = (uint64_t)archive_entry_uid(e),
		.gid = (uint64_t)archive_entry_gid(e),
		.major = (unsigned)archive_entry_rdevmajor(e),
		.minor = (unsigned)archive_entry_rdevminor(e),
		.mtime = { archive_entry_mtime(e), archive_entry_mtime_nsec(e) },
		.n_xattrs = (size_t)archive_entry_xattr_reset(e),
	};
	m->atime = m->mtime;
	if (archive_entry_atime_is_set(e))
		m->atime = (struct timespec){ archive_entry_atime(e), archive_entry_atime_nsec(e) };
	if (m->type == ARCHIVE_HARDLINK)
		m->link = archive_entry_hardlink(e);
	else if (m->type == ARCHIVE_SYMLINK)
		m->link = archive_entry_symlink(e);
	if (m->type == ARCHIVE_SYMLINK && !m->link)
		m->link = "";
}

/* The first call also opens: libarchive then reads the first bytes to see what they are. */
static int next_header(struct archive_reader *a)
{
	if (!a->ar)
		return ARCHIVE_FATAL;
	if (!a->entry) {
		int r = archive_read_open1(a->ar);

		if (r != ARCHIVE_OK)
			return r;
	}
	return archive_read_next_header(a->ar, &a->entry);
}

/* What the caller did not want of the entry before; next_header() would do it as well. */
static int skip_content(struct archive_reader *a)
{
	return a->entry ? archive_read_data_skip(a->ar) : ARCHIVE_OK;
}

int archive_reader_next(struct archive_reader *a, struct archive_member *ret, struct error *err)
{
	locale_t before;
	int r;

	if (!a->ar || !a->c_locale)
		return error_oom(err);
	before = uselocale(a->c_locale);
	r = skip_content(a);
	a->in_header = true;
	a->header_bytes = 0;
	if (r == ARCHIVE_OK)
		r = next_header(a);
	a->in_header = false;
	if (r == ARCHIVE_OK || (r == ARCHIVE_WARN && only_conversion_warned(a)))
		fill_member(a->entry, ret);
	else if (r != ARCHIVE_EOF)
		r = ARCHIVE_FATAL;
	uselocale(before);

	if (r == ARCHIVE_EOF)
		return ARCHIVE_END;
	return r == ARCHIVE_FATAL ? reader_failed(a, err) : 0;
}

int archive_reader_data(struct archive_reader *a, const void **ret_data, size_t *ret_len,
			uint64_t *ret_offset, struct error *err)
{
	la_int64_t offset;
	int r = archive_read_data_block(a->ar, ret_data, ret_len, &offset);

	if (r == ARCHIVE_EOF)
		return ARCHIVE_END;
	if (r != ARCHIVE_OK)
		return reader_failed(a, err);
	/* libarchive does not compare the map of a sparse file with its size */
	if (*ret_len > 0 && (uint64_t)offset + *ret_len > (uint64_t)archive_entry_size(a->entry))
		return error_kind(err, ERROR_INVALID,
				  "not a tar archive, or a damaged one (a sparse file has content "
				  "behind its end)");
	*ret_offset = (uint64_t)offset;
	return 0;
}

/* libarchive has consumed all before the piece, and the piece itself with the next call. */
uint64_t archive_reader_data_offset(const struct archive_reader *a)
{
	return (uint64_t)archive_filter_bytes(a->ar, 0);
}

bool archive_reader_xattr(struct archive_reader *a, const char **ret_name, const void **ret_value,
			  size_t *ret_len)
{
	return archive_entry_xattr_next(a->entry, ret_name, ret_value, ret_len) == ARCHIVE_OK;
}

uint64_t archive_reader_offset(const struct archive_reader *a)
{
	return (uint64_t)archive_read_header_position(a->ar);
}
