/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/criu_message.h"

#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/str.h"
#include "codec/protobuf.h"

/* Fields of the messages that have few. */
enum { PAGE_SERVER_ADDRESS = 1, PAGE_SERVER_PORT = 2 };
enum { CGROUP_ROOT_CONTROLLERS = 1, CGROUP_ROOT_PATH = 2 };
enum { INHERIT_FD_KEY = 1, INHERIT_FD_FD = 2 };
enum { JOIN_NAME = 1, JOIN_PATH = 2 };
enum { REQUEST_TYPE = 1, REQUEST_OPTIONS = 2, REQUEST_NOTIFY_SUCCESS = 3 };
enum { RESPONSE_TYPE = 1, RESPONSE_SUCCESS = 2, RESPONSE_RESTORE = 4, RESPONSE_NOTIFY = 5 };
enum { RESTORE_PID = 1 };
enum { NOTIFY_SCRIPT = 1, NOTIFY_PID = 2 };

static void add_message(struct buf *b, unsigned field, const struct buf *message)
{
	protobuf_add_bytes(b, field, buf_str(message), message->len);
}

void criu_add_page_server(struct buf *options, const char *address, unsigned port)
{
	cleanup_buf struct buf m = { 0 };

	protobuf_add_string(&m, PAGE_SERVER_ADDRESS, address);
	protobuf_add_number(&m, PAGE_SERVER_PORT, port);
	add_message(options, CRIU_OPTION_PAGE_SERVER, &m);
}

void criu_add_cgroup_root(struct buf *options, const char *controllers, const char *path)
{
	cleanup_buf struct buf m = { 0 };

	if (controllers)
		protobuf_add_string(&m, CGROUP_ROOT_CONTROLLERS, controllers);
	protobuf_add_string(&m, CGROUP_ROOT_PATH, path);
	add_message(options, CRIU_OPTION_CGROUP_ROOT, &m);
}

void criu_add_inherited(struct buf *options, const char *key, int fd)
{
	cleanup_buf struct buf m = { 0 };

	protobuf_add_string(&m, INHERIT_FD_KEY, key);
	protobuf_add_number(&m, INHERIT_FD_FD, (uint64_t)fd);
	add_message(options, CRIU_OPTION_INHERIT_FD, &m);
}

void criu_add_joined(struct buf *options, const char *name, const char *path)
{
	cleanup_buf struct buf m = { 0 };

	protobuf_add_string(&m, JOIN_NAME, name);
	protobuf_add_string(&m, JOIN_PATH, path);
	add_message(options, CRIU_OPTION_JOIN_NAMESPACE, &m);
}

struct word {
	const char *text;
	int value;
};

static int value_of(const struct word *words, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(words[i].text, text))
			return words[i].value;
	return -1;
}

int criu_cgroups_mode(const char *word)
{
	static const struct word modes[] = {
		{ "full", 4 }, { "ignore", 0 }, { "soft", 3 }, { "strict", 5 }
	};

	return value_of(modes, ARRAY_SIZE(modes), word);
}

int criu_network_lock(const char *word)
{
	static const struct word methods[] = { { "iptables", 1 },
					       { "nftables", 2 },
					       { "skip", 3 } };

	return value_of(methods, ARRAY_SIZE(methods), word);
}

void criu_format_request(struct buf *b, enum criu_request type, const struct buf *options)
{
	protobuf_add_number(b, REQUEST_TYPE, type);
	add_message(b, REQUEST_OPTIONS, options);
}

void criu_format_reply(struct buf *b, bool success)
{
	protobuf_add_number(b, REQUEST_TYPE, CRIU_NOTIFY);
	protobuf_add_number(b, REQUEST_NOTIFY_SUCCESS, success);
}

/* A message with a pid and perhaps a text, both optional. */
static int parse_inner(const struct protobuf_field *outer, unsigned pid_number,
		       unsigned script_number, struct criu_response *ret)
{
	struct protobuf_reader reader = { outer->data, outer->len };
	struct protobuf_field f;
	int r;

	if (outer->kind != PROTOBUF_BYTES)
		return -1;
	while ((r = protobuf_next(&reader, &f)) == 1) {
		if (f.number == pid_number && f.kind == PROTOBUF_NUMBER)
			ret->pid = (int32_t)f.value > 0 ? (int32_t)f.value : 0;
		if (f.number != script_number || f.kind != PROTOBUF_BYTES)
			continue;
		if (f.len >= sizeof(ret->script))
			continue; /* none that we know is as long */
		memcpy(ret->script, f.data, f.len);
		ret->script[f.len] = '\0';
	}
	return r;
}

static int parse(struct protobuf_reader *reader, struct criu_response *ret)
{
	struct protobuf_field f;
	int r;

	while ((r = protobuf_next(reader, &f)) == 1) {
		if (f.number == RESPONSE_TYPE && f.kind == PROTOBUF_NUMBER)
			ret->type = (int32_t)f.value;
		else if (f.number == RESPONSE_SUCCESS && f.kind == PROTOBUF_NUMBER)
			ret->success = f.value != 0;
		else if (f.number == RESPONSE_RESTORE)
			r = parse_inner(&f, RESTORE_PID, 0, ret);
		else if (f.number == RESPONSE_NOTIFY)
			r = parse_inner(&f, NOTIFY_PID, NOTIFY_SCRIPT, ret);
		if (r < 0)
			break;
	}
	return r;
}

int criu_response_parse(const void *data, size_t n, struct criu_response *ret, struct error *err)
{
	struct protobuf_reader reader = { data, n };
	struct criu_response response = { 0 };

	if (parse(&reader, &response) < 0 || response.type == 0)
		return error_kind(err, ERROR_INTERNAL, "criu's answer cannot be read");
	*ret = response;
	return 0;
}
