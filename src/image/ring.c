/* SPDX-License-Identifier: Apache-2.0 */
#include "image/ring.h"

#include <pthread.h>
#include <stdbool.h>

#include "base/mem.h"

/*
 * Buffers filled and not taken yet are those from taken to filled (modulo n). The one that was
 * taken last stays with the taking side until it asks for the next.
 */
struct ring {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t n, bytes;
	size_t filled, taken; /* ever; differ by at most n */
	bool held;	      /* the taking side still reads the buffer before taken */
	bool finished, abandoned;
	int result;
	struct error err;
	size_t *lengths;
	char *memory;
};

struct ring *ring_new(size_t n_buffers, size_t buffer_bytes)
{
	struct ring *r = xcalloc(1, sizeof(*r));

	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	r->n = n_buffers;
	r->bytes = buffer_bytes;
	r->lengths = xcalloc(n_buffers, sizeof(*r->lengths));
	r->memory = xmalloc(n_buffers * buffer_bytes);
	return r;
}

struct ring *ring_free(struct ring *r)
{
	if (!r)
		return NULL;
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r->lengths);
	free(r->memory);
	free(r);
	return NULL;
}

static bool is_full(const struct ring *r)
{
	return r->filled - r->taken + (r->held ? 1 : 0) >= r->n;
}

void *ring_reserve(struct ring *r)
{
	void *buffer = NULL;

	pthread_mutex_lock(&r->lock);
	while (is_full(r) && !r->abandoned)
		pthread_cond_wait(&r->changed, &r->lock);
	if (!r->abandoned)
		buffer = r->memory + r->filled % r->n * r->bytes;
	pthread_mutex_unlock(&r->lock);
	return buffer;
}

void ring_commit(struct ring *r, size_t n)
{
	pthread_mutex_lock(&r->lock);
	r->lengths[r->filled % r->n] = n;
	r->filled++;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

void ring_finish(struct ring *r, int result, const struct error *err)
{
	pthread_mutex_lock(&r->lock);
	r->finished = true;
	r->result = result;
	if (result < 0)
		r->err = *err;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

ssize_t ring_take(struct ring *r, const void **ret_data, struct error *err)
{
	ssize_t n;

	pthread_mutex_lock(&r->lock);
	if (r->held) {
		r->held = false;
		pthread_cond_signal(&r->changed);
	}
	while (r->filled == r->taken && !r->finished)
		pthread_cond_wait(&r->changed, &r->lock);
	if (r->filled != r->taken) {
		size_t slot = r->taken++ % r->n;

		r->held = true;
		*ret_data = r->memory + slot * r->bytes;
		n = (ssize_t)r->lengths[slot];
	} else {
		n = r->result;
		if (n < 0)
			*err = r->err;
	}
	pthread_mutex_unlock(&r->lock);
	return n;
}

void ring_abandon(struct ring *r)
{
	pthread_mutex_lock(&r->lock);
	r->abandoned = true;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
}
