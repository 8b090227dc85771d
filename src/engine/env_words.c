/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/container_config.h"

#include <fcntl.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

#define ENV_FILE_MAX_BYTES (1u << 20)

/* Length of the name in "NAME=value" or "NAME". */
static size_t name_len(const char *word)
{
	return strcspn(word, "=");
}

struct env_list {
	struct arena *arena;
	const char **items;
	size_t n, capacity;
};

static void env_set(struct env_list *env, const char *word)
{
	size_t len = name_len(word);

	for (size_t i = 0; i < env->n; i++)
		if (name_len(env->items[i]) == len && memcmp(env->items[i], word, len) == 0) {
			env->items[i] = arena_strdup(env->arena, word);
			return;
		}
	env->items = array_grow(env->items, env->n, &env->capacity, sizeof(*env->items));
	env->items[env->n++] = arena_strdup(env->arena, word);
}

static void env_set_word(struct env_list *env, const char *word, char *const *environment)
{
	size_t len = name_len(word);

	if (word[len] == '=') {
		env_set(env, word);
		return;
	}
	for (; environment && *environment; environment++)
		if (name_len(*environment) == len && memcmp(*environment, word, len) == 0)
			env_set(env, *environment);
}

/* Lines as docker reads them: no quotes, '#' begins a comment line, leading blanks are dropped. */
static int env_read_file(struct env_list *env, const char *path, char *const *environment,
			 struct error *err)
{
	cleanup_free char *text = NULL;
	cleanup_with(strv_free) char **lines = NULL;
	int r = file_read(AT_FDCWD, path, ENV_FILE_MAX_BYTES, &text, NULL, err);

	if (r < 0)
		return r;
	lines = strv_split(text, "\r\n", false);
	for (size_t i = 0; i < strv_len(lines); i++) {
		const char *line = lines[i] + strspn(lines[i], " \t");
		size_t len = name_len(line);

		if (*line == '\0' || *line == '#')
			continue;
		if (len == 0)
			return error_kind(err, ERROR_INVALID, "no variable name on line '%s'",
					  line);
		if (strcspn(line, " \t") < len)
			return error_kind(err, ERROR_INVALID,
					  "poorly formatted environment: variable '%.*s' contains "
					  "whitespaces",
					  (int)len, line);
		env_set_word(env, line, environment);
	}
	return 0;
}

int env_words_parse(char *const *files, char *const *words, char *const *environment,
		    struct arena *arena, const char *const **ret, size_t *ret_n, struct error *err)
{
	struct env_list env = { .arena = arena };
	const char **items;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < strv_len(files); i++)
		r = env_read_file(&env, files[i], environment, err);
	for (size_t i = 0; r >= 0 && i < strv_len(words); i++) {
		if (name_len(words[i]) == 0)
			r = error_kind(err, ERROR_INVALID, "invalid environment variable: %s",
				       words[i]);
		else
			env_set_word(&env, words[i], environment);
	}
	if (r >= 0) {
		items = arena_alloc(arena, (env.n + 1) * sizeof(*items));
		if (env.n > 0)
			memcpy(items, env.items, env.n * sizeof(*items));
		*ret = items;
		*ret_n = env.n;
	}
	free(env.items);
	return r;
}
