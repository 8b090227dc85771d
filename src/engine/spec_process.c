/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/spec_build.h"

#include "base/mem.h"
#include "base/str.h"
#include "base/user.h"

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static bool sets(const char *word, const char *name, size_t len)
{
	return strncmp(word, name, len) == 0 && word[len] == '=';
}

/*
 * The order that programs see: PATH, HOSTNAME, TERM, then the container's own words. Those that
 * replace one of the first stay in its place. HOME is added by the runtime, which knows the user.
 */
static void build_env(const struct container_config *c, struct oci_process *ret)
{
	const char *defaults[] = {
		DEFAULT_PATH,
		arena_printf(c->arena, "HOSTNAME=%s", c->hostname),
		c->options->tty ? "TERM=xterm" : NULL,
	};
	const char **env =
		arena_alloc(c->arena, (c->n_env + ARRAY_SIZE(defaults) + 1) * sizeof(*env));
	size_t n = 0, n_defaults;

	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		if (defaults[i])
			env[n++] = defaults[i];
	n_defaults = n;
	for (size_t i = 0; i < c->n_env; i++) {
		size_t len = strcspn(c->env[i], "="), k = 0;

		while (k < n_defaults && !sets(env[k], c->env[i], len))
			k++;
		env[k < n_defaults ? k : n++] = c->env[i];
	}
	ret->env = env;
	ret->n_env = n;
}

static void build_args(const struct container_config *c, const struct spec_paths *paths,
		       struct oci_process *ret)
{
	static const char *const init_args[] = { SPEC_INIT_PATH, "--" };
	size_t n = paths->init ? ARRAY_SIZE(init_args) : 0;
	const char **args = arena_alloc(c->arena, (n + c->n_args + 1) * sizeof(*args));

	for (size_t i = 0; i < n; i++)
		args[i] = init_args[i];
	for (size_t i = 0; i < c->n_args; i++)
		args[n + i] = c->args[i];
	ret->args = args;
	ret->n_args = n + c->n_args;
}

void spec_build_process(const struct container_config *c, const struct spec_paths *paths,
			const struct user_identity *user, struct oci_process *ret)
{
	const struct container_options *o = c->options;

	*ret = (struct oci_process){
		.terminal = o->tty,
		.console_height = o->console_rows,
		.console_width = o->console_columns,
		.user = { .uid = user->uid,
			  .gid = user->gid,
			  .additional_gids = user->groups,
			  .n_additional_gids = user->n_groups },
		.cwd = *c->workdir ? c->workdir : "/",
		.capabilities = security_caps(c->security.caps, user->uid, c->arena),
		.rlimits = c->rlimits,
		.n_rlimits = c->n_rlimits,
		.no_new_privileges = c->security.no_new_privileges,
		.oom_score_adj = { o->has_oom_score_adj, o->oom_score_adj },
		.apparmor_profile = c->security.apparmor_profile,
		.selinux_label = c->security.selinux_label,
	};
	build_args(c, paths, ret);
	build_env(c, ret);
}
