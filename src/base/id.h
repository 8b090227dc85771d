/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Container ids of 64 hexadecimal digits, and names people can remember. */

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"

#define ID_LEN	     64
#define ID_SHORT_LEN 12

/* A random id, NUL-terminated. No all-digit short form, which host names and users would take for a
 * number. */
int id_new(char ret[ID_LEN + 1], struct error *err);

/* 1 to 64 hexadecimal digits: an id or the beginning of one. */
bool id_is_prefix(const char *s);
/* Exactly 64 lower-case hexadecimal digits. */
bool id_is_full(const char *s);

/* What docker accepts as a container name: [a-zA-Z0-9][a-zA-Z0-9_.-]+. */
bool id_name_is_valid(const char *name);

/*
 * "brave_lovelace": an adjective and a pioneer of computing, chosen at random. attempt > 0 (the
 * name was taken) appends a digit, as docker does: more and more of them.
 */
#define ID_NAME_MAX 64
int id_name_new(unsigned attempt, char ret[ID_NAME_MAX], struct error *err);
