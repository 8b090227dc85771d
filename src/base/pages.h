/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Buffers in pages of their own, for long-lived small programs: unlike heap memory their pages can
 * be given back to the kernel while nothing is in them, and come back as zeros when touched.
 */

#include <stddef.h>

/* Aborts without memory. */
void *pages_new(size_t size);
/* The contents become zeros; the memory is the kernel's until it is written again. */
void pages_forget(void *p, size_t size);
void pages_free(void *p, size_t size);
