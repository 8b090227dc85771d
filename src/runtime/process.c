/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "base/user.h"
#include "kernel/rlimit.h"
#include "oci/spec.h"
#include "runtime/caps.h"
#include "runtime/executable.h"
#include "runtime/lsm.h"
#include "runtime/procfs.h"
#include "runtime/schedule.h"
#include "runtime/seccomp_notify.h"

#define UMASK_DEFAULT 0022

/* Parent side */

/* Length of the name in "NAME=value", or 0. */
static size_t name_len(const char *variable)
{
	const char *equals = strchr(variable, '=');

	return equals ? (size_t)(equals - variable) : 0;
}

static bool is_variable(const char *variable, const char *name, size_t len)
{
	return strncmp(variable, name, len) == 0 && variable[len] == '=';
}

/* Of equal names the last one counts: getenv(3) of the container finds the first it meets. */
static bool set_again(const struct oci_process *p, size_t index, size_t len)
{
	for (size_t i = index + 1; i < p->n_env; i++) {
		if (is_variable(p->env[i], p->env[index], len))
			return true;
	}
	return false;
}

static int prepare_env(struct process_setup *s, struct error *err)
{
	const struct oci_process *p = s->process;

	/* and HOME, and NULL */
	s->env = mem_try_alloc(p->n_env + PROCESS_MORE_ENV + 2, sizeof(*s->env));
	if (!s->env)
		return error_oom(err);
	for (size_t i = 0; i < p->n_env; i++) {
		size_t len = name_len(p->env[i]);

		if (!len)
			return error_kind(err, ERROR_INVALID,
					  "process.env[%zu]: '%s' is not of the form NAME=value", i,
					  p->env[i]);
		if (set_again(p, i, len))
			continue;
		if (is_variable(p->env[i], "HOME", 4)) {
			if (!p->env[i][5]) /* empty is absent: looked up in the container */
				continue;
			s->has_home = true;
		}
		s->env[s->n_env++] = p->env[i];
	}
	return 0;
}

static int check_fields(const struct oci_process *p, struct error *err)
{
	if (!p->n_args)
		return error_kind(err, ERROR_INVALID, "process.args: no command given");
	if (str_empty(p->cwd) || p->cwd[0] != '/')
		return error_kind(err, ERROR_INVALID, "process.cwd: '%s' is not an absolute path",
				  p->cwd ? p->cwd : "");
	for (size_t i = 0; i < p->n_rlimits; i++) {
		if (p->rlimits[i].soft > p->rlimits[i].hard)
			return error_kind(err, ERROR_INVALID,
					  "process.rlimits[%zu]: the soft limit of %s is above the "
					  "hard limit",
					  i, rlimit_name(p->rlimits[i].resource));
	}
	return schedule_check(p, err);
}

int process_prepare(const struct oci_process *process, const struct oci_seccomp *seccomp,
		    struct process_setup *ret_setup, struct error *err)
{
	struct process_setup s = { .process = process };
	int r;

	r = check_fields(process, err);
	if (r >= 0)
		r = lsm_check(process->apparmor_profile, process->selinux_label, err);
	if (r >= 0)
		r = prepare_env(&s, err);
	if (r >= 0)
		r = seccomp_compile(seccomp, &s.filter, err);
	if (r < 0) {
		process_setup_done(&s);
		return r;
	}
	*ret_setup = s;
	return 0;
}

void process_setup_done(struct process_setup *s)
{
	seccomp_filter_done(&s->filter);
	s->notify = seccomp_notify_free(s->notify);
	free(s->env);
	s->env = NULL;
	s->n_env = 0;
}

void process_add_env(struct process_setup *s, const char *variable)
{
	size_t len = name_len(variable);

	for (size_t i = 0; i < s->n_env; i++) {
		if (is_variable(s->env[i], variable, len)) {
			s->env[i] = variable;
			return;
		}
	}
	s->env[s->n_env++] = variable;
}

int process_check_preserved(unsigned n, struct error *err)
{
	for (int fd = 3; fd < 3 + (int)n; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags < 0 || (flags & FD_CLOEXEC))
			return error_kind(err, ERROR_INVALID,
					  "descriptor %d is not open, it cannot be preserved", fd);
	}
	return 0;
}

/* Child side */

static int apply_oom_score(int proc_fd, int64_t score, struct error *err)
{
	cleanup_fd int fd = procfs_open(proc_fd, "self/oom_score_adj", O_RDWR);
	char text[24], now[24] = "";
	int n = snprintf(text, sizeof(text), "%lld", (long long)score);

	if (fd < 0)
		return error_num(err, -fd, "cannot open oom_score_adj");
	if (write(fd, text, (size_t)n) == n)
		return 0;
	/* lowering needs CAP_SYS_RESOURCE, also to the value that is there (rootless) */
	if (errno == EACCES && pread(fd, now, sizeof(now) - 1, 0) > 0 &&
	    strtoll(now, NULL, 10) == score)
		return 0;
	return error_num(err, EACCES, "cannot set process.oomScoreAdj to %s", text);
}

static int set_rlimit(const struct oci_rlimit *l, const struct rlimit *limit, struct error *err)
{
	if (setrlimit((__rlimit_resource_t)l->resource, limit) < 0)
		return error_sys(err, "cannot set %s to %llu:%llu", rlimit_name(l->resource),
				 (unsigned long long)l->soft, (unsigned long long)l->hard);
	return 0;
}

static int apply_rlimits(const struct oci_process *p, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < p->n_rlimits && r >= 0; i++) {
		const struct oci_rlimit *l = &p->rlimits[i];
		struct rlimit limit = { .rlim_cur = l->soft, .rlim_max = l->hard };

		rlimit_leave_room(l->resource, &limit);
		r = set_rlimit(l, &limit, err);
	}
	return r;
}

/* What rlimit_leave_room() left. Lowering takes no privilege. */
static int apply_files_limit(const struct oci_process *p, struct error *err)
{
	for (size_t i = 0; i < p->n_rlimits; i++) {
		const struct oci_rlimit *l = &p->rlimits[i];
		struct rlimit limit = { .rlim_cur = l->soft, .rlim_max = l->hard };

		if (l->resource == RLIMIT_NOFILE)
			return set_rlimit(l, &limit, err);
	}
	return 0;
}

int process_apply_limits(struct process_setup *s, int proc_fd, struct error *err)
{
	const struct oci_process *p = s->process;
	int r = 0;

	if (p->oom_score_adj.set)
		r = apply_oom_score(proc_fd, p->oom_score_adj.value, err);
	if (r >= 0)
		r = schedule_apply(p, err);
	if (r >= 0 && !s->rlimits_are_set)
		r = apply_rlimits(p, err);
	if (r >= 0)
		r = lsm_apply(proc_fd, p->apparmor_profile, p->selinux_label, err);
	if (r >= 0 && s->notify)
		r = seccomp_notify_find_pid(s->notify, proc_fd, err);
	return r;
}

/*
 * The new user must be able to open /dev/stdout, which leads to the same file again. Files that we
 * may not give away (a terminal of the host, a read-only mount, another user's) stay as they are.
 */
static void give_stdio(uint32_t uid)
{
	if (uid == 0)
		return;
	for (int fd = 0; fd <= 2; fd++) {
		struct stat st;

		if (fstat(fd, &st) < 0 || st.st_uid == uid)
			continue;
		if (S_ISCHR(st.st_mode) &&
		    st.st_rdev == makedev(1, 3)) /* /dev/null is everyone's */
			continue;
		(void)!fchown(fd, uid, (gid_t)-1); /* best effort, see above */
	}
}

/* By the raw calls: glibc's would look for threads, and this child may share its parent's memory.
 */
static int change_user(const struct oci_user *u, bool keep_groups, struct error *err)
{
	if (!keep_groups && syscall(SYS_setgroups, u->n_additional_gids, u->additional_gids) < 0) {
		/* denied in a user namespace that an ordinary user made: none is what it has */
		if (errno != EPERM || u->n_additional_gids)
			return error_sys(err, "cannot set %zu supplementary groups%s",
					 u->n_additional_gids,
					 errno == EINVAL ? ": not mapped in the user namespace"
					 : errno == EPERM
						 ? ": denied in this user namespace, which has one "
						   "group alone"
						 : "");
	}
	if (syscall(SYS_setresgid, u->gid, u->gid, u->gid) < 0)
		return error_sys(err, "cannot set gid %u%s", u->gid,
				 errno == EINVAL ? ": not mapped in the user namespace" : "");
	if (syscall(SYS_setresuid, u->uid, u->uid, u->uid) < 0)
		return error_sys(err, "cannot set uid %u%s", u->uid,
				 errno == EINVAL ? ": not mapped in the user namespace" : "");
	return 0;
}

int process_set_user(struct process_setup *s, struct error *err)
{
	const struct oci_process *p = s->process;
	int r;

	give_stdio(p->user.uid);
	r = caps_before_user(p->capabilities, err);
	if (r < 0)
		return r;
	r = change_user(&p->user, s->keep_groups, err);
	if (r < 0)
		return r;
	umask(p->user.umask.set ? (mode_t)p->user.umask.value & 0777 : UMASK_DEFAULT);
	return 0;
}

static void find_home(struct process_setup *s, int root_fd)
{
	static const char name[] = "HOME=";
	size_t len = sizeof(name) - 1;

	memcpy(s->home, name, len);
	(void)user_home(root_fd, s->process->user.uid, s->home + len,
			sizeof(s->home) - len); /* "/" is what everybody else takes then */
	s->env[s->n_env++] = s->home;
	s->has_home = true;
}

/* Its name is longer than the kernel's answer may be: no magic link leads out of the root. */
static int enter_long_cwd(const struct oci_process *p, int root_fd, struct error *err)
{
	cleanup_fd int fd = path_open_in_root(root_fd, p->cwd, O_PATH | O_DIRECTORY, 0);

	if (fd < 0)
		return error_num(err, -fd, "cannot tell where cwd \"%s\" is", p->cwd);
	if (fchdir(fd) < 0)
		return error_sys(err, "cannot change to cwd \"%s\"", p->cwd);
	return 0;
}

static int enter_cwd(const struct oci_process *p, int root_fd, struct error *err)
{
	char where[PATH_MAX];
	long n;

	if (chdir(p->cwd) < 0)
		return error_sys(err, "chdir to cwd (\"%s\") set in config.json failed", p->cwd);
	/*
	 * CVE-2024-21626: a cwd such as /proc/self/fd/7 may lead to a directory of the host. The
	 * kernel then reports "(unreachable)/..."; the raw call, as libc would turn to walking
	 * "..".
	 */
	n = syscall(SYS_getcwd, where, sizeof(where));
	if (n < 0 && (errno == ERANGE || errno == ENAMETOOLONG))
		return enter_long_cwd(p, root_fd, err);
	if (n < 0)
		return error_sys(err, "cannot tell where cwd \"%s\" is", p->cwd);
	if (n > 0 && where[0] != '/')
		return error_kind(err, ERROR_DENIED,
				  "cwd \"%s\" is outside of the container's root", p->cwd);
	return 0;
}

int process_set_cwd(struct process_setup *s, int root_fd, struct error *err)
{
	const struct oci_process *p = s->process;
	int r;

	/* an image's WORKDIR may be closed to its USER, and file systems may be closed to root: so
	 * as the user, but with the capabilities that we still have */
	if (p->user.uid != 0) {
		r = caps_raise(err);
		if (r < 0)
			return r;
	}
	if (!s->has_home)
		find_home(s, root_fd);
	r = enter_cwd(p, root_fd, err);
	if (r < 0)
		return r;
	return p->user.uid != 0 ? caps_lower(p->capabilities, err) : 0;
}

int process_find_executable(struct process_setup *s, struct error *err)
{
	const char *path = NULL;

	for (size_t i = 0; i < s->n_env; i++) {
		if (is_variable(s->env[i], "PATH", 4))
			path = s->env[i] + 5;
	}
	return executable_find(s->process->args[0], path, s->exec_path, err);
}

static int load_filter(struct process_setup *s, struct error *err)
{
	if (s->notify)
		return seccomp_notify_load(s->notify, &s->filter, err);
	return seccomp_load(&s->filter, NULL, err);
}

/*
 * Without no_new_privs the kernel wants CAP_SYS_ADMIN to load a filter, so it comes before the
 * capabilities go, and the profile must allow capget, capset, prctl and execve. With it the filter
 * is the last thing before execve.
 */
int process_confine(struct process_setup *s, struct error *err)
{
	const struct oci_process *p = s->process;
	bool filter = s->filter.program.n_insns > 0;
	int r;

	if (s->confined)
		return 0;
	s->confined = true;
	r = apply_files_limit(p, err); /* a filter may forbid it */
	if (r >= 0 && filter && !p->no_new_privileges) {
		r = caps_raise(err);
		if (r >= 0)
			r = load_filter(s, err);
	}
	if (r >= 0)
		r = caps_apply(p->capabilities, err);
	if (r < 0 || !p->no_new_privileges)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_sys(err, "cannot set process.noNewPrivileges");
	return load_filter(s, err);
}

int process_exec(struct process_setup *s, struct error *err)
{
	execve(s->exec_path, (char *const *)s->process->args, (char *const *)s->env);
	if (errno == ENOENT) /* it was there a moment ago: the interpreter is missing */
		return error_kind(err, ERROR_CMD_NOT_FOUND, "exec %s: no such file or directory",
				  s->exec_path);
	if (errno == ENOEXEC)
		return error_kind(err, ERROR_CMD_NOT_RUNNABLE, "exec %s: exec format error",
				  s->exec_path);
	if (errno == EACCES || errno == EPERM)
		return error_kind(err, ERROR_CMD_NOT_RUNNABLE, "exec %s: permission denied",
				  s->exec_path);
	return error_sys(err, "exec %s", s->exec_path);
}
