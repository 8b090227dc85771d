/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading takes no lock, as everywhere: an image that goes meanwhile looks damaged. Therefore a fault
 * counts only if one of its images is still in the index when it is told, and repairs look again
 * under the lock. What we lack the rights or the descriptors to read is no fault: it ends the check.
 */
#include "image/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/units.h"
#include "codec/archive.h"
#include "codec/inflate.h"
#include "codec/sha256.h"
#include "image/erofs.h"
#include "image/gc.h"
#include "image/layer.h"
#include "image/layer_compare.h"
#include "image/layer_info.h"
#include "image/part.h"
#include "image/reference.h"
#include "image/store_private.h"
#include "image/unpack.h"
#include "image/work.h"

#define READ_BYTES ((size_t)256 << 10)
#define RUNNING	   2 /* image_in_use_fn */
#define SHORT_ID   12

enum state {
	STATE_WHOLE,
	STATE_MISSING,
	STATE_DAMAGED,
};

/* A blob or a layer, and the ids of the images that need it. */
struct piece {
	struct digest id;
	uint64_t bytes;		 /* of a blob */
	char **images;		 /* strv */
	struct digest_set blobs; /* of a layer: what it can be unpacked from */
	enum state state;
	struct stat looked_at;		    /* of a blob that is there */
	struct layer_difference difference; /* of a damaged layer */
};

struct pieces {
	struct piece *items;
	size_t n, capacity;
};

struct check {
	struct image_store *store;
	const struct image_check_options *options;
	struct image_index index;
	struct pieces blobs, layers;
	char ***report;
	size_t left;
};

static bool repairs(const struct check *c)
{
	return c->options->flags & IMAGE_CHECK_REPAIR;
}

/* Is it among those that shall be looked at closely? */
static bool is_wanted(const struct check *c, const struct digest_set *only, const struct digest *id)
{
	if (c->options->flags & IMAGE_CHECK_QUICK)
		return false;
	return !c->options->only || digest_set_has(only, digest_hex(id));
}

static struct piece *find_piece(const struct pieces *pieces, const struct digest *id)
{
	for (size_t i = 0; i < pieces->n; i++) {
		if (digest_eq(&pieces->items[i].id, id))
			return &pieces->items[i];
	}
	return NULL;
}

static struct piece *need(struct pieces *pieces, const struct digest *id, const struct image *image)
{
	struct piece *p = find_piece(pieces, id);

	if (!p) {
		pieces->items = array_grow(pieces->items, pieces->n, &pieces->capacity,
					   sizeof(*pieces->items));
		p = &pieces->items[pieces->n++];
		*p = (struct piece){ .id = *id };
	}
	if (!strv_has(p->images, image->id.text))
		p->images = strv_push(p->images, image->id.text);
	return p;
}

static void pieces_done(struct pieces *pieces)
{
	for (size_t i = 0; i < pieces->n; i++) {
		strv_free(pieces->items[i].images);
		free(pieces->items[i].blobs.items);
	}
	free(pieces->items);
}

/* Words */

static void report(struct check *c, bool mended, char *sentence)
{
	*c->report = strv_push_owned(*c->report, sentence);
	c->left += !mended;
}

/* "image x:1", "images x:1, y:1"; NULL if none of them is there any more. ret_pull: one that a
 * registry may have, or NULL. */
static char *images_text(struct check *c, char *const *ids, const char **ret_pull)
{
	cleanup_index struct image_index now = { 0 };
	cleanup_buf struct buf text = { 0 };
	struct error ignored; /* then the index of the beginning is as good */
	const struct image_index *index =
		index_load(c->store->root_fd, &now, &ignored) == 0 ? &now : &c->index;
	size_t n = 0;

	*ret_pull = NULL;
	for (size_t i = 0; i < index->n; i++) {
		const struct index_entry *e = &index->entries[i];
		cleanup_free char *name = e->name ? reference_familiar_text(e->name) : NULL;

		if (!strv_has(ids, e->id.text))
			continue;
		buf_puts(&text, n++ > 0 ? ", " : "");
		if (name)
			buf_puts(&text, name);
		else
			buf_printf(&text, "%.*s", SHORT_ID, digest_hex(&e->id));
	}
	for (size_t i = 0; i < c->index.n && !*ret_pull; i++) {
		if (strv_has(ids, c->index.entries[i].id.text))
			*ret_pull = c->index.entries[i].name;
	}
	return n == 0 ? NULL : xasprintf("image%s %s", n > 1 ? "s" : "", buf_str(&text));
}

/* How a user gets it back. */
static char *remedy(const char *name)
{
	cleanup_free char *familiar = name ? reference_familiar_text(name) : NULL;

	return familiar ? xasprintf("'berth pull %s' or a load brings it again", familiar)
			: xstrdup("a load of its archive brings it again");
}

/* That we could not read says nothing of what is there: no rights, or no descriptors and memory left. */
static bool is_our_lack(int number)
{
	return number == EACCES || number == EPERM || number == EMFILE || number == ENFILE ||
	       number == ENOMEM;
}

/* Blobs */

static int open_blob(const struct check *c, const struct digest *id)
{
	return openat(c->store->root_fd, blob_path(id).s,
		      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* An enum state, or what kept us from reading it. */
static int hash_blob(int fd, const struct digest *id, struct error *err)
{
	cleanup_free char *buf = xmalloc(READ_BYTES);
	struct sha256 hash;
	struct digest found;
	bool whole;
	ssize_t n;

	sha256_init(&hash);
	while ((n = read(fd, buf, READ_BYTES)) > 0 || (n < 0 && errno == EINTR))
		sha256_add(&hash, buf, n > 0 ? (size_t)n : 0);
	found = sha256_finish(&hash);
	if (n < 0 && is_our_lack(errno))
		return error_sys(err, "cannot read blob %s", id->text);
	whole = n == 0 && digest_eq(&found, id);
	blob_mark(fd, !whole); /* so that who brings it again does not leave this one */
	return whole ? STATE_WHOLE : STATE_DAMAGED;
}

/*
 * An enum state, or what kept us from looking.
 *
 * bytes    what it should have
 * full     its contents, whatever it has
 * ret_st   of the file, if there is one
 */
static int look_at_blob(const struct check *c, const struct digest *id, uint64_t bytes, bool full,
			struct stat *ret_st, struct error *err)
{
	cleanup_fd int fd = -EBADF;

	if (fstatat(c->store->root_fd, blob_path(id).s, ret_st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (!S_ISREG(ret_st->st_mode))
			return STATE_DAMAGED;
		fd = open_blob(c, id);
	}
	if (fd < 0 && is_our_lack(errno))
		return error_sys(err, "cannot read blob %s", id->text);
	if (fd < 0)
		return errno == ENOENT ? STATE_MISSING : STATE_DAMAGED;
	if (full && c->options->flags & IMAGE_CHECK_DISTRUST)
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED); /* advice: nobody has to */
	/* a manifest may say another size than the blob has; its digest is what counts */
	return full || (uint64_t)ret_st->st_size != bytes ? hash_blob(fd, id, err) : STATE_WHOLE;
}

static const char *state_text(int state)
{
	return state == STATE_MISSING ? "missing" : "damaged";
}

/* Unless it is another file by now: a pull may have brought it again. */
static int remove_blob(struct check *c, const struct piece *p, struct error *err)
{
	const struct store_path path = blob_path(&p->id);
	cleanup_fd int lock = -EBADF;
	struct stat now;
	int r = store_lock(c->store, &lock, err);

	if (r < 0 || fstatat(c->store->root_fd, path.s, &now, AT_SYMLINK_NOFOLLOW) < 0 ||
	    now.st_ino != p->looked_at.st_ino)
		return r;
	return store_trash(c->store, path.s, err);
}

static int tell_blob(struct check *c, struct piece *p, struct error *err)
{
	const char *pull;
	cleanup_free char *images = images_text(c, p->images, &pull);
	cleanup_free char *how = remedy(pull);
	bool damaged = p->state == STATE_DAMAGED;

	if (!images)
		return 0;
	report(c, false,
	       xasprintf("blob %s of %s is %s%s: %s", p->id.text, images, state_text(p->state),
			 damaged && repairs(c) ? ", now removed" : "", how));
	return damaged && repairs(c) ? remove_blob(c, p, err) : 0;
}

/* Layers */

struct plain_source {
	struct stream *stream;
	char buf[64 << 10];
};

static ssize_t plain_next(void *ctx, const void **ret_data, struct error *err)
{
	struct plain_source *source = ctx;

	*ret_data = source->buf;
	return stream_read(source->stream, source->buf, sizeof(source->buf), err);
}

/* The files of a layer against a blob that is whole. */
static int compare_layer(struct check *c, struct piece *p, const struct digest *blob,
			 struct error *err)
{
	cleanup_with(archive_reader_close) struct archive_reader *a = NULL;
	cleanup_free struct plain_source *source = xcalloc(1, sizeof(*source));
	const struct archive_source from = { .next = plain_next, .ctx = source };
	cleanup_free char *path = xasprintf("%s/diff", layer_path(&p->id).s);
	cleanup_fd int fd = open_blob(c, blob);
	cleanup_fd int diff_fd =
		openat(c->store->root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if ((fd < 0 || diff_fd < 0) && is_our_lack(errno))
		return error_sys(err, "cannot read it");
	if (fd < 0 || diff_fd < 0) {
		p->state = STATE_MISSING;
		return 0;
	}
	r = inflate_open(stream_from_fd(fd, 0, INT64_MAX, blob->text), &source->stream, NULL, err);
	if (r < 0)
		return r;
	a = archive_reader_open(&from);
	r = layer_compare(a, diff_fd, unpack_own_flags(), &p->difference, err);
	stream_close(source->stream);
	if (r == 0 && p->difference.n > 0)
		p->state = STATE_DAMAGED;
	return r;
}

/* A blob that the layer can be unpacked from, or NULL. */
static const struct piece *whole_blob(const struct check *c, const struct piece *layer)
{
	for (size_t i = 0; i < layer->blobs.n; i++) {
		const struct piece *blob = find_piece(&c->blobs, &layer->blobs.items[i]);

		if (blob && blob->state == STATE_WHOLE)
			return blob;
	}
	return NULL;
}

static void damaged(struct piece *p, const char *how)
{
	p->state = STATE_DAMAGED;
	p->difference.n = 1;
	(void)snprintf(p->difference.first, sizeof(p->difference.first), "%.250s", how);
}

static int check_layer_image(struct piece *p, int fd, struct error *err)
{
	char text[ERROR_TEXT_MAX];
	int r = erofs_layer_check(fd, &p->id, err);

	if (r < 0 && is_our_lack(err->sys))
		return r;
	if (r < 0)
		damaged(p, error_text(err, text, sizeof(text)));
	return 0;
}

static void check_directory(struct check *c, struct piece *p)
{
	const struct piece *blob = whole_blob(c, p);
	char text[ERROR_TEXT_MAX];
	struct error why;

	if (blob && compare_layer(c, p, &blob->id, &why) == 0)
		return;
	if (c->options->flags & IMAGE_CHECK_PROVE)
		damaged(p, "it cannot be compared with its archive");
	else if (blob)
		report(c, false,
		       xasprintf("layer %s cannot be compared with its archive: %s", p->id.text,
				 error_text(&why, text, sizeof(text))));
}

/* < 0 for what kept us from looking. */
static int look_at_layer(struct check *c, struct piece *p, struct error *err)
{
	const struct live_set *only = c->options->only;
	cleanup_free char *diff = xasprintf("%s/diff", layer_path(&p->id).s);
	cleanup_free char *image = xasprintf("%s/" EROFS_FILE, layer_path(&p->id).s);
	bool unpacked = faccessat(c->store->root_fd, diff, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	cleanup_fd int fd = openat(c->store->root_fd, image, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct layer_info info;
	int r = 0;

	if (fd < 0 && is_our_lack(errno))
		return error_sys(err, "cannot read layer %s", p->id.text);
	if (!unpacked && fd < 0) {
		p->state = STATE_MISSING;
	} else if (layer_info_load(c->store->root_fd, &p->id, &info, err) < 0) {
		if (is_our_lack(err->sys))
			return error_prefix(err, -err->sys, "layer %s", p->id.text);
		damaged(p, "its layer.json cannot be read");
	} else if (is_wanted(c, only ? &only->layers : NULL, &p->id)) {
		if (c->options->flags & IMAGE_CHECK_DISTRUST)
			damaged(p, "the disk failed when it was written");
		if (fd >= 0 && p->state == STATE_WHOLE)
			r = check_layer_image(p, fd, err);
		if (r == 0 && unpacked && p->state == STATE_WHOLE)
			check_directory(c, p);
	}
	return r;
}

static bool is_running(const struct check *c, const struct piece *p)
{
	char who[64];

	for (size_t i = 0; c->options->in_use && p->images && p->images[i]; i++) {
		struct digest id;

		if (digest_parse(p->images[i], &id) == 0 &&
		    c->options->in_use(c->options->ctx, &id, who, sizeof(who)) == RUNNING)
			return true;
	}
	return false;
}

struct blob_source {
	int fd;
};

static int open_again(const struct layer_job *job, struct stream **ret, struct error *err)
{
	const struct blob_source *source = job->source;

	*ret = stream_from_fd(source->fd, 0, INT64_MAX, job->blob_id.text);
	return 0;
}

/* > 0: a running container stands on it. Asked under the lock, as new users are recorded under it. */
static int trash_layer(struct check *c, const struct piece *p, struct error *err)
{
	cleanup_fd int lock = -EBADF;
	int r = store_lock(c->store, &lock, err);

	if (r < 0 || is_running(c, p))
		return r < 0 ? r : 1;
	return store_trash(c->store, layer_path(&p->id).s, err);
}

/* Out of the way, and made again from its blob if there is one. > 0: as trash_layer(). */
static int mend_layer(struct check *c, const struct piece *p, const struct piece *blob,
		      struct error *err)
{
	cleanup_fd int blob_fd = blob ? open_blob(c, &blob->id) : -EBADF;
	cleanup_work struct store_work work = STORE_WORK_NONE;
	const struct image_limits limits = { 0 };
	const struct layers_options options = { .threads = 1,
						.limits = &limits,
						.flush = LAYERS_FLUSH_FIRST };
	struct blob_source source = { blob_fd };
	struct layer_job job = { .open = open_again, .source = &source, .diff_id = p->id };
	int r = trash_layer(c, p, err);

	if (r != 0 || blob_fd < 0)
		return r;
	job.blob_id = blob->id;
	job.blob_bytes = blob->bytes;
	r = store_work_begin(c->store, &work, err);
	return r < 0 ? r : layers_take(&work, &job, 1, &options, NULL, err);
}

static char *layer_text(const struct piece *p, const char *images)
{
	if (p->state == STATE_MISSING)
		return xasprintf("layer %s of %s is missing", p->id.text, images);
	if (p->difference.n > 1)
		return xasprintf("layer %s of %s is damaged (%s, and %zu more)", p->id.text, images,
				 p->difference.first, p->difference.n - 1);
	return xasprintf("layer %s of %s is damaged (%s)", p->id.text, images, p->difference.first);
}

static void tell_layer(struct check *c, struct piece *p)
{
	const struct piece *blob = whole_blob(c, p);
	const char *pull;
	cleanup_free char *images = images_text(c, p->images, &pull);
	cleanup_free char *what = images ? layer_text(p, images) : NULL;
	cleanup_free char *how = remedy(pull);
	struct error why;
	char text[ERROR_TEXT_MAX];
	int r = images && repairs(c) ? mend_layer(c, p, blob, &why) : 0;

	if (!images)
		return;
	if (r > 0) {
		report(c, false, xasprintf("%s: stop its containers first", what));
	} else if (r < 0) {
		report(c, false,
		       xasprintf("%s, and cannot be mended: %s", what,
				 error_text(&why, text, sizeof(text))));
	} else if (repairs(c)) {
		report(c, blob, xasprintf("%s: %s", what, blob ? "unpacked again" : how));
	} else {
		report(c, false,
		       xasprintf("%s: %s", what,
				 blob ? "'berth system check --repair' unpacks it again" : how));
	}
}

/* Images */

/* Needs the store's lock. */
static int drop_image(struct check *c, const struct digest *id, struct error *err)
{
	cleanup_index struct image_index index = { 0 };
	int r = index_load(c->store->root_fd, &index, err);

	for (size_t i = 0; r == 0 && i < index.n;) {
		if (digest_eq(&index.entries[i].id, id))
			index_remove(&index, &index.entries[i]);
		else
			i++;
	}
	return r < 0 ? r : index_save(c->store->root_fd, &index, err);
}

/* Without its documents an image is nothing but a name. */
static int tell_image(struct check *c, const struct index_entry *e, const char *fault,
		      struct error *err)
{
	char *ids[] = { (char *)e->id.text, NULL };
	const char *pull;
	cleanup_free char *image = images_text(c, ids, &pull);
	cleanup_free char *how = remedy(pull);
	cleanup_fd int lock = -EBADF;
	char who[64] = "";
	bool used;
	int r = image && repairs(c) ? store_lock(c->store, &lock, err) : 0;

	if (!image || r < 0)
		return r;
	used = c->options->in_use &&
	       c->options->in_use(c->options->ctx, &e->id, who, sizeof(who)) != 0;
	if (repairs(c) && !used) {
		report(c, true, xasprintf("%s: %s; it is removed: %s", image, fault, how));
		return drop_image(c, &e->id, err);
	}
	report(c, false,
	       used ? xasprintf("%s: %s; container %s uses it: %s", image, fault, who, how)
		    : xasprintf("%s: %s: %s", image, fault, how));
	return 0;
}

static void need_pieces(struct check *c, const struct image *image)
{
	for (size_t i = 0; i < image->n_layers; i++) {
		const struct image_layer *l = &image->layers[i];

		need(&c->blobs, &l->blob_id, image)->bytes = l->blob_bytes;
		digest_set_add(&need(&c->layers, &l->diff_id, image)->blobs, l->blob_id.text);
	}
}

static int look_at_image(struct check *c, const struct index_entry *e, struct error *err)
{
	cleanup_with(image_free) struct image *image = NULL;
	struct stat ignored;
	int manifest = look_at_blob(c, &e->manifest_id, e->manifest_bytes, true, &ignored, err);
	int config = manifest < 0 ? manifest : look_at_blob(c, &e->id, 0, true, &ignored, err);
	cleanup_free char *fault = NULL;
	char text[ERROR_TEXT_MAX];
	int r = 0;

	if (config < 0)
		return config;
	if (manifest != STATE_WHOLE)
		fault = xasprintf("its manifest %s is %s", e->manifest_id.text,
				  state_text(manifest));
	else if (config != STATE_WHOLE)
		fault = xasprintf("its config %s is %s", e->id.text, state_text(config));
	else
		r = image_read(c->store, &c->index, e, &image, err);
	if (r < 0 && is_our_lack(err->sys))
		return r;
	if (r < 0)
		fault = xstrdup(error_text(err, text, sizeof(text)));
	if (!image)
		return tell_image(c, e, fault, err);
	need_pieces(c, image);
	return 0;
}

static bool is_first_entry(const struct image_index *index, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (digest_eq(&index->entries[k].id, &index->entries[i].id) &&
		    digest_eq(&index->entries[k].manifest_id, &index->entries[i].manifest_id))
			return false;
	}
	return true;
}

static int look_at_images(struct check *c, struct error *err)
{
	int r = index_load(c->store->root_fd, &c->index, err);

	for (size_t i = 0; r == 0 && i < c->index.n; i++) {
		if (is_first_entry(&c->index, i))
			r = look_at_image(c, &c->index.entries[i], err);
	}
	return r;
}

/* What no image needs */

/* Layers that nothing was said of, because an image cannot be read: nobody may take them for whole. */
static int drop_unproven(struct check *c, struct error *err)
{
	const struct live_set *only = c->options->only;
	int r = 0;

	for (size_t i = 0; r == 0 && only && i < only->layers.n; i++) {
		if (!find_piece(&c->layers, &only->layers.items[i]))
			r = store_trash(c->store, layer_path(&only->layers.items[i]).s, err);
	}
	return r;
}

static int look_for_garbage(struct check *c, struct error *err)
{
	cleanup_index struct image_index index = { 0 };
	cleanup_live_set struct live_set live = { 0 };
	struct store_garbage garbage = { 0 };
	cleanup_fd int lock = -EBADF;
	char size[UNITS_TEXT_MAX];
	struct error unreadable;
	int r = store_lock(c->store, &lock, err);

	if (r == 0)
		r = index_load(c->store->root_fd, &index, err);
	if (r < 0)
		return r;
	if (live_set_load(c->store, &index, &live, &unreadable) < 0)
		return drop_unproven(c, err); /* that image was told of; who knows what it needs */
	r = store_find_garbage(c->store, &live, &garbage, err);
	if (r < 0 || garbage.blobs + garbage.layers == 0)
		return r;
	/* no fault: a removal that was killed got no further, and takes nothing from anybody but room */
	report(c, true,
	       xasprintf("%zu blob%s and %zu layer%s (%s) belong to no image%s", garbage.blobs,
			 garbage.blobs == 1 ? "" : "s", garbage.layers,
			 garbage.layers == 1 ? "" : "s",
			 units_format_size((double)garbage.bytes, 3, size),
			 repairs(c) ? ": removed" : ": 'berth image prune' removes them"));
	return repairs(c) ? store_collect(c->store, &live, NULL, &garbage.bytes, err) : 0;
}

/* No fault: what a pull that was ended has left to the next. */
static void look_at_parts(struct check *c)
{
	struct part_survey found;
	char size[UNITS_TEXT_MAX];

	if (c->options->flags & IMAGE_CHECK_PROVE)
		return; /* whoever takes them proves them */
	part_look(c->store, 0, repairs(c), &found);
	if (found.n > 0)
		report(c, true,
		       xasprintf("%zu blob%s of pulls that were ended %s here (%s)%s", found.n,
				 found.n == 1 ? "" : "s", found.n == 1 ? "is" : "are",
				 units_format_size((double)found.bytes, 3, size),
				 repairs(c) ? ": removed" : ": the next pull goes on with them"));
}

static int check_all(struct check *c, struct error *err)
{
	const struct live_set *only = c->options->only;
	int r = look_at_images(c, err);

	for (size_t i = 0; r == 0 && i < c->blobs.n; i++) {
		struct piece *p = &c->blobs.items[i];

		r = look_at_blob(c, &p->id, p->bytes,
				 is_wanted(c, only ? &only->blobs : NULL, &p->id), &p->looked_at,
				 err);
		if (r < 0)
			return r;
		p->state = (enum state)r;
		r = p->state == STATE_WHOLE ? 0 : tell_blob(c, p, err);
	}
	for (size_t i = 0; r == 0 && i < c->layers.n; i++) {
		struct piece *p = &c->layers.items[i];

		r = look_at_layer(c, p, err);
		if (r == 0 && p->state != STATE_WHOLE)
			tell_layer(c, p);
	}
	if (r < 0)
		return r;
	look_at_parts(c);
	return look_for_garbage(c, err);
}

int image_check(struct image_store *store, const struct image_check_options *options,
		char ***report_to, size_t *ret_left, struct error *err)
{
	struct check c = { .store = store, .options = options, .report = report_to };
	int r = check_all(&c, err);

	pieces_done(&c.blobs);
	pieces_done(&c.layers);
	index_done(&c.index);
	if (r < 0)
		return r;
	store_sweep_small(store);
	*ret_left = c.left;
	return 0;
}
