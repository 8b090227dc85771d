/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Users and groups out of the files of somebody's root directory. The files are hostile: opened
 * beneath root_fd, regular only, read up to USER_FILE_MAX_BYTES, lines that do not parse skipped.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/error.h"

#define USER_FILE_MAX_BYTES   (1u << 20)
#define USER_GROUPS_MAX	      1024	/* supplementary groups of one user */
#define USER_ID_MAX	      INT32_MAX /* as docker: ids are 0..2^31-1 */
#define USER_SUBID_RANGES_MAX 340	/* what one uid_map holds since 4.15: user_namespaces(7) */

struct user_identity {
	uint32_t uid, gid;
	gid_t *groups; /* supplementary, without duplicates; heap */
	size_t n_groups;
	char *name; /* of the passwd line, or NULL; heap */
	char *home; /* of the passwd line, or "/"; heap */
};

/*
 * docker's --user: "", "name", "uid", "name:group", "uid:gid" in all mixtures. "" is uid 0. An
 * unknown number is a valid uid with gid 0; supplementary groups come from /etc/group unless a
 * group was given. A missing file is an empty one.
 * Errors   ERROR_INVALID with docker's sentences: "unable to find user x: no matching
 *          entries in passwd file"
 */
int user_resolve(int root_fd, const char *spec, struct user_identity *ret_identity,
		 struct error *err);
/* Numbers of groups by name or number (docker's --group-add) appended to id->groups. */
int user_add_groups(int root_fd, char *const *groups, struct user_identity *id, struct error *err);
/* The primary group is one of id->groups, too: a process that shares its group only by the primary one
 * loses it to a set-group-id program, and with it what is denied to the group (CVE-2022-36109). */
int user_add_primary_group(struct user_identity *id, struct error *err);
void user_identity_done(struct user_identity *id);
#define cleanup_user_identity __attribute__((cleanup(user_identity_done)))

/*
 * The home directory of uid into home; "/" when there is no line or no file. No allocation (for a
 * child that shares memory). Returns 0, or -errno without text; home is "/" then too.
 */
int user_home(int root_fd, uint32_t uid, char *home, size_t size);

/* Ranges of subordinate ids. */
struct user_id_range {
	uint32_t first, count;
};
/*
 * Lines of /etc/subuid or /etc/subgid beneath root_fd for a user by name or number; heap array.
 * Returns 0 (perhaps with none) or -errno.
 */
int user_subids(int root_fd, const char *path, const char *name, uint32_t uid,
		struct user_id_range **ret_ranges, size_t *ret_n, struct error *err);
