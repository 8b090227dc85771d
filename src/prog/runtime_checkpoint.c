/* SPDX-License-Identifier: Apache-2.0 */

/* berth-runtime checkpoint, restore. */
#include <errno.h>
#include <stdio.h>

#include "base/macro.h"
#include "base/str.h"
#include "prog/runtime_foreground.h"
#include "prog/runtime_verb.h"
#include "runtime/runtime.h"
#include "runtime/sealed_self.h"

/* What both take stands at the same place of both structs: criu is their first member. */
struct checkpoint_options {
	struct runtime_criu_options criu;
};

struct restore_options {
	struct runtime_criu_options criu;
	struct runtime_create_options o;
	bool detach, no_subreaper;
};

#define CRIU(field)    .offset = offsetof(struct checkpoint_options, criu.field)
#define RESTORE(field) .offset = offsetof(struct restore_options, field)

#define AUTO_DEDUP                                                                \
	{                                                                         \
		"auto-dedup", 0, OPTION_BOOL, CRIU(auto_dedup),                   \
			.help = "punch holes into images that later ones replace" \
	}
#define EMPTY_NS                                                                      \
	{                                                                             \
		"empty-ns", 0, OPTION_STRING, CRIU(empty_ns),                         \
			.arg = "namespace",                                           \
			.help = "make it, but do not restore what was in it: network" \
	}
#define EXT_UNIX_SK                                                                 \
	{                                                                           \
		"ext-unix-sk", 0, OPTION_BOOL, CRIU(ext_unix_sk),                   \
			.help = "allow unix sockets that lead out of the container" \
	}
#define FILE_LOCKS                                                                         \
	{                                                                                  \
		"file-locks", 0, OPTION_BOOL, CRIU(file_locks), .help = "allow file locks" \
	}
#define IMAGE_PATH                                                                            \
	{                                                                                     \
		"image-path", 0, OPTION_STRING, CRIU(image_path),                             \
			.arg = "dir", .help = "directory of the images (default: checkpoint)" \
	}
#define LAZY_PAGES                                                                 \
	{                                                                          \
		"lazy-pages", 0, OPTION_BOOL, CRIU(lazy_pages),                    \
			.help = "bring memory when it is used first (userfaultfd)" \
	}
#define MANAGE_CGROUPS                                                                                \
	{                                                                                             \
		"manage-cgroups-mode", 0, OPTION_STRING, CRIU(manage_cgroups_mode),                   \
			.arg = "mode",                                                                \
			.help = "what criu does with cgroups: soft (default), full, strict or ignore" \
	}
#define NETWORK_LOCK                                                                         \
	{                                                                                    \
		"network-lock", 0, OPTION_STRING, CRIU(network_lock),                        \
			.arg = "method",                                                     \
			.help = "how criu stops the network meanwhile: iptables (default), " \
				"nftables or skip"                                           \
	}
#define SHELL_JOB                                                                 \
	{                                                                         \
		"shell-job", 0, OPTION_BOOL, CRIU(shell_job),                     \
			.help = "allow a session leader outside of the container" \
	}
#define TCP_ESTABLISHED                                                   \
	{                                                                 \
		"tcp-established", 0, OPTION_BOOL, CRIU(tcp_established), \
			.help = "allow open TCP connections"              \
	}
#define WORK_PATH                                                                                  \
	{                                                                                          \
		"work-path", 0, OPTION_STRING, CRIU(work_path),                                    \
			.arg = "dir", .help = "directory of the log (default: that of the images)" \
	}

static const struct option checkpoint_options[] = {
	AUTO_DEDUP,
	EMPTY_NS,
	EXT_UNIX_SK,
	FILE_LOCKS,
	IMAGE_PATH,
	LAZY_PAGES,
	{ "leave-running", 0, OPTION_BOOL, CRIU(leave_running),
	  .help = "let the container go on, and keep it" },
	{ "link-remap", 0, OPTION_BOOL, CRIU(link_remap),
	  .help = "allow open files without a name, which get one for the time being" },
	MANAGE_CGROUPS,
	NETWORK_LOCK,
	{ "page-server", 0, OPTION_STRING, CRIU(page_server), .arg = "address:port",
	  .help = "send memory to a criu page-server there" },
	{ "parent-path", 0, OPTION_STRING, CRIU(parent_path), .arg = "dir",
	  .help = "images of a pre-dump, relative to the new ones: write what changed since" },
	{ "pre-dump", 0, OPTION_BOOL, CRIU(pre_dump),
	  .help = "write memory only, and let the container go on" },
	SHELL_JOB,
	{ "status-fd", 0, OPTION_INT, CRIU(status_fd), .arg = "fd",
	  .help = "criu writes a zero byte there when lazy pages can be asked for" },
	TCP_ESTABLISHED,
	{ "tcp-skip-in-flight", 0, OPTION_BOOL, CRIU(tcp_skip_in_flight),
	  .help = "leave out TCP connections that are not accepted yet" },
	WORK_PATH,
};

static const struct option restore_options[] = {
	AUTO_DEDUP,
	{ "bundle", 'b', OPTION_STRING, RESTORE(o.bundle_path), .arg = "dir",
	  .help = "the bundle: a directory with config.json (default: the current one)" },
	{ "console-socket", 0, OPTION_STRING, RESTORE(o.console_socket_path), .arg = "path",
	  .help = "unix socket that gets the master of the container's terminal" },
	{ "detach", 'd', OPTION_BOOL, RESTORE(detach), .help = "return when it runs" },
	EMPTY_NS,
	EXT_UNIX_SK,
	FILE_LOCKS,
	IMAGE_PATH,
	LAZY_PAGES,
	{ "lsm-mount-context", 0, OPTION_STRING, CRIU(lsm_mount_context), .arg = "context",
	  .help = "SELinux context of mounts, instead of the one they had" },
	{ "lsm-profile", 0, OPTION_STRING, CRIU(lsm_profile), .arg = "type:name",
	  .help = "security profile of the processes, instead of the one they had" },
	MANAGE_CGROUPS,
	NETWORK_LOCK,
	{ "no-pivot", 0, OPTION_BOOL, RESTORE(o.no_pivot),
	  .help = "the root is on a ramfs: noted for later verbs" },
	{ "no-subreaper", 0, OPTION_BOOL, RESTORE(no_subreaper),
	  .help = "do not adopt processes the container leaves behind" },
	{ "pid-file", 0, OPTION_STRING, RESTORE(o.pid_file_path), .arg = "file",
	  .help = "write the pid of init here" },
	SHELL_JOB,
	{ "tcp-close", 0, OPTION_BOOL, CRIU(tcp_close),
	  .help = "restore TCP connections as closed" },
	TCP_ESTABLISHED,
	WORK_PATH,
};

static int run_checkpoint(const struct runtime_globals *g, void *target, char **args,
			  struct error *err)
{
	struct checkpoint_options *o = target;

	o->criu.program = g->criu_path;
	return runtime_checkpoint(g->root, args[0], &o->criu, err);
}

static int make_restored(void *arg, struct foreground *f, pid_t *ret_pid, int *ret_pidfd,
			 struct error *err)
{
	struct restore_options *x = arg;

	x->o.console_fd = f->console_fds[1];
	return runtime_restore(&x->o, &x->criu, ret_pid, ret_pidfd, err);
}

static int restore_attached(struct restore_options *x, struct error *err)
{
	const struct foreground_run run = { .root = x->o.root_path,
					    .id = x->o.id,
					    .terminal = !x->o.console_socket_path,
					    .no_subreaper = x->no_subreaper,
					    .make = make_restored,
					    .arg = x };

	return foreground_run(&run, err);
}

static int run_restore(const struct runtime_globals *g, void *target, char **args,
		       struct error *err)
{
	struct restore_options *x = target;
	cleanup_fd int pidfd = -EBADF;

	x->criu.program = g->criu_path;
	x->o.root_path = g->root;
	x->o.id = args[0];
	x->o.console_fd = -1;
	x->o.rootless = g->rootless;
	x->o.cgroup_manager = g->cgroup_manager;
	return x->detach ? runtime_restore(&x->o, &x->criu, NULL, &pidfd, err)
			 : restore_attached(x, err);
}

static const struct runtime_verb verbs[] = {
	{ "checkpoint", "<container-id>", "write a running container to files, with criu",
	  VERB_OPTIONS(checkpoint_options, checkpoint_options), .min_args = 1, .max_args = 1,
	  .run = run_checkpoint },
	{ "restore", "<container-id>", "make a container out of a checkpoint, with criu",
	  VERB_OPTIONS(restore_options, restore_options), .min_args = 1, .max_args = 1,
	  .run = run_restore },
};

const struct runtime_verb_table runtime_verbs_checkpoint = { verbs, ARRAY_SIZE(verbs) };
