/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker's archive is one tar for two readers: an OCI layout (oci-layout, index.json,
 * blobs/sha256/...) and docker's manifest.json, which names the same blobs.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/deflate.h"
#include "image/gc.h"
#include "image/platform.h"
#include "image/reference.h"
#include "image/save_sink.h"
#include "image/stop.h"
#include "image/store_private.h"
#include "image/transfer.h"
#include "oci/image.h"

/* One image with the names under which it is saved. */
struct save_image {
	struct image *image;
	const struct index_entry *entry;
	char **names;
};

struct save {
	struct image_store *store;
	struct image_index index;
	struct arena *arena;
	const struct image_save_options *options;
	struct save_sink *out;
	struct save_image *images;
	size_t n, capacity;
	struct digest_set written;
};

/* Selection */

static int select_image(struct save *s, const struct index_entry *e, const char *name,
			struct error *err)
{
	struct save_image *image = NULL;
	int r;

	for (size_t i = 0; i < s->n && !image; i++) {
		/* one config may come with two manifests, of layers in two compressions */
		if (digest_eq(&s->images[i].image->manifest_id, &e->manifest_id))
			image = &s->images[i];
	}
	if (!image) {
		s->images = array_grow(s->images, s->n, &s->capacity, sizeof(*s->images));
		image = &s->images[s->n];
		*image = (struct save_image){ .entry = e };
		r = image_read(s->store, &s->index, e, &image->image, err);
		if (r < 0)
			return r;
		s->n++;
	}
	if (name && !strv_has(image->names, name))
		image->names = strv_push(image->names, name);
	return 0;
}

/* A repository without a tag means all its tags. Returns how many were found. */
static int select_repository(struct save *s, const struct reference *ref, struct error *err)
{
	int found = 0;

	for (size_t i = 0; i < s->index.n; i++) {
		const struct index_entry *e = &s->index.entries[i];
		cleanup_reference struct reference have = { 0 };
		struct error ignored; /* a name in the index that is none matches nothing */
		int r;

		if (!e->name || reference_parse_bare(e->name, &have, &ignored) < 0 ||
		    !str_eq(have.domain, ref->domain) || !str_eq(have.path, ref->path))
			continue;
		r = select_image(s, e, e->name, err);
		if (r < 0)
			return r;
		found++;
	}
	return found;
}

static int select_text(struct save *s, const char *text, struct error *err)
{
	cleanup_reference struct reference ref = { 0 };
	struct index_entry *e;
	struct error ignored; /* an id is no reference, and store_find() takes both */
	bool by_name;
	int r;

	if (reference_parse_bare(text, &ref, &ignored) == 0 && !ref.tag && !ref.digest) {
		r = select_repository(s, &ref, err);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	r = store_find(&s->index, text, &e, &by_name, err);
	return r < 0 ? r : select_image(s, e, by_name ? e->name : NULL, err);
}

/* Writing */

/* "blobs/sha256/…", or in skopeo's directory only the digits. */
static char *place_of(const struct save *s, const struct digest *id)
{
	return xasprintf("%s%s", s->options->format == IMAGE_SAVE_DOCKER_DIR ? "" : "blobs/sha256/",
			 digest_hex(id));
}

/* Once: it is counted as written now. */
static bool is_written(struct save *s, const struct digest *id)
{
	for (size_t i = 0; i < s->written.n; i++) {
		if (digest_eq(&s->written.items[i], id))
			return true;
	}
	digest_set_add(&s->written, id->text);
	return false;
}

static int write_blob(struct save *s, const struct digest *id, struct error *err)
{
	cleanup_free char *path = place_of(s, id);
	cleanup_fd int fd = -EBADF;
	int r;

	if (is_written(s, id))
		return 0;
	fd = openat(s->store->root_fd, blob_path(id).s, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return error_sys(err, "cannot open blob '%s'", id->text);
	r = save_sink_copy(s->out, path, fd, id, s->options->stop_fd, err);
	if (r < 0 && err->kind == ERROR_INVALID)
		blob_mark(fd, true);
	return r;
}

static int write_document(struct save *s, const char *path, const struct buf *text,
			  struct error *err)
{
	return save_sink_write(s->out, path, text->data, text->len, err);
}

static int write_image_blobs(struct save *s, const struct image *image, struct error *err)
{
	int r = write_blob(s, &image->manifest_id, err);

	if (r == 0)
		r = write_blob(s, &image->id, err);
	for (size_t i = 0; i < image->n_layers && r == 0; i++)
		r = write_blob(s, &image->layers[i].blob_id, err);
	return r;
}

/* Documents */

static const char *tag_of(struct save *s, const char *name)
{
	cleanup_reference struct reference ref = { 0 };
	struct error ignored; /* names in the index are references */

	if (reference_parse(name, &ref, &ignored) < 0 || !ref.tag)
		return "latest";
	return arena_strdup(s->arena, ref.tag);
}

/* Does another image have a name with this tag? Then the tag alone does not tell them apart. */
static bool is_tag_shared(struct save *s, const struct save_image *image, const char *tag)
{
	for (size_t i = 0; i < s->n; i++) {
		char **names = &s->images[i] == image ? NULL : s->images[i].names;

		for (size_t k = 0; names && names[k]; k++) {
			if (str_eq(tag_of(s, names[k]), tag))
				return true;
		}
	}
	return false;
}

static struct oci_descriptor describe(struct save *s, const struct save_image *image,
				      const char *name)
{
	struct oci_pair *notes = arena_alloc(s->arena, 2 * sizeof(*notes));

	if (name) {
		notes[0] = (struct oci_pair){ OCI_ANNOTATION_IMAGE_NAME, name };
		notes[1] = (struct oci_pair){ OCI_ANNOTATION_REF_NAME, tag_of(s, name) };
		if (is_tag_shared(s, image, notes[1].value))
			notes[1].value = name;
	}
	return (struct oci_descriptor){
		.media_type = image->entry->media_type,
		.digest = image->entry->manifest_id.text,
		.size = image->entry->manifest_bytes,
		.annotations = notes,
		.n_annotations = name ? 2 : 0,
	};
}

static int write_index(struct save *s, struct error *err)
{
	cleanup_buf struct buf json = { 0 };
	struct oci_descriptor *list;
	size_t total = 0, n = 0;

	for (size_t i = 0; i < s->n; i++)
		total += MAX(strv_len(s->images[i].names), 1u);
	list = arena_alloc(s->arena, total * sizeof(*list));
	for (size_t i = 0; i < s->n; i++) {
		char **names = s->images[i].names;

		if (!names)
			list[n++] = describe(s, &s->images[i], NULL);
		for (size_t k = 0; names && names[k]; k++)
			list[n++] = describe(s, &s->images[i], names[k]);
	}
	oci_index_format(
		&(struct oci_index){
			.media_type = OCI_MEDIA_TYPE_INDEX,
			.manifests = list,
			.n_manifests = n,
		},
		&json);
	return write_document(s, "index.json", &json, err);
}

static void describe_for_docker(struct save *s, const struct save_image *image,
				struct oci_docker_archive_image *out)
{
	size_t n_names = strv_len(image->names);
	const char **tags = arena_alloc(s->arena, (n_names + 1) * sizeof(*tags));
	const char **layers = arena_alloc(s->arena, (image->image->n_layers + 1) * sizeof(*layers));

	for (size_t i = 0; i < n_names; i++) {
		cleanup_free char *familiar = reference_familiar_text(image->names[i]);

		tags[i] = arena_strdup(s->arena, familiar);
	}
	for (size_t i = 0; i < image->image->n_layers; i++)
		layers[i] = arena_printf(s->arena, "blobs/sha256/%s",
					 digest_hex(&image->image->layers[i].blob_id));
	*out = (struct oci_docker_archive_image){
		.config = arena_printf(s->arena, "blobs/sha256/%s", digest_hex(&image->image->id)),
		.repo_tags = tags,
		.n_repo_tags = n_names,
		.layers = layers,
		.n_layers = image->image->n_layers,
	};
}

static int write_docker_manifest(struct save *s, struct error *err)
{
	struct oci_docker_archive_image *list = arena_alloc(s->arena, s->n * sizeof(*list));
	cleanup_buf struct buf json = { 0 };

	for (size_t i = 0; i < s->n; i++)
		describe_for_docker(s, &s->images[i], &list[i]);
	oci_docker_archive_format(&(struct oci_docker_archive){ list, s->n }, &json);
	return write_document(s, "manifest.json", &json, err);
}

static int write_layout(struct save *s, struct error *err)
{
	int r = save_sink_make_dir(s->out, "blobs", err);

	if (r == 0)
		r = save_sink_make_dir(s->out, "blobs/sha256", err);
	for (size_t i = 0; i < s->n && r == 0; i++)
		r = write_image_blobs(s, s->images[i].image, err);
	if (r == 0)
		r = write_index(s, err);
	if (r == 0 && s->options->format == IMAGE_SAVE_DOCKER_ARCHIVE)
		r = write_docker_manifest(s, err);
	return r < 0 ? r
		     : save_sink_write(s->out, OCI_LAYOUT_FILE, OCI_LAYOUT_TEXT,
				       strlen(OCI_LAYOUT_TEXT), err);
}

/* A plain layer by gzip; layer says what it became. */
static int write_packed(struct save *s, struct oci_descriptor *layer, struct error *err)
{
	cleanup_fd int spool_fd =
		openat(s->store->root_fd, TMP_DIR, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	cleanup_with(stream_close) struct stream *in = NULL;
	cleanup_free char *path = NULL;
	cleanup_fd int fd = -EBADF;
	struct deflated packed;
	struct digest id;
	int r;

	if (spool_fd < 0)
		return error_sys(err, "cannot make a file in '%s/" TMP_DIR "'",
				 s->store->root_path);
	if (digest_parse(layer->digest, &id) < 0)
		return error_kind(err, ERROR_INVALID, "'%.80s' is no digest", layer->digest);
	fd = openat(s->store->root_fd, blob_path(&id).s, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return error_sys(err, "cannot open blob '%s'", id.text);
	in = stop_stream_open(stream_from_fd(fd, 0, layer->size, id.text), fd, s->options->stop_fd);
	r = deflate_copy(in, spool_fd, COMPRESSION_GZIP, NULL, NULL, &packed, err);
	if (r < 0)
		return r;
	if (!digest_eq(&packed.in_id, &id)) {
		blob_mark(fd, true);
		return error_kind(err, ERROR_INVALID, "blob '%s' is damaged", id.text);
	}
	layer->media_type = oci_media_type(layer->media_type)->docker ? DOCKER_MEDIA_TYPE_LAYER_GZIP
								      : OCI_MEDIA_TYPE_LAYER_GZIP;
	layer->digest = arena_strdup(s->arena, packed.out_id.text);
	layer->size = packed.out_bytes;
	if (is_written(s, &packed.out_id))
		return 0;
	if (lseek(spool_fd, 0, SEEK_SET) < 0)
		return error_sys(err, "cannot read a file in '%s/" TMP_DIR "'",
				 s->store->root_path);
	path = place_of(s, &packed.out_id);
	return save_sink_copy(s->out, path, spool_fd, &packed.out_id, s->options->stop_fd, err);
}

/* Config, layers, manifest: its plain layers compressed. */
static int write_packed_dir(struct save *s, const struct save_image *image, struct error *err)
{
	cleanup_buf struct buf json = { 0 };
	struct oci_descriptor *layers;
	struct oci_manifest manifest;
	int r = oci_manifest_parse(image->image->manifest_json, image->entry->manifest_bytes,
				   s->arena, &manifest, err);

	if (r == 0)
		r = write_blob(s, &image->image->id, err);
	if (r < 0)
		return r;
	layers = arena_alloc(s->arena, MAX(manifest.n_layers, 1u) * sizeof(*layers));
	for (size_t i = 0; i < manifest.n_layers && r == 0; i++) {
		const struct oci_media_type *type = oci_media_type(manifest.layers[i].media_type);

		layers[i] = manifest.layers[i];
		if (type->kind == OCI_MEDIA_LAYER && type->compression == OCI_COMPRESSION_NONE &&
		    !type->foreign)
			r = write_packed(s, &layers[i], err);
		else
			r = write_blob(s, &image->image->layers[i].blob_id, err);
	}
	manifest.layers = layers;
	oci_manifest_format(&manifest, &json);
	return r < 0 ? r : write_document(s, "manifest.json", &json, err);
}

/* skopeo's "dir:" has the manifest's bytes under a name of its own. */
static int write_docker_dir(struct save *s, struct error *err)
{
	static const char version[] = "Directory Transport Version: 1.1\n";
	const struct image *image = s->images[0].image;
	int r;

	if (s->n > 1)
		return error_kind(err, ERROR_INVALID, "a docker-dir holds one image, not %zu",
				  s->n);
	digest_set_add(&s->written, image->manifest_id.text);
	r = s->options->compress ? write_packed_dir(s, &s->images[0], err)
				 : write_image_blobs(s, image, err);
	if (r == 0 && !s->options->compress)
		r = save_sink_write(s->out, "manifest.json", image->manifest_json,
				    s->images[0].entry->manifest_bytes, err);
	return r < 0 ? r : save_sink_write(s->out, "version", version, strlen(version), err);
}

static int save_selected(struct save *s, int fd, struct error *err)
{
	enum image_save_format format = s->options->format;
	int r = 0;

	for (size_t i = 0; i < s->n && r == 0; i++)
		r = platform_check(s->options->platform, &s->images[i].image->config->platform,
				   s->images[i].names ? s->images[i].names[0]
						      : s->images[i].image->id.text,
				   err);
	if (r < 0)
		return r;
	s->out = format == IMAGE_SAVE_OCI_DIR || format == IMAGE_SAVE_DOCKER_DIR
			 ? save_sink_dir(fd)
			 : save_sink_tar(fd);
	r = format == IMAGE_SAVE_DOCKER_DIR ? write_docker_dir(s, err) : write_layout(s, err);
	if (r == 0)
		r = save_sink_finish(take_ptr(&s->out), err);
	s->out = save_sink_abandon(s->out);
	return r < 0 ? error_prefix(err, r, "cannot save") : 0;
}

int image_save(struct image_store *store, char *const *texts,
	       const struct image_save_options *options, int fd, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct save s = { .store = store, .arena = arena, .options = options };
	int r = index_load(store->root_fd, &s.index, err);

	for (size_t i = 0; r == 0 && texts && texts[i]; i++)
		r = select_text(&s, texts[i], err);
	if (r == 0 && s.n == 0)
		r = error_kind(err, ERROR_INVALID, "no image is named");
	if (r == 0)
		r = save_selected(&s, fd, err);
	for (size_t i = 0; i < s.n; i++) {
		image_free(s.images[i].image);
		strv_free(s.images[i].names);
	}
	free(s.images);
	free(s.written.items);
	index_done(&s.index);
	return r;
}
