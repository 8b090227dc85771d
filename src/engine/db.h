/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The database of containers: one row each, with what changes in its life and what lists show.
 * What is fixed when a container is made lies beside its config.json (engine/document.h).
 * docs/formats/database.md has the schema. Every function is one transaction; several processes may
 * work at once.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/macro.h"
#include "engine/engine.h"

struct arena;
struct db;

enum record_flag {
	RECORD_TTY = 1 << 0,
	RECORD_STDIN = 1 << 1, /* its stdin is kept open */
	RECORD_AUTO_REMOVE = 1 << 2,
};

struct record {
	/* Fixed when it is made */
	const char *id;
	const char *image;    /* as the user wrote it; "" with --rootfs */
	const char *image_id; /* "sha256:..." or "" */
	const char *command;
	const char *network;
	const char *platform;
	const char *labels; /* JSON array of "k=v", sorted */
	const char *mounts; /* JSON array of strings */
	int64_t created_ns;

	const char *name; /* changed by rename only */

	/* Life */
	unsigned flags; /* enum record_flag; a restart takes AUTO_REMOVE away for its time */
	enum container_state state;
	int pid;	    /* of init; 0: none */
	uint64_t pid_start; /* its start time in clock ticks: tells a reused pid */
	int monitor_pid;
	int64_t started_ns, finished_ns;
	int exit_code;
	bool oom_killed;
	const char *error; /* of the last start, or "" */
};

/* Opens or makes the database file. An older schema is upgraded, a newer one refused. */
int db_open(const char *path, struct db **ret_db, struct error *err);
struct db *db_close(struct db *db);
DEFINE_CLEANUP(struct db *, db_close)

/* Errors: ERROR_CONFLICT in docker's words when the name is taken. */
int db_insert(struct db *db, const struct record *r, struct error *err);

/*
 * Store the life part.
 *
 * was      what the row should still say (state and pid), or NULL: whatever it says
 * Returns  0; with was 1: somebody else changed or removed the row meanwhile, nothing was written;
 *          without, -ENOENT ("No such container") when the row is gone
 */
int db_update_life(struct db *db, const struct record *was, const struct record *r,
		   struct error *err);

/* Errors: as db_insert() and db_update_life(). */
int db_rename(struct db *db, const char *id, const char *name, struct error *err);

/* 0 whether it was there or not. */
int db_delete(struct db *db, const char *id, struct error *err);

/*
 * By full id, name (a leading '/' is ignored) or unique beginning of an id; strings in arena.
 * Errors   ERROR_NOT_FOUND "No such container: REF"; ERROR_INVALID for several
 */
int db_find(struct db *db, const char *ref, struct arena *arena, struct record *ret_record,
	    struct error *err);

/* All rows, newest first; the array too is in arena. */
int db_list(struct db *db, struct arena *arena, struct record **ret_records, size_t *ret_n,
	    struct error *err);

/* A container made from the image, a running one if there is any. *ret_found: is there one? */
int db_image_user(struct db *db, const char *image_id, struct arena *arena,
		  struct record *ret_record, bool *ret_found, struct error *err);
