/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/bpf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/macro.h"

#define VERIFIER_LOG_SIZE 4096
#define CGROUP_PROGS_MAX  64 /* BPF_CGROUP_MAX_PROGS of the kernel */

static int sys_bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	long r = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return r < 0 ? -errno : (int)r;
}

/* The last line of the verifier's log that says anything. */
static const char *last_line(char *log)
{
	size_t n = strlen(log);

	while (n > 0 && log[n - 1] == '\n')
		log[--n] = '\0';
	while (n > 0 && log[n - 1] != '\n')
		n--;
	return log + n;
}

int bpf_prog_load(enum bpf_prog_type type, enum bpf_attach_type attach_type, const char *name,
		  const struct bpf_insn *insns, size_t n, int *ret_fd, struct error *err)
{
	union bpf_attr attr = {
		.prog_type = type,
		.insn_cnt = (uint32_t)n,
		.insns = (uint64_t)(uintptr_t)insns,
		.license = (uint64_t)(uintptr_t) "Apache-2.0", /* no GPL helper is called */
		.expected_attach_type = attach_type,
	};
	char log[VERIFIER_LOG_SIZE] = "";
	int r;

	(void)snprintf(attr.prog_name, sizeof(attr.prog_name), "%s", name);
	r = sys_bpf(BPF_PROG_LOAD, &attr);
	if (r == -EINVAL || r == -EACCES) { /* again, to hear why */
		attr.log_buf = (uint64_t)(uintptr_t)log;
		attr.log_size = sizeof(log);
		attr.log_level = 1;
		r = sys_bpf(BPF_PROG_LOAD, &attr);
	}
	if (r < 0)
		return error_num(err, -r, "cannot load BPF program '%s'%s%s", name,
				 *log ? ": " : "", last_line(log));
	*ret_fd = r;
	return 0;
}

static bool has_name(int prog_fd, const char *name)
{
	struct bpf_prog_info info = { 0 };
	union bpf_attr attr = {
		.info = { .bpf_fd = (uint32_t)prog_fd,
			  .info_len = sizeof(info),
			  .info = (uint64_t)(uintptr_t)&info },
	};

	return sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) >= 0 &&
	       strncmp(info.name, name, sizeof(info.name)) == 0;
}

/* The next attached program of this name from *index on: its fd, or -ENOENT, or -errno. */
static int find_attached(const uint32_t *ids, uint32_t n, uint32_t *index, const char *name)
{
	for (; *index < n; (*index)++) {
		union bpf_attr attr = { .prog_id = ids[*index] };
		cleanup_fd int fd = sys_bpf(BPF_PROG_GET_FD_BY_ID, &attr);

		if (fd < 0) {
			if (fd == -ENOENT) /* detached by somebody meanwhile */
				continue;
			return fd;
		}
		if (has_name(fd, name)) {
			(*index)++;
			return take_fd(&fd);
		}
	}
	return -ENOENT;
}

static int query(int cgroup_fd, enum bpf_attach_type attach_type, uint32_t *ids, uint32_t *ret_n)
{
	union bpf_attr attr = {
		.query = { .target_fd = (uint32_t)cgroup_fd,
			   .attach_type = attach_type,
			   .prog_ids = (uint64_t)(uintptr_t)ids,
			   .prog_cnt = CGROUP_PROGS_MAX },
	};
	int r = sys_bpf(BPF_PROG_QUERY, &attr);

	if (r < 0)
		return r;
	*ret_n = attr.query.prog_cnt;
	return 0;
}

int bpf_cgroup_attach(int cgroup_fd, int prog_fd, enum bpf_attach_type attach_type,
		      const char *name, struct error *err)
{
	union bpf_attr attr = {
		.target_fd = (uint32_t)cgroup_fd,
		.attach_bpf_fd = (uint32_t)prog_fd,
		.attach_type = attach_type,
		.attach_flags = BPF_F_ALLOW_MULTI,
	};
	cleanup_fd int old_fd = -EBADF;
	uint32_t ids[CGROUP_PROGS_MAX], n = 0, index = 0;
	int r = query(cgroup_fd, attach_type, ids, &n);

	if (r < 0)
		return error_num(err, -r, "cannot list the BPF programs of the cgroup");
	old_fd = find_attached(ids, n, &index, name);
	if (old_fd < 0 && old_fd != -ENOENT)
		return error_num(err, -old_fd, "cannot open the BPF programs of the cgroup");
	if (old_fd >= 0) { /* since 5.6 */
		attr.attach_flags |= BPF_F_REPLACE;
		attr.replace_bpf_fd = (uint32_t)old_fd;
	}
	r = sys_bpf(BPF_PROG_ATTACH, &attr);
	if (r < 0)
		return error_num(err, -r, "cannot attach BPF program '%s' to the cgroup", name);
	return 0;
}

int bpf_cgroup_detach(int cgroup_fd, enum bpf_attach_type attach_type, const char *name,
		      struct error *err)
{
	uint32_t ids[CGROUP_PROGS_MAX], n = 0, index = 0;
	int r = query(cgroup_fd, attach_type, ids, &n);

	if (r < 0)
		return error_num(err, -r, "cannot list the BPF programs of the cgroup");
	for (;;) {
		cleanup_fd int fd = find_attached(ids, n, &index, name);
		union bpf_attr attr = {
			.target_fd = (uint32_t)cgroup_fd,
			.attach_bpf_fd = (uint32_t)fd,
			.attach_type = attach_type,
		};

		if (fd == -ENOENT)
			return 0;
		r = fd < 0 ? fd : sys_bpf(BPF_PROG_DETACH, &attr);
		if (r < 0)
			return error_num(err, -r, "cannot detach BPF program '%s'", name);
	}
}
