/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Everything of create and run on the creator's side. First all that can be refused without having
 * touched anything, then what must be undone: id, cgroup, state, process - in this order, and
 * undone in reverse.
 */

#include "runtime/creation.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/inject.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/sock.h"
#include "base/str.h"
#include "oci/spec.h"
#include "runtime/annotation.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/cgroup/systemd.h"
#include "runtime/hook.h"
#include "runtime/host_mounts.h"
#include "runtime/lsm.h"
#include "runtime/net_device.h"
#include "runtime/notify_socket.h"
#include "runtime/mempolicy.h"
#include "runtime/pidfd_socket.h"
#include "runtime/runtime.h"
#include "runtime/sealed_self.h"
#include "runtime/seccomp_notify.h"
#include "runtime/statedir.h"
#include "runtime/sync.h"
#include "runtime/sysctl.h"
#include "runtime/tty.h"

struct create_step {
	const char *name;
	int (*run)(struct creation *c, struct error *err);
};

static int run_steps(struct creation *c, const struct create_step *steps, size_t n,
		     struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++) {
		r = inject_failure("create", steps[i].name, err);
		if (r >= 0)
			r = steps[i].run(c, err);
	}
	return r;
}

static bool in_user_namespace(const struct creation *c)
{
	return c->spec->linux_.namespaces[OCI_NS_USER].wanted;
}

/* The specification has the list, and no value for it; other runtimes go on, too. */
static void warn_ignored(const struct oci_linux *l)
{
	for (size_t i = 0; i < l->n_personality_flags; i++)
		log_warning("linux.personality.flags: '%s' is unknown and ignored",
			    l->personality_flags[i]);
}

static int check_terminal(const struct creation *c, struct error *err)
{
	const struct runtime_create_options *o = c->options;
	bool terminal = c->spec->process && c->spec->process->terminal;
	bool console = o->console_fd >= 0 || o->console_socket_path;

	if (terminal && !console)
		return error_kind(
			err, ERROR_INVALID,
			"process.terminal: a console socket is needed to hand the terminal "
			"over");
	if (!terminal && o->console_socket_path)
		return error_kind(err, ERROR_INVALID,
				  "a console socket was given, but process.terminal is not set");
	return 0;
}

static int check_spec(struct creation *c, struct error *err)
{
	int r = oci_spec_check(c->spec, err);

	if (r < 0)
		return error_prefix(err, r, "bundle '%s'", c->bundle_path);
	r = check_terminal(c, err);
	if (r >= 0)
		r = sysctl_check(&c->spec->linux_, err);
	if (r >= 0)
		r = net_devices_check(&c->spec->linux_, err);
	if (r >= 0)
		r = lsm_check_mount_label(c->spec->linux_.mount_label, err);
	if (r >= 0)
		r = mempolicy_check(&c->spec->linux_, err);
	if (r >= 0)
		warn_ignored(&c->spec->linux_);
	return r;
}

static int check_descriptors(struct creation *c, struct error *err)
{
	return process_check_preserved(c->options->preserve_fds, err);
}

static int check_id(struct creation *c, struct error *err)
{
	return container_check_id(c->options->id, err);
}

static int load(struct creation *c, struct error *err)
{
	const char *path = c->options->bundle_path ? c->options->bundle_path : ".";
	const char *name = c->options->config_path ? c->options->config_path : "config.json";
	cleanup_fd int bundle_fd = -EBADF;
	int r;

	c->bundle_path = realpath(path, NULL);
	if (!c->bundle_path)
		return error_sys(err, "cannot open bundle '%s'", path);
	bundle_fd = open(c->bundle_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (bundle_fd < 0)
		return error_sys(err, "cannot open bundle '%s'", path);
	r = file_read(bundle_fd, name, OCI_SPEC_MAX_BYTES, &c->config, &c->config_len, err);
	if (r >= 0)
		r = oci_spec_parse(c->config, c->config_len, &c->spec, err);
	if (r >= 0)
		r = annotations_check(c->spec, err);
	if (r >= 0)
		r = seccomp_apply_annotations(c->spec, err);
	return r < 0 ? error_prefix(err, r, "bundle '%s'", c->bundle_path) : 0;
}

/*
 * Alone in a new pid namespace init meets nobody before its execve, and if that leads back to our
 * file, sealed_self_refuse_inside() ends it: no process of the container has ever had a link to it.
 */
static int seal_self(struct creation *c, struct error *err)
{
	const struct oci_namespace *pid = &c->spec->linux_.namespaces[OCI_NS_PID];

	if (!c->options->self_argv ||
	    (pid->wanted && str_empty(pid->path) && sealed_self_is_static()))
		return 0;
	return sealed_self_ensure(c->options->self_argv, err);
}

static int open_namespaces(struct creation *c, struct error *err)
{
	return namespaces_open(&c->spec->linux_, &c->namespaces, err);
}

/* Later verbs read the document that this container was made of, not what the bundle holds then. */
static int save_config(const struct creation *c, struct error *err)
{
	cleanup_fd int fd = openat(c->container->dir_fd, CONTAINER_CONFIG_FILE,
				   O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : fd_write_all(fd, c->config, c->config_len);

	return r < 0 ? error_num(err, -r, "cannot save the configuration") : 0;
}

static int claim(struct creation *c, struct error *err)
{
	int r = container_claim(c->options->root_path, c->options->id, &c->container, err);

	if (r < 0)
		return r;
	c->container->oci_version = c->spec->version;
	c->container->bundle_path = arena_strdup(c->container->arena, c->bundle_path);
	c->container->created_ns = clock_real_ns();
	c->container->owner_uid = geteuid();
	c->container->annotations = c->spec->annotations;
	c->container->n_annotations = c->spec->n_annotations;
	c->container->no_pivot = c->options->no_pivot;
	c->container->has_poststop = c->spec->hooks.n[OCI_HOOK_POSTSTOP] > 0;
	if (c->rdt.own)
		c->container->rdt_path = arena_strdup(c->container->arena, c->rdt.own);
	return save_config(c, err);
}

/* Where delete has to look for mounts, on disk before there is one. */
static int note_host_mounts(struct creation *c, struct error *err)
{
	struct container *ct = c->container;
	cleanup_free char *path = NULL;

	if (c->spec->linux_.namespaces[OCI_NS_MOUNT].wanted)
		return 0;
	path = c->spec->root_path[0] == '/' ? xstrdup(c->spec->root_path)
					    : path_join(ct->bundle_path, c->spec->root_path);
	ct->rootfs_path = arena_strdup(ct->arena, path);
	return host_mounts_below(path, &ct->host_mounts_below, err);
}

static int plan_rdt(struct creation *c, struct error *err)
{
	const struct oci_linux *config = &c->spec->linux_;
	cleanup_free char *root = NULL;
	int r;

	if (!config->has_intel_rdt)
		return 0;
	r = rdt_find_root(&root, err);
	return r < 0 ? r : rdt_plan(config, c->options->id, root, &c->rdt, err);
}

static int make_rdt(struct creation *c, struct error *err)
{
	int r = rdt_make(&c->rdt, err);

	return r < 0 ? r : rdt_open_enter(&c->rdt, err);
}

/* For a pod of the host's network, engines name it by the path of the pod's first process. */
static int find_own_namespaces(const struct creation *c, struct mount_plan_input *in,
			       struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < OCI_NS_COUNT && r >= 0; i++) {
		r = namespaces_joins_own(&c->namespaces, (enum oci_ns)i, err);
		in->own[i] = r > 0;
	}
	return r < 0 ? r : 0;
}

static int plan(struct creation *c, struct error *err)
{
	struct mount_plan_input in = {
		.spec = c->spec,
		.bundle_path = c->container->bundle_path,
		.cgroup = c->cgroup,
		.user_namespace = in_user_namespace(c),
	};
	int r = find_own_namespaces(c, &in, err);

	if (r >= 0)
		r = rootfs_plan(&in, &c->plan, err);
	if (r < 0)
		return r;
	c->container->rootfs_path = c->plan.rootfs_path;
	/* without privilege we could open nothing that the child cannot */
	if (in_user_namespace(c) && geteuid() == 0)
		r = mount_plan_open_sources(&c->plan, err);
	if (r >= 0 && c->plan.needs_creator)
		r = mount_plan_prepare(&c->plan, c->namespaces.join_fd[OCI_NS_USER], err);
	return r;
}

static int connect_console(struct creation *c, struct error *err)
{
	if (!c->options->console_socket_path || c->options->console_fd >= 0)
		return 0;
	return tty_connect(c->options->console_socket_path, &c->console_fd, err);
}

/* Where SCMP_ACT_NOTIFY asks. It is connected when the filter is about to be loaded. */
static int prepare_agent(struct creation *c, struct error *err)
{
	const struct oci_seccomp *s = c->spec->linux_.seccomp;
	struct buf state = { 0 };
	int r;

	if (!seccomp_has_listener(&c->process.filter))
		return 0;
	r = seccomp_notify_check(s->listener_path, err);
	if (r < 0)
		return r;
	c->container->listener_path = s->listener_path;
	container_format_process_state(c->container, CONTAINER_CREATING, s->listener_metadata,
				       &state);
	c->process.notify = seccomp_notify_new(s->listener_path, buf_take(&state), 0);
	return 0;
}

static int prepare_notify_socket(struct creation *c, struct error *err)
{
	if (!c->options->notify_socket)
		return 0;
	return notify_socket_prepare(c->container, c->spec, c->spec->process ? &c->process : NULL,
				     err);
}

static int connect_agent(struct creation *c, struct error *err)
{
	return c->process.notify ? seccomp_notify_connect(c->process.notify, err) : 0;
}

/* crun's annotation and runc's option ask for the same. */
static int connect_pidfd_socket(struct creation *c, struct error *err)
{
	const char *path = c->options->pidfd_socket_path;

	for (size_t i = 0; !path && i < c->spec->n_annotations; i++)
		if (str_eq(c->spec->annotations[i].key, "run.oci.pidfd_receiver"))
			path = c->spec->annotations[i].value;
	return pidfd_socket_connect(path, &c->pidfd_socket_fd, err);
}

static int send_pidfd(struct creation *c, struct error *err)
{
	return pidfd_socket_send(c->pidfd_socket_fd, "standard", c->pidfd, err);
}

static int fill_init(struct creation *c, struct error *err)
{
	const struct oci_hooks *h = &c->spec->hooks;

	c->init = (struct init){
		.spec = c->spec,
		.container = c->container,
		.namespaces = &c->namespaces,
		.cgroup = c->cgroup,
		.rdt = &c->rdt,
		.plan = &c->plan,
		.process = c->spec->process ? &c->process : NULL,
		.sync_fd = -EBADF,
		.creator_fd = -EBADF,
		.listen_fd = -EBADF,
		.console_fd = c->console_fd >= 0 ? c->console_fd : c->options->console_fd,
		.plain_newlines = c->options->plain_newlines,
		.preserve_fds = c->options->preserve_fds,
		.no_new_keyring = c->options->no_new_keyring,
		.no_pivot = c->options->no_pivot,
		.placed_later = c->unit != NULL,
		.has_hooks = h->n[OCI_HOOK_PRESTART] || h->n[OCI_HOOK_CREATE_RUNTIME] ||
			     h->n[OCI_HOOK_CREATE_CONTAINER],
		.hook_output = &c->hook_output,
	};
	init_prepare(&c->init);
	return 0;
}

static int prepare_process(struct creation *c, struct error *err)
{
	int r;

	if (!c->spec->process)
		return 0;
	c->inside = *c->spec->process;
	if (in_user_namespace(c)) /* idmap_apply_limits() */
		c->inside.oom_score_adj.set = false;
	r = process_prepare(&c->inside, c->spec->linux_.seccomp, &c->process, err);
	c->process.rlimits_are_set = in_user_namespace(c);
	c->process.keep_groups = annotations_keep_groups(c->spec);
	if (r >= 0 && c->options->listen_fds > 0) {
		process_add_env(&c->process, arena_printf(c->spec->arena, "LISTEN_FDS=%u",
							  c->options->listen_fds));
		process_add_env(&c->process,
				"LISTEN_PID=1"); /* as runc: init of its own pid namespace */
	}
	return r;
}

/* What was learnt goes to disk. */
static int save_state(struct creation *c, struct error *err)
{
	int r = 0;

	c->container->pid = c->pid;
	if (c->pid > 0)
		r = process_start_time(c->pid, &c->container->pid_start);
	if (r < 0 && r != -ESRCH) /* ESRCH: a short life, over already */
		return error_num(err, -r, "cannot read the start time of init");
	return container_save(c->container, err);
}

static int open_hook_output(struct creation *c, struct error *err)
{
	return hook_output_open(c->spec, &c->hook_output, err);
}

static const struct create_step prepare_steps[] = {
	{ "descriptors", check_descriptors },
	{ "id", check_id },
	{ "config", load },
	{ "check", check_spec },
	/* begins anew */
	{ "seal-self", seal_self },
	{ "namespaces", open_namespaces },
	{ "process", prepare_process },
	{ "intelRdt-plan", plan_rdt },
	{ "console", connect_console },
	{ "pidfd-socket", connect_pidfd_socket },
	{ "hook-output", open_hook_output },
	/* from here on there is something to undo */
	{ "claim", claim },
	{ "host-mounts", note_host_mounts },
	{ "seccomp-agent", prepare_agent },
	{ "notify-socket", prepare_notify_socket },
	/* on disk before it is made: who finds us dead must know what to remove */
	{ "cgroup-path", creation_locate_cgroup },
	{ "state", save_state },
	{ "cgroup", creation_make_cgroup },
	{ "intelRdt", make_rdt },
	{ "plan", plan },
	{ "init", fill_init },
};

int creation_prepare(const struct runtime_create_options *o, struct creation *c, struct error *err)
{
	*c = (struct creation){ .options = o, .sync_fd = -EBADF, .console_fd = -EBADF };
	c->rdt = (struct rdt)RDT_INIT;
	c->pidfd = c->pidfd_socket_fd = c->init.sync_fd = c->init.listen_fd = -EBADF;
	c->hook_output = HOOK_OUTPUT_CALLER;
	for (size_t i = 0; i < OCI_NS_COUNT; i++)
		c->namespaces.join_fd[i] = -EBADF;
	return run_steps(c, prepare_steps, ARRAY_SIZE(prepare_steps), err);
}

static void undo(struct creation *c)
{
	struct proc_status status;
	struct error ignored; /* the first failure is the one to report */

	net_devices_take_back(c->net_devices); /* while their namespace lives */
	if (c->pidfd >= 0) {
		(void)proc_kill(c->pidfd, SIGKILL);
		(void)proc_wait(c->pidfd, &status, &ignored);
	}
	creation_remove_cgroup(c);
	rdt_undo(&c->rdt);
	if (c->container && c->container->host_mounts_below)
		(void)host_mounts_remove(c->container->rootfs_path, c->container->host_mounts_below,
					 &ignored);
	if (c->container)
		(void)container_remove(c->container, &ignored);
}

void creation_done(struct creation *c)
{
	if (!c->created)
		undo(c);
	cleanup_close_fd(&c->pidfd);
	cleanup_close_fd(&c->pidfd_socket_fd);
	cleanup_close_fd(&c->sync_fd);
	cleanup_close_fd(&c->console_fd);
	cleanup_close_fd(&c->init.sync_fd);
	cleanup_close_fd(&c->init.listen_fd);
	hook_output_close(&c->hook_output);
	c->net_devices = net_devices_free(c->net_devices);
	namespaces_close(&c->namespaces);
	mount_plan_done(&c->plan);
	process_setup_done(&c->process);
	rdt_done(&c->rdt);
	c->cgroup = cgroup_close(c->cgroup);
	c->unit = systemd_unit_free(c->unit);
	c->container = container_free(c->container);
	c->spec = oci_spec_free(c->spec);
	free(c->config);
	free(c->bundle_path);
	c->config = c->bundle_path = NULL;
}

/* init ended before it should have: say of what. Reaps it. */
static int init_died(struct creation *c, struct error *err)
{
	char text[PROC_STATUS_TEXT_MAX];
	struct proc_status status;
	int r = proc_wait(c->pidfd, &status, err);

	if (r < 0)
		return r;
	cleanup_close_fd(&c->pidfd);
	c->pidfd = -EBADF;
	return error_kind(err, ERROR_INTERNAL, "the container's init died during set-up: %s%s",
			  proc_status_text(&status, text),
			  status.signal == SIGKILL ? " (is the memory limit too low?)" : "");
}

static int expect(struct creation *c, enum sync_type type, struct error *err)
{
	int r = sync_expect(c->sync_fd, type, NULL, err);

	return r == 1 ? init_died(c, err) : r;
}

static int tell(struct creation *c, enum sync_type type, struct error *err)
{
	int r = sync_send(c->sync_fd, type, c->pid);

	if (r == -EPIPE) /* perhaps it left its reason before it died */
		return expect(c, type, err);
	return r < 0 ? error_num(err, -r, "cannot talk to the container's init") : 0;
}

int creation_run_hooks(const struct creation *c, pid_t pid, struct error *err)
{
	struct hook_how how = { .output = &c->hook_output, .dir = c->container->bundle_path };
	cleanup_buf struct buf state = { 0 };
	int r;

	container_format_state(c->container, CONTAINER_CREATING, pid, NULL, &state);
	how.state = buf_str(&state);
	r = hooks_run(&c->spec->hooks, OCI_HOOK_PRESTART, &how, err);
	if (r >= 0)
		r = hooks_run(&c->spec->hooks, OCI_HOOK_CREATE_RUNTIME, &how, err);
	return r;
}

static int run_hooks(struct creation *c, struct error *err)
{
	int r;

	if (!c->init.has_hooks)
		return 0;
	r = expect(c, SYNC_MOUNTED, err);
	if (r >= 0)
		r = creation_run_hooks(c, c->pid, err);
	return r < 0 ? r : tell(c, SYNC_HOOKED, err);
}

static int listen_for_start(struct creation *c, int *ret_fd, struct error *err)
{
	cleanup_free char *dir = path_join(c->container->root_path, c->container->id);
	cleanup_free char *path = path_join(dir, CONTAINER_START_SOCK);

	return sock_listen(path, SOCK_SEQPACKET, 0600, ret_fd, err);
}

static int connect_init(struct creation *c, struct error *err)
{
	int r = sock_pair(SOCK_SEQPACKET, &c->sync_fd, &c->init.sync_fd, err);

	c->init.creator_fd = c->sync_fd;
	if (r < 0)
		return r;
	return c->own_listener ? listen_for_start(c, &c->init.listen_fd, err)
			       : connect_agent(c, err);
}

static int make_init(struct creation *c, struct error *err)
{
	int r = spawn_init(c, err);

	cleanup_close_fd(&c->init.sync_fd); /* or its death would not be seen */
	cleanup_close_fd(&c->init.listen_fd);
	c->init.sync_fd = c->init.listen_fd = -EBADF;
	return r;
}

static int map_ids(struct creation *c, struct error *err)
{
	bool user = c->namespaces.make & namespaces_flag(OCI_NS_USER);
	bool devices = c->spec->linux_.n_net_devices > 0;
	int r = user ? idmap_setup(c->pid, &c->spec->linux_, err) : 0;

	if (r < 0)
		return error_prefix(err, r, "linux.uidMappings, gidMappings");
	if (devices)
		r = net_devices_move(&c->spec->linux_, c->pid, &c->net_devices, err);
	if (r < 0 || !(user || devices || c->unit))
		return r;
	return tell(c, SYNC_MAPPED, err);
}

static int wait_ready(struct creation *c, struct error *err)
{
	return expect(c, SYNC_READY, err);
}

static int apply_mapped_limits(struct creation *c, struct error *err)
{
	if (!in_user_namespace(c) || !c->spec->process)
		return 0;
	return idmap_apply_limits(c->pid, c->spec->process, err);
}

static const struct create_step spawn_steps[] = {
	{ "sockets", connect_init },
	{ "spawn", make_init },
	/* by systemd, before init sees its cgroup in its mounts */
	{ "place", creation_place_init },
	{ "idmap", map_ids },
	{ "hooks", run_hooks },
	{ "ready", wait_ready },
	/* its cgroup namespace has the container's cgroup as root by now */
	{ "delegate", creation_delegate_below },
	{ "idmap-limits", apply_mapped_limits },
};

int creation_spawn(struct creation *c, bool own_listener, struct error *err)
{
	c->own_listener = own_listener;
	return run_steps(c, spawn_steps, ARRAY_SIZE(spawn_steps), err);
}

int creation_start(struct creation *c, struct error *err)
{
	struct error own = { 0 };
	int r = tell(c, SYNC_START, err);

	if (r < 0)
		return r;
	r = sync_expect(c->sync_fd, SYNC_FAILED, NULL, &own);
	if (r == 1)
		return 0; /* closed by the execve */
	*err = own;
	return r < 0 ? r : -EIO;
}

bool creation_can_share_memory(const struct creation *c)
{
	/* what needs the creator awake, or a process of its own in between */
	return !c->init.has_hooks && !c->unit && !c->namespaces.stage && !in_user_namespace(c) &&
	       !c->spec->linux_.n_net_devices && !c->spec->hooks.n[OCI_HOOK_START_CONTAINER] &&
	       c->spec->process && !annotations_delegate(c->spec);
}

int creation_run_shared(struct creation *c, struct error *err)
{
	int r = connect_agent(c, err);

	if (r >= 0)
		r = spawn_init_shared(c, err);
	if (r != 0 || init_reached_exec(&c->init))
		return r;
	if (!c->init.failed) {
		r = init_died(c, err);
		error_set_step(err, c->init.step);
		return r;
	}
	*err = c->init.error;
	return error_number(err);
}

static int write_pid_file(struct creation *c, struct error *err)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d", (int)c->pid);

	if (!c->options->pid_file_path)
		return 0;
	return file_write_atomic(AT_FDCWD, c->options->pid_file_path, text, (size_t)n, 0644, 0,
				 err);
}

static const struct create_step record_steps[] = {
	{ "record", save_state },
	{ "pid-file", write_pid_file },
	{ "pidfd", send_pidfd },
};

int creation_record(struct creation *c, struct error *err)
{
	return run_steps(c, record_steps, ARRAY_SIZE(record_steps), err);
}

/* One that fails ends the container (runtime.md "Lifecycle"). */
static int poststart(const struct creation *c, struct error *err)
{
	cleanup_buf struct buf state = { 0 };

	if (c->restored || c->spec->hooks.n[OCI_HOOK_POSTSTART] == 0)
		return 0;
	container_format_state(c->container, CONTAINER_RUNNING, c->pid, NULL, &state);
	return hooks_run(&c->spec->hooks, OCI_HOOK_POSTSTART,
			 &(struct hook_how){ .state = buf_str(&state),
					     .output = &c->hook_output,
					     .dir = c->container->bundle_path },
			 err);
}

int creation_finish(struct creation *c, int r, pid_t *ret_pid, int *ret_pidfd, struct error *err)
{
	if (r >= 0)
		r = poststart(c, err);
	if (r >= 0) {
		c->created = true;
		if (ret_pid)
			*ret_pid = c->pid;
		*ret_pidfd = take_fd(&c->pidfd);
	}
	creation_done(c);
	return r;
}
