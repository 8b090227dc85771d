/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pages.h"

#include <stdlib.h>
#include <sys/mman.h>

void *pages_new(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort(); /* as xmalloc */
	return p;
}

void pages_forget(void *p, size_t size)
{
	(void)madvise(p, size, MADV_DONTNEED); /* only an optimisation */
}

void pages_free(void *p, size_t size)
{
	if (p)
		(void)munmap(p, size); /* our own mapping */
}
