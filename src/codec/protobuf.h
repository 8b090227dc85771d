/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Messages of Protocol Buffers as bytes: fields are appended to a buffer and read back one by one. What
 * a field is called and means is the caller's business; there is no schema.
 * Source: protobuf.dev/programming-guides/encoding
 */

#include <stddef.h>
#include <stdint.h>

struct buf;

/* Numbers, of any int, enum and bool type; a negative int32 is cast to int64_t first. */
void protobuf_add_number(struct buf *b, unsigned field, uint64_t value);
/* Strings, bytes and messages. */
void protobuf_add_bytes(struct buf *b, unsigned field, const void *data, size_t n);
void protobuf_add_string(struct buf *b, unsigned field, const char *value);

/* What is left of a message; the bytes are the caller's. */
struct protobuf_reader {
	const unsigned char *data;
	size_t len;
};

enum protobuf_kind {
	PROTOBUF_NUMBER,
	PROTOBUF_BYTES,
	PROTOBUF_FIXED, /* of 4 or 8 bytes */
};

struct protobuf_field {
	uint32_t number;
	enum protobuf_kind kind;
	uint64_t value;		   /* PROTOBUF_NUMBER */
	const unsigned char *data; /* the others: len bytes of the message */
	size_t len;
};

/* 1: *ret is the next field; 0: the message ends here; -EBADMSG: it is none (groups are not read) */
int protobuf_next(struct protobuf_reader *r, struct protobuf_field *ret);
