/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A field is a key, the number of the field and how its value is written, and the value:
 *
 *	key = number << 3 | wire type, a varint
 *	0  varint                    7 bits a byte, the lowest first; the top bit says that more follow
 *	1  8 bytes
 *	2  varint length, so many bytes
 *	5  4 bytes
 */
#include "codec/protobuf.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"

enum wire_type { WIRE_VARINT = 0, WIRE_8_BYTES = 1, WIRE_BYTES = 2, WIRE_4_BYTES = 5 };

#define FIELD_MAX 0x1fffffffu

static void add_varint(struct buf *b, uint64_t value)
{
	for (; value > 0x7f; value >>= 7)
		buf_putc(b, (char)(value | 0x80));
	buf_putc(b, (char)value);
}

void protobuf_add_number(struct buf *b, unsigned field, uint64_t value)
{
	add_varint(b, (uint64_t)field << 3 | WIRE_VARINT);
	add_varint(b, value);
}

void protobuf_add_bytes(struct buf *b, unsigned field, const void *data, size_t n)
{
	add_varint(b, (uint64_t)field << 3 | WIRE_BYTES);
	add_varint(b, n);
	buf_add(b, data, n);
}

void protobuf_add_string(struct buf *b, unsigned field, const char *value)
{
	protobuf_add_bytes(b, field, value, strlen(value));
}

static bool take_varint(struct protobuf_reader *r, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64 && r->len > 0; shift += 7) {
		unsigned char byte = *r->data++;

		r->len--;
		if (shift == 63 && byte > 1)
			return false; /* more than 64 bits */
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		*ret = value;
		return true;
	}
	return false;
}

static bool take_bytes(struct protobuf_reader *r, uint64_t n, struct protobuf_field *ret)
{
	if (n > r->len)
		return false;
	ret->data = r->data;
	ret->len = (size_t)n;
	r->data += n;
	r->len -= (size_t)n;
	return true;
}

int protobuf_next(struct protobuf_reader *r, struct protobuf_field *ret)
{
	uint64_t key, n;
	bool good;

	if (r->len == 0)
		return 0;
	if (!take_varint(r, &key) || key >> 3 == 0 || key >> 3 > FIELD_MAX)
		return -EBADMSG;
	*ret = (struct protobuf_field){ .number = (uint32_t)(key >> 3) };
	switch (key & 7) {
	case WIRE_VARINT:
		good = take_varint(r, &ret->value);
		break;
	case WIRE_BYTES:
		ret->kind = PROTOBUF_BYTES;
		good = take_varint(r, &n) && take_bytes(r, n, ret);
		break;
	case WIRE_8_BYTES:
	case WIRE_4_BYTES:
		ret->kind = PROTOBUF_FIXED;
		good = take_bytes(r, (key & 7) == WIRE_8_BYTES ? 8 : 4, ret);
		break;
	default:
		good = false;
	}
	return good ? 1 : -EBADMSG;
}
