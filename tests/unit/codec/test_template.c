/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "codec/json.h"
#include "codec/template.h"

static const char document[] =
	"{\"ID\":\"abc\",\"N\":3,\"Zero\":0,\"Yes\":true,\"Nothing\":null,"
	"\"State\":{\"Pid\":42,\"Status\":\"running\"},\"Labels\":{\"b\":\"2\",\"a\":\"1\"},"
	"\"Ports\":{\"80/tcp\":{}},\"Gone\":null,"
	"\"Cmd\":[\"sh\",\"-c\",\"x\"],\"Empty\":[],\"Mounts\":[{\"Type\":\"bind\"},{\"Type\":\"tmpfs\"}]}";

/* Fields that may be left out, as an inspect names them. */
static const char zeros[] =
	"{\"Gone\":[],\"Variant\":\"\",\"Health\":null,\"Volumes\":{},\"Labels\":{},\"Tty\":false}";

/* The result for the document above; a failed parse or run gives "!" and the message. */
static char *render_typed(const char *text, const char *with_zeros)
{
	struct arena *arena = arena_new();
	const struct template *t;
	const struct json *data, *empty = NULL;
	struct buf out = { 0 };
	struct error err = { 0 };

	if (with_zeros)
		assert_int_equal(json_parse(with_zeros, strlen(with_zeros), arena, &empty, &err),
				 0);
	assert_int_equal(json_parse(document, strlen(document), arena, &data, &err), 0);
	if (template_parse(text, arena, &t, &err) < 0 ||
	    template_execute_typed(t, data, empty, &out, &err) < 0) {
		assert_int_equal(err.kind, ERROR_INVALID);
		buf_clear(&out);
		buf_printf(&out, "!%s", err.msg);
	}
	arena_free(arena);
	return buf_take(&out);
}

static char *render(const char *text)
{
	return render_typed(text, NULL);
}

struct example {
	const char *text, *result;
};

static void check(const struct example *examples, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *result = render(examples[i].text);

		if (strcmp(result, examples[i].result) != 0)
			fail_msg("%s gave <%s>, not <%s>", examples[i].text, result,
				 examples[i].result);
		free(result);
	}
}

static void test_fields_are_printed_as_go_prints_them(void **state)
{
	static const struct example examples[] = {
		{ "plain", "plain" },
		{ "", "" },
		{ "{{.ID}}", "abc" },
		{ "{{ .State.Pid }}!", "42!" },
		{ "{{.Yes}} {{.N}}", "true 3" },
		{ "{{.Cmd}}", "[sh -c x]" },
		{ "{{.Labels}}", "map[a:1 b:2]" },
		{ "{{.Ports}}", "map[80/tcp:{}]" },
		{ "{{json .State}}", "{\"Pid\":42,\"Status\":\"running\"}" },
		{ "{{json .ID}}", "\"abc\"" },
		{ "{{.Nothing}}", "<no value>" },
		{ "{{json .Nothing}}", "null" },
		{ "a {{- .ID -}} b", "aabcb" },
		{ "x{{/* nothing */}}y", "xy" },
	};

	(void)state;
	check(examples, ARRAY_SIZE(examples));
}

static void test_functions_and_pipelines_work(void **state)
{
	static const struct example examples[] = {
		{ "{{join .Cmd \",\"}}", "sh,-c,x" },
		{ "{{.ID | upper | printf \"<%s>\"}}", "<ABC>" },
		{ "{{len .Cmd}} {{len .ID}}", "3 3" },
		{ "{{index .Cmd 1}} {{index .Labels \"b\"}}", "-c 2" },
		{ "{{index .Labels \"missing\"}}|", "|" },
		{ "{{.Labels \"a\"}}|", "1|" },
		{ "{{index (index .Mounts 1) \"Type\"}}", "tmpfs" },
		{ "{{(index .Mounts 0).Type}}", "bind" },
		{ "{{range (split \"a,b\" \",\")}}[{{.}}]{{end}}", "[a][b]" },
		{ "{{truncate .State.Status 3}}", "run" },
		{ "{{slice .ID 1 2}}", "b" },
		{ "{{println .ID .N}}", "abc 3\n" },
		{ "{{printf \"%-5s|%5d\" .ID .N}}", "abc  |    3" },
		{ "{{printf \"%.2s|%05d|%-4d|%5.1s|%q\" .ID .N .N .ID .ID}}",
		  "ab|00003|3   |    a|\"abc\"" },
		{ "{{pad .ID 1 2}}", " abc  " },
		{ "{{title \"two words\"}}", "Two Words" },
		{ "{{print 1 2 \"a\" \"b\" 3 true}}", "1 2ab3 true" },
	};

	(void)state;
	check(examples, ARRAY_SIZE(examples));
}

static void test_control_structures_nest(void **state)
{
	static const struct example examples[] = {
		{ "{{if .Yes}}y{{else}}n{{end}}", "y" },
		{ "{{if .Zero}}y{{else}}n{{end}}", "n" },
		{ "{{if .Empty}}y{{else if .Cmd}}c{{else}}n{{end}}", "c" },
		{ "{{if and .Yes (eq .N 3)}}y{{end}}", "y" },
		{ "{{if or .Zero (lt .N 2)}}y{{else}}n{{end}}", "n" },
		{ "{{if not .Zero}}y{{end}}", "y" },
		{ "{{range .Mounts}}{{.Type}} {{end}}", "bind tmpfs " },
		{ "{{range $i, $m := .Mounts}}{{$i}}={{$m.Type}} {{end}}", "0=bind 1=tmpfs " },
		{ "{{range $k, $v := .Labels}}{{$k}}{{$v}}{{$.ID}} {{end}}", "b2abc a1abc " },
		{ "{{range .Empty}}x{{else}}none{{end}}", "none" },
		{ "{{with .State}}{{.Pid}}{{end}}", "42" },
		{ "{{$x := .ID}}{{range .Cmd}}{{$x}}{{.}} {{end}}", "abcsh abc-c abcx " },
		{ "{{range .Mounts}}{{if eq .Type \"bind\"}}B{{else}}T{{end}}{{end}}", "BT" },
	};

	(void)state;
	check(examples, ARRAY_SIZE(examples));
}

static void test_what_is_empty_is_there_for_typed_documents(void **state)
{
	static const struct example examples[] = {
		{ "{{.Gone}} {{json .Gone}} {{len .Gone}}", "[] null 0" },
		{ "<{{.Variant}}> {{json .Variant}}", "<> \"\"" },
		{ "{{.Health}} {{if .Health}}y{{else}}n{{end}}", "<nil> n" },
		{ "{{.State.Volumes}} {{.Tty}}", "map[] false" },
		{ "{{.Labels.a}} {{.Labels.none}} {{.State.Volumes.none}}",
		  "1 <no value> <no value>" },
		{ "{{.Id}} {{.State.PID}}", "abc 42" },
		{ "{{range .Gone}}x{{end}}{{.ID}} {{.Empty}} {{json .Empty}}", "abc [] []" },
	};
	char *result;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		result = render_typed(examples[i].text, zeros);
		assert_string_equal(result, examples[i].result);
		free(result);
	}
	result = render_typed("{{.Health.Status}}", zeros);
	assert_non_null(strstr(result, "nil pointer"));
	free(result);
	result = render("{{.Labels.none}}");
	assert_non_null(strstr(result, "no entry for key"));
	free(result);
	result = render_typed("{{.Missing}}", zeros);
	assert_non_null(strstr(result, "no entry for key"));
	free(result);
}

static void test_mistakes_are_named(void **state)
{
	static const struct example examples[] = {
		{ "{{.Missing}}", "map has no entry for key \"Missing\"" },
		{ "{{.Nothing.X}}", "nil pointer" },
		{ "{{.ID.X}}", "can't evaluate field X" },
		{ "{{nofunction .ID}}", "function \"nofunction\" not defined" },
		{ "{{if .ID}}", "unexpected EOF" },
		{ "{{end}}", "unexpected {{end}}" },
		{ "{{.ID", "unclosed action" },
		{ "{{\"x}}", "unclosed action" },
		{ "{{(.ID}}", "unclosed left paren" },
		{ "{{index .Cmd 9}}", "index out of range" },
		{ "{{range .ID}}{{end}}", "can't iterate" },
		{ "{{$nope}}", "undefined variable" },
		{ "{{}}", "missing value for command" },
		{ "{{len .N}}", "len of a value without length" },
		{ "{{printf \"%x\" .N}}", "format not supported" },
		{ "{{printf \"%99999s\" .ID}}", "format not supported" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		char *result = render(examples[i].text);

		if (*result != '!' || !strstr(result, examples[i].result))
			fail_msg("%s gave <%s>, without <%s>", examples[i].text, result,
				 examples[i].result);
		free(result);
	}
}

static void test_deep_nesting_is_refused(void **state)
{
	char text[4096] = "{{";
	char *result;

	(void)state;
	for (int i = 0; i < 100; i++)
		strcat(text, "(");
	strcat(text, ".ID");
	for (int i = 0; i < 100; i++)
		strcat(text, ")");
	strcat(text, "}}");
	result = render(text);
	assert_non_null(strstr(result, "nested too deeply"));
	free(result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_are_printed_as_go_prints_them),
		cmocka_unit_test(test_functions_and_pipelines_work),
		cmocka_unit_test(test_control_structures_nest),
		cmocka_unit_test(test_what_is_empty_is_there_for_typed_documents),
		cmocka_unit_test(test_mistakes_are_named),
		cmocka_unit_test(test_deep_nesting_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
