/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on berth itself: info, inspect of anything, version, system check, an ordinary user's
 * namespace, and what other processes of ours run: the monitor's exit command, the deletion of what
 * was removed. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/units.h"
#include "cli/cmd_df.h"
#include "cli/cmd_inspect.h"
#include "cli/cmd_prune.h"
#include "cli/command.h"
#include "cli/manual.h"
#include "cli/output.h"
#include "codec/json.h"
#include "engine/engine.h"
#include "image/platform.h"
#include "runtime/rootless.h"

struct format_flags {
	const char *format;
};

static const struct option format_options[] = {
	{ .name = "format",
	  .short_name = 'f',
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(format_flags, format),
	  .help = "Format output using 'json' or a Go template" },
};

/* version */

static int cmd_version(struct cli *cli UNUSED, void *target, int n UNUSED, char **args UNUSED,
		       struct error *err)
{
	const struct format_flags *f = target;
	cleanup_buf struct buf text = { 0 };
	struct platform platform;
	struct utsname host;
	struct json_writer w;

	if (uname(&host) < 0)
		return error_sys(err, "cannot ask for the kernel's version");
	platform_host(&platform);
	if (!f->format) {
		(void)printf("Client: berth\n Version:           %s\n OS/Arch:           linux/%s\n"
			     " Kernel:            %s\n",
			     BERTH_VERSION, platform.architecture, host.release);
		return 0;
	}
	json_writer_init(&w, &text, NULL);
	json_begin_object(&w, NULL);
	json_begin_object(&w, "Client");
	json_add_string(&w, "Version", BERTH_VERSION);
	json_add_string(&w, "Os", "linux");
	json_add_string(&w, "Arch", platform.architecture);
	json_add_string(&w, "KernelVersion", host.release);
	json_end(&w);
	json_end(&w);
	return output_document(f->format, &text, err);
}

/* info */

static void print_info(const struct engine *e, const struct engine_info *i)
{
	char memory[UNITS_TEXT_MAX];

	(void)printf("Containers: %zu\n Running: %zu\n Paused: %zu\n Stopped: %zu\nImages: %zu\n",
		     i->containers, i->running, i->paused, i->stopped, i->images);
	(void)printf(
		"Server Version: %s\nStorage Driver: %s\nCgroup Driver: %s\nCgroup Version: %s\n",
		BERTH_VERSION, i->storage_driver, i->cgroup_driver, i->cgroup_version);
	(void)printf(
		"Kernel Version: %s\nOperating System: %s\nOSType: linux\nArchitecture: %s\nCPUs: %d\n",
		i->kernel, i->os, i->arch, i->cpus);
	(void)printf("Total Memory: %s\nName: %s\n",
		     units_format_bytes((double)i->memory_bytes, memory), i->hostname);
	if (i->rootless)
		(void)printf("Security Options:\n rootless\n");
	(void)printf("Runtime: %s\nBerth Root Dir: %s\nBerth State Dir: %s\n", i->runtime_path,
		     engine_root_path(e), engine_state_path(e));
}

static void format_info(const struct engine *e, const struct engine_info *i, struct buf *out)
{
	struct json_writer w;

	json_writer_init(&w, out, NULL);
	json_begin_object(&w, NULL);
	json_add_u64(&w, "Containers", i->containers);
	json_add_u64(&w, "ContainersRunning", i->running);
	json_add_u64(&w, "ContainersPaused", i->paused);
	json_add_u64(&w, "ContainersStopped", i->stopped);
	json_add_u64(&w, "Images", i->images);
	json_add_string(&w, "Driver", i->storage_driver);
	json_add_string(&w, "CgroupDriver", i->cgroup_driver);
	json_add_string(&w, "CgroupVersion", i->cgroup_version);
	json_add_string(&w, "KernelVersion", i->kernel);
	json_add_string(&w, "OperatingSystem", i->os);
	json_add_string(&w, "OSType", "linux");
	json_add_string(&w, "Architecture", i->arch);
	json_add_i64(&w, "NCPU", i->cpus);
	json_add_u64(&w, "MemTotal", i->memory_bytes);
	json_add_string(&w, "Name", i->hostname);
	json_add_string(&w, "ServerVersion", BERTH_VERSION);
	json_begin_array(&w, "SecurityOptions");
	if (i->rootless)
		json_add_string(&w, NULL, "name=rootless");
	json_end(&w);
	json_add_string(&w, "DockerRootDir", engine_root_path(e));
	json_end(&w);
}

static int cmd_info(struct cli *cli, void *target, int n UNUSED, char **args UNUSED,
		    struct error *err)
{
	const struct format_flags *f = target;
	cleanup_buf struct buf text = { 0 };
	struct engine_info info;
	struct engine *e;
	int r = cli_engine(cli, &e, err);

	if (r == 0)
		r = engine_info(e, &info, err);
	if (r < 0)
		return r;
	if (!f->format) {
		print_info(e, &info);
		return 0;
	}
	format_info(e, &info, &text);
	return output_document(f->format, &text, err);
}

/* system check */

struct check_flags {
	bool quick, repair;
};

static const struct option check_options[] = {
	{ .name = "quick",
	  .short_name = 'q',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(check_flags, quick),
	  .help = "Do not read the layers: sizes and presence only" },
	{ .name = "repair",
	  .short_name = 'r',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(check_flags, repair),
	  .help = "Mend what is damaged, remove what is half made" },
};

static int cmd_check(struct cli *cli, void *target, int n UNUSED, char **args UNUSED,
		     struct error *err)
{
	const struct check_flags *f = target;
	cleanup_with(strv_free) char **report = NULL;
	size_t left, left_images = 0;
	struct engine *e;
	int r = cli_engine(cli, &e, err);

	if (r == 0)
		r = engine_check(e, f->repair, &report, err);
	if (r < 0)
		return r;
	left = f->repair ? 0 : strv_len(report);
	r = engine_check_images(e, f->quick, f->repair, &report, &left_images, err);
	if (r < 0)
		return r;
	for (size_t i = 0; report && report[i]; i++)
		(void)puts(report[i]); /* checked by the flush at the end */
	if (strv_len(report) == 0)
		(void)puts("nothing is half made");
	return left + left_images > 0;
}

/* system reap: what a monitor runs when nobody was there to record the end of its container */

static int cmd_reap(struct cli *cli, void *target UNUSED, int n UNUSED, char **args,
		    struct error *err)
{
	struct engine *e;
	int r = cli_engine(cli, &e, err);

	return r < 0 ? r : engine_reap(e, args[0], err);
}

/* system sweep: what a load or a removal of something large starts */

static int cmd_sweep(struct cli *cli, void *target UNUSED, int n UNUSED, char **args UNUSED,
		     struct error *err)
{
	struct engine *e;
	int r;

	if (cli->root && access(cli->root, F_OK) < 0)
		return 0; /* removed meanwhile: do not make it again */
	r = cli_engine(cli, &e, err);
	return r < 0 ? r : engine_sweep(e, err);
}

/* unshare: podman's name for a look around in the namespace where an ordinary user's containers and
 * their files are root's and others' */

static int cmd_unshare(struct cli *cli, void *target UNUSED, int n, char **args, struct error *err)
{
	const char *shell = getenv("SHELL");
	const char *const default_argv[] = { str_empty(shell) ? "/bin/sh" : shell, NULL };
	struct proc_spawn spawn = { .argv = n ? (const char *const *)args : default_argv,
				    .flags = PROC_SEARCH_PATH | PROC_INHERIT_STDIO };
	cleanup_fd int pidfd = -EBADF;
	struct proc_status status;
	struct engine *e;
	int r;

	if (geteuid() == 0)
		return error_kind(err, ERROR_INVALID,
				  "unshare is for ordinary users: root's containers have no user "
				  "namespace");
	r = cli_engine(cli, &e, err);
	if (r < 0)
		return r;
	/* a berth in there finds the same stores, though it is called by uid 0 */
	if (setenv("BERTH_ROOT", engine_root_path(e), 1) < 0 ||
	    setenv("BERTH_STATE", engine_state_path(e), 1) < 0)
		return error_oom(err);
	r = rootless_own_mounts(err);
	if (r == 0)
		r = proc_spawn(&spawn, &pidfd, NULL, err);
	if (r == 0)
		r = proc_wait(pidfd, &status, err);
	return r < 0 ? r : status.code;
}

/* completion, system man */

static int cmd_completion(struct cli *cli, void *target, int n, char **args, struct error *err)
{
	cleanup_buf struct buf script = { 0 };
	int r = manual_completion(args[0], &script, err);

	if (r == 0)
		(void)fputs(buf_str(&script), stdout); /* checked by the flush at the end */
	return r;
}

static int cmd_man(struct cli *cli, void *target, int n, char **args, struct error *err)
{
	return manual_write_all(args[0], err);
}

static const struct command commands[] = {
	{ .top = "completion",
	  .usage = "bash|zsh|fish",
	  .summary = "Print a completion script for a shell",
	  .min_args = 1,
	  .max_args = 1,
	  .run = cmd_completion },
	{ .group = "system",
	  .name = "info",
	  .top = "info",
	  .usage = "[OPTIONS]",
	  .summary = "Display system-wide information",
	  COMMAND_OPTIONS(format_options, format_flags),
	  .run = cmd_info },
	{ .top = "inspect",
	  .usage = "[OPTIONS] NAME|ID [NAME|ID...]",
	  .summary = "Return low-level information on containers and images",
	  .options = inspect_options,
	  .n_options = INSPECT_OPTIONS_ALL,
	  .target_size = sizeof(struct inspect_flags),
	  .min_args = 1,
	  .max_args = COMMAND_ANY_ARGS,
	  .run = cmd_inspect },
	{ .group = "system",
	  .name = "check",
	  .usage = "[OPTIONS]",
	  .summary = "Find what is damaged, and what a crash left half made",
	  COMMAND_OPTIONS(check_options, check_flags),
	  .run = cmd_check },
	{ .group = "system",
	  .name = "df",
	  .usage = "[OPTIONS]",
	  .summary = "Show disk usage of images and containers",
	  .options = df_options,
	  .n_options = DF_OPTIONS,
	  .target_size = sizeof(struct df_flags),
	  .run = cmd_df },
	{ .group = "system",
	  .name = "man",
	  .usage = "DIRECTORY",
	  .summary = "Write the manual pages of all commands",
	  .min_args = 1,
	  .max_args = 1,
	  .run = cmd_man },
	{ .group = "system",
	  .name = "prune",
	  .usage = "[OPTIONS]",
	  .summary = "Remove stopped containers and unused images",
	  .options = prune_options,
	  .n_options = PRUNE_OPTIONS_SYSTEM,
	  .target_size = sizeof(struct prune_flags),
	  .run = cmd_prune_system },
	{ .group = "system",
	  .name = "reap",
	  .usage = "CONTAINER",
	  .summary = "Record the end of a container (its monitor runs this)",
	  .min_args = 1,
	  .max_args = 1,
	  .run = cmd_reap },
	{ .group = "system",
	  .name = "sweep",
	  .usage = "",
	  .summary = "Flush what was loaded, delete what was removed (berth runs this)",
	  .run = cmd_sweep },
	{ .top = "unshare",
	  .usage = "[COMMAND [ARG...]]",
	  .summary = "Run a command, or a shell, in the user namespace of your containers",
	  .max_args = COMMAND_ANY_ARGS,
	  .parse_flags = OPTION_STOP_AT_POSITIONAL,
	  .fail_code = 125,
	  .run = cmd_unshare },
	{ .top = "version",
	  .usage = "[OPTIONS]",
	  .summary = "Show the berth version information",
	  COMMAND_OPTIONS(format_options, format_flags),
	  .run = cmd_version },
};

const struct command_table commands_system = { commands, ARRAY_SIZE(commands) };
