/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes over D-Bus, and the text of a property from an annotation. A message is taken apart and
 * its body printed by its own types; the bytes of a text that is accepted are a value of its type.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kernel/dbus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_message(const uint8_t *data, size_t size)
{
	cleanup_dbus_message struct dbus_message m = { 0 };
	cleanup_buf struct buf out = { 0 };

	buf_add(&m.bytes, data, size);
	if (dbus_message_parse(&m) == 0)
		dbus_format(&m.body, m.types, &out);
}

static void try_text(const char *text)
{
	cleanup_buf struct buf b = { 0 }, out = { 0 };
	struct dbus_reader r;
	struct error err;

	if (dbus_add_text(&b, text, &err) < 0)
		return;
	r = (struct dbus_reader){ .data = b.data, .len = b.len };
	dbus_format(&r, "v", &out);
	assert(!r.bad && r.pos == r.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *text = xstrndup((const char *)data, size);

	if (size > 0)
		try_message(data, size);
	try_text(text);
	return 0;
}
