/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "kernel/dbus_message.h"
#include "oci/spec.h"
#include "runtime/cgroup/systemd.h"

static const char proc_devices[] =
	"Character devices:\n  1 mem\n  4 /dev/vc/0\n  4 tty\n136 pts\n\n"
	"Block devices:\n  8 sd\n136 other\n";

/* The properties of a document of resources as text: "MemoryMax=<uint64 5> ..." Heap. */
static char *properties_of(const char *json, bool v2, bool fresh)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	const struct systemd_host host = { v2, proc_devices, fresh };
	cleanup_buf struct buf b = { 0 }, out = { 0 };
	struct oci_resources r = { 0 };
	struct error err = { 0 };
	struct dbus_reader reader;

	if (oci_resources_parse(json, strlen(json), arena, &r, &err) < 0)
		fail_msg("%s", err.msg);
	systemd_add_resources(&b, &r, &host);
	reader = (struct dbus_reader){ .data = b.data, .len = b.len };
	while (!reader.bad && reader.pos < reader.len) {
		dbus_read_align(&reader, 8);
		buf_printf(&out, "%s%s=", out.len ? " " : "", dbus_read_string(&reader));
		dbus_format(&reader, "v", &out);
	}
	assert_false(reader.bad);
	return buf_take(&out);
}

static void test_limits_become_properties(void **state)
{
	static const struct {
		const char *json;
		bool v2;
		const char *properties;
	} rows[] = {
		{ "{}", true, "" },
		{ "{\"memory\":{\"limit\":100,\"swap\":150,\"reservation\":50}}", true,
		  "MemoryMax=<uint64 100> MemoryLow=<uint64 50> MemorySwapMax=<uint64 50>" },
		{ "{\"memory\":{\"limit\":-1}}", true,
		  "MemoryMax=<uint64 18446744073709551615> "
		  "MemorySwapMax=<uint64 18446744073709551615>" },
		{ "{\"memory\":{\"swap\":150}}", true, "" }, /* needs the limit that stands */
		{ "{\"memory\":{\"limit\":100,\"reservation\":50}}", false,
		  "MemoryLimit=<uint64 100>" },
		{ "{\"cpu\":{\"shares\":1024}}", true, "CPUWeight=<uint64 100>" },
		{ "{\"cpu\":{\"shares\":1024,\"idle\":1}}", true, "" },
		{ "{\"cpu\":{\"shares\":512}}", false, "CPUShares=<uint64 512>" },
		{ "{\"cpu\":{\"quota\":12345,\"period\":50000}}", true,
		  "CPUQuotaPeriodUSec=<uint64 50000> CPUQuotaPerSecUSec=<uint64 246900>" },
		{ "{\"cpu\":{\"quota\":1,\"period\":300000}}", true,
		  "CPUQuotaPeriodUSec=<uint64 300000> CPUQuotaPerSecUSec=<uint64 4>" },
		{ "{\"cpu\":{\"quota\":50000}}", true, "CPUQuotaPerSecUSec=<uint64 500000>" },
		{ "{\"cpu\":{\"quota\":-1}}", true,
		  "CPUQuotaPerSecUSec=<uint64 18446744073709551615>" },
		{ "{\"cpu\":{\"cpus\":\"0-2,9\",\"mems\":\"0\"}}", true,
		  "AllowedCPUs=<[byte 7, byte 2]> AllowedMemoryNodes=<[byte 1]>" },
		{ "{\"cpu\":{\"cpus\":\"0\"}}", false, "" },
		{ "{\"pids\":{\"limit\":7}}", true, "TasksMax=<uint64 7>" },
		{ "{\"pids\":{\"limit\":-1}}", true, "TasksMax=<uint64 18446744073709551615>" },
		{ "{\"blockIO\":{\"weight\":500,\"weightDevice\":[{\"major\":8,\"minor\":0,"
		  "\"weight\":10}],\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":1,\"rate\":5}]}}",
		  true,
		  "IOWeight=<uint64 4950> IODeviceWeight=<[('/dev/block/8:0', uint64 1)]> "
		  "IOReadBandwidthMax=<[('/dev/block/8:1', uint64 5)]>" },
		{ "{\"unified\":{\"memory.high\":\"5\",\"pids.max\":\"max\",\"io.max\":\"8:0 rbps=1\","
		  "\"cpu.max\":\"1000 2000\",\"memory.low\":\"1k\"}}",
		  true,
		  "MemoryHigh=<uint64 5> TasksMax=<uint64 18446744073709551615> "
		  "CPUQuotaPeriodUSec=<uint64 2000> CPUQuotaPerSecUSec=<uint64 500000>" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *text = properties_of(rows[i].json, rows[i].v2, false);

		assert_string_equal(text, rows[i].properties);
	}
}

#define STANDARD_DEVICES                                                                  \
	"('char-*', 'm'), ('block-*', 'm'), ('/dev/char/1:3', 'rwm'), ('/dev/char/1:5', " \
	"'rwm'), ('/dev/char/1:7', 'rwm'), ('/dev/char/1:8', 'rwm'), ('/dev/char/1:9', "  \
	"'rwm'), ('/dev/char/5:0', 'rwm'), ('/dev/char/5:2', 'rwm'), ('char-pts', 'rwm')]>"

static void test_device_rules_become_a_list_of_what_is_allowed(void **state)
{
	static const char strict[] = "DevicePolicy=<'strict'> DeviceAllow=<[]> DeviceAllow=<[";
	cleanup_free char *none = properties_of("{}", true, true);
	cleanup_free char *some = properties_of(
		"{\"devices\":[{\"allow\":false,\"access\":\"rwm\"},"
		"{\"allow\":true,\"type\":\"b\",\"major\":8,\"access\":\"r\"},"
		"{\"allow\":true,\"type\":\"c\",\"major\":4,\"access\":\"w\"},"
		"{\"allow\":true,\"type\":\"c\",\"major\":10,\"minor\":200,\"access\":\"rw\"}]}",
		true, false);

	assert_string_equal(str_after(none, strict), STANDARD_DEVICES);
	assert_string_equal(
		str_after(some, strict),
		"('block-sd', 'r'), ('char-tty', 'w'), ('/dev/char/10:200', 'rw'), " STANDARD_DEVICES);
}

static void test_rules_that_systemd_cannot_express_are_left_to_ours(void **state)
{
	static const char *const documents[] = {
		"{\"devices\":[{\"allow\":true,\"access\":\"rwm\"}]}",
		"{\"devices\":[{\"allow\":true,\"type\":\"c\",\"major\":77,\"access\":\"r\"}]}",
		"{\"devices\":[{\"allow\":true,\"type\":\"c\",\"minor\":3,\"access\":\"r\"}]}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
		cleanup_free char *made = properties_of(documents[i], true, true);
		cleanup_free char *updated = properties_of(documents[i], true, false);

		assert_string_equal(made, "DevicePolicy=<'auto'> DeviceAllow=<[]>");
		assert_string_equal(updated,
				    "DevicePolicy=<'strict'> DeviceAllow=<[]> "
				    "DeviceAllow=<[('char-*', 'rwm'), ('block-*', 'rwm')]>");
	}
}

static int annotate(const char *key, const char *value, struct buf *out, struct error *err)
{
	const struct oci_pair pair = { .key = key, .value = value };
	cleanup_buf struct buf b = { 0 };
	struct dbus_reader r;
	int result = systemd_add_annotations(&b, &pair, 1, err);

	buf_clear(out);
	if (result < 0)
		return result;
	r = (struct dbus_reader){ .data = b.data, .len = b.len };
	if (b.len > 0) {
		buf_printf(out, "%s=", dbus_read_string(&r));
		dbus_format(&r, "v", out);
	}
	assert_false(r.bad);
	return 0;
}

static void test_annotations_become_properties(void **state)
{
	static const struct {
		const char *key, *value, *property;
	} rows[] = {
		{ "org.systemd.property.TimeoutStopUSec", "uint64 123456789",
		  "TimeoutStopUSec=<uint64 123456789>" },
		{ "org.systemd.property.TimeoutStopSec", "5", "TimeoutStopUSec=<uint64 5000000>" },
		{ "org.systemd.property.TimeoutStopSec", "uint64 5",
		  "TimeoutStopUSec=<uint64 5000000>" },
		{ "org.systemd.property.TimeoutStopSec", "1.5",
		  "TimeoutStopUSec=<uint64 1500000>" },
		{ "org.systemd.property.CollectMode", "'inactive-or-failed'",
		  "CollectMode=<'inactive-or-failed'>" },
		{ "org.systemd.property.Wants", "['a.service']", "Wants=<['a.service']>" },
		{ "org.systemd.property.SendSIGHUP", "true", "SendSIGHUP=<true>" },
		{ "org.example.other", "x", "" },
	};
	cleanup_buf struct buf out = { 0 };
	struct error err = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(annotate(rows[i].key, rows[i].value, &out, &err), 0);
		assert_string_equal(buf_str(&out), rows[i].property);
	}
}

static void test_annotations_that_are_wrong_name_their_key(void **state)
{
	static const struct {
		const char *key, *value;
	} rows[] = {
		{ "org.systemd.property.TimeoutStopSec", "soon" },
		{ "org.systemd.property.TimeoutStopSec", "'5'" },
		{ "org.systemd.property.TimeoutStopSec", "-5" },
		{ "org.systemd.property.TimeoutStopSec", "" },
		{ "org.systemd.property.Wants", "[a]" },
		{ "org.systemd.property.A-B", "5" },
		{ "org.systemd.property.", "5" },
	};
	cleanup_buf struct buf out = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = { 0 };

		assert_true(annotate(rows[i].key, rows[i].value, &out, &err) < 0);
		assert_int_equal(err.kind, ERROR_INVALID);
		assert_non_null(strstr(err.msg, rows[i].key));
	}
}

static void test_path_names_the_scope(void **state)
{
	static const struct {
		const char *path;
		bool user;
		const char *slice, *name;
	} rows[] = {
		{ NULL, false, "system.slice", "berth-id.scope" },
		{ "", true, "user.slice", "berth-id.scope" },
		{ "a-b.slice:docker:x", false, "a-b.slice", "docker-x.scope" },
		{ ":docker:x", false, "system.slice", "docker-x.scope" },
		{ "a.slice::x", true, "a.slice", "-x.scope" },
		{ "/a/b", false, NULL, NULL },
		{ "a:b", false, NULL, NULL },
		{ "a:b:", false, NULL, NULL },
		{ "a:b:c:d", false, NULL, NULL },
		{ "a.slice:b:c.slice", false, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_with(systemd_unit_free) struct systemd_unit *u = NULL;
		struct error err = { 0 };
		int r = systemd_unit_parse(rows[i].path, "id", rows[i].user, &u, &err);

		assert_int_equal(r < 0, rows[i].name == NULL);
		if (r < 0)
			continue;
		assert_string_equal(u->slice, rows[i].slice);
		assert_string_equal(u->name, rows[i].name);
	}
}

static void test_slices_lie_below_their_parents(void **state)
{
	static const struct {
		const char *slice, *path;
	} rows[] = {
		{ "a.slice", "/a.slice" },
		{ "a-b-c.slice", "/a.slice/a-b.slice/a-b-c.slice" },
		{ "-.slice", "" },
		{ ".slice", NULL },
		{ "a", NULL },
		{ "-a.slice", NULL },
		{ "a-.slice", NULL },
		{ "a--b.slice", NULL },
		{ "a/b.slice", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *path = NULL;
		struct error err = { 0 };
		int r = systemd_slice_path(rows[i].slice, &path, &err);

		assert_int_equal(r < 0, rows[i].path == NULL);
		if (r < 0)
			assert_int_equal(err.kind, ERROR_INVALID);
		else
			assert_string_equal(path, rows[i].path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits_become_properties),
		cmocka_unit_test(test_device_rules_become_a_list_of_what_is_allowed),
		cmocka_unit_test(test_rules_that_systemd_cannot_express_are_left_to_ours),
		cmocka_unit_test(test_annotations_become_properties),
		cmocka_unit_test(test_annotations_that_are_wrong_name_their_key),
		cmocka_unit_test(test_path_names_the_scope),
		cmocka_unit_test(test_slices_lie_below_their_parents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
