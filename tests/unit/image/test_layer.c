/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/macro.h"
#include "base/mem.h"
#include "codec/stream.h"
#include "image/layer.h"
#include "image/work.h"
#include "image_builder.h"

#define SLOW_READS_MAX 5000 /* of a millisecond each */

static void sleep_ms(long ms)
{
	const struct timespec time = { .tv_nsec = ms * 1000000 };

	(void)nanosleep(&time, NULL);
}

/* A layer that comes slowly: nothing in it, and much of that. */

struct slow {
	struct stream base;
	atomic_int *reads;
};

static ssize_t slow_read(struct stream *s, void *buf, size_t n, struct error *err)
{
	struct slow *slow = container_of(s, struct slow, base);

	(void)err;
	if (atomic_fetch_add(slow->reads, 1) >= SLOW_READS_MAX)
		return 0;
	sleep_ms(1);
	n = MIN(n, (size_t)16384);
	memset(buf, 0, n);
	return (ssize_t)n;
}

static void slow_close(struct stream *s)
{
	free(container_of(s, struct slow, base));
}

static const struct stream_ops slow_ops = { slow_read, slow_close };

static int open_slow(const struct layer_job *job, struct stream **ret, struct error *err)
{
	struct slow *slow = xcalloc(1, sizeof(*slow));

	(void)err;
	slow->base.ops = &slow_ops;
	slow->reads = job->source;
	*ret = &slow->base;
	return 0;
}

static int open_broken(const struct layer_job *job, struct stream **ret, struct error *err)
{
	const atomic_int *others = job->source;

	(void)ret;
	while (atomic_load(others) == 0) /* the other layer has begun */
		sleep_ms(1);
	return error_kind(err, ERROR_NOT_FOUND, "this one is not there");
}

static void test_the_first_failure_ends_the_others(void **state)
{
	struct store_fixture *f = *state;
	const struct image_limits limits = { 0 };
	const struct layers_options options = { .threads = 2, .limits = &limits };
	atomic_int reads = 0;
	struct layer_job jobs[] = { { .open = open_slow, .source = &reads },
				    { .open = open_broken, .source = &reads } };
	struct store_work work = STORE_WORK_NONE;

	assert_int_equal(store_work_begin(f->store, &work, &f->err), 0);
	assert_true(layers_take(&work, jobs, ARRAY_SIZE(jobs), &options, NULL, &f->err) < 0);
	assert_non_null(strstr(f->err.msg, "this one is not there"));
	assert_true(atomic_load(&reads) < SLOW_READS_MAX);
	store_work_end(&work);
}

/* A layer that is read while another image, whose layers the store has, is removed. */
struct meanwhile {
	struct store_fixture *f;
	const struct buf *layer;
	unsigned opened;
};

static int open_layer(const struct layer_job *job, struct stream **ret, struct error *err)
{
	const struct buf *layer = job->source;

	(void)err;
	*ret = stream_from_memory(layer->data, layer->len);
	return 0;
}

static int open_meanwhile(const struct layer_job *job, struct stream **ret, struct error *err)
{
	struct meanwhile *m = job->source;
	struct image_removal removal;

	if (m->opened++ == 0) {
		assert_int_equal(image_remove(m->f->store, "b:1", 0, NULL, NULL, &removal, err), 0);
		image_removal_done(&removal);
	}
	*ret = stream_from_memory(m->layer->data, m->layer->len);
	return 0;
}

static void test_a_layer_that_goes_meanwhile_comes_as_its_source_has_it(void **state)
{
	struct store_fixture *f = *state;
	const struct image_limits limits = { 0 };
	const struct layers_options options = { .threads = 1, .limits = &limits };
	cleanup_buf struct buf shared = make_layer("a", "text"), archive = { 0 };
	cleanup_buf struct buf own =
		make_layer("b", "much longer, so that it is the first to be read");
	struct digest id = sha256_digest(shared.data, shared.len);
	struct meanwhile meanwhile = { .f = f, .layer = &own };
	/* the same layer twice, plain: the store has it compressed */
	struct layer_job jobs[] = {
		{ .open = open_layer, .source = &shared, .diff_id = id, .blob_bytes = 9 },
		{ .open = open_layer, .source = &shared, .diff_id = id, .blob_bytes = 9 },
		{ .open = open_meanwhile, .source = &meanwhile, .blob_bytes = 8 }
	};
	struct image_loaded loaded = { 0 };
	cleanup_work struct store_work work = STORE_WORK_NONE;

	oci_archive(&archive, "docker.io/library/b:1", &shared, false);
	assert_int_equal(load_archive(f, &archive, &loaded), 0);
	image_loaded_done(&loaded);
	assert_int_equal(store_work_begin(f->store, &work, &f->err), 0);
	if (layers_take(&work, jobs, ARRAY_SIZE(jobs), &options, NULL, &f->err) < 0)
		fail_msg("%s", f->err.msg);
	assert_int_equal(meanwhile.opened, 1);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(jobs[i].blob_id.text, id.text);
		assert_int_equal(jobs[i].blob_bytes, shared.len);
	}
	assert_true(blob_exists(f->store, &id, shared.len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_first_failure_ends_the_others, store_setup,
						store_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_layer_that_goes_meanwhile_comes_as_its_source_has_it, store_setup,
			store_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
