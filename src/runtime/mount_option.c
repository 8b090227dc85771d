/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/mount_option.h"

#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"

enum word_kind {
	WORD_SET,   /* attribute on */
	WORD_CLEAR, /* attribute off */
	WORD_RSET,  /* the same for the whole tree */
	WORD_RCLEAR,
	WORD_PROPAGATION,
	WORD_RPROPAGATION,
	WORD_FLAG, /* a flag of the superblock that mount(2) takes for every file system */
	WORD_NONE, /* the default, or without meaning since Linux 2.x */
	WORD_BIND,
	WORD_RBIND,
	WORD_REMOUNT,
	WORD_COPY_UP,
	WORD_IDMAP,
	WORD_RIDMAP,
	WORD_COPY_SYMLINK, /* these three are crun's */
	WORD_DEST_NOFOLLOW,
	WORD_SRC_NOFOLLOW,
	WORD_FILL, /* ours */
};

struct word {
	const char *name;
	enum word_kind kind;
	uint64_t value;
};

/* runtime-spec 1.3, config.md "Linux mount options"; sorted for bsearch */
static const struct word words[] = {
	{ "acl", WORD_FLAG, 0 },
	{ "async", WORD_FLAG, 0 },
	{ "atime", WORD_CLEAR, MOUNT_ATTR_NOATIME },
	{ "berth.fill", WORD_FILL, 0 },
	{ "bind", WORD_BIND, 0 },
	{ "copy-symlink", WORD_COPY_SYMLINK, 0 },
	{ "defaults", WORD_NONE, 0 },
	{ "dest-nofollow", WORD_DEST_NOFOLLOW, 0 },
	{ "dev", WORD_CLEAR, MOUNT_ATTR_NODEV },
	{ "diratime", WORD_CLEAR, MOUNT_ATTR_NODIRATIME },
	{ "dirsync", WORD_FLAG, 0 },
	{ "exec", WORD_CLEAR, MOUNT_ATTR_NOEXEC },
	{ "idmap", WORD_IDMAP, 0 },
	{ "iversion", WORD_FLAG, 0 },
	{ "lazytime", WORD_FLAG, 0 },
	{ "loud", WORD_NONE, 0 },
	{ "mand", WORD_FLAG, 0 },
	{ "noacl", WORD_FLAG, 0 },
	{ "noatime", WORD_SET, MOUNT_ATTR_NOATIME },
	{ "nodev", WORD_SET, MOUNT_ATTR_NODEV },
	{ "nodiratime", WORD_SET, MOUNT_ATTR_NODIRATIME },
	{ "noexec", WORD_SET, MOUNT_ATTR_NOEXEC },
	{ "noiversion", WORD_NONE, 0 },
	{ "nolazytime", WORD_FLAG, 0 },
	{ "nomand", WORD_FLAG, 0 },
	{ "norelatime", WORD_CLEAR, MOUNT_ATTR_RELATIME },
	{ "nostrictatime", WORD_CLEAR, MOUNT_ATTR_STRICTATIME },
	{ "nosuid", WORD_SET, MOUNT_ATTR_NOSUID },
	{ "nosymfollow", WORD_SET, MOUNT_ATTR_NOSYMFOLLOW },
	{ "private", WORD_PROPAGATION, MS_PRIVATE },
	{ "ratime", WORD_RCLEAR, MOUNT_ATTR_NOATIME },
	{ "rbind", WORD_RBIND, 0 },
	{ "rdev", WORD_RCLEAR, MOUNT_ATTR_NODEV },
	{ "rdiratime", WORD_RCLEAR, MOUNT_ATTR_NODIRATIME },
	{ "relatime", WORD_SET, MOUNT_ATTR_RELATIME },
	{ "remount", WORD_REMOUNT, 0 },
	{ "rexec", WORD_RCLEAR, MOUNT_ATTR_NOEXEC },
	{ "ridmap", WORD_RIDMAP, 0 },
	{ "rnoatime", WORD_RSET, MOUNT_ATTR_NOATIME },
	{ "rnodev", WORD_RSET, MOUNT_ATTR_NODEV },
	{ "rnodiratime", WORD_RSET, MOUNT_ATTR_NODIRATIME },
	{ "rnoexec", WORD_RSET, MOUNT_ATTR_NOEXEC },
	{ "rnorelatime", WORD_RCLEAR, MOUNT_ATTR_RELATIME },
	{ "rnostrictatime", WORD_RCLEAR, MOUNT_ATTR_STRICTATIME },
	{ "rnosuid", WORD_RSET, MOUNT_ATTR_NOSUID },
	{ "rnosymfollow", WORD_RSET, MOUNT_ATTR_NOSYMFOLLOW },
	{ "ro", WORD_SET, MOUNT_ATTR_RDONLY },
	{ "rprivate", WORD_RPROPAGATION, MS_PRIVATE },
	{ "rrelatime", WORD_RSET, MOUNT_ATTR_RELATIME },
	{ "rro", WORD_RSET, MOUNT_ATTR_RDONLY },
	{ "rrw", WORD_RCLEAR, MOUNT_ATTR_RDONLY },
	{ "rshared", WORD_RPROPAGATION, MS_SHARED },
	{ "rslave", WORD_RPROPAGATION, MS_SLAVE },
	{ "rstrictatime", WORD_RSET, MOUNT_ATTR_STRICTATIME },
	{ "rsuid", WORD_RCLEAR, MOUNT_ATTR_NOSUID },
	{ "rsymfollow", WORD_RCLEAR, MOUNT_ATTR_NOSYMFOLLOW },
	{ "runbindable", WORD_RPROPAGATION, MS_UNBINDABLE },
	{ "rw", WORD_CLEAR, MOUNT_ATTR_RDONLY },
	{ "shared", WORD_PROPAGATION, MS_SHARED },
	{ "silent", WORD_NONE, 0 },
	{ "slave", WORD_PROPAGATION, MS_SLAVE },
	{ "src-nofollow", WORD_SRC_NOFOLLOW, 0 },
	{ "strictatime", WORD_SET, MOUNT_ATTR_STRICTATIME },
	{ "suid", WORD_CLEAR, MOUNT_ATTR_NOSUID },
	{ "symfollow", WORD_CLEAR, MOUNT_ATTR_NOSYMFOLLOW },
	{ "sync", WORD_FLAG, 0 },
	{ "tmpcopyup", WORD_COPY_UP, 0 },
	{ "unbindable", WORD_PROPAGATION, MS_UNBINDABLE },
};

const char *mount_option_word(size_t i)
{
	return i < ARRAY_SIZE(words) ? words[i].name : NULL;
}

static int compare_word(const void *key, const void *row)
{
	return strcmp(key, ((const struct word *)row)->name);
}

/*
 * The three access time modes share bits: all of them are cleared before one is set. That a mode is
 * not wanted takes it back and chooses no other; "atime" ends noatime.
 */
static void attribute(uint64_t *set, uint64_t *clear, uint64_t value, bool on)
{
	bool is_time = value == MOUNT_ATTR_RELATIME || (value & MOUNT_ATTR__ATIME);
	uint64_t mask = is_time ? MOUNT_ATTR__ATIME : value;

	if (is_time && !on && value != MOUNT_ATTR_NOATIME) {
		if ((*set & mask) == value) {
			*set &= ~mask;
			*clear &= ~mask;
		}
		return;
	}
	*set &= ~mask;
	*clear |= mask; /* mount_setattr(2): set and clear together replace */
	if (on)
		*set |= value;
	if (on && !is_time)
		*clear &= ~mask;
}

static void apply_word(const struct word *w, struct mount_options *o)
{
	switch (w->kind) {
	case WORD_SET:
	case WORD_CLEAR:
		attribute(&o->set, &o->clear, w->value, w->kind == WORD_SET);
		break;
	case WORD_RSET:
	case WORD_RCLEAR:
		attribute(&o->recursive_set, &o->recursive_clear, w->value, w->kind == WORD_RSET);
		break;
	case WORD_PROPAGATION:
		o->propagation = w->value;
		o->recursive_propagation = 0;
		break;
	case WORD_RPROPAGATION:
		o->recursive_propagation = w->value;
		o->propagation = 0;
		break;
	case WORD_BIND:
		o->bind = true;
		break;
	case WORD_RBIND:
		o->bind = o->recursive_bind = true;
		break;
	case WORD_REMOUNT:
		o->remount = true;
		break;
	case WORD_COPY_UP:
		o->copy_up = true;
		break;
	case WORD_IDMAP:
		o->idmap = true;
		break;
	case WORD_RIDMAP:
		o->idmap = o->recursive_idmap = true;
		break;
	case WORD_COPY_SYMLINK:
		o->copy_symlink = true;
		break;
	case WORD_DEST_NOFOLLOW:
		o->dest_nofollow = true;
		break;
	case WORD_SRC_NOFOLLOW:
		o->src_nofollow = true;
		break;
	case WORD_FILL:
		o->fill = true;
		break;
	case WORD_FLAG:
	case WORD_NONE:
		break;
	}
}

/* "idmap=uids=0-1000-1;gids=0-1000-1": crun's way to say uidMappings and gidMappings. */
static bool apply_idmap_text(const char *option, struct mount_options *o)
{
	const char *text = str_after(option, "idmap=");

	if (!text)
		return false;
	o->idmap = true;
	o->idmap_text = text;
	return true;
}

void mount_options_parse(const char *const *option, size_t n_options, struct arena *arena,
			 struct mount_options *ret)
{
	struct mount_param *params = NULL;
	struct mount_options o = { 0 };

	for (size_t i = 0; i < n_options; i++) {
		const struct word *w = bsearch(option[i], words, ARRAY_SIZE(words),
					       sizeof(words[0]), compare_word);
		const char *equals = strchr(option[i], '=');
		struct mount_param *param;

		if (w && w->kind != WORD_FLAG) {
			apply_word(w, &o);
			continue;
		}
		if (!*option[i] || apply_idmap_text(option[i], &o))
			continue;
		if (!params) /* at most one for each word that is left */
			params = arena_alloc(arena, (n_options - i) * sizeof(*params));
		param = &params[o.n_params++];
		param->key = equals ? arena_strndup(arena, option[i], (size_t)(equals - option[i]))
				    : option[i];
		param->value = equals ? equals + 1 : NULL;
		param->common = w;
	}
	o.params = params;
	*ret = o;
}
