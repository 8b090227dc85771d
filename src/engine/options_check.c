/* SPDX-License-Identifier: Apache-2.0 */
/* Rules between options, one table row or one small function a subject. No file is looked at. */
#include "engine/options.h"

#include <strings.h>
#include <unistd.h>

#include "base/id.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/namespace_mode.h"
#include "engine/signal_name.h"
#include "monitor/log.h"
#include "runtime/cgroup/systemd.h"

/* Less does not hold a shell. docker's 6 MB is what its runtime needs to start. */
#define MEMORY_MIN   (512 << 10)
#define NANO_PER_CPU INT64_C(1000000000)

void container_options_init(struct container_options *o)
{
	*o = (struct container_options){ .stop_timeout_s = -1, .memory_swappiness = -1 };
}

void container_options_done(struct container_options *o)
{
	char ***lists[] = {
		&o->command,
		&o->attach,
		&o->env,
		&o->env_file,
		&o->group_add,
		&o->ulimit,
		&o->volume,
		&o->mount,
		&o->tmpfs,
		&o->volumes_from,
		&o->blkio_weight_device,
		&o->device_read_bps,
		&o->device_write_bps,
		&o->device_read_iops,
		&o->device_write_iops,
		&o->cap_add,
		&o->cap_drop,
		&o->security_opt,
		&o->device,
		&o->device_cgroup_rule,
		&o->sysctl,
		&o->publish,
		&o->add_host,
		&o->dns,
		&o->dns_search,
		&o->dns_option,
		&o->label,
		&o->label_file,
		&o->annotation,
		&o->log_opt,
	};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		*lists[i] = strv_free(*lists[i]);
}

void exec_options_done(struct exec_options *o)
{
	o->command = strv_free(o->command);
	o->env = strv_free(o->env);
	o->env_file = strv_free(o->env_file);
}

static int check_what(const struct container_options *o, struct error *err)
{
	if (!o->image && !o->rootfs)
		return error_kind(err, ERROR_INVALID, "an image or --rootfs is needed");
	if (o->image && o->rootfs)
		return error_kind(err, ERROR_INVALID, "conflicting options: an image and --rootfs");
	if (o->name && !id_name_is_valid(o->name))
		return error_kind(err, ERROR_INVALID,
				  "Invalid container name (%s), only [a-zA-Z0-9][a-zA-Z0-9_.-] are "
				  "allowed",
				  o->name);
	if (!str_empty(o->workdir) && o->workdir[0] != '/')
		return error_kind(err, ERROR_INVALID,
				  "the working directory '%s' is invalid, it needs to be an "
				  "absolute path",
				  o->workdir);
	return 0;
}

static int check_life(const struct container_options *o, struct error *err)
{
	static const char *const streams[] = { "stdin", "stdout", "stderr" };

	if (!str_empty(o->restart) && !str_eq(o->restart, "no"))
		return error_kind(err, ERROR_UNSUPPORTED, "not supported yet: --restart %s",
				  o->restart);
	if (o->stop_signal && signal_parse(o->stop_signal) < 0)
		return error_kind(err, ERROR_INVALID, "invalid signal: %s", o->stop_signal);
	if (o->stop_timeout_s < -1)
		return error_kind(err, ERROR_INVALID, "invalid stop timeout: %d",
				  o->stop_timeout_s);
	if (o->detach && strv_len(o->attach) > 0)
		return error_kind(err, ERROR_INVALID, "conflicting options: -a and -d");
	for (size_t i = 0; i < strv_len(o->attach); i++) {
		size_t k = 0;

		while (k < ARRAY_SIZE(streams) && strcasecmp(streams[k], o->attach[i]) != 0)
			k++;
		if (k == ARRAY_SIZE(streams))
			return error_kind(err, ERROR_INVALID,
					  "invalid argument \"%s\" for \"-a, --attach\" flag: "
					  "valid streams are STDIN, STDOUT and STDERR",
					  o->attach[i]);
	}
	return 0;
}

static int check_memory(const struct container_options *o, struct error *err)
{
	if (o->memory < 0 || o->memory_reservation < 0 || o->memory_swap < -1)
		return error_kind(err, ERROR_INVALID, "a memory limit cannot be negative");
	if (o->memory > 0 && o->memory < MEMORY_MIN)
		return error_kind(err, ERROR_INVALID, "Minimum memory limit allowed is 512KB");
	if (o->memory_swap > 0 && o->memory == 0)
		return error_kind(err, ERROR_INVALID,
				  "You should always set the Memory limit when using Memoryswap "
				  "limit, see usage");
	if (o->memory_swap > 0 && o->memory_swap < o->memory)
		return error_kind(
			err, ERROR_INVALID,
			"Minimum memoryswap limit should be larger than memory limit, see "
			"usage");
	if (o->memory > 0 && o->memory_reservation > o->memory)
		return error_kind(err, ERROR_INVALID,
				  "Minimum memory limit can not be less than memory reservation "
				  "limit, see usage");
	if (o->memory_swappiness < -1 || o->memory_swappiness > 100)
		return error_kind(err, ERROR_INVALID,
				  "Invalid value: %lld, valid memory swappiness range is 0-100",
				  (long long)o->memory_swappiness);
	if (o->has_oom_score_adj && (o->oom_score_adj < -1000 || o->oom_score_adj > 1000))
		return error_kind(err, ERROR_INVALID,
				  "Invalid value %d, range for oom score adj is [-1000, 1000]",
				  o->oom_score_adj);
	if (o->shm_size < 0)
		return error_kind(err, ERROR_INVALID, "SHM size can not be less than 0");
	return 0;
}

/* "0-2,5": each number below limit. */
static int check_cpuset(const char *option, const char *text, long limit, const char *what,
			struct error *err)
{
	cleanup_with(strv_free) char **parts = str_empty(text) ? NULL : strv_split(text, ",", true);

	for (size_t i = 0; i < strv_len(parts); i++) {
		char *dash = strchr(parts[i], '-');
		uint32_t first, last;

		if (dash)
			*dash++ = '\0';
		if (str_to_u32(parts[i], &first) < 0 ||
		    str_to_u32(dash ? dash : parts[i], &last) < 0 || last < first)
			return error_kind(err, ERROR_INVALID, "Invalid value %s for %s", text,
					  option);
		if (limit > 0 && last >= (uint64_t)limit)
			return error_kind(err, ERROR_INVALID,
					  "Requested %s are not available - requested %s, "
					  "available: 0-%ld",
					  what, text, limit - 1);
	}
	return 0;
}

static int check_cpu(const struct container_options *o, struct error *err)
{
	/* asks the kernel through a file: only if it matters */
	bool asks = o->nano_cpus != 0 || !str_empty(o->cpuset_cpus);
	long cpus = asks ? sysconf(_SC_NPROCESSORS_ONLN) : 1;
	int r;

	if (o->nano_cpus < 0 || (o->nano_cpus > 0 && o->nano_cpus < NANO_PER_CPU / 100) ||
	    o->nano_cpus > cpus * NANO_PER_CPU)
		return error_kind(
			err, ERROR_INVALID,
			"Range of CPUs is from 0.01 to %ld.00, as there are only %ld CPUs "
			"available",
			cpus, cpus);
	if (o->nano_cpus > 0 && (o->cpu_period != 0 || o->cpu_quota != 0))
		return error_kind(err, ERROR_INVALID,
				  "Conflicting options: Nano CPUs and CPU %s cannot both be set",
				  o->cpu_period != 0 ? "Period" : "Quota");
	if (o->cpu_period != 0 && (o->cpu_period < 1000 || o->cpu_period > 1000000))
		return error_kind(err, ERROR_INVALID,
				  "CPU cfs period can not be less than 1ms (i.e. 1000) or larger "
				  "than 1s (i.e. 1000000)");
	if (o->cpu_quota > 0 && o->cpu_quota < 1000)
		return error_kind(err, ERROR_INVALID,
				  "CPU cfs quota can not be less than 1ms (i.e. 1000)");
	if (o->cpu_shares < 0)
		return error_kind(err, ERROR_INVALID, "shares value %lld is negative",
				  (long long)o->cpu_shares);
	r = check_cpuset("--cpuset-cpus", o->cpuset_cpus, cpus, "CPUs", err);
	if (r < 0)
		return r;
	return check_cpuset("--cpuset-mems", o->cpuset_mems, 0, "memory nodes", err);
}

static int check_slice(const char *slice, struct error *err)
{
	cleanup_free char *path = NULL;
	int r = systemd_slice_path(slice, &path, err);

	if (r < 0)
		return error_prefix(err, r, "--cgroup-parent");
	if (!systemd_is_running())
		return error_kind(err, ERROR_UNSUPPORTED,
				  "--cgroup-parent %s is a slice of systemd, which does not run on "
				  "this machine: give a cgroup path",
				  slice);
	return 0;
}

static int check_limits(const struct container_options *o, struct error *err)
{
	int r = check_memory(o, err);

	if (r < 0)
		return r;
	r = check_cpu(o, err);
	if (r < 0)
		return r;
	if (o->pids_limit < -1)
		return error_kind(err, ERROR_INVALID, "invalid pids limit: %lld",
				  (long long)o->pids_limit);
	if (o->blkio_weight != 0 && (o->blkio_weight < 10 || o->blkio_weight > 1000))
		return error_kind(err, ERROR_INVALID, "Range of blkio weight is from 10 to 1000");
	if (o->cgroup_parent && str_ends(o->cgroup_parent, ".slice"))
		return check_slice(o->cgroup_parent, err);
	return 0;
}

static int check_namespaces(const struct container_options *o, struct error *err)
{
	const struct {
		enum oci_ns ns;
		const char *word;
	} modes[] = {
		{ OCI_NS_NET, o->network }, { OCI_NS_PID, o->pid },
		{ OCI_NS_IPC, o->ipc },	    { OCI_NS_UTS, o->uts },
		{ OCI_NS_USER, o->userns }, { OCI_NS_CGROUP, o->cgroupns },
	};
	struct namespace_mode mode[OCI_NS_COUNT] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		int r = namespace_mode_parse(modes[i].ns, modes[i].word, &mode[modes[i].ns], err);

		if (r < 0)
			return r;
	}
	if (strv_len(o->publish) > 0 || o->publish_all)
		return error_kind(err, ERROR_UNSUPPORTED,
				  "not supported yet: publishing ports; --network host shares the "
				  "host's");
	if (o->hostname && mode[OCI_NS_UTS].kind != NAMESPACE_PRIVATE)
		return error_kind(err, ERROR_INVALID,
				  "conflicting options: hostname and the UTS mode");
	if (o->domainname && mode[OCI_NS_UTS].kind != NAMESPACE_PRIVATE)
		return error_kind(err, ERROR_INVALID,
				  "conflicting options: domainname and the UTS mode");
	if (o->hostname && mode[OCI_NS_NET].kind == NAMESPACE_CONTAINER)
		return error_kind(err, ERROR_INVALID,
				  "conflicting options: hostname and the network mode");
	if (mode[OCI_NS_NET].kind == NAMESPACE_CONTAINER &&
	    (strv_len(o->add_host) > 0 || strv_len(o->dns) > 0))
		return error_kind(err, ERROR_INVALID,
				  "conflicting options: %s and the network mode",
				  strv_len(o->dns) > 0 ? "dns" : "custom host-to-IP mapping");
	return 0;
}

static int check_log(const struct container_options *o, struct error *err)
{
	const char *driver = str_empty(o->log_driver) ? "json-file" : o->log_driver;

	return container_log_check(driver, o->log_opt, err);
}

static int check_unsupported(const struct container_options *o, struct error *err)
{
	const struct {
		const char *flag;
		bool used;
	} missing[] = {
		{ "--volumes-from", strv_len(o->volumes_from) > 0 },
		{ "--cpu-rt-period", o->cpu_rt_period != 0 },
		{ "--cpu-rt-runtime", o->cpu_rt_runtime != 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(missing); i++)
		if (missing[i].used)
			return error_kind(err, ERROR_UNSUPPORTED, "not supported yet: %s",
					  missing[i].flag);
	return 0;
}

int container_options_check(const struct container_options *o, struct error *err)
{
	static int (*const checks[])(const struct container_options *, struct error *) = {
		check_what, check_life,	      check_limits,
		check_log,  check_namespaces, check_unsupported,
	};

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		int r = checks[i](o, err);

		if (r < 0)
			return r;
	}
	return 0;
}
