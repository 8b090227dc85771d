/* SPDX-License-Identifier: Apache-2.0 */
#include "image/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "codec/sha256.h"
#include "image/reference.h"
#include "image/store_private.h"
#include "image/work.h"
#include "oci/image.h"

#define LOCK_PATH "images/lock"
/* On a file that is no program this bit means nothing, and it goes with the file that replaces it. */
#define BLOB_DAMAGED S_ISVTX
/* Nobody reads or unpacks under the lock, but a slow disk may; a stuck holder is named after this. */
#define LOCK_WAIT_MS (5 * 60 * 1000)

int image_store_open(const char *root, struct image_store **ret, struct error *err)
{
	cleanup_fd int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct image_store *store;

	if (fd < 0)
		return error_sys(err, "cannot open '%s'", root);
	store = xcalloc(1, sizeof(*store));
	store->root_fd = take_fd(&fd);
	store->root_path = path_clean(root);
	store->wait.timeout_ms = LOCK_WAIT_MS;
	*ret = store;
	return 0;
}

int image_store_set_driver(struct image_store *store, const char *name, struct error *err)
{
	bool erofs = str_eq(name, "erofs");

	if (!erofs && !str_eq(name, "overlay2") && !str_eq(name, "overlay"))
		return error_kind(err, ERROR_INVALID,
				  "unknown storage driver '%s': overlay2 or erofs", name);
	store->erofs = erofs;
	return 0;
}

void image_store_set_wait(struct image_store *store, int stop_fd,
			  void (*notice)(const char *sentence))
{
	store->wait.stop_fd = stop_fd;
	store->wait.notice = notice;
}

const char *image_store_driver(const struct image_store *store)
{
	return store->erofs ? "erofs" : "overlay2";
}

struct image_store *image_store_close(struct image_store *store)
{
	if (!store)
		return NULL;
	cleanup_close_fd(&store->root_fd);
	free(store->root_path);
	free(store);
	return NULL;
}

struct store_path blob_path(const struct digest *id)
{
	struct store_path p;

	(void)snprintf(p.s, sizeof(p.s), BLOBS_DIR "/%s", digest_hex(id)); /* 84 bytes */
	return p;
}

struct store_path layer_path(const struct digest *diff_id)
{
	struct store_path p;

	(void)snprintf(p.s, sizeof(p.s), LAYERS_DIR "/%s", digest_hex(diff_id)); /* 71 bytes */
	return p;
}

int store_make_dirs(struct image_store *store, struct error *err)
{
	static const char *const dirs[] = { "images",	"images/blobs", BLOBS_DIR,
					    LAYERS_DIR, TMP_DIR,	TRASH_DIR };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		if (mkdirat(store->root_fd, dirs[i], 0700) < 0 && errno != EEXIST)
			return error_sys(err, "cannot create '%s/%s'", store->root_path, dirs[i]);
	}
	return 0;
}

static int write_layout_file(struct image_store *store, struct error *err)
{
	static const char path[] = "images/" OCI_LAYOUT_FILE;

	if (faccessat(store->root_fd, path, F_OK, 0) == 0)
		return 0;
	return file_write_atomic(store->root_fd, path, OCI_LAYOUT_TEXT, strlen(OCI_LAYOUT_TEXT),
				 0600, 0, err);
}

int store_lock(struct image_store *store, int *ret_lock, struct error *err)
{
	cleanup_fd int lock = -EBADF;
	int r = store_make_dirs(store, err);

	if (r == 0)
		r = lock_acquire(store->root_fd, LOCK_PATH, &store->wait, &lock, err);
	if (r == 0)
		r = write_layout_file(store, err);
	if (r == 0)
		r = store_clear_dead(store, err);
	if (r < 0)
		return error_prefix(err, r, "image store");
	*ret_lock = take_fd(&lock);
	return 0;
}

int store_lock_only(struct image_store *store, int *ret_lock, struct error *err)
{
	int r = lock_acquire_existing(store->root_fd, LOCK_PATH, &store->wait, ret_lock, err);

	return r < 0 ? error_prefix(err, r, "image store") : 0;
}

int blob_read(struct image_store *store, const struct digest *id, char **ret, size_t *ret_len,
	      struct error *err)
{
	cleanup_free char *data = NULL;
	struct digest found;
	size_t len;
	int r = file_read(store->root_fd, blob_path(id).s, DOCUMENT_MAX_BYTES, &data, &len, err);

	if (r < 0)
		return r;
	found = sha256_digest(data, len);
	if (!digest_eq(&found, id))
		return error_kind(err, ERROR_INVALID, "document %s is damaged", id->text);
	*ret = take_ptr(&data);
	*ret_len = len;
	return 0;
}

bool blob_exists(struct image_store *store, const struct digest *id, uint64_t bytes)
{
	struct stat st;

	return digest_is_set(id) &&
	       fstatat(store->root_fd, blob_path(id).s, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && !(st.st_mode & BLOB_DAMAGED) &&
	       (bytes == BLOB_ANY_SIZE || (uint64_t)st.st_size == bytes);
}

void blob_mark(int fd, bool damaged)
{
	struct stat st;
	mode_t mode;

	if (fstat(fd, &st) < 0)
		return;
	mode = (st.st_mode & 0777) | (damaged ? BLOB_DAMAGED : 0);
	if (mode != (st.st_mode & 07777))
		(void)fchmod(fd, mode); /* without the mark it is found again, but not replaced */
}

/* Look-up */

/* The hexadecimal part of an id or a prefix of one, or NULL. */
static const char *id_digits(const char *text)
{
	const char *digits = str_after(text, "sha256:");

	if (!digits)
		digits = text;
	return *digits && strlen(digits) <= DIGEST_HEX_LEN && hex_is_lower(digits, strlen(digits))
		       ? digits
		       : NULL;
}

static int find_by_id(const struct image_index *index, const char *digits, struct index_entry **ret,
		      struct error *err)
{
	struct index_entry *found = NULL;

	for (size_t i = 0; i < index->n; i++) {
		struct index_entry *e = &index->entries[i];

		if (!str_after(digest_hex(&e->id), digits))
			continue;
		if (found && !digest_eq(&found->id, &e->id))
			return error_kind(err, ERROR_CONFLICT,
					  "'%s' is ambiguous: it begins the ids of several images",
					  digits);
		if (!found)
			found = e;
	}
	if (!found)
		return -ENOENT;
	*ret = found;
	return 0;
}

/* NAME@DIGEST: an entry of that repository whose manifest or id it is. */
static struct index_entry *find_by_digest(const struct image_index *index,
					  const struct reference *ref)
{
	for (size_t i = 0; i < index->n; i++) {
		struct index_entry *e = &index->entries[i];
		cleanup_reference struct reference have = { 0 };
		struct error ignored; /* a name in the index that is none matches nothing */

		if (!str_eq(e->manifest_id.text, ref->digest) && !str_eq(e->id.text, ref->digest) &&
		    !str_eq(e->repo_digest.text, ref->digest))
			continue;
		if (e->name && reference_parse(e->name, &have, &ignored) == 0 &&
		    str_eq(have.domain, ref->domain) && str_eq(have.path, ref->path))
			return e;
	}
	return NULL;
}

int store_find(const struct image_index *index, const char *text, struct index_entry **ret,
	       bool *ret_by_name, struct error *err)
{
	cleanup_reference struct reference ref = { 0 };
	cleanup_free char *name = NULL;
	const char *digits = id_digits(text);
	struct index_entry *e = NULL;
	int r;

	if (ret_by_name)
		*ret_by_name = false;
	if (digits && strlen(digits) == DIGEST_HEX_LEN) {
		r = find_by_id(index, digits, ret, err);
		return r == -ENOENT ? error_kind(err, ERROR_NOT_FOUND, "No such image: %s", text)
				    : r;
	}
	r = reference_parse(text, &ref, err);
	if (r < 0)
		return r;
	name = reference_format(&ref);
	e = ref.digest ? find_by_digest(index, &ref) : index_find_name(index, name);
	if (e) {
		if (ret_by_name)
			*ret_by_name = true;
		*ret = e;
		return 0;
	}
	if (digits) {
		r = find_by_id(index, digits, ret, err);
		if (r != -ENOENT)
			return r;
	}
	free(name);
	name = reference_familiar(&ref);
	return error_kind(err, ERROR_NOT_FOUND, "No such image: %s", name);
}

int image_lookup(struct image_store *store, const char *text, struct image **ret, struct error *err)
{
	cleanup_index struct image_index index = { 0 };
	struct index_entry *entry;
	int r = index_load(store->root_fd, &index, err);

	if (r == 0)
		r = store_find(&index, text, &entry, NULL, err);
	if (r == 0)
		r = image_read(store, &index, entry, ret, err);
	return r;
}

/* What one repository's registry said is not true of another. */
static void put_tag(struct image_index *index, const struct index_entry *entry,
		    const struct reference *ref, const char *name)
{
	cleanup_reference struct reference have = { 0 };
	struct index_entry tagged = *entry;
	struct error ignored; /* no reference is no repository */

	if (!entry->name || reference_parse(entry->name, &have, &ignored) < 0 ||
	    !str_eq(have.domain, ref->domain) || !str_eq(have.path, ref->path))
		tagged.repo_digest = (struct digest){ "" };
	index_put(index, &tagged, name);
}

int image_tag(struct image_store *store, const char *source, const char *target, struct error *err)
{
	cleanup_index struct image_index index = { 0 };
	cleanup_reference struct reference ref = { 0 };
	cleanup_free char *name = NULL;
	cleanup_fd int lock = -EBADF;
	struct index_entry *entry;
	int r = reference_parse(target, &ref, err);

	if (r < 0)
		return r;
	if (ref.digest)
		return error_kind(err, ERROR_INVALID,
				  "refusing to create a tag with a digest reference");
	name = reference_format(&ref);
	r = store_lock(store, &lock, err);
	if (r == 0)
		r = index_load(store->root_fd, &index, err);
	if (r == 0)
		r = store_find(&index, source, &entry, NULL, err);
	if (r < 0)
		return r;
	put_tag(&index, entry, &ref, name);
	return index_save(store->root_fd, &index, err);
}

static int untag_one(struct image_index *index, const struct digest *id, const char *text,
		     struct error *err)
{
	cleanup_free char *name = reference_normalise(text);
	struct index_entry *e = name ? index_find_name(index, name) : NULL;

	if (!e || !digest_eq(&e->id, id))
		return error_kind(err, ERROR_NOT_FOUND, "%s: tag not known", text);
	index_remove(index, e);
	return 0;
}

static int untag(struct image_index *index, const char *source, char *const *names,
		 struct error *err)
{
	struct index_entry *entry, kept;
	int r = store_find(index, source, &entry, NULL, err);

	if (r < 0)
		return r;
	kept = *entry;
	kept.name = NULL;
	kept.media_type = xstrdup(entry->media_type);
	for (size_t i = 0; r == 0 && names && names[i]; i++)
		r = untag_one(index, &kept.id, names[i], err);
	for (size_t i = 0; strv_len(names) == 0 && i < index->n;) {
		if (digest_eq(&index->entries[i].id, &kept.id))
			index_remove(index, &index->entries[i]);
		else
			i++;
	}
	index_put(index, &kept, NULL);
	free(kept.media_type);
	return r;
}

int image_untag(struct image_store *store, const char *source, char *const *names,
		struct error *err)
{
	cleanup_index struct image_index index = { 0 };
	cleanup_fd int lock = -EBADF;
	int r = store_lock(store, &lock, err);

	if (r == 0)
		r = index_load(store->root_fd, &index, err);
	if (r == 0)
		r = untag(&index, source, names, err);
	return r < 0 ? r : index_save(store->root_fd, &index, err);
}

/* A removal moves what only this image has under the same lock: its documents tell. That its layers
 * are there was seen when their paths were asked for. */
int image_hold(struct image_store *store, const struct image *image, int *ret_fd, struct error *err)
{
	cleanup_fd int lock = -EBADF;
	int r = lock_share(store->root_fd, LOCK_PATH, &store->wait, &lock, err);

	if (r < 0)
		return error_prefix(err, r, "image store");
	if (!blob_exists(store, &image->manifest_id, BLOB_ANY_SIZE) ||
	    !blob_exists(store, &image->id, BLOB_ANY_SIZE))
		return error_kind(err, ERROR_NOT_FOUND, "No such image: %s", image->id.text);
	*ret_fd = take_fd(&lock);
	return 0;
}
