/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry client by itself, for tests/integration/registry_client.bats:
 *
 *     registry_try [-v] [-i] [-p] [-s STALL_MS] VERB NAME [ARGUMENT...]
 *
 *     head NAME REFERENCE          "DIGEST TYPE"
 *     get NAME REFERENCE           the document
 *     blob NAME DIGEST [BYTES]     its bytes
 *     blobs NAME DIGEST...         all at once, to nowhere: "BYTES DIGEST" of each
 *     chain NAME DIGEST...         one after the other
 *     tags NAME                    one a line
 *     search DOMAIN TERM [LIMIT]   "NAME STARS DESCRIPTION"
 *     login DOMAIN USER PASSWORD   nothing
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/sha256.h"
#include "codec/stream.h"
#include "image/reference.h"
#include "registry/credential.h"
#include "registry/registry.h"

#define PIECE ((size_t)256 << 10)

static int copy_blob(struct registry *r, const char *digest, uint64_t bytes, int fd,
		     uint64_t *ret_all, struct digest *ret_sum, struct error *err)
{
	cleanup_with(stream_close) struct stream *s = NULL;
	cleanup_free char *piece = xmalloc(PIECE);
	struct sha256 hash;
	struct digest id;
	ssize_t n;
	int failed;

	if (digest_parse(digest, &id) < 0)
		return error_kind(err, ERROR_INVALID, "no digest: %s", digest);
	failed = registry_blob_open(r, &id, bytes, &s, err);
	if (failed < 0)
		return failed;
	sha256_init(&hash);
	*ret_all = 0;
	while ((n = stream_read(s, piece, PIECE, err)) > 0) {
		if (fd >= 0 && fd_write_all(fd, piece, (size_t)n) < 0)
			return error_kind(err, ERROR_INTERNAL, "cannot write");
		if (fd < 0)
			sha256_add(&hash, piece, (size_t)n);
		*ret_all += (uint64_t)n;
	}
	*ret_sum = sha256_finish(&hash);
	return (int)n;
}

static int do_head(struct registry *r, char **args, struct error *err)
{
	struct registry_manifest m;
	int n = registry_manifest_head(r, args[0], &m, err);

	if (n == 0) {
		printf("%s %s\n", m.id.text, m.media_type);
		registry_manifest_done(&m);
	}
	return n;
}

static int do_get(struct registry *r, char **args, struct error *err)
{
	struct registry_manifest m;
	int n = registry_manifest_get(r, args[0], &m, err);

	if (n == 0) {
		(void)fwrite(m.json, 1, m.len, stdout);
		registry_manifest_done(&m);
	}
	return n;
}

static int do_blob(struct registry *r, char **args, struct error *err)
{
	uint64_t bytes = UINT64_MAX, all;
	struct digest sum;

	if (args[1])
		(void)str_to_u64(args[1], &bytes);
	return copy_blob(r, args[0], bytes, STDOUT_FILENO, &all, &sum, err);
}

struct fetch {
	struct registry *r;
	const char *digest;
	uint64_t all;
	struct digest sum;
	int failed;
	struct error err;
	pthread_t thread;
};

static void *run_fetch(void *arg)
{
	struct fetch *f = arg;

	f->failed = copy_blob(f->r, f->digest, UINT64_MAX, -1, &f->all, &f->sum, &f->err);
	return NULL;
}

static int do_blobs(struct registry *r, char **args, struct error *err)
{
	struct fetch fetches[64] = { 0 };
	size_t n = MIN(strv_len(args), ARRAY_SIZE(fetches));
	int failed = 0;

	for (size_t i = 0; i < n; i++) {
		fetches[i] = (struct fetch){ .r = r, .digest = args[i] };
		if (pthread_create(&fetches[i].thread, NULL, run_fetch, &fetches[i]) != 0)
			return error_kind(err, ERROR_INTERNAL, "no thread");
	}
	for (size_t i = 0; i < n; i++) {
		(void)pthread_join(fetches[i].thread, NULL); /* it is ours and not joined yet */
		if (fetches[i].failed < 0) {
			failed = fetches[i].failed;
			*err = fetches[i].err;
		} else {
			printf("%" PRIu64 " %s\n", fetches[i].all, fetches[i].sum.text);
		}
	}
	return failed;
}

static int do_chain(struct registry *r, char **args, struct error *err)
{
	int failed = 0;

	for (; *args && failed == 0; args++) {
		char *one[] = { *args, NULL };

		failed = do_blobs(r, one, err);
	}
	return failed;
}

static int do_tags(struct registry *r, char **args, struct error *err)
{
	cleanup_with(strv_free) char **tags = NULL;
	int n = registry_tags(r, &tags, err);

	for (char **tag = tags; tag && *tag; tag++)
		puts(*tag);
	return n;
}

static const struct {
	const char *name;
	int (*run)(struct registry *r, char **args, struct error *err);
} verbs[] = {
	{ "blob", do_blob }, { "blobs", do_blobs }, { "chain", do_chain },
	{ "get", do_get },   { "head", do_head },   { "tags", do_tags },
};

static int do_search(char **args, const struct registry_access *access, struct error *err)
{
	struct registry_search_result *results = NULL;
	uint64_t limit = 25;
	size_t n = 0;
	int r;

	if (args[2])
		(void)str_to_u64(args[2], &limit);
	r = registry_search(args[0], args[1], limit, access, &results, &n, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		printf("%s %" PRIu64 " %s\n", results[i].name, results[i].stars,
		       results[i].description);
	if (r == 0)
		registry_search_free(results, n);
	return r;
}

static int run(const char *verb, char **args, struct registry_options *o, struct error *err)
{
	cleanup_reference struct reference name = { 0 };
	cleanup_with(registry_close) struct registry *r = NULL;
	int n;

	if (str_eq(verb, "search"))
		return do_search(args, &o->access, err);
	if (str_eq(verb, "login")) {
		const struct credential c = { .username = args[1], .secret = args[2] };
		struct registry_access access = o->access;

		access.credential = &c;
		return registry_login(args[0], &access, err);
	}
	n = reference_parse_bare(args[0], &name, err);
	if (n < 0)
		return n;
	o->domain = name.domain;
	o->path = name.path;
	n = registry_open(o, &r, err);
	if (n < 0)
		return n;
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (str_eq(verbs[i].name, verb))
			return verbs[i].run(r, args + 1, err);
	return error_kind(err, ERROR_INVALID, "no verb '%s'", verb);
}

int main(int argc, char **argv)
{
	struct registry_options o = { 0 };
	char text[ERROR_TEXT_MAX];
	struct error err;
	int c;

	while ((c = getopt(argc, argv, "vips:")) != -1) {
		switch (c) {
		case 'v':
			log_set_level(LOG_LEVEL_DEBUG);
			break;
		case 'i':
			o.access.tls = REGISTRY_TLS_ANY;
			break;
		case 'p':
			o.push = true;
			break;
		case 's':
			(void)str_to_u32(optarg, &o.stall_ms);
			break;
		default:
			return 2;
		}
	}
	if (argc - optind < 2)
		return 2;
	if (run(argv[optind], argv + optind + 1, &o, &err) == 0)
		return 0;
	fprintf(stderr, "%s\n", error_text(&err, text, sizeof(text)));
	return 1;
}
