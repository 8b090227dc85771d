/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Manifest lists in work: what `manifest create` begins, `annotate` changes and `push` sends. Each is
 * a file images/lists/<sha256 of its name>.json, an OCI index in which every descriptor has the
 * member's name as annotation, beside those that will be pushed, and the member's manifest as data.
 * docs/formats/image-store.md.
 */

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "codec/inflate.h"
#include "image/sign.h"
#include "oci/image.h"

struct arena;
struct buf;
struct image_store;

#define MANIFEST_LIST_MAX_BYTES	  (64 << 20)
#define MANIFEST_LIST_MAX_MEMBERS 1000

struct manifest_list {
	struct arena *arena;		/* borrowed; all strings are in it */
	struct oci_descriptor *members; /* in the order in which they came */
	size_t n;
};

/* On disk. name: a normalised reference, "docker.io/library/x:1" */

/* Errors   ERROR_NOT_FOUND: there is no such list; ERROR_INVALID: the file is damaged */
int manifest_list_load(struct image_store *store, const char *name, struct arena *arena,
		       struct manifest_list *ret, struct error *err);
/* Who changes a list holds this from before its load() until after its save(), but not while he asks a
 * registry. Closing *ret_fd ends it. */
int manifest_list_lock(struct image_store *store, int *ret_fd, struct error *err);
int manifest_list_save(struct image_store *store, const char *name,
		       const struct manifest_list *list, struct error *err);
/* 1: it was there, 0: it was not. */
int manifest_list_remove(struct image_store *store, const char *name, struct error *err);
bool manifest_list_exists(struct image_store *store, const char *name);
/* The file's text; every manifest in it is what its digest says. */
int manifest_list_parse(const char *json, size_t len, struct arena *arena,
			struct manifest_list *ret, struct error *err);

/* Members */

/* The name under which the member was given, "docker.io/library/x:amd64"; never NULL. */
const char *manifest_list_reference(const struct oci_descriptor *member);
/* It came from the store, and goes to a registry from there. */
bool manifest_list_is_local(const struct oci_descriptor *member);
/* Its manifest, heap, with a NUL behind it. */
char *manifest_list_document(const struct oci_descriptor *member, size_t *ret_len);
/* A member of a manifest. Strings of like are copied. */
struct oci_descriptor manifest_list_member(struct arena *arena, const char *reference, bool local,
					   const struct oci_descriptor *like, const char *json,
					   size_t len);
/* Adds a member; one of the same name is replaced. */
void manifest_list_put(struct manifest_list *list, const struct oci_descriptor *member);
/* Takes all members of a name, or of a digest, out. false: there is none. */
bool manifest_list_drop(struct manifest_list *list, const char *reference);

/* What an annotation says: what is set is taken over, features and annotations are added. Borrowed. */
struct manifest_change {
	struct oci_platform platform;
	const struct oci_pair *annotations;
	size_t n_annotations;
};

/*
 * Change a member.
 *
 * reference   its name, or its digest
 * Errors      ERROR_NOT_FOUND it is no member; ERROR_INVALID a platform that nothing runs on, an
 *             annotation that is the list's own
 */
int manifest_list_annotate(struct manifest_list *list, const char *name, const char *reference,
			   const struct manifest_change *change, struct error *err);

/* What is pushed: docker's bytes, so that the digest is that of `docker manifest push`. */
void manifest_list_format(const struct manifest_list *list, struct buf *out);
/* docker's list, or OCI's index if its first member is OCI's or any has annotations. */
const char *manifest_list_media_type(const struct manifest_list *list);

struct json_writer;
/* The member "platform" of an open object, as docker writes it. */
void manifest_list_add_platform(struct json_writer *w, const struct oci_platform *p);

/* With a registry */

struct reference;
struct progress_sink;
struct registry_access;

/* One member as the registry has it, with the platform of its config.
 * Errors   ERROR_NOT_FOUND "no such manifest: x"; ERROR_INVALID "x is a manifest list" */
int manifest_fetch(const struct reference *ref, const struct registry_access *access,
		   struct arena *arena, struct oci_descriptor *ret, struct error *err);

/* Where members come from, and what becomes of a name that is a list itself. */
struct manifest_source {
	struct image_store *store;
	const struct registry_access *access;
	enum manifest_nested {
		MANIFEST_NESTED_REFUSED, /* docker's: ERROR_INVALID "x is a manifest list" */
		MANIFEST_NESTED_HOST,	 /* its member for this machine */
		MANIFEST_NESTED_ALL,	 /* all its members */
	} nested;
};

/*
 * Put an image into the list: as its registry has it, else as it is here.
 *
 * text     a name; or, for an image that is here and unless a registry knows it, the beginning of its id
 * change   is made to what is added; or NULL
 * Errors   the registry's, if it is not here either
 */
int manifest_list_add(struct manifest_list *list, const struct manifest_source *from,
		      const char *text, const struct manifest_change *change, struct error *err);

struct manifest_push_options {
	const struct registry_access *access;
	struct sign_options sign;	  /* the members and the list, under the target's name */
	enum compression compression;	  /* of members' plain layers that are here; push.h */
	const struct progress_sink *said; /* gets docker's lines ("Pushed ref ...", the digest) */
	int stop_fd;			  /* readable: it ends, with -ECANCELED; <= 0: never */
};

/*
 * Push a list with its members. What other repositories have is mounted or copied.
 *
 * name     of the list
 * target   where it goes, with a tag
 * Errors   ERROR_NOT_FOUND "No such manifest: x", or a member that was here is not any more;
 *          ERROR_INVALID a member without platform, a list without members
 */
int manifest_list_push(struct image_store *store, const char *name, const struct reference *target,
		       const struct manifest_push_options *options, struct error *err);

/*
 * docker's inspect text, appended.
 *
 * list_text   NULL: the manifest is looked for among the lists, then at its registry
 * verbose     with name, descriptor and the bytes, members one by one
 */
struct manifest_inspect_options {
	const char *list_text, *text;
	bool verbose;
	const struct registry_access *access;
};
int manifest_inspect(struct image_store *store, const struct manifest_inspect_options *o,
		     struct buf *out, struct error *err);
