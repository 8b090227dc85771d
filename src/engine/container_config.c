/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/container_config.h"

#include <fcntl.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "kernel/rlimit.h"
#include "oci/image.h"

#define LABEL_FILE_MAX_BYTES (1u << 20)

static const char *const *copy_list(struct arena *arena, char *const *list, size_t *ret_n)
{
	size_t n = strv_len(list);
	const char **copy = arena_alloc(arena, (n + 1) * sizeof(*copy));

	for (size_t i = 0; i < n; i++)
		copy[i] = arena_strdup(arena, list[i]);
	*ret_n = n;
	return copy;
}

/* Process */

/*
 * An entrypoint given by the user, even an empty one, makes the image's CMD void: it was written
 * for the image's own entrypoint.
 */
static int merge_command(struct container_config *c, const struct oci_image_run *image,
			 struct error *err)
{
	const struct container_options *o = c->options;
	const char **args;
	bool replaced = o->entrypoint != NULL;

	c->cmd = copy_list(c->arena, o->command, &c->n_cmd);
	if (replaced && *o->entrypoint) {
		const char **entrypoint = arena_alloc(c->arena, 2 * sizeof(*entrypoint));

		entrypoint[0] = arena_strdup(c->arena, o->entrypoint);
		c->entrypoint = entrypoint;
		c->n_entrypoint = 1;
	} else if (!replaced && image) {
		c->entrypoint = image->entrypoint;
		c->n_entrypoint = image->n_entrypoint;
	}
	if (!replaced && image && c->n_cmd == 0) {
		c->cmd = image->cmd;
		c->n_cmd = image->n_cmd;
	}
	c->n_args = c->n_entrypoint + c->n_cmd;
	if (c->n_args == 0)
		return error_kind(err, ERROR_INVALID, "No command specified");
	args = arena_alloc(c->arena, (c->n_args + 1) * sizeof(*args));
	for (size_t i = 0; i < c->n_args; i++)
		args[i] = i < c->n_entrypoint ? c->entrypoint[i] : c->cmd[i - c->n_entrypoint];
	c->args = args;
	return 0;
}

static bool has_variable(const char *const *env, size_t n, const char *word)
{
	size_t len = strcspn(word, "=");

	for (size_t i = 0; i < n; i++)
		if (strncmp(env[i], word, len) == 0 && env[i][len] == '=')
			return true;
	return false;
}

/* The user's variables, then those of the image that he did not set. */
static int merge_env(struct container_config *c, const struct oci_image_run *image,
		     char *const *environment, struct error *err)
{
	size_t n_image = image ? image->n_env : 0, n_user = 0, n;
	const char *const *user = NULL;
	const char **env;
	int r = env_words_parse(c->options->env_file, c->options->env, environment, c->arena, &user,
				&n_user, err);

	if (r < 0)
		return r;
	env = arena_alloc(c->arena, (n_user + n_image + 1) * sizeof(*env));
	for (n = 0; n < n_user; n++)
		env[n] = user[n];
	for (size_t i = 0; i < n_image; i++)
		if (!has_variable(user, n_user, image->env[i]))
			env[n++] = image->env[i];
	c->env = env;
	c->n_env = n;
	return 0;
}

int ulimit_parse(const char *word, struct oci_rlimit *ret, struct error *err)
{
	const char *equals = strchr(word, '='), *colon;
	char soft[32];
	int64_t values[2];
	int resource;

	if (!equals)
		return error_kind(err, ERROR_INVALID, "invalid ulimit argument: %s", word);
	resource = rlimit_parse(word, (size_t)(equals - word));
	if (resource < 0)
		return error_kind(err, ERROR_INVALID, "invalid ulimit type: %.*s",
				  (int)(equals - word), word);
	colon = strchr(equals, ':');
	if (colon && (size_t)(colon - equals - 1) < sizeof(soft)) {
		memcpy(soft, equals + 1, (size_t)(colon - equals - 1));
		soft[colon - equals - 1] = '\0';
	}
	if (str_to_i64(colon ? soft : equals + 1, &values[0]) < 0 ||
	    str_to_i64(colon ? colon + 1 : equals + 1, &values[1]) < 0 || values[0] < -1 ||
	    values[1] < -1)
		return error_kind(err, ERROR_INVALID, "invalid ulimit argument: %s", word);
	/* -1 is unlimited, the kernel's RLIM_INFINITY: the largest value */
	if ((uint64_t)values[0] > (uint64_t)values[1])
		return error_kind(err, ERROR_INVALID,
				  "ulimit soft limit must be less than or equal to hard limit: "
				  "%lld > %lld",
				  (long long)values[0], (long long)values[1]);
	*ret = (struct oci_rlimit){ resource, (uint64_t)values[0], (uint64_t)values[1] };
	return 0;
}

static int merge_ulimits(struct container_config *c, struct error *err)
{
	size_t n = strv_len(c->options->ulimit);
	struct oci_rlimit *list = arena_alloc(c->arena, (n + 1) * sizeof(*list));

	for (size_t i = 0; i < n; i++) {
		int r = ulimit_parse(c->options->ulimit[i], &list[i], err);

		if (r < 0)
			return r;
	}
	c->rlimits = list;
	c->n_rlimits = n;
	return 0;
}

/* Words of the form k=v */

static int by_key(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	size_t n = strcspn(x, "="), m = strcspn(y, "=");
	int order = memcmp(x, y, MIN(n, m));

	return order != 0 ? order : (n > m) - (n < m);
}

/* Sorts, and of words with one key keeps the last: `from` is in order of precedence. */
static const char *const *unique_pairs(struct arena *arena, const char **from, size_t n,
				       size_t *ret_n)
{
	size_t kept = 0;

	/* Insertion keeps the order of equal keys, which qsort() may not; lists are short. */
	for (size_t i = 1; i < n; i++)
		for (size_t k = i; k > 0 && by_key(&from[k - 1], &from[k]) > 0; k--) {
			const char *swap = from[k];

			from[k] = from[k - 1];
			from[k - 1] = swap;
		}
	for (size_t i = 0; i < n; i++)
		if (i + 1 == n || by_key(&from[i], &from[i + 1]) != 0)
			from[kept++] = strchr(from[i], '=') ? from[i]
							    : arena_printf(arena, "%s=", from[i]);
	from[kept] = NULL;
	*ret_n = kept;
	return from;
}

static int read_label_files(char *const *paths, char ***lines, struct error *err)
{
	for (size_t i = 0; i < strv_len(paths); i++) {
		cleanup_free char *text = NULL;
		cleanup_with(strv_free) char **words = NULL;
		int r = file_read(AT_FDCWD, paths[i], LABEL_FILE_MAX_BYTES, &text, NULL, err);

		if (r < 0)
			return r;
		words = strv_split(text, "\r\n", false);
		for (size_t k = 0; k < strv_len(words); k++)
			if (words[k][0] != '#')
				*lines = strv_push(*lines, words[k]);
	}
	return 0;
}

static int merge_labels(struct container_config *c, const struct oci_image_run *image,
			struct error *err)
{
	cleanup_with(strv_free) char **from_files = NULL;
	size_t n_image = image ? image->n_labels : 0, n = 0, n_file, n_user;
	const char *const *user;
	const char **all;
	int r = read_label_files(c->options->label_file, &from_files, err);

	if (r < 0)
		return r;
	n_file = strv_len(from_files);
	user = copy_list(c->arena, c->options->label, &n_user);
	all = arena_alloc(c->arena, (n_image + n_file + n_user + 1) * sizeof(*all));
	for (size_t i = 0; i < n_image; i++)
		all[n++] = arena_printf(c->arena, "%s=%s", image->labels[i].key,
					image->labels[i].value);
	for (size_t i = 0; i < n_file; i++)
		all[n++] = arena_strdup(c->arena, from_files[i]);
	for (size_t i = 0; i < n_user; i++)
		all[n++] = user[i];
	for (size_t i = 0; i < n; i++)
		if (all[i][0] == '=')
			return error_kind(err, ERROR_INVALID, "invalid label format: \"%s\"",
					  all[i]);
	c->labels = unique_pairs(c->arena, all, n, &c->n_labels);
	return 0;
}

static int merge_annotations(struct container_config *c, struct error *err)
{
	size_t n = 0;
	const char **all = (const char **)copy_list(c->arena, c->options->annotation, &n);

	for (size_t i = 0; i < n; i++)
		if (all[i][0] == '=')
			return error_kind(err, ERROR_INVALID, "invalid annotation format: \"%s\"",
					  all[i]);
	c->annotations = unique_pairs(c->arena, all, n, &c->n_annotations);
	return 0;
}

static int merge_sysctls(struct container_config *c, struct error *err)
{
	size_t n = strv_len(c->options->sysctl);
	struct oci_pair *list = arena_alloc(c->arena, (n + 1) * sizeof(*list));

	for (size_t i = 0; i < n; i++) {
		const char *word = c->options->sysctl[i], *equals = strchr(word, '=');

		if (!equals || equals == word)
			return error_kind(err, ERROR_INVALID, "invalid sysctl '%s'", word);
		list[i].key = arena_strndup(c->arena, word, (size_t)(equals - word));
		list[i].value = arena_strdup(c->arena, equals + 1);
	}
	c->sysctls = list;
	c->n_sysctls = n;
	return 0;
}

/* Surroundings */

static int merge_namespaces(struct container_config *c, struct error *err)
{
	const struct container_options *o = c->options;
	const char *words[OCI_NS_COUNT] = {
		[OCI_NS_NET] = o->network, [OCI_NS_PID] = o->pid,     [OCI_NS_IPC] = o->ipc,
		[OCI_NS_UTS] = o->uts,	   [OCI_NS_USER] = o->userns, [OCI_NS_CGROUP] = o->cgroupns,
	};

	for (enum oci_ns ns = 0; ns < OCI_NS_COUNT; ns++) {
		int r;

		if (!namespace_mode_field(ns))
			continue;
		r = namespace_mode_parse(ns, words[ns], &c->ns[ns], err);
		if (r < 0)
			return r;
	}
	/* docker's defaults: a cgroup namespace where cgroups are v2, none for privileged ones */
	if (str_empty(o->cgroupns) && (!c->cgroup_v2 || o->privileged))
		c->ns[OCI_NS_CGROUP].kind = NAMESPACE_HOST;
	return 0;
}

static int merge_devices(struct container_config *c, struct error *err)
{
	const struct container_options *o = c->options;
	const struct {
		enum oci_throttle_kind kind;
		char *const *words;
		bool is_count;
	} throttles[] = {
		{ OCI_THROTTLE_READ_BPS, o->device_read_bps, false },
		{ OCI_THROTTLE_WRITE_BPS, o->device_write_bps, false },
		{ OCI_THROTTLE_READ_IOPS, o->device_read_iops, true },
		{ OCI_THROTTLE_WRITE_IOPS, o->device_write_iops, true },
	};
	int r = device_words_parse(o->device, o->device_cgroup_rule, o->privileged, c->arena,
				   &c->devices, err);

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(throttles); i++)
		r = device_throttle_parse(throttles[i].words, throttles[i].is_count, c->arena,
					  &c->throttle[throttles[i].kind],
					  &c->n_throttle[throttles[i].kind], err);
	if (r < 0)
		return r;
	return device_weight_parse(o->blkio_weight_device, c->arena, &c->weights, &c->n_weights,
				   err);
}

static int merge_hosts(struct container_config *c, struct error *err)
{
	size_t n = 0;

	c->extra_hosts = copy_list(c->arena, c->options->add_host, &n);
	for (size_t i = 0; i < n; i++) {
		const char *at = strpbrk(c->extra_hosts[i], ":=");

		if (!at || at == c->extra_hosts[i] || !at[1])
			return error_kind(err, ERROR_INVALID, "bad format for add-host: \"%s\"",
					  c->extra_hosts[i]);
		if (str_eq(at + 1, "host-gateway"))
			return error_kind(err, ERROR_UNSUPPORTED,
					  "not supported yet: --add-host with host-gateway");
	}
	return 0;
}

static int merge_surroundings(struct container_config *c, struct error *err)
{
	const struct container_options *o = c->options;
	struct mount_word *mounts = NULL;
	int r = merge_namespaces(c, err);

	if (r < 0)
		return r;
	r = mount_words_parse(o->volume, o->mount, o->tmpfs, c->arena, &mounts, &c->n_mounts, err);
	if (r < 0)
		return r;
	c->mounts = mounts;
	r = merge_devices(c, err);
	if (r < 0)
		return r;
	r = merge_hosts(c, err);
	if (r < 0)
		return r;
	r = spec_security(&(struct security_options){ .cap_add = o->cap_add,
						      .cap_drop = o->cap_drop,
						      .security_opts = o->security_opt,
						      .privileged = o->privileged },
			  c->arena, &c->security, err);
	if (r < 0)
		return r;
	if (c->security.writable_cgroups && c->ns[OCI_NS_CGROUP].kind != NAMESPACE_PRIVATE)
		return error_kind(err, ERROR_INVALID,
				  "--security-opt writable-cgroups: the container would write the "
				  "host's cgroups; give it --cgroupns private");
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* docker makes anonymous volumes of them; one that the user mounts something else on is his. */
static void merge_volumes(struct container_config *c, const struct oci_image_run *image)
{
	size_t n_image = image ? image->n_volumes : 0, n = 0;
	const char **volumes = arena_alloc(c->arena, (n_image + 1) * sizeof(*volumes));

	for (size_t i = 0; i < n_image; i++) {
		cleanup_free char *path = path_clean(image->volumes[i]);

		if (path[0] == '/' && path[1] != '\0')
			volumes[n++] = arena_strdup(c->arena, path);
	}
	/* what holds others first, as they are mounted; each once */
	qsort(volumes, n, sizeof(*volumes), by_text);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || !str_eq(volumes[i], volumes[i - 1]))
			volumes[c->n_volumes++] = volumes[i];
	c->volumes = volumes;
}

static void merge_words(struct container_config *c, const struct oci_image_run *image)
{
	const struct container_options *o = c->options;

	c->workdir = o->workdir ? o->workdir : image ? image->working_dir : NULL;
	c->user = o->user ? o->user : image ? image->user : NULL;
	c->stop_signal = o->stop_signal ? o->stop_signal : image ? image->stop_signal : NULL;
	c->workdir = c->workdir ? c->workdir : "";
	c->user = c->user ? c->user : "";
	c->domainname = o->domainname ? o->domainname : "";
	c->hostname = !str_empty(o->hostname) ? o->hostname
					      : arena_strndup(c->arena, c->id, ID_SHORT_LEN);
}

int container_config_merge(struct container_config *c, const struct oci_image_run *image,
			   char *const *environment, struct error *err)
{
	int r = merge_command(c, image, err);

	if (r < 0)
		return r;
	merge_words(c, image);
	merge_volumes(c, image);
	r = merge_env(c, image, environment, err);
	if (r < 0)
		return r;
	r = merge_ulimits(c, err);
	if (r < 0)
		return r;
	r = merge_labels(c, image, err);
	if (r < 0)
		return r;
	r = merge_annotations(c, err);
	if (r < 0)
		return r;
	r = merge_sysctls(c, err);
	if (r < 0)
		return r;
	return merge_surroundings(c, err);
}
