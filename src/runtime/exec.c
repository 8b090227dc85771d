/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Another process in a running container. One clone3: born in the container's v2 cgroup, in its
 * pid namespace (which the parent chose for its children), and everything else is joined by the
 * child itself through one pidfd, as in nsenter. Nothing waits for an RCU grace period.
 *
 *	parent: state, config.json, process section, seccomp filter
 *	parent: setns(init, pid + time)               rootless: setns(init, all)
 *	parent: clone3(VM | VFORK | INTO_CGROUP) ───▶ child: join.c ... execve
 *	parent wakes: the error is in memory, or the pid is reported
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/sock.h"
#include "base/str.h"
#include "kernel/capability.h"
#include "kernel/syscall.h"
#include "oci/spec.h"
#include "runtime/annotation.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/join.h"
#include "runtime/namespaces.h"
#include "runtime/pidfd_socket.h"
#include "runtime/runtime.h"
#include "runtime/schedule.h"
#include "runtime/seccomp_notify.h"
#include "runtime/statedir.h"

#define PROCESS_MAX_BYTES (1u << 20)
#define BESIDE_TRIES	  20

#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

/* Everything the parent holds. */
struct exec {
	const struct runtime_exec_options *o;
	struct container *c;
	struct oci_spec *spec;
	const struct oci_process *process;
	struct cgroup *cgroup;
	unsigned parent_namespaces; /* joined by the parent, for its children or for itself */
	int console_fd;		    /* opened here, or -1 */
	int pid_file_dir_fd;
	int pidfd_socket_fd;
	struct join_context join;
};

static void exec_done(struct exec *e)
{
	process_setup_done(&e->join.setup);
	rdt_done(&e->join.rdt);
	cleanup_close_fd(&e->join.init_pidfd);
	cleanup_close_fd(&e->join.root_fd);
	cleanup_close_fd(&e->join.proc_fd);
	cleanup_close_fd(&e->console_fd);
	cleanup_close_fd(&e->pidfd_socket_fd);
	cleanup_close_fd(&e->pid_file_dir_fd);
	e->cgroup = cgroup_close(e->cgroup);
	e->spec = oci_spec_free(e->spec);
	e->c = container_free(e->c);
}

/* The process section */

/* Another user has none of the groups that the container's process was given. */
static int parse_user(const char *text, struct oci_user *user, struct error *err)
{
	const char *colon = strchr(text, ':');
	cleanup_free char *uid = xstrndup(text, colon ? (size_t)(colon - text) : strlen(text));

	if (str_to_u32(uid, &user->uid) < 0 || (colon && str_to_u32(colon + 1, &user->gid) < 0))
		return error_kind(err, ERROR_INVALID, "invalid user '%s': not uid[:gid]", text);
	user->additional_gids = NULL;
	user->n_additional_gids = 0;
	return 0;
}

static int add_gids(char *const *words, struct arena *arena, struct oci_user *user,
		    struct error *err)
{
	size_t n = strv_len(words);
	gid_t *gids = arena_alloc(arena, (user->n_additional_gids + n + 1) * sizeof(*gids));

	for (size_t i = 0; i < user->n_additional_gids; i++)
		gids[i] = user->additional_gids[i];
	for (size_t i = 0; i < n; i++)
		if (str_to_u32(words[i], &gids[user->n_additional_gids++]) < 0)
			return error_kind(err, ERROR_INVALID, "invalid group id '%s'", words[i]);
	user->additional_gids = gids;
	return 0;
}

/* To what the process may use and gain; not to the inheritable and ambient sets, which would leak
 * into what it executes as another user. */
static void add_caps(char *const *names, struct arena *arena, struct oci_process *p)
{
	struct oci_capabilities *caps = arena_alloc(arena, sizeof(*caps));

	if (p->capabilities)
		*caps = *p->capabilities;
	for (size_t i = 0; names[i]; i++) {
		int number = capability_parse(names[i], strlen(names[i]));

		if (number < 0) { /* may not fail (config.md, process.capabilities) */
			log_warning("ignoring unknown capability \"%s\"", names[i]);
			continue;
		}
		caps->sets[OCI_CAP_BOUNDING] |= CAPABILITY_BIT(number);
		caps->sets[OCI_CAP_EFFECTIVE] |= CAPABILITY_BIT(number);
		caps->sets[OCI_CAP_PERMITTED] |= CAPABILITY_BIT(number);
	}
	p->capabilities = caps;
}

static bool same_variable(const char *a, const char *b)
{
	size_t n = strcspn(a, "=");

	return strcspn(b, "=") == n && memcmp(a, b, n) == 0;
}

/* The container's variables, those of the same name replaced, then the new ones. */
static void add_env(char *const *words, struct arena *arena, struct oci_process *p)
{
	size_t n_words = strv_len(words), n = 0;
	const char **env = arena_alloc(arena, (p->n_env + n_words + 1) * sizeof(*env));

	for (size_t i = 0; i < p->n_env + n_words; i++) {
		const char *word = i < p->n_env ? p->env[i] : words[i - p->n_env];
		size_t k = 0;

		while (k < n && (i < p->n_env || !same_variable(env[k], word)))
			k++;
		env[k] = word;
		n = MAX(n, k + 1);
	}
	p->env = env;
	p->n_env = n;
}

static int process_from_words(struct exec *e, struct error *err)
{
	const struct runtime_exec_options *o = e->o;
	struct arena *arena = e->c->arena;
	struct oci_process *p = arena_alloc(arena, sizeof(*p));
	int r = 0;

	if (e->spec->process)
		*p = *e->spec->process;
	p->args = (const char *const *)o->args;
	p->n_args = strv_len(o->args);
	p->terminal = o->tty;
	p->console_height = o->console_rows;
	p->console_width = o->console_columns;
	if (o->cwd)
		p->cwd = o->cwd;
	if (o->apparmor_profile)
		p->apparmor_profile = o->apparmor_profile;
	if (o->process_label)
		p->selinux_label = o->process_label;
	if (o->no_new_privileges)
		p->no_new_privileges = true;
	if (!str_empty(o->user)) /* "" is as if it had not been given */
		r = parse_user(o->user, &p->user, err);
	if (r == 0 && strv_len(o->additional_gids) > 0)
		r = add_gids(o->additional_gids, arena, &p->user, err);
	if (r == 0 && strv_len(o->caps) > 0)
		add_caps(o->caps, arena, p);
	if (strv_len(o->env) > 0)
		add_env(o->env, arena, p);
	e->process = p;
	return r;
}

static int process_from_file(struct exec *e, struct error *err)
{
	cleanup_free char *text = NULL;
	size_t len;
	int r = file_read(AT_FDCWD, e->o->process_path, PROCESS_MAX_BYTES, &text, &len, err);

	if (r < 0)
		return r;
	r = oci_process_parse(text, len, e->c->arena, &e->process, err);
	return r < 0 ? error_prefix(err, r, "'%s'", e->o->process_path) : 0;
}

static int prepare_process(struct exec *e, struct error *err)
{
	int r = e->o->process_path ? process_from_file(e, err) : process_from_words(e, err);

	if (r < 0)
		return r;
	if (e->process->n_args == 0)
		return error_kind(err, ERROR_INVALID, "no command to execute");
	r = oci_process_check(e->process, err); /* to setresuid, 4294967295 is "stay root" */
	if (r < 0)
		return r;
	r = process_prepare(e->process, e->spec->linux_.seccomp, &e->join.setup, err);
	e->join.setup.keep_groups = annotations_keep_groups(e->spec);
	return r;
}

static int connect_agent(struct exec *e, struct error *err)
{
	const struct oci_seccomp *s = e->spec->linux_.seccomp;
	struct buf state = { 0 };

	if (!seccomp_has_listener(&e->join.setup.filter))
		return 0;
	container_format_process_state(e->c, CONTAINER_RUNNING, s->listener_metadata, &state);
	e->join.setup.notify = seccomp_notify_new(s->listener_path, buf_take(&state), e->c->pid);
	return seccomp_notify_connect(e->join.setup.notify, err);
}

/* Where it goes */

static int open_target(struct exec *e, struct error *err)
{
	bool frozen = false;
	int r = container_open(e->o->root_path, e->o->id, &e->c, err);

	if (r < 0)
		return r;
	r = container_open_init(e->c, &e->join.init_pidfd, err);
	if (r > 0)
		return error_kind(err, ERROR_CONFLICT, "cannot exec in a stopped container");
	if (r == 0)
		r = cgroup_open(e->c->cgroups, &e->cgroup, err);
	if (r == 0)
		r = cgroup_frozen(e->cgroup, &frozen, err);
	if (r < 0)
		return r;
	if (frozen && !e->o->ignore_paused)
		return error_kind(err, ERROR_CONFLICT,
				  "cannot exec in a paused container (use --ignore-paused to "
				  "override)");
	r = cgroup_open_enter(e->cgroup, e->o->cgroups, err);
	if (r == 0)
		r = container_config(e->c, &e->spec, err);
	if (r == 0)
		r = seccomp_apply_annotations(e->spec, err);
	e->join.cgroup = e->cgroup;
	e->join.id = e->c->id;
	e->join.config = e->spec ? &e->spec->linux_ : NULL;
	return r;
}

/* It is a child of ours, not of init: it does not have init's class. */
static int open_rdt(struct exec *e, struct error *err)
{
	cleanup_free char *root = NULL;
	int r;

	if (!e->spec->linux_.has_intel_rdt)
		return 0;
	r = rdt_find_root(&root, err);
	if (r >= 0)
		r = rdt_plan(&e->spec->linux_, e->c->id, root, &e->join.rdt, err);
	return r < 0 ? r : rdt_open_enter(&e->join.rdt, err);
}

static bool same_namespace(pid_t pid, const char *name)
{
	cleanup_free char *theirs = xasprintf("/proc/%d/ns/%s", (int)pid, name);
	cleanup_free char *ours = xasprintf("/proc/self/ns/%s", name);
	struct stat a, b;

	return stat(theirs, &a) == 0 && stat(ours, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* Who joins what. Root's children are born into the pid and time namespace and join the rest
 * alone; a user has rights over them only inside the user namespace, where both go. */
static void choose_namespaces(struct exec *e)
{
	const unsigned for_children = CLONE_NEWPID | CLONE_NEWTIME;
	unsigned all = 0;

	for (size_t i = 0; i < OCI_NS_COUNT; i++)
		if (e->spec->linux_.namespaces[i].wanted)
			all |= (unsigned)namespaces_flag(i);
	/* joining one's own user namespace is an error of setns */
	if ((all & CLONE_NEWUSER) && same_namespace(e->c->pid, "user"))
		all &= ~(unsigned)CLONE_NEWUSER;
	if (geteuid() != 0 && (all & CLONE_NEWUSER)) {
		e->parent_namespaces = all;
		e->join.namespaces = 0;
	} else {
		e->parent_namespaces = all & for_children;
		e->join.namespaces = all & ~for_children;
	}
}

/* A container that was not pivoted has its root inside a mount namespace with another one. */
static int open_root(struct exec *e, struct error *err)
{
	cleanup_free char *path = NULL;

	if (!e->c->no_pivot && e->spec->linux_.namespaces[OCI_NS_MOUNT].wanted)
		return 0;
	path = xasprintf("/proc/%d/root", (int)e->c->pid);
	e->join.root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (e->join.root_fd < 0)
		return error_sys(err, "cannot open the container's root '%s'", path);
	return 0;
}

static int open_proc(struct exec *e, struct error *err)
{
	struct statfs st;

	e->join.proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (e->join.proc_fd < 0 || fstatfs(e->join.proc_fd, &st) < 0)
		return error_sys(err, "cannot open '/proc'");
	if (st.f_type != PROC_SUPER_MAGIC)
		return error_kind(err, ERROR_INTERNAL, "'/proc' is not a procfs");
	return 0;
}

static int open_console(struct exec *e, struct error *err)
{
	const struct runtime_exec_options *o = e->o;
	int r;

	if (!e->process->terminal && o->console_socket_path)
		return error_kind(err, ERROR_INVALID,
				  "a console socket was given, but no terminal is asked for");
	if (!e->process->terminal)
		return 0;
	if (o->console_fd >= 0) {
		e->join.console_fd = o->console_fd;
		e->join.plain_newlines = o->plain_newlines;
		return 0;
	}
	if (!o->console_socket_path)
		return error_kind(err, ERROR_INVALID,
				  "a terminal is asked for, but there is no console socket");
	r = sock_connect(o->console_socket_path, SOCK_STREAM, &e->console_fd, err);
	e->join.console_fd = e->console_fd;
	return r;
}

static int open_pid_file_dir(struct exec *e, struct error *err)
{
	cleanup_free char *dir = NULL;
	const char *path = e->o->pid_file_path;

	if (!path)
		return 0;
	dir = path == path_base(path) ? xstrdup(".")
				      : xstrndup(path, (size_t)(path_base(path) - path));
	e->pid_file_dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (e->pid_file_dir_fd < 0)
		return error_sys(err, "cannot open the directory of pid file '%s'", path);
	return 0;
}

static int write_pid_file(struct exec *e, pid_t pid, struct error *err)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d", (int)pid);

	if (!e->o->pid_file_path)
		return 0;
	return file_write_atomic(e->pid_file_dir_fd, path_base(e->o->pid_file_path), text,
				 (size_t)n, 0644, 0, err);
}

/* The clone */

/*
 * No process can be where the container has switched controllers on for cgroups of its own (cgroup-v2.rst "No
 * Internal Process Constraint"), as systemd does: it goes to init then, which may be on its way.
 */
static bool beside_init(struct exec *e, struct clone_args *args)
{
	int r = e->o->cgroups ? -EBUSY : cgroup_open_beside(e->cgroup, e->c->pid);

	if (r < 0) {
		errno = EBUSY;
		return false;
	}
	args->cgroup = (uint64_t)cgroup_clone_fd(e->cgroup);
	return true;
}

static int spawn(struct exec *e, pid_t *ret_pid, int *ret_pidfd, struct error *err)
{
	int clone_fd = cgroup_clone_fd(e->cgroup);
	int pidfd = -EBADF;
	struct clone_args args = {
		.flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD,
		.exit_signal = SIGCHLD,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
	};
	pid_t pid;

	if (clone_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)clone_fd;
	}
	error_clear(&e->join.err);
	/* The child is in the container's pid namespace from birth, with our memory, our descriptors
	 * and our file as /proc/PID/exe (CVE-2016-9962, CVE-2019-5736). Only a valid word can fail. */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	pid = clone3_on_stack(&args, join_main, &e->join);
	for (int i = 0; pid < 0 && errno == EBUSY && i < BESIDE_TRIES && beside_init(e, &args); i++)
		pid = clone3_on_stack(&args, join_main, &e->join);
	if (pid < 0)
		return error_sys(err, "cannot start a process in the container");

	*ret_pid = pid;
	*ret_pidfd = pidfd;
	return 0;
}

/* After spawn(): the child has executed, or it is dead and left a word, or it was killed. */
static int check_child(struct exec *e, int pidfd, struct error *err)
{
	char text[PROC_STATUS_TEXT_MAX];
	struct proc_status status;
	int r;

	if (!e->join.err.msg[0] && join_reached_exec(&e->join))
		return 0;
	r = proc_wait(pidfd, &status, err);
	if (r < 0)
		return r;
	if (e->join.err.msg[0]) {
		*err = e->join.err;
		return error_number(err);
	}
	r = error_kind(err, ERROR_INTERNAL, "the process died during set-up: %s",
		       proc_status_text(&status, text));
	error_set_step(err, e->join.step);
	return r;
}

static int prepare(struct exec *e, struct error *err)
{
	int r = process_check_preserved(e->o->preserve_fds, err);

	if (r >= 0)
		r = open_target(e, err);
	if (r == 0)
		r = open_rdt(e, err);
	if (r == 0)
		r = prepare_process(e, err);
	if (r == 0)
		r = open_console(e, err);
	if (r == 0)
		r = open_pid_file_dir(e, err);
	if (r == 0)
		r = pidfd_socket_connect(e->o->pidfd_socket_path, &e->pidfd_socket_fd, err);
	if (r == 0)
		r = open_proc(e, err);
	if (r == 0)
		r = open_root(e, err);
	if (r == 0)
		r = connect_agent(e, err);
	return r;
}

int runtime_exec(const struct runtime_exec_options *o, pid_t *ret_pid, int *ret_pidfd,
		 struct error *err)
{
	__attribute__((cleanup(exec_done))) struct exec e = {
		.o = o,
		.console_fd = -EBADF,
		.pid_file_dir_fd = -EBADF,
		.pidfd_socket_fd = -EBADF,
		.join = { .rdt = RDT_INIT,
			  .init_pidfd = -EBADF,
			  .root_fd = -EBADF,
			  .proc_fd = -EBADF,
			  .console_fd = -EBADF,
			  .preserve_fds = o->preserve_fds },
	};
	cleanup_fd int pidfd = -EBADF;
	struct proc_status status;
	struct error ignored; /* the first failure is the one to report */
	pid_t pid = 0;
	int r = prepare(&e, err);

	if (r < 0)
		return r;
	choose_namespaces(&e);
	if (e.parent_namespaces && setns(e.join.init_pidfd, (int)e.parent_namespaces) < 0)
		return error_sys(err, "cannot join the container's namespaces");
	/* ours: the child is born with it, also inside the v2 cgroup */
	r = schedule_set_affinity(e.process->cpu_affinity_initial, "initial", err);
	if (r >= 0)
		r = spawn(&e, &pid, &pidfd, err);
	if (r >= 0)
		r = check_child(&e, pidfd, err);
	if (r < 0)
		return r;
	r = write_pid_file(&e, pid, err);
	if (r >= 0)
		r = pidfd_socket_send(e.pidfd_socket_fd, "setns", pidfd, err);
	if (r < 0) {
		(void)proc_kill(pidfd, SIGKILL); /* the caller learns nothing of it */
		(void)proc_wait(pidfd, &status, &ignored);
		return r;
	}
	*ret_pid = pid;
	*ret_pidfd = take_fd(&pidfd);
	return 0;
}
