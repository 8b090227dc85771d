/* SPDX-License-Identifier: Apache-2.0 */

/* berth-runtime spec, features: documents that need no container. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "kernel/seccomp_bpf.h"
#include "oci/features.h"
#include "oci/spec.h"
#include "oci/words.h"
#include "prog/runtime_verb.h"
#include "runtime/mount_option.h"

/* spec */

struct spec_options {
	const char *bundle_path;
	const char *file;
	bool rootless;
};

static const struct option spec_options[] = {
	{ "bundle", 'b', OPTION_STRING, OPTION_FIELD(spec_options, bundle_path), .arg = "dir",
	  .help = "where to write it (default: the current directory)" },
	{ "file", 'f', OPTION_STRING, OPTION_FIELD(spec_options, file), .arg = "path",
	  .help = "write this file, relative to the bundle, and replace it if it is there" },
	{ "rootless", 0, OPTION_BOOL, OPTION_FIELD(spec_options, rootless),
	  .help = "for a user without privileges: with a user namespace" },
};

static int run_spec(const struct runtime_globals *g, void *target, char **args, struct error *err)
{
	const struct spec_options *o = target;
	cleanup_with(oci_spec_free) struct oci_spec *spec = NULL;
	cleanup_buf struct buf text = { 0 };
	cleanup_fd int dir_fd =
		open(o->bundle_path ? o->bundle_path : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (dir_fd < 0)
		return error_sys(err, "cannot open bundle '%s'", o->bundle_path);
	spec = oci_spec_default(o->rootless);
	oci_spec_format(spec, "\t", &text);
	if (o->file)
		return file_write_atomic(dir_fd, o->file, text.data, text.len, 0666, 0, err);
	r = file_write_atomic(dir_fd, "config.json", text.data, text.len, 0666, FILE_WRITE_EXCL,
			      err);
	if (r == -EEXIST)
		return error_kind(err, ERROR_CONFLICT, "File config.json exists. Remove it first");
	return r;
}

/* features */

/* The names of a word table as a list of an arena. */
static struct oci_words_list names_of(const struct oci_words *words, struct arena *arena)
{
	const char **list = arena_alloc(arena, (words->n + 1) * sizeof(*list));

	for (size_t i = 0; i < words->n; i++)
		list[i] = words->list[i].name;
	return (struct oci_words_list){ list, words->n };
}

static struct oci_words_list mount_words(struct arena *arena)
{
	struct oci_words_list list = { 0 };
	const char **words;

	while (mount_option_word(list.n))
		list.n++;
	words = arena_alloc(arena, (list.n + 1) * sizeof(*words));
	for (size_t i = 0; i < list.n; i++)
		words[i] = mount_option_word(i);
	list.words = words;
	return list;
}

/* Those that this kernel knows, too. */
static struct oci_words_list supported_flags(struct arena *arena)
{
	const struct oci_words *all = &oci_seccomp_flag_words;
	const char **list = arena_alloc(arena, (all->n + 1) * sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		if (seccomp_bpf_flag_known((unsigned)all->list[i].value))
			list[n++] = all->list[i].name;
	return (struct oci_words_list){ list, n };
}

static bool exists(const char *path)
{
	return faccessat(AT_FDCWD, path, F_OK, 0) == 0;
}

static int run_features(const struct runtime_globals *g, void *target, char **args,
			struct error *err)
{
	static const struct oci_pair annotations[] = {
		{ "org.opencontainers.runtime-spec.features.runtime", "berth-runtime" },
		{ "berth.version", BERTH_VERSION },
	};
	/* an engine that lets users choose annotations is to ask first; a dot at the end: all of them */
	static const char *const unsafe[] = { "org.criu.config", "org.systemd.property.",
					      "run.oci." };
	cleanup_with(arena_free) struct arena *arena = arena_new();
	cleanup_buf struct buf out = { 0 };
	struct oci_features f = {
		.version_min = "1.0.0",
		.version_max = OCI_VERSION,
		.hooks = names_of(&oci_hook_words, arena),
		.mount_options = mount_words(arena),
		.namespaces = names_of(&oci_namespace_words, arena),
		.capabilities = names_of(&oci_capability_words, arena),
		.cgroup_v1 = true,
		.cgroup_v2 = true,
		.cgroup_systemd = true,
		.cgroup_systemd_user = true,
		.cgroup_rdma = true,
		.seccomp = true,
		.apparmor = exists("/sys/kernel/security/apparmor"),
		.selinux = exists("/sys/fs/selinux/enforce"),
		.idmap_mounts = true,
		.net_devices = true,
		.seccomp_actions = names_of(&oci_seccomp_action_words, arena),
		.seccomp_operators = names_of(&oci_seccomp_op_words, arena),
		.seccomp_archs = names_of(&oci_seccomp_arch_words, arena),
		.seccomp_known_flags = names_of(&oci_seccomp_flag_words, arena),
		.intel_rdt = true,
		.mempolicy_modes = names_of(&oci_mempolicy_mode_words, arena),
		.mempolicy_flags = names_of(&oci_mempolicy_flag_words, arena),
		.seccomp_supported_flags = supported_flags(arena),
		.unsafe_annotations = { unsafe, ARRAY_SIZE(unsafe) },
		.annotations = annotations,
		.n_annotations = ARRAY_SIZE(annotations),
	};
	int r;

	oci_features_format(&f, "  ", &out);
	if (out.len == 0 || out.data[out.len - 1] != '\n')
		buf_putc(&out, '\n');
	r = fd_write_all(STDOUT_FILENO, out.data, out.len);
	return r < 0 ? error_num(err, -r, "cannot write to stdout") : 0;
}

static const struct runtime_verb verbs[] = {
	{ "spec", "", "write a config.json for a container that runs sh",
	  VERB_OPTIONS(spec_options, spec_options), .max_args = 0, .run = run_spec },
	{ "features", "", "print what this runtime can do, as JSON", .max_args = 0,
	  .run = run_features },
};

const struct runtime_verb_table runtime_verbs_document = { verbs, ARRAY_SIZE(verbs) };
