/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite, and the only file that knows it.
 *
 * A run opens the database, writes three small transactions and closes it, so the cost of opening
 * counts most. Hence: one table without rowid (two b-trees to read), pages of 1 KiB (a transaction
 * logs whole pages), no statement cache, no checkpoint on close. The write-ahead log that stays is
 * read by the next opener, so it is kept short by WAL_PAGES_MAX. With synchronous=NORMAL a commit
 * does not wait for the disk: after a power cut the newest rows may be missing, the file is whole.
 */
#include "engine/db.h"

#include <errno.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

#define SCHEMA_VERSION	1
#define WAL_PAGES_MAX	"64"
#define BUSY_TIMEOUT_MS 10000

struct db {
	sqlite3 *sql;
};

static const char schema_sql[] = "BEGIN IMMEDIATE;"
				 "CREATE TABLE IF NOT EXISTS container ("
				 " id TEXT PRIMARY KEY,"
				 " name TEXT NOT NULL UNIQUE,"
				 " state INTEGER NOT NULL,"
				 " pid INTEGER NOT NULL,"
				 " pid_start INTEGER NOT NULL,"
				 " monitor_pid INTEGER NOT NULL,"
				 " started INTEGER NOT NULL,"
				 " finished INTEGER NOT NULL,"
				 " exit_code INTEGER NOT NULL,"
				 " oom_killed INTEGER NOT NULL,"
				 " error TEXT NOT NULL,"
				 " flags INTEGER NOT NULL,"
				 " created INTEGER NOT NULL,"
				 " image TEXT NOT NULL,"
				 " image_id TEXT NOT NULL,"
				 " command TEXT NOT NULL,"
				 " network TEXT NOT NULL,"
				 " platform TEXT NOT NULL,"
				 " labels TEXT NOT NULL,"
				 " mounts TEXT NOT NULL"
				 ") WITHOUT ROWID;"
				 "PRAGMA user_version = 1;"
				 "COMMIT;";

#define COLUMNS                                                                                   \
	"id, name, state, pid, pid_start, monitor_pid, started, finished, exit_code, oom_killed," \
	" error, flags, created, image, image_id, command, network, platform, labels, mounts"

enum column {
	COL_ID,
	COL_NAME,
	COL_STATE,
	COL_PID,
	COL_PID_START,
	COL_MONITOR_PID,
	COL_STARTED,
	COL_FINISHED,
	COL_EXIT_CODE,
	COL_OOM_KILLED,
	COL_ERROR,
	COL_FLAGS,
	COL_CREATED,
	COL_IMAGE,
	COL_IMAGE_ID,
	COL_COMMAND,
	COL_NETWORK,
	COL_PLATFORM,
	COL_LABELS,
	COL_MOUNTS,
};

static sqlite3_stmt *statement_free(sqlite3_stmt *s)
{
	(void)sqlite3_finalize(s); /* repeats the error of the last step, which was seen */
	return NULL;
}
DEFINE_CLEANUP(sqlite3_stmt *, statement_free)

static int db_error(struct db *db, struct error *err, const char *what)
{
	int code = sqlite3_errcode(db->sql);

	switch (code) {
	case SQLITE_FULL:
		return error_num(err, ENOSPC, "database: %s", what);
	case SQLITE_BUSY:
		return error_num(err, EBUSY, "database: %s", what);
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_CANTOPEN:
		return error_num(err, EACCES, "database: %s", what);
	default:
		return error_num(err, EIO, "database: %s: %s", what, sqlite3_errmsg(db->sql));
	}
}

static int db_exec(struct db *db, const char *sql, const char *what, struct error *err)
{
	if (sqlite3_exec(db->sql, sql, NULL, NULL, NULL) != SQLITE_OK)
		return db_error(db, err, what);
	return 0;
}

static int db_prepare(struct db *db, const char *sql, sqlite3_stmt **ret, struct error *err)
{
	if (sqlite3_prepare_v2(db->sql, sql, -1, ret, NULL) != SQLITE_OK)
		return db_error(db, err, "cannot read");
	return 0;
}

static void bind_text(sqlite3_stmt *s, int column, const char *text)
{
	(void)sqlite3_bind_text(s, column, text ? text : "", -1, SQLITE_STATIC); /* fails only
										    without memory:
										    step says so */
}

static void bind_int(sqlite3_stmt *s, int column, int64_t value)
{
	(void)sqlite3_bind_int64(s, column, value); /* as above */
}

static int schema_version(struct db *db, int *ret_version, struct error *err)
{
	cleanup_with(statement_free) sqlite3_stmt *s = NULL;
	int r = db_prepare(db, "PRAGMA user_version", &s, err);

	if (r < 0)
		return r;
	if (sqlite3_step(s) != SQLITE_ROW)
		return db_error(db, err, "cannot read the schema version");
	*ret_version = sqlite3_column_int(s, 0);
	return 0;
}

static int db_prepare_schema(struct db *db, struct error *err)
{
	int version = 0, r = schema_version(db, &version, err);

	if (r < 0)
		return r;
	if (version == SCHEMA_VERSION)
		return 0;
	if (version > SCHEMA_VERSION)
		return error_kind(err, ERROR_UNSUPPORTED,
				  "database: made by a newer berth (schema %d, this one knows %d)",
				  version, SCHEMA_VERSION);
	/* Both survive in the file. Two makers at once: the second one waits, then finds it done.
	 */
	/* its log and index take this mode; where they lie is closed to others as well */
	if (chmod(sqlite3_db_filename(db->sql, "main"), 0600) < 0 && errno != ENOENT)
		return error_sys(err, "cannot close the database to others");
	r = db_exec(db, "PRAGMA page_size = 1024; PRAGMA journal_mode = WAL;",
		    "cannot switch to a write-ahead log", err);
	if (r < 0)
		return r;
	return db_exec(db, schema_sql, "cannot make the tables", err);
}

int db_open(const char *path, struct db **ret_db, struct error *err)
{
	cleanup_with(db_close) struct db *db = xcalloc(1, sizeof(*db));
	int r;

	if (sqlite3_open_v2(path, &db->sql,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK)
		return db->sql ? db_error(db, err, path) : error_oom(err);
	(void)sqlite3_busy_timeout(db->sql, BUSY_TIMEOUT_MS); /* cannot fail on an open handle */
	(void)sqlite3_db_config(db->sql, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL); /* only time */
	r = db_prepare_schema(db, err);
	if (r < 0)
		return r;
	r = db_exec(db, "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = " WAL_PAGES_MAX,
		    "cannot set the mode", err);
	if (r < 0)
		return r;
	*ret_db = take_ptr(&db);
	return 0;
}

struct db *db_close(struct db *db)
{
	if (db) {
		int saved = errno;

		(void)sqlite3_close(db->sql); /* no statement is left open */
		free(db);
		errno = saved;
	}
	return NULL;
}

/* One step of a statement that returns no rows. */
static int run(struct db *db, sqlite3_stmt *s, const char *what, struct error *err)
{
	if (sqlite3_step(s) != SQLITE_DONE)
		return db_error(db, err, what);
	return 0;
}

static int no_such_container(const char *ref, struct error *err)
{
	return error_kind(err, ERROR_NOT_FOUND, "No such container: %s", ref);
}

static void read_record(sqlite3_stmt *s, struct arena *arena, struct record *r)
{
#define TEXT(column) arena_strdup(arena, (const char *)sqlite3_column_text(s, column))
	*r = (struct record){
		.id = TEXT(COL_ID),
		.name = TEXT(COL_NAME),
		.state = (enum container_state)sqlite3_column_int(s, COL_STATE),
		.pid = sqlite3_column_int(s, COL_PID),
		.pid_start = (uint64_t)sqlite3_column_int64(s, COL_PID_START),
		.monitor_pid = sqlite3_column_int(s, COL_MONITOR_PID),
		.started_ns = sqlite3_column_int64(s, COL_STARTED),
		.finished_ns = sqlite3_column_int64(s, COL_FINISHED),
		.exit_code = sqlite3_column_int(s, COL_EXIT_CODE),
		.oom_killed = sqlite3_column_int(s, COL_OOM_KILLED) != 0,
		.error = TEXT(COL_ERROR),
		.flags = (unsigned)sqlite3_column_int(s, COL_FLAGS),
		.created_ns = sqlite3_column_int64(s, COL_CREATED),
		.image = TEXT(COL_IMAGE),
		.image_id = TEXT(COL_IMAGE_ID),
		.command = TEXT(COL_COMMAND),
		.network = TEXT(COL_NETWORK),
		.platform = TEXT(COL_PLATFORM),
		.labels = TEXT(COL_LABELS),
		.mounts = TEXT(COL_MOUNTS),
	};
#undef TEXT
}

/* The first row of a query with one text parameter. > 0: none. */
static int find_one(struct db *db, const char *sql, const char *key, struct arena *arena,
		    struct record *ret, struct error *err)
{
	cleanup_with(statement_free) sqlite3_stmt *s = NULL;
	int r = db_prepare(db, sql, &s, err);

	if (r < 0)
		return r;
	bind_text(s, 1, key);
	switch (sqlite3_step(s)) {
	case SQLITE_ROW:
		read_record(s, arena, ret);
		return 0;
	case SQLITE_DONE:
		return 1;
	default:
		return db_error(db, err, "cannot read");
	}
}

static int name_conflict(struct db *db, const char *name, struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	struct record other;
	int r = find_one(db, "SELECT " COLUMNS " FROM container WHERE name = ?1", name, arena,
			 &other, err);

	if (r < 0)
		return r;
	return error_kind(
		err, ERROR_CONFLICT,
		"Conflict. The container name \"/%s\" is already in use by container \"%s\". "
		"You have to remove (or rename) that container to be able to reuse that name.",
		name, r == 0 ? other.id : "another one");
}

/* run() for statements that may meet the UNIQUE name. */
static int run_naming(struct db *db, sqlite3_stmt *s, const char *name, struct error *err)
{
	if (sqlite3_step(s) == SQLITE_DONE)
		return 0;
	if (sqlite3_extended_errcode(db->sql) == SQLITE_CONSTRAINT_UNIQUE)
		return name_conflict(db, name, err);
	return db_error(db, err, "cannot write");
}

int db_insert(struct db *db, const struct record *r, struct error *err)
{
	cleanup_with(statement_free) sqlite3_stmt *s = NULL;
	int status = db_prepare(db,
				"INSERT INTO container (" COLUMNS ") VALUES "
				"(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
				&s, err);

	if (status < 0)
		return status;
	bind_text(s, COL_ID + 1, r->id);
	bind_text(s, COL_NAME + 1, r->name);
	bind_int(s, COL_STATE + 1, r->state);
	bind_int(s, COL_PID + 1, r->pid);
	bind_int(s, COL_PID_START + 1, (int64_t)r->pid_start);
	bind_int(s, COL_MONITOR_PID + 1, r->monitor_pid);
	bind_int(s, COL_STARTED + 1, r->started_ns);
	bind_int(s, COL_FINISHED + 1, r->finished_ns);
	bind_int(s, COL_EXIT_CODE + 1, r->exit_code);
	bind_int(s, COL_OOM_KILLED + 1, r->oom_killed);
	bind_text(s, COL_ERROR + 1, r->error);
	bind_int(s, COL_FLAGS + 1, r->flags);
	bind_int(s, COL_CREATED + 1, r->created_ns);
	bind_text(s, COL_IMAGE + 1, r->image);
	bind_text(s, COL_IMAGE_ID + 1, r->image_id);
	bind_text(s, COL_COMMAND + 1, r->command);
	bind_text(s, COL_NETWORK + 1, r->network);
	bind_text(s, COL_PLATFORM + 1, r->platform);
	bind_text(s, COL_LABELS + 1, r->labels);
	bind_text(s, COL_MOUNTS + 1, r->mounts);
	return run_naming(db, s, r->name, err);
}

int db_update_life(struct db *db, const struct record *was, const struct record *r,
		   struct error *err)
{
	cleanup_with(statement_free) sqlite3_stmt *s = NULL;
	int status = db_prepare(db,
				"UPDATE container SET state = ?2, pid = ?3, pid_start = ?4,"
				" monitor_pid = ?5, started = ?6, finished = ?7, exit_code = ?8,"
				" oom_killed = ?9, error = ?10, flags = ?11 WHERE id = ?1"
				" AND (?12 OR (state = ?13 AND pid = ?14))",
				&s, err);

	if (status < 0)
		return status;
	bind_text(s, 1, r->id);
	bind_int(s, 2, r->state);
	bind_int(s, 3, r->pid);
	bind_int(s, 4, (int64_t)r->pid_start);
	bind_int(s, 5, r->monitor_pid);
	bind_int(s, 6, r->started_ns);
	bind_int(s, 7, r->finished_ns);
	bind_int(s, 8, r->exit_code);
	bind_int(s, 9, r->oom_killed);
	bind_text(s, 10, r->error);
	bind_int(s, 11, r->flags);
	bind_int(s, 12, was == NULL);
	bind_int(s, 13, was ? was->state : 0);
	bind_int(s, 14, was ? was->pid : 0);
	status = run(db, s, "cannot write", err);
	if (status < 0)
		return status;
	if (sqlite3_changes(db->sql) > 0)
		return 0;
	return was ? 1 : no_such_container(r->id, err);
}

int db_rename(struct db *db, const char *id, const char *name, struct error *err)
{
	cleanup_with(statement_free) sqlite3_stmt *s = NULL;
	int r = db_prepare(db, "UPDATE container SET name = ?2 WHERE id = ?1", &s, err);

	if (r < 0)
		return r;
	bind_text(s, 1, id);
	bind_text(s, 2, name);
	r = run_naming(db, s, name, err);
	if (r < 0)
		return r;
	return sqlite3_changes(db->sql) > 0 ? 0 : no_such_container(id, err);
}

int db_delete(struct db *db, const char *id, struct error *err)
{
	cleanup_with(statement_free) sqlite3_stmt *s = NULL;
	int r = db_prepare(db, "DELETE FROM container WHERE id = ?1", &s, err);

	if (r < 0)
		return r;
	bind_text(s, 1, id);
	return run(db, s, "cannot write", err);
}

static bool is_hex(const char *s)
{
	return *s && s[strspn(s, "0123456789abcdef")] == '\0';
}

/* The only row whose id begins with prefix. */
static int find_prefix(struct db *db, const char *prefix, struct arena *arena,
		       struct record *ret_record, struct error *err)
{
	cleanup_with(statement_free) sqlite3_stmt *s = NULL;
	int r = db_prepare(db,
			   "SELECT " COLUMNS " FROM container"
			   " WHERE id >= ?1 AND id < ?1 || 'g' LIMIT 2",
			   &s, err);
	int step;

	if (r < 0)
		return r;
	bind_text(s, 1, prefix);
	step = sqlite3_step(s);
	if (step == SQLITE_DONE)
		return no_such_container(prefix, err);
	if (step != SQLITE_ROW)
		return db_error(db, err, "cannot read");
	read_record(s, arena, ret_record);
	if (sqlite3_step(s) == SQLITE_ROW)
		return error_kind(err, ERROR_INVALID, "multiple IDs found with provided prefix: %s",
				  prefix);
	return 0;
}

int db_find(struct db *db, const char *ref, struct arena *arena, struct record *ret_record,
	    struct error *err)
{
	const char *name = ref[0] == '/' ? ref + 1 : ref;
	int r;

	/* Whole ids win over names, names over beginnings of ids: as docker looks. */
	if (strlen(ref) == ENGINE_ID_MAX - 1) {
		r = find_one(db, "SELECT " COLUMNS " FROM container WHERE id = ?1", ref, arena,
			     ret_record, err);
		if (r <= 0)
			return r;
	}
	r = find_one(db, "SELECT " COLUMNS " FROM container WHERE name = ?1", name, arena,
		     ret_record, err);
	if (r <= 0)
		return r;
	if (!is_hex(ref))
		return no_such_container(ref, err);
	return find_prefix(db, ref, arena, ret_record, err);
}

int db_list(struct db *db, struct arena *arena, struct record **ret_records, size_t *ret_n,
	    struct error *err)
{
	cleanup_with(statement_free) sqlite3_stmt *s = NULL;
	cleanup_free struct record *rows = NULL;
	size_t n = 0, capacity = 0;
	int step, r = db_prepare(db, "SELECT " COLUMNS " FROM container ORDER BY created DESC", &s,
				 err);

	if (r < 0)
		return r;
	while ((step = sqlite3_step(s)) == SQLITE_ROW) {
		rows = array_grow(rows, n, &capacity, sizeof(*rows));
		read_record(s, arena, &rows[n++]);
	}
	if (step != SQLITE_DONE)
		return db_error(db, err, "cannot read");
	*ret_records = arena_alloc(arena, (n + 1) * sizeof(*rows));
	if (n > 0)
		memcpy(*ret_records, rows, n * sizeof(*rows));
	*ret_n = n;
	return 0;
}

int db_image_user(struct db *db, const char *image_id, struct arena *arena,
		  struct record *ret_record, bool *ret_found, struct error *err)
{
	int r = find_one(db,
			 "SELECT " COLUMNS " FROM container WHERE image_id = ?1"
			 " ORDER BY state = 1 DESC LIMIT 1",
			 image_id, arena, ret_record, err);

	if (r < 0)
		return r;
	*ret_found = r == 0;
	return 0;
}
