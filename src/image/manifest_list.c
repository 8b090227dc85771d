/* SPDX-License-Identifier: Apache-2.0 */
#include "image/manifest_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "image/store_private.h"

#define LISTS_DIR   "images/lists"
#define LIST_INDENT "   " /* docker's */
#define NOTE_LOCAL  "io.berth.manifest.local"

/* On disk */

static struct store_path list_path(const char *name)
{
	struct digest id = sha256_digest(name, strlen(name));
	struct store_path p;

	(void)snprintf(p.s, sizeof(p.s), LISTS_DIR "/%s.json", digest_hex(&id)); /* 82 bytes */
	return p;
}

static int check_member(const struct oci_descriptor *d, struct error *err)
{
	cleanup_free char *json = NULL;
	struct digest id;
	size_t len;

	if (!d->data || !oci_descriptor_annotation(d, OCI_ANNOTATION_REF_NAME) || !d->media_type)
		return error_kind(err, ERROR_INVALID, "a member has no name, no type or no bytes");
	json = manifest_list_document(d, &len);
	if (json)
		id = sha256_digest(json, len);
	if (!json || len != d->size || !str_eq(id.text, d->digest))
		return error_kind(err, ERROR_INVALID, "member %s is damaged", d->digest);
	return 0;
}

int manifest_list_parse(const char *json, size_t len, struct arena *arena,
			struct manifest_list *ret, struct error *err)
{
	struct oci_index index;
	int r = oci_index_parse(json, len, arena, &index, err);

	if (r < 0)
		return r;
	if (index.n_manifests > MANIFEST_LIST_MAX_MEMBERS)
		return error_kind(err, ERROR_INVALID, "more than %d members",
				  MANIFEST_LIST_MAX_MEMBERS);
	*ret = (struct manifest_list){ .arena = arena };
	for (size_t i = 0; i < index.n_manifests; i++) {
		r = check_member(&index.manifests[i], err);
		if (r < 0)
			return r;
		manifest_list_put(ret, &index.manifests[i]);
	}
	return 0;
}

int manifest_list_load(struct image_store *store, const char *name, struct arena *arena,
		       struct manifest_list *ret, struct error *err)
{
	cleanup_free char *json = NULL;
	size_t len;
	int r = file_read(store->root_fd, list_path(name).s, MANIFEST_LIST_MAX_BYTES, &json, &len,
			  err);

	if (r == -ENOENT)
		return error_kind(err, ERROR_NOT_FOUND, "No such manifest: %s", name);
	if (r == 0)
		r = manifest_list_parse(json, len, arena, ret, err);
	return r < 0 ? error_prefix(err, r, "manifest list %s", name) : 0;
}

int manifest_list_lock(struct image_store *store, int *ret_fd, struct error *err)
{
	return store_lock(store, ret_fd, err);
}

int manifest_list_save(struct image_store *store, const char *name,
		       const struct manifest_list *list, struct error *err)
{
	const struct oci_pair note = { OCI_ANNOTATION_REF_NAME, name };
	cleanup_buf struct buf json = { 0 };

	if (list->n > MANIFEST_LIST_MAX_MEMBERS) /* nobody could load it again */
		return error_kind(err, ERROR_INVALID, "manifest list %s: more than %d members",
				  name, MANIFEST_LIST_MAX_MEMBERS);
	if (mkdirat(store->root_fd, LISTS_DIR, 0700) < 0 && errno != EEXIST)
		return error_sys(err, "cannot create '%s/" LISTS_DIR "'", store->root_path);
	oci_index_format(
		&(struct oci_index){
			.media_type = OCI_MEDIA_TYPE_INDEX,
			.manifests = list->members,
			.n_manifests = list->n,
			.annotations = &note,
			.n_annotations = 1,
		},
		&json);
	if (json.len > MANIFEST_LIST_MAX_BYTES)
		return error_kind(err, ERROR_INVALID, "manifest list %s is too large", name);
	return file_write_atomic(store->root_fd, list_path(name).s, json.data, json.len, 0644,
				 FILE_WRITE_SYNC, err);
}

int manifest_list_remove(struct image_store *store, const char *name, struct error *err)
{
	cleanup_fd int lock = -EBADF;
	int r = store_lock_only(store, &lock, err);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (unlinkat(store->root_fd, list_path(name).s, 0) == 0)
		return 1;
	return errno == ENOENT ? 0 : error_sys(err, "cannot remove manifest list %s", name);
}

bool manifest_list_exists(struct image_store *store, const char *name)
{
	return faccessat(store->root_fd, list_path(name).s, F_OK, 0) == 0;
}

/* Members */

const char *manifest_list_reference(const struct oci_descriptor *member)
{
	return oci_descriptor_annotation(member, OCI_ANNOTATION_REF_NAME);
}

bool manifest_list_is_local(const struct oci_descriptor *member)
{
	return oci_descriptor_annotation(member, NOTE_LOCAL) != NULL;
}

/* Of the file, not of the member. */
static bool is_own_note(const char *key)
{
	return str_eq(key, OCI_ANNOTATION_REF_NAME) || str_eq(key, NOTE_LOCAL);
}

char *manifest_list_document(const struct oci_descriptor *member, size_t *ret_len)
{
	void *data;

	return base64_parse(member->data, &data, ret_len) < 0 ? NULL : data;
}

static const char *const *copy_strings(struct arena *arena, const char *const *strings, size_t n)
{
	const char **copy = arena_alloc(arena, (n + 1) * sizeof(*copy));

	for (size_t i = 0; i < n; i++)
		copy[i] = arena_strdup(arena, strings[i]);
	return copy;
}

/* The file's own notes, then those of like. */
static void set_notes(struct arena *arena, struct oci_descriptor *d, const char *reference,
		      bool local, const struct oci_descriptor *like)
{
	struct oci_pair *notes = arena_alloc(arena, (like->n_annotations + 2) * sizeof(*notes));
	size_t n = 0;

	notes[n++] = (struct oci_pair){ OCI_ANNOTATION_REF_NAME, arena_strdup(arena, reference) };
	if (local)
		notes[n++] = (struct oci_pair){ NOTE_LOCAL, "true" };
	for (size_t i = 0; i < like->n_annotations; i++) {
		const struct oci_pair *pair = &like->annotations[i];

		if (!is_own_note(pair->key))
			notes[n++] = (struct oci_pair){ arena_strdup(arena, pair->key),
							arena_strdup(arena, pair->value) };
	}
	d->annotations = notes;
	d->n_annotations = n;
}

struct oci_descriptor manifest_list_member(struct arena *arena, const char *reference, bool local,
					   const struct oci_descriptor *like, const char *json,
					   size_t len)
{
	cleanup_free char *data = base64_format(json, len);
	const struct oci_platform *p = &like->platform;
	struct oci_descriptor d = {
		.media_type = arena_strdup(arena, like->media_type),
		.digest = arena_strdup(arena, like->digest),
		.size = len,
		.data = arena_strdup(arena, data),
		.artifact_type = arena_strdup(arena, like->artifact_type),
		.has_platform = true,
		.platform = {
			.architecture = arena_strdup(arena, p->architecture),
			.os = arena_strdup(arena, p->os),
			.variant = arena_strdup(arena, p->variant),
			.os_version = arena_strdup(arena, p->os_version),
			.os_features = copy_strings(arena, p->os_features, p->n_os_features),
			.n_os_features = p->n_os_features,
			.features = copy_strings(arena, p->features, p->n_features),
			.n_features = p->n_features,
		},
	};

	set_notes(arena, &d, reference, local, like);
	return d;
}

static struct oci_descriptor *find_name(const struct manifest_list *list, const char *reference)
{
	for (size_t i = 0; i < list->n; i++) {
		if (str_eq(manifest_list_reference(&list->members[i]), reference))
			return &list->members[i];
	}
	return NULL;
}

/* By name, or by digest. */
static struct oci_descriptor *find(const struct manifest_list *list, const char *reference)
{
	struct oci_descriptor *by_digest = NULL;

	for (size_t i = 0; i < list->n; i++) {
		struct oci_descriptor *d = &list->members[i];

		if (str_eq(manifest_list_reference(d), reference))
			return d;
		if (!by_digest && str_eq(d->digest, reference))
			by_digest = d;
	}
	return by_digest;
}

void manifest_list_put(struct manifest_list *list, const struct oci_descriptor *member)
{
	struct oci_descriptor *old = find_name(list, manifest_list_reference(member));
	struct oci_descriptor *longer;

	if (old) {
		*old = *member;
		return;
	}
	longer = arena_alloc(list->arena, (list->n + 1) * sizeof(*longer));
	if (list->members)
		memcpy(longer, list->members, list->n * sizeof(*longer));
	longer[list->n++] = *member;
	list->members = longer;
}

bool manifest_list_drop(struct manifest_list *list, const char *reference)
{
	bool dropped = false;

	for (struct oci_descriptor *d; (d = find(list, reference)); dropped = true) {
		size_t behind = (size_t)(list->members + list->n - (d + 1));

		memmove(d, d + 1, behind * sizeof(*d));
		list->n--;
	}
	return dropped;
}

/* Platforms */

/* What Go builds for, by system: docker's list. */
static const struct {
	const char *os;
	const char *architectures; /* with a space before and behind each */
} known_platforms[] = {
	{ "darwin", " 386 amd64 arm arm64 " },
	{ "dragonfly", " amd64 " },
	{ "freebsd", " 386 amd64 arm " },
	{ "linux",
	  " 386 amd64 arm arm64 mips64 mips64le ppc64le riscv64 s390x mips mipsle loong64 " },
	{ "netbsd", " 386 amd64 arm " },
	{ "openbsd", " 386 amd64 arm " },
	{ "plan9", " 386 amd64 " },
	{ "solaris", " amd64 " },
	{ "windows", " 386 amd64 arm arm64 " },
};

static bool is_known(const struct oci_platform *p)
{
	cleanup_free char *word = NULL;

	if (!p->os || !p->architecture || strchr(p->architecture, ' '))
		return false;
	word = xasprintf(" %s ", p->architecture);
	for (size_t i = 0; i < ARRAY_SIZE(known_platforms); i++) {
		if (str_eq(known_platforms[i].os, p->os))
			return strstr(known_platforms[i].architectures, word) != NULL;
	}
	return false;
}

/* Both, each word once. */
static void join(struct arena *arena, const char *const **words, size_t *n_words,
		 const char *const *more, size_t n_more)
{
	size_t most = *n_words + n_more, n = 0;
	const char **all = arena_alloc(arena, (most + 1) * sizeof(*all));

	for (size_t i = 0; i < most; i++) {
		const char *word = i < *n_words ? (*words)[i] : more[i - *n_words];

		if (str_index(all, n, word) < 0)
			all[n++] = arena_strdup(arena, word);
	}
	*words = all;
	*n_words = n;
}

static int change_platform(struct arena *arena, struct oci_descriptor *d,
			   const struct oci_platform *change, struct error *err)
{
	struct oci_platform p = d->platform;

	if (change->os)
		p.os = arena_strdup(arena, change->os);
	if (change->architecture)
		p.architecture = arena_strdup(arena, change->architecture);
	if (change->variant)
		p.variant = arena_strdup(arena, change->variant);
	if (change->os_version)
		p.os_version = arena_strdup(arena, change->os_version);
	join(arena, &p.os_features, &p.n_os_features, change->os_features, change->n_os_features);
	join(arena, &p.features, &p.n_features, change->features, change->n_features);
	if (!is_known(&p))
		return error_kind(err, ERROR_INVALID,
				  "manifest entry for image has unsupported os/arch combination: "
				  "%s/%s",
				  p.os ? p.os : "", p.architecture ? p.architecture : "");
	d->platform = p;
	d->has_platform = true;
	return 0;
}

static int add_annotation(struct arena *arena, struct oci_descriptor *d,
			  const struct oci_pair *pair, struct error *err)
{
	struct oci_pair *all = arena_alloc(arena, (d->n_annotations + 1) * sizeof(*all));
	size_t i = 0;

	if (is_own_note(pair->key))
		return error_kind(err, ERROR_INVALID, "annotation '%s' is the list's own",
				  pair->key);
	for (; i < d->n_annotations && !str_eq(d->annotations[i].key, pair->key); i++)
		;
	memcpy(all, d->annotations, d->n_annotations * sizeof(*all));
	all[i] = (struct oci_pair){ arena_strdup(arena, pair->key),
				    arena_strdup(arena, pair->value) };
	d->annotations = all;
	d->n_annotations = MAX(d->n_annotations, i + 1);
	return 0;
}

int manifest_list_annotate(struct manifest_list *list, const char *name, const char *reference,
			   const struct manifest_change *change, struct error *err)
{
	static const struct oci_platform no_platform = { 0 };
	struct oci_descriptor *d = find(list, reference);
	int r = 0;

	if (!d)
		return error_kind(err, ERROR_NOT_FOUND,
				  "manifest for image %s does not exist in %s", reference, name);
	/* what is for no platform (an attestation) may have annotations */
	if (memcmp(&change->platform, &no_platform, sizeof(no_platform)) != 0)
		r = change_platform(list->arena, d, &change->platform, err);
	for (size_t i = 0; i < change->n_annotations && r == 0; i++)
		r = add_annotation(list->arena, d, &change->annotations[i], err);
	return r;
}

/* Text */

static bool has_annotations(const struct oci_descriptor *d)
{
	for (size_t i = 0; i < d->n_annotations; i++) {
		if (!is_own_note(d->annotations[i].key))
			return true;
	}
	return false;
}

const char *manifest_list_media_type(const struct manifest_list *list)
{
	bool oci = list->n > 0 && str_eq(list->members[0].media_type, OCI_MEDIA_TYPE_MANIFEST);

	for (size_t i = 0; i < list->n; i++)
		oci = oci || has_annotations(&list->members[i]);
	return oci ? OCI_MEDIA_TYPE_INDEX : DOCKER_MEDIA_TYPE_INDEX;
}

static void add_set(struct json_writer *w, const char *key, const char *value)
{
	if (!str_empty(value))
		json_add_string(w, key, value);
}

void manifest_list_add_platform(struct json_writer *w, const struct oci_platform *p)
{
	json_begin_object(w, "platform");
	json_add_string(w, "architecture", p->architecture ? p->architecture : "");
	json_add_string(w, "os", p->os ? p->os : "");
	add_set(w, "os.version", p->os_version);
	if (p->n_os_features > 0)
		json_add_strings(w, "os.features", p->os_features, p->n_os_features);
	add_set(w, "variant", p->variant);
	if (p->n_features > 0)
		json_add_strings(w, "features", p->features, p->n_features);
	json_end(w);
}

static void add_annotations(struct json_writer *w, const struct oci_descriptor *d)
{
	if (!has_annotations(d))
		return;
	json_begin_object(w, "annotations");
	for (size_t i = 0; i < d->n_annotations; i++) {
		if (!is_own_note(d->annotations[i].key))
			json_add_string(w, d->annotations[i].key, d->annotations[i].value);
	}
	json_end(w);
}

void manifest_list_format(const struct manifest_list *list, struct buf *out)
{
	struct json_writer w;

	json_writer_init(&w, out, LIST_INDENT);
	json_begin_object(&w, NULL);
	json_add_u64(&w, "schemaVersion", 2);
	json_add_string(&w, "mediaType", manifest_list_media_type(list));
	json_begin_array(&w, "manifests");
	for (size_t i = 0; i < list->n; i++) {
		const struct oci_descriptor *d = &list->members[i];

		json_begin_object(&w, NULL);
		json_add_string(&w, "mediaType", d->media_type);
		json_add_u64(&w, "size", d->size);
		json_add_string(&w, "digest", d->digest);
		manifest_list_add_platform(&w, &d->platform);
		add_annotations(&w, d);
		add_set(&w, "artifactType", d->artifact_type);
		json_end(&w);
	}
	json_end(&w);
	json_end(&w);
}
