/* SPDX-License-Identifier: Apache-2.0 */
#include "image/reference.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/str.h"

#define DEFAULT_DOMAIN "docker.io"
#define LEGACY_DOMAIN  "index.docker.io"
#define OFFICIAL_REPO  "library/"
#define DEFAULT_TAG    "latest"
#define NAME_MAX_CHARS 255
#define TAG_MAX_CHARS  128

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

/* One of "." "_" "__" or any number of "-": how many characters, 0 for none of them. */
static size_t separator_len(const char *s)
{
	if (*s == '.')
		return 1;
	if (*s == '_')
		return s[1] == '_' ? 2 : 1;
	return strspn(s, "-");
}

/* path := component *("/" component); component := alnum *(separator alnum) */
static bool is_path(const char *s)
{
	for (;;) {
		size_t n;

		if (!is_lower_alnum(*s))
			return false;
		while (is_lower_alnum(*s))
			s++;
		n = separator_len(s);
		if (n == 0 && *s == '/')
			n = 1;
		if (n == 0)
			return *s == '\0';
		s += n;
	}
}

/* [2001:db8::1], without a zone */
static const char *skip_ipv6(const char *s)
{
	const char *end = strchr(s, ']');

	return end && end > s + 1 &&
			       strspn(s + 1, "0123456789abcdefABCDEF:") == (size_t)(end - s - 1)
		       ? end + 1
		       : NULL;
}

/* Labels of letters, digits and inner dashes, with dots between. */
static const char *skip_host_name(const char *s)
{
	for (;;) {
		if (!is_alnum(*s))
			return NULL;
		while (is_alnum(*s) || *s == '-')
			s++;
		if (s[-1] == '-')
			return NULL;
		if (*s != '.')
			return s;
		s++;
	}
}

static bool is_domain(const char *s)
{
	s = *s == '[' ? skip_ipv6(s) : skip_host_name(s);
	if (!s)
		return false;
	if (*s == ':' && isdigit((unsigned char)s[1]))
		s += 1 + strspn(s + 1, "0123456789");
	return *s == '\0';
}

static bool is_tag(const char *s)
{
	if (!is_alnum(*s) && *s != '_')
		return false;
	for (size_t n = 0; s[n]; n++) {
		if (n == TAG_MAX_CHARS || !(is_alnum(s[n]) || strchr("_.-", s[n])))
			return false;
	}
	return true;
}

static int invalid(struct error *err)
{
	return error_kind(err, ERROR_INVALID, "invalid reference format");
}

/*
 * The first part is a domain only if it looks like one: "localhost", or with a dot, a colon or an
 * upper-case letter in it. Returns the length of the domain, 0 if the text has none.
 */
static size_t domain_len(const char *text)
{
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : 0;

	if (n == 0)
		return 0;
	if (n == strlen("localhost") && strncmp(text, "localhost", n) == 0)
		return n;
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '.' || text[i] == ':' || isupper((unsigned char)text[i]))
			return n;
	}
	return 0;
}

static void split_domain(const char *text, struct reference *ref)
{
	size_t n = domain_len(text);
	bool is_default = n == 0 || (n == strlen(LEGACY_DOMAIN) && str_after(text, LEGACY_DOMAIN));

	ref->domain = is_default ? xstrdup(DEFAULT_DOMAIN) : xstrndup(text, n);
	text += n ? n + 1 : 0;
	if (str_eq(ref->domain, DEFAULT_DOMAIN) && !strchr(text, '/'))
		ref->path = xasprintf(OFFICIAL_REPO "%s", text);
	else
		ref->path = xstrdup(text);
}

/* Cuts "@digest" and ":tag" off rest. */
static int cut_suffixes(char *rest, struct reference *ref, struct error *err)
{
	char *at = strchr(rest, '@');
	struct digest digest;
	char *colon, *slash;

	if (at) {
		*at = '\0';
		if (digest_parse(at + 1, &digest) < 0)
			return invalid(err);
		ref->digest = xstrdup(at + 1);
	}
	colon = strrchr(rest, ':');
	slash = strrchr(rest, '/');
	if (!colon || (slash && colon < slash))
		return 0;
	*colon = '\0';
	if (!is_tag(colon + 1))
		return invalid(err);
	ref->tag = xstrdup(colon + 1);
	return 0;
}

static int check_name(const struct reference *ref, struct error *err)
{
	for (const char *p = ref->path; *p; p++) {
		if (isupper((unsigned char)*p))
			return error_kind(err, ERROR_INVALID,
					  "invalid reference format: repository name (%.300s) "
					  "must be lowercase",
					  ref->path);
	}
	if (!is_domain(ref->domain) || !is_path(ref->path))
		return invalid(err);
	if (strlen(ref->domain) + 1 + strlen(ref->path) > NAME_MAX_CHARS)
		return error_kind(err, ERROR_INVALID,
				  "repository name must not be more than %d characters",
				  NAME_MAX_CHARS);
	return 0;
}

static int parse(const char *text, struct reference *ref, struct error *err)
{
	cleanup_free char *rest = xstrdup(text);
	int r;

	if (strlen(text) == DIGEST_HEX_LEN && hex_is_lower(text, DIGEST_HEX_LEN))
		return error_kind(
			err, ERROR_INVALID,
			"invalid repository name (%s), cannot specify 64-byte hexadecimal "
			"strings",
			text);
	r = cut_suffixes(rest, ref, err);
	if (r < 0)
		return r;
	split_domain(rest, ref);
	return check_name(ref, err);
}

int reference_parse_bare(const char *text, struct reference *ret, struct error *err)
{
	struct reference ref = { 0 };
	int r = parse(text, &ref, err);

	if (r < 0) {
		reference_done(&ref);
		return r;
	}
	*ret = ref;
	return 0;
}

int reference_parse(const char *text, struct reference *ret, struct error *err)
{
	int r = reference_parse_bare(text, ret, err);

	if (r == 0 && !ret->tag && !ret->digest)
		ret->tag = xstrdup(DEFAULT_TAG);
	return r;
}

void reference_done(struct reference *ref)
{
	free(ref->domain);
	free(ref->path);
	free(ref->tag);
	free(ref->digest);
	*ref = (struct reference){ 0 };
}

static char *with_suffixes(const char *name, const struct reference *ref)
{
	return xasprintf("%s%s%s%s%s", name, ref->tag ? ":" : "", ref->tag ? ref->tag : "",
			 ref->digest ? "@" : "", ref->digest ? ref->digest : "");
}

char *reference_format(const struct reference *ref)
{
	cleanup_free char *name = xasprintf("%s/%s", ref->domain, ref->path);

	return with_suffixes(name, ref);
}

char *reference_familiar_name(const struct reference *ref)
{
	const char *official = str_after(ref->path, OFFICIAL_REPO);

	/* docker.io/a.b/c without its domain would be another image: c of a.b */
	if (!str_eq(ref->domain, DEFAULT_DOMAIN) || domain_len(ref->path) > 0)
		return xasprintf("%s/%s", ref->domain, ref->path);
	return xstrdup(official && !strchr(official, '/') ? official : ref->path);
}

char *reference_familiar(const struct reference *ref)
{
	cleanup_free char *name = reference_familiar_name(ref);

	return with_suffixes(name, ref);
}

char *reference_normalise(const char *text)
{
	cleanup_reference struct reference ref = { 0 };
	struct error ignored; /* the caller asks whether it is a reference, not why it is none */

	return reference_parse(text, &ref, &ignored) == 0 ? reference_format(&ref) : NULL;
}

char *reference_familiar_text(const char *full)
{
	cleanup_reference struct reference ref = { 0 };
	struct error ignored; /* the same */

	return reference_parse_bare(full, &ref, &ignored) == 0 ? reference_familiar(&ref) : NULL;
}
