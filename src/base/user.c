/* SPDX-License-Identifier: Apache-2.0 */
#include "base/user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

/* A text file line by line through a buffer of the caller's. */
struct lines {
	int fd;
	char *buf;
	size_t size;	/* of buf; longer lines are skipped */
	size_t at, end; /* what is read and not yet given out */
	size_t total;	/* bytes read */
	bool skipping;	/* inside a line that is too long */
};

#define HOME_LINE_MAX 2048

/* -ENOENT for everything that is not a regular file: a pipe or a device could block or never end.
 */
static int open_regular(int root_fd, const char *path)
{
	cleanup_fd int fd = path_open_in_root(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? take_fd(&fd) : -ENOENT;
}

static int lines_fill(struct lines *l)
{
	ssize_t n;

	memmove(l->buf, l->buf + l->at, l->end - l->at);
	l->end -= l->at;
	l->at = 0;
	if (l->end == l->size - 1) {
		l->skipping = true;
		l->end = 0;
	}
	if (l->total > USER_FILE_MAX_BYTES)
		return -EFBIG;
	do {
		n = read(l->fd, l->buf + l->end, l->size - 1 - l->end);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	l->end += (size_t)n;
	l->total += (size_t)n;
	return n > 0;
}

/* The next line without its newline in the buffer. 1, 0 at the end, or -errno. */
static int lines_next(struct lines *l, char **ret_line)
{
	for (;;) {
		char *start = l->buf + l->at;
		char *newline = memchr(start, '\n', l->end - l->at);
		bool skipped = l->skipping;
		int r;

		if (newline) {
			*newline = '\0';
			l->at = (size_t)(newline - l->buf) + 1;
			l->skipping = false;
			if (skipped)
				continue;
			*ret_line = start;
			return 1;
		}
		r = lines_fill(l);
		if (r < 0)
			return r;
		if (r > 0)
			continue;
		if (l->end == 0 || l->skipping)
			return 0;
		l->buf[l->end] = '\0'; /* the last line has no newline */
		l->end = 0;
		*ret_line = l->buf;
		return 1;
	}
}

/* Cuts line at its colons into up to n fields; what is behind the last one belongs to it. */
static size_t split(char *line, char **fields, size_t n)
{
	size_t i = 0;

	while (line && i < n) {
		fields[i++] = line;
		line = strchr(line, ':');
		if (line && i < n)
			*line++ = '\0';
	}
	return i;
}

static bool parse_id(const char *s, uint32_t *ret)
{
	return str_to_u32(s, ret) == 0 && *ret <= USER_ID_MAX;
}

struct passwd_line {
	char *name;
	const char *home;
	uint32_t uid, gid;
};

/* name, password, uid, gid, comment, home, shell: passwd(5). Images have lines without the rest. */
static bool parse_passwd(char *line, struct passwd_line *p)
{
	char *f[7];
	size_t n = split(line, f, ARRAY_SIZE(f));

	if (n < 4 || !*f[0])
		return false;
	p->name = f[0];
	p->home = n >= 6 ? f[5] : "";
	return parse_id(f[2], &p->uid) && parse_id(f[3], &p->gid);
}

struct group_line {
	char *name;
	const char *members; /* comma between them */
	uint32_t gid;
};

/* name, password, gid, members: group(5) */
static bool parse_group(char *line, struct group_line *g)
{
	char *f[4];
	size_t n = split(line, f, ARRAY_SIZE(f));

	if (n < 3 || !*f[0])
		return false;
	g->name = f[0];
	g->members = n >= 4 ? f[3] : "";
	return parse_id(f[2], &g->gid);
}

static bool has_member(const char *members, const char *name)
{
	size_t len = strlen(name);

	for (; *members; members += *members == ',') {
		size_t n = strcspn(members, ",");

		if (n == len && memcmp(members, name, n) == 0)
			return true;
		members += n;
	}
	return false;
}

/* Opens a file of the rootfs for reading by lines, any length. Missing: an empty one. */
static int lines_open(struct lines *l, int root_fd, const char *path, struct error *err)
{
	struct stat st;

	*l = (struct lines){ .fd = open_regular(root_fd, path) };
	if (l->fd == -ENOENT || l->fd == -ENOTDIR)
		return 0;
	if (l->fd < 0)
		return error_num(err, -l->fd, "cannot open %s of the rootfs", path);
	if (fstat(l->fd, &st) < 0 || st.st_size > USER_FILE_MAX_BYTES)
		return error_kind(err, ERROR_INVALID, "%s of the rootfs is larger than %u bytes",
				  path, USER_FILE_MAX_BYTES);
	l->size = (size_t)st.st_size + 2;
	l->buf = xmalloc(l->size);
	return 0;
}

static void lines_close(struct lines *l)
{
	if (l->fd >= 0)
		close(l->fd);
	free(l->buf);
}
#define cleanup_lines __attribute__((cleanup(lines_close)))

static int next_of(struct lines *l, const char *path, char **ret_line, struct error *err)
{
	int r;

	if (l->fd < 0 || !l->buf)
		return 0;
	r = lines_next(l, ret_line);
	if (r < 0)
		error_num(err, -r, "cannot read %s of the rootfs", path);
	return r;
}

/* A word of digits is an id. 1, 0 if it is no number, < 0 out of range. */
static int id_of(const char *word, uint32_t *ret, struct error *err)
{
	const char *digits = word + (*word == '-');

	if (!*digits || digits[strspn(digits, "0123456789")])
		return 0;
	if (!parse_id(word, ret))
		return error_kind(err, ERROR_INVALID, "'%s': uids and gids must be in range 0-%d",
				  word, USER_ID_MAX);
	return 1;
}

static int find_user(int root_fd, const char *user, struct user_identity *id, struct error *err)
{
	cleanup_lines struct lines l = { .fd = -EBADF };
	uint32_t uid = 0;
	int numeric = *user ? id_of(user, &uid, err) : 1; /* "" is uid 0 */
	char *line;
	int r;

	if (numeric < 0)
		return numeric;
	r = lines_open(&l, root_fd, "/etc/passwd", err);
	while (r >= 0 && (r = next_of(&l, "/etc/passwd", &line, err)) > 0) {
		struct passwd_line p;

		if (!parse_passwd(line, &p))
			continue;
		if (!(numeric && p.uid == uid) && !str_eq(p.name, user))
			continue;
		id->uid = p.uid;
		id->gid = p.gid;
		id->name = xstrdup(p.name);
		id->home = xstrdup(*p.home ? p.home : "/");
		return 0;
	}
	if (r < 0)
		return r;
	if (!numeric)
		return error_kind(err, ERROR_INVALID,
				  "unable to find user %s: no matching entries in passwd file",
				  user);
	id->uid = uid;
	id->gid = 0;
	id->home = xstrdup("/");
	return 0;
}

static int add_gid(struct user_identity *id, uint32_t gid, struct error *err)
{
	for (size_t i = 0; i < id->n_groups; i++) {
		if (id->groups[i] == gid)
			return 0;
	}
	if (id->n_groups == USER_GROUPS_MAX)
		return error_kind(err, ERROR_INVALID, "more than %d supplementary groups",
				  USER_GROUPS_MAX);
	id->groups = xrealloc(id->groups, (id->n_groups + 1) * sizeof(*id->groups));
	id->groups[id->n_groups++] = gid;
	return 0;
}

/* The groups that list the user as a member. */
static int find_memberships(int root_fd, struct user_identity *id, struct error *err)
{
	cleanup_lines struct lines l = { .fd = -EBADF };
	char *line;
	int r;

	r = lines_open(&l, root_fd, "/etc/group", err);
	while (r >= 0 && (r = next_of(&l, "/etc/group", &line, err)) > 0) {
		struct group_line g;

		if (parse_group(line, &g) && has_member(g.members, id->name)) {
			r = add_gid(id, g.gid, err);
			if (r < 0)
				return r;
		}
	}
	return r;
}

static int find_group(int root_fd, const char *group, uint32_t *ret_gid, struct error *err)
{
	cleanup_lines struct lines l = { .fd = -EBADF };
	uint32_t gid = 0;
	int numeric = id_of(group, &gid, err);
	char *line;
	int r;

	if (numeric < 0)
		return numeric;
	r = lines_open(&l, root_fd, "/etc/group", err);
	while (r >= 0 && (r = next_of(&l, "/etc/group", &line, err)) > 0) {
		struct group_line g;

		/* a group may be called by digits: names count like numbers, the first line wins */
		if (parse_group(line, &g) && (str_eq(g.name, group) || (numeric && g.gid == gid))) {
			*ret_gid = g.gid;
			return 0;
		}
	}
	if (r < 0)
		return r;
	if (!numeric)
		return error_kind(err, ERROR_INVALID,
				  "unable to find group %s: no matching entries in group file",
				  group);
	*ret_gid = gid;
	return 0;
}

int user_resolve(int root_fd, const char *spec, struct user_identity *ret_identity,
		 struct error *err)
{
	cleanup_user_identity struct user_identity id = { 0 };
	cleanup_free char *user = xstrdup(spec ? spec : "");
	char *group = strchr(user, ':');
	int r;

	if (group)
		*group++ = '\0';
	r = find_user(root_fd, user, &id, err);
	if (r < 0)
		return r;
	if (!str_empty(group))
		r = find_group(root_fd, group, &id.gid, err);
	else if (id.name)
		r = find_memberships(root_fd, &id, err);
	if (r < 0)
		return r;

	*ret_identity = id;
	id = (struct user_identity){ 0 };
	return 0;
}

int user_add_groups(int root_fd, char *const *groups, struct user_identity *id, struct error *err)
{
	for (size_t i = 0; groups && groups[i]; i++) {
		uint32_t gid = 0;
		int r = find_group(root_fd, groups[i], &gid, err);

		if (r >= 0)
			r = add_gid(id, gid, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int user_add_primary_group(struct user_identity *id, struct error *err)
{
	return add_gid(id, id->gid, err);
}

void user_identity_done(struct user_identity *id)
{
	free(id->groups);
	free(id->name);
	free(id->home);
	*id = (struct user_identity){ 0 };
}

int user_home(int root_fd, uint32_t uid, char *home, size_t size)
{
	cleanup_fd int fd = open_regular(root_fd, "/etc/passwd");
	char buf[HOME_LINE_MAX], *line;
	struct lines l = { .fd = fd, .buf = buf, .size = sizeof(buf) };
	int r;

	memcpy(home, "/", 2);
	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR ? 0 : fd;
	while ((r = lines_next(&l, &line)) > 0) {
		struct passwd_line p;

		if (!parse_passwd(line, &p) || p.uid != uid)
			continue;
		if (*p.home && strlen(p.home) < size)
			memcpy(home, p.home, strlen(p.home) + 1);
		return 0;
	}
	return r;
}

static bool is_owner(const char *word, const char *name, uint32_t uid)
{
	uint32_t number;

	return (name && str_eq(word, name)) || (str_to_u32(word, &number) == 0 && number == uid);
}

int user_subids(int root_fd, const char *path, const char *name, uint32_t uid,
		struct user_id_range **ret_ranges, size_t *ret_n, struct error *err)
{
	cleanup_lines struct lines l = { .fd = -EBADF };
	cleanup_free struct user_id_range *ranges = NULL;
	size_t n = 0, capacity = 0;
	char *line;
	int r;

	r = lines_open(&l, root_fd, path, err);
	while (r >= 0 && (r = next_of(&l, path, &line, err)) > 0) {
		struct user_id_range range;
		char *f[3]; /* owner, first, count: subuid(5) */

		if (split(line, f, ARRAY_SIZE(f)) < 3 || !is_owner(f[0], name, uid) ||
		    str_to_u32(f[1], &range.first) < 0 || str_to_u32(f[2], &range.count) < 0 ||
		    !range.count || range.first > UINT32_MAX - range.count)
			continue;
		if (n == USER_SUBID_RANGES_MAX)
			break;
		ranges = array_grow(ranges, n, &capacity, sizeof(*ranges));
		ranges[n++] = range;
	}
	if (r < 0)
		return r;
	*ret_ranges = take_ptr(&ranges);
	*ret_n = n;
	return 0;
}
