/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The life of init before the execve. Each row of init_steps[] says why it stands where it does;
 * moving one means moving a reason.
 *
 * Two ways to tell the creator of a failure: over the sync socket (own memory), or by filling
 * init->error (shared memory; the creator sleeps until we end or execute).
 */

#include "runtime/init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/inject.h"
#include "base/path.h"
#include "base/sig.h"
#include "base/str.h"
#include "kernel/keyring.h"
#include "kernel/pty.h"
#include "oci/spec.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/hook.h"
#include "runtime/loopback.h"
#include "runtime/lsm.h"
#include "runtime/mempolicy.h"
#include "runtime/namespaces.h"
#include "runtime/personality.h"
#include "runtime/rdt.h"
#include "runtime/seccomp_notify.h"
#include "runtime/statedir.h"
#include "runtime/sync.h"
#include "runtime/sysctl.h"
#include "runtime/tty.h"

#define PROC_ROOT_INODE 1 /* include/linux/proc_ns.h: the root of any procfs */

static int init_fds(struct init *init, struct error *err)
{
	cleanup_close_fd(&init->creator_fd);
	init->creator_fd = -EBADF;
	/* whatever the caller left open ends at the execve, but for what he asked to keep */
	if (close_range(3 + init->preserve_fds, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return error_sys(err, "cannot mark descriptors close-on-exec");
	return 0;
}

static int become_undumpable(struct error *err)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_sys(err, "cannot become undumpable");
	return 0;
}

/* The files of an undumpable process are the first root's: an ordinary user could not write our id
 * maps. Until he has, our uid is nobody's in any container. */
static int init_undumpable(struct init *init, struct error *err)
{
	return init->namespaces->make & CLONE_NEWUSER ? 0 : become_undumpable(err);
}

/* The creator's packets; EOF means that it died, and so do we. */
static int expect(struct init *init, enum sync_type type, struct error *err)
{
	int r = sync_expect(init->sync_fd, type, &init->host_pid, err);

	if (r == 1)
		_exit(EXIT_FAILURE);
	return r;
}

static int init_ids(struct init *init, struct error *err)
{
	bool new_user = init->namespaces->make & CLONE_NEWUSER;
	bool keep_groups = init->process && init->process->keep_groups;
	int r = 0;

	/* network devices come in meanwhile, before anything that is set for them, and systemd's cgroup */
	if (new_user || init->placed_later || init->spec->linux_.n_net_devices)
		r = expect(init, SYNC_MAPPED, err);
	if (r >= 0 && !new_user)
		return init->namespaces->join_fd[OCI_NS_USER] < 0
			       ? 0
			       : idmap_become_root(keep_groups, err);
	if (r >= 0)
		r = become_undumpable(err);
	if (r >= 0)
		r = idmap_become_root(keep_groups, err);
	if (r >= 0 && init->namespaces->make_as_root &&
	    unshare((int)init->namespaces->make_as_root) < 0)
		return error_sys(err, "cannot make an ipc namespace");
	return r;
}

static int init_session(struct init *init, struct error *err)
{
	if (setsid() < 0 && errno != EPERM) /* EPERM: is a leader already */
		return error_sys(err, "cannot start a session");
	sig_reset_dispositions();
	umask(0); /* modes of nodes and directories are exact */
	return 0;
}

static bool is_procfs(int fd)
{
	struct statfs fs;
	struct stat st;

	return fstatfs(fd, &fs) == 0 && fstat(fd, &st) == 0 && fs.f_type == PROC_SUPER_MAGIC &&
	       st.st_ino == PROC_ROOT_INODE;
}

static int init_proc(struct init *init, struct error *err)
{
	cleanup_fd int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_sys(err, "cannot open '/proc'");
	if (!is_procfs(fd))
		return error_kind(err, ERROR_DENIED, "the host's '/proc' is not procfs");
	init->proc_fd = take_fd(&fd);
	return 0;
}

static int init_keyring(struct init *init, struct error *err)
{
	char name[256];
	int r = 0;

	if (init->no_new_keyring)
		return 0;
	(void)snprintf(name, sizeof(name), "_ses.%.200s", init->container->id);
	if (init->process)
		r = lsm_label_keys(init->proc_fd, init->process->process->selinux_label, err);
	return r < 0 || keyring_join_new(name, err) < 0 ? -err->sys : 0;
}

static int init_propagation(struct init *init, struct error *err)
{
	if (init->mounter.on_host)
		return 0;
	return pivot_prepare(init->plan->propagation, init->proc_fd, &init->chrooted, err);
}

enum phase { PHASE_MOUNT, PHASE_COVER, PHASE_SEAL };

static enum phase phase_of(enum mount_op_kind kind)
{
	switch (kind) {
	case MOUNT_OP_READ_ONLY:
	case MOUNT_OP_MASK:
		return PHASE_COVER;
	case MOUNT_OP_SEAL:
		return PHASE_SEAL;
	default:
		return PHASE_MOUNT;
	}
}

static int apply_ops(struct init *init, enum phase phase, struct error *err)
{
	const struct mount_plan *plan = init->plan;

	for (size_t i = 0; i < plan->n; i++) {
		int r;

		if (phase_of(plan->ops[i].kind) != phase)
			continue;
		r = mount_apply(&init->mounter, &plan->ops[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int init_mounts(struct init *init, struct error *err)
{
	return apply_ops(init, PHASE_MOUNT, err);
}

static int init_cover(struct init *init, struct error *err)
{
	return apply_ops(init, PHASE_COVER, err);
}

/*
 * Through the container's own procfs if it has one: in the host's the kernel keeps an entry of the same
 * name for each net namespace that ever asked, and looks at them one after the other.
 */
static int init_sysctl(struct init *init, struct error *err)
{
	const struct oci_linux *config = &init->spec->linux_;
	cleanup_fd int own_fd = -EBADF;

	if (config->n_sysctl == 0)
		return 0;
	own_fd = path_open_in_root(init->mounter.root_fd, "proc", O_PATH | O_DIRECTORY, 0);
	if (own_fd >= 0 && !is_procfs(own_fd))
		close(take_fd(&own_fd));
	return sysctl_apply(config, own_fd, init->proc_fd, err);
}

/* What is in the way of a directory is told by the chdir, later. */
static int init_cwd(struct init *init, struct error *err)
{
	const struct oci_process *p = init->spec->process;

	if (p && p->cwd)
		(void)path_mkdir_in_root(init->mounter.root_fd, p->cwd, 0755, NULL, NULL);
	return 0;
}

static int init_terminal(struct init *init, struct error *err)
{
	const struct oci_process *p = init->spec->process;
	int r;

	if (!p || !p->terminal)
		return 0;
	r = tty_create(&init->mounter, p, init->console_fd, &init->slave_fd, err);
	if (r < 0)
		return r;
	if (init->plain_newlines)
		(void)pty_keep_newlines(init->slave_fd); /* only looks are lost */
	return tty_adopt(init->slave_fd, err);
}

static int init_seal(struct init *init, struct error *err)
{
	return apply_ops(init, PHASE_SEAL, err);
}

static int init_cgroup(struct init *init, struct error *err)
{
	int r = cgroup_enter(init->cgroup, err);

	if (r >= 0)
		r = rdt_enter(init->rdt, err);
	if (r >= 0 && init->namespaces->make_cgroup && unshare(CLONE_NEWCGROUP) < 0)
		return error_sys(err, "cannot make a cgroup namespace");
	return r;
}

static int init_loopback(struct init *init, struct error *err)
{
	return init->namespaces->make & CLONE_NEWNET ? loopback_up(err) : 0;
}

static int init_names(struct init *init, struct error *err)
{
	const char *host = init->spec->hostname, *domain = init->spec->domainname;

	if (!str_empty(host) && sethostname(host, strlen(host)) < 0)
		return error_sys(err, "cannot set the hostname to '%s'", host);
	if (!str_empty(domain) && setdomainname(domain, strlen(domain)) < 0)
		return error_sys(err, "cannot set the domainname to '%s'", domain);
	return 0;
}

/* how: what is special about this kind. */
static int run_hooks(struct init *init, enum oci_hook_kind kind, enum container_status status,
		     struct hook_how how, struct error *err)
{
	cleanup_buf struct buf state = { 0 };

	if (init->spec->hooks.n[kind] == 0)
		return 0;
	container_format_state(init->container, status, init->host_pid, NULL, &state);
	how.state = buf_str(&state);
	how.output = init->hook_output;
	return hooks_run(&init->spec->hooks, kind, &how, err);
}

static int enter_rootfs(void *arg, struct error *err)
{
	const struct init *init = arg;

	if (fchdir(init->mounter.root_fd) < 0)
		return error_sys(err, "cannot change into the rootfs");
	return 0;
}

/* They look for the container's files at root.path, and its mounts among them. */
static int init_create_hooks(struct init *init, struct error *err)
{
	const struct hook_how how = { .confine = enter_rootfs,
				      .confine_arg = init,
				      .env = (const char *[]){ NULL } };
	bool shown = false;
	struct error own;
	int r;

	if (init->spec->hooks.n[OCI_HOOK_CREATE_CONTAINER] == 0)
		return 0;
	/* on a shared mount it would appear on the host */
	if (!init->mounter.on_host && !(init->plan->propagation & MS_SHARED))
		shown = pivot_show_root(init->mounter.root_fd, init->plan->rootfs_path) == 0;
	r = run_hooks(init, OCI_HOOK_CREATE_CONTAINER, CONTAINER_CREATING, how, err);
	if (!shown || pivot_attach_root(init->mounter.root_fd, &own) == 0)
		return r;
	if (r >= 0)
		*err = own;
	return r < 0 ? r : -EIO;
}

static int init_hooks(struct init *init, struct error *err)
{
	int r;

	if (!init->has_hooks)
		return 0;
	r = sync_send(init->sync_fd, SYNC_MOUNTED, 0);
	if (r < 0)
		return error_num(err, -r, "cannot talk to the creator");
	r = expect(init, SYNC_HOOKED, err);
	if (r < 0)
		return r;
	return init_create_hooks(init, err);
}

static int init_limits(struct init *init, struct error *err)
{
	int r = personality_apply(&init->spec->linux_, err);

	if (r >= 0)
		r = mempolicy_apply(&init->spec->linux_, err);
	if (r < 0 || !init->process)
		return r;
	return process_apply_limits(init->process, init->proc_fd, err);
}

static int init_pivot(struct init *init, struct error *err)
{
	enum pivot_way way = init->no_pivot || init->mounter.on_host ? PIVOT_NOT
			     : init->chrooted			     ? PIVOT_FROM_CHROOT
								     : PIVOT_ROOT;
	int r = pivot_into(init->mounter.root_fd, init->proc_fd, way, err);

	if (r < 0 || !init->plan->propagation)
		return r;
	/* rootfsPropagation is that of the container's root, too */
	r = mount_set_attributes(init->mounter.root_fd, init->plan->propagation & MS_REC, 0, 0,
				 init->plan->propagation & ~(uint64_t)MS_REC, -1);
	return r < 0 ? error_num(err, -r, "linux.rootfsPropagation") : 0;
}

/*
 * CVE-2024-21626: close-on-exec is too late for what the execve itself looks up. By way of
 * /proc/self/fd/N/.. the program, its working directory or a hook would be a file of the host.
 */
static int init_handles(struct init *init, struct error *err)
{
	const struct process_setup *p = init->process;
	const struct hook_output *o = init->hook_output;
	int keep[] = { init->sync_fd,
		       init->listen_fd,
		       init->mounter.root_fd, /* the container's own */
		       o ? o->out_fd : -EBADF,
		       o ? o->err_fd : -EBADF,
		       p && p->notify ? seccomp_notify_agent(p->notify) : -EBADF };
	int r = fd_close_others(3 + init->preserve_fds, keep, ARRAY_SIZE(keep));

	if (r < 0)
		return error_num(err, -r, "cannot close descriptors");
	init->proc_fd = -EBADF;
	return 0;
}

static int init_user(struct init *init, struct error *err)
{
	uid_t uid;
	int r;

	umask(0022);
	if (!init->process)
		return 0;
	uid = init->process->process->user.uid;
	if (uid && init->slave_fd < 0)
		stdio_set_owner(uid);
	r = process_set_user(init->process, err);
	if (r >= 0)
		r = process_set_cwd(init->process, init->mounter.root_fd, err);
	return r;
}

static int init_executable(struct init *init, struct error *err)
{
	return init->process ? process_find_executable(init->process, err) : 0;
}

static int init_start(struct init *init, struct error *err)
{
	return init_wait_start(init, err);
}

static int confine_hook(void *arg, struct error *err)
{
	return process_confine(arg, err);
}

static int init_start_hooks(struct init *init, struct error *err)
{
	int r;

	if (!init->process)
		return error_kind(err, ERROR_INVALID, "process: missing, nothing to start");
	/* a hook's own filter would have a listener that nobody answers: they inherit ours */
	if (init->process->notify && init->spec->hooks.n[OCI_HOOK_START_CONTAINER] > 0) {
		r = process_confine(init->process, err);
		if (r < 0)
			return r;
	}
	return run_hooks(init, OCI_HOOK_START_CONTAINER, CONTAINER_CREATED,
			 (struct hook_how){ .confine = confine_hook,
					    .confine_arg = init->process,
					    .env = init->process->env },
			 err);
}

static int init_confine(struct init *init, struct error *err)
{
	return process_confine(init->process, err);
}

static int init_exec(struct init *init, struct error *err)
{
	sig_unblock_all(); /* what came while we were setting up arrives now */
	return process_exec(init->process, err);
}

struct init_step {
	const char *name;
	int (*run)(struct init *init, struct error *err);
};

static const struct init_step init_steps[] = {
	/* first: the creator's death must be seen, and nothing may leak into the container */
	{ "descriptors", init_fds },
	/* before anybody in a shared pid namespace can look: no ptrace, no /proc/PID/exe, fd */
	{ "undumpable", init_undumpable },
	/* nothing can be owned or mounted by an unmapped id */
	{ "ids", init_ids },
	{ "session", init_session },
	/* the host's, while its root is still ours */
	{ "procfs", init_proc },
	{ "keyring", init_keyring },
	/* before any mount, or it appears on the host */
	{ "propagation", init_propagation },
	{ "mounts", init_mounts },
	/* while the container's own /proc/sys is writable */
	{ "sysctl", init_sysctl },
	/* readonlyPaths, maskedPaths */
	{ "cover", init_cover },
	/* made if missing, as other runtimes do, while the root is writable */
	{ "cwd", init_cwd },
	/* needs /dev/pts, and /dev still writable */
	{ "terminal", init_terminal },
	{ "seal", init_seal },
	/* late, so that building the mounts is not charged to a small memory limit; before the
	 * hooks, which look for the container's cgroup; the namespace's root is where we are now */
	{ "cgroup", init_cgroup },
	{ "loopback", init_loopback },
	{ "hostname", init_names },
	/* everything is there and the host's paths still are, too */
	{ "hooks", init_hooks },
	{ "pivot_root", init_pivot },
	/* privileged, and rlimits would have hindered the steps above */
	{ "limits", init_limits },
	/* what is of the host, before names that the container chooses are looked up */
	{ "handles", init_handles },
	{ "user", init_user },
	/* as the user, in his root: a wrong argv[0] fails create, not start */
	{ "executable", init_executable },
	{ "start", init_start },
	{ "startContainer", init_start_hooks },
	/* last: capabilities and seccomp may forbid all of the above */
	{ "confine", init_confine },
	{ "exec", init_exec },
};

void init_prepare(struct init *init)
{
	mounter_init(&init->mounter, init->plan->rootfs_path);
	init->mounter.on_host = !init->spec->linux_.namespaces[OCI_NS_MOUNT].wanted;
	init->proc_fd = init->slave_fd = init->start_fd = -EBADF;
	init->host_pid = 0;
	init->step = "";
	init->failed = false;
}

bool init_reached_exec(const struct init *init)
{
	return !init->failed && init->step == init_steps[ARRAY_SIZE(init_steps) - 1].name;
}

static void report(struct init *init)
{
	int fd = init->start_fd >= 0 ? init->start_fd : init->sync_fd;

	if (fd >= 0)
		(void)sync_send_error(fd, &init->error); /* if nobody listens, nobody asks */
	init->failed = true;
}

int init_main(void *arg)
{
	struct init *init = arg;

	for (size_t i = 0; i < ARRAY_SIZE(init_steps); i++) {
		const struct init_step *step = &init_steps[i];

		if (inject_failure("init", step->name, &init->error) >= 0) {
			init->step = step->name;
			if (step->run(init, &init->error) >= 0)
				continue;
		}
		error_set_step(&init->error, step->name);
		report(init);
		return EXIT_FAILURE;
	}
	return EXIT_FAILURE; /* not reached: the last step only returns with an error */
}
