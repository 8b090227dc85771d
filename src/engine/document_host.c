/* SPDX-License-Identifier: Apache-2.0 */
/* docker's HostConfig, in docker's order: tables of plain fields between the structured ones. */
#include "engine/document_host.h"

#include "base/mem.h"
#include "base/str.h"
#include "kernel/capability.h"

#define SHM_SIZE_DEFAULT (INT64_C(64) << 20)

static const char *text(const char *s)
{
	return s ? s : "";
}

/* "none", "host", "container:<id>", or what docker shows where nothing was said. */
static void add_mode(const struct container_config *c, struct json_writer *w, enum oci_ns ns,
		     const char *private_word)
{
	const struct namespace_mode *mode = &c->ns[ns];
	cleanup_free char *word = NULL;

	switch (mode->kind) {
	case NAMESPACE_PRIVATE:
		word = xstrdup(private_word);
		break;
	case NAMESPACE_HOST:
		word = xstrdup("host");
		break;
	case NAMESPACE_CONTAINER:
		word = xasprintf("container:%s", mode->container);
		break;
	}
	json_add_string(w, namespace_mode_field(ns), word);
}

static void add_log_config(const struct container_options *o, struct json_writer *w)
{
	json_begin_object(w, "LogConfig");
	json_add_string(w, "Type", str_empty(o->log_driver) ? "json-file" : o->log_driver);
	document_add_pairs(w, "Config", (const char *const *)o->log_opt, strv_len(o->log_opt));
	json_end(w);
}

static void add_restart_policy(struct json_writer *w)
{
	json_begin_object(w, "RestartPolicy");
	json_add_string(w, "Name", "no");
	json_add_i64(w, "MaximumRetryCount", 0);
	json_end(w);
}

static void add_console_size(const struct container_options *o, struct json_writer *w)
{
	json_begin_array(w, "ConsoleSize");
	json_add_u64(w, NULL, o->console_rows);
	json_add_u64(w, NULL, o->console_columns);
	json_end(w);
}

static void add_devices(const struct container_options *o, struct json_writer *w)
{
	json_begin_array(w, "Devices");
	for (size_t i = 0; i < strv_len(o->device); i++) {
		cleanup_with(strv_free) char **parts = strv_split(o->device[i], ":", true);
		size_t n = strv_len(parts);
		bool second_is_path = n >= 2 && parts[1][0] == '/';

		json_begin_object(w, NULL);
		json_add_string(w, "PathOnHost", parts[0]);
		json_add_string(w, "PathInContainer", second_is_path ? parts[1] : parts[0]);
		json_add_string(w, "CgroupPermissions",
				n == 3			    ? parts[2]
				: n == 2 && !second_is_path ? parts[1]
							    : "rwm");
		json_end(w);
	}
	json_end(w);
}

/* "PATH:VALUE" words as docker's pairs. */
static void add_block_words(struct json_writer *w, const char *key, char *const *words,
			    const struct oci_throttle *rates,
			    const struct oci_weight_device *weights)
{
	json_begin_array(w, key);
	for (size_t i = 0; i < strv_len(words); i++) {
		const char *colon = strrchr(words[i], ':');
		cleanup_free char *path = xstrndup(words[i], (size_t)(colon - words[i]));

		json_begin_object(w, NULL);
		json_add_string(w, "Path", path);
		if (rates)
			json_add_u64(w, "Rate", rates[i].rate);
		else if (weights)
			json_add_u64(w, "Weight", weights[i].weight.value);
		json_end(w);
	}
	json_end(w);
}

static void add_blkio(const struct container_config *c, struct json_writer *w)
{
	const struct container_options *o = c->options;
	const struct {
		const char *key;
		char *const *words;
		enum oci_throttle_kind kind;
	} rows[] = {
		{ "BlkioDeviceReadBps", o->device_read_bps, OCI_THROTTLE_READ_BPS },
		{ "BlkioDeviceWriteBps", o->device_write_bps, OCI_THROTTLE_WRITE_BPS },
		{ "BlkioDeviceReadIOps", o->device_read_iops, OCI_THROTTLE_READ_IOPS },
		{ "BlkioDeviceWriteIOps", o->device_write_iops, OCI_THROTTLE_WRITE_IOPS },
	};

	json_add_i64(w, "BlkioWeight", o->blkio_weight);
	add_block_words(w, "BlkioWeightDevice", o->blkio_weight_device, NULL, c->weights);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		add_block_words(w, rows[i].key, rows[i].words, c->throttle[rows[i].kind], NULL);
}

static void add_ulimits(const struct container_config *c, struct json_writer *w)
{
	json_begin_array(w, "Ulimits");
	for (size_t i = 0; i < c->n_rlimits; i++) {
		const char *word = c->options->ulimit[i];
		cleanup_free char *name = xstrndup(word, strcspn(word, "="));

		json_begin_object(w, NULL);
		json_add_string(w, "Name", name);
		json_add_i64(w, "Hard", (int64_t)c->rlimits[i].hard);
		json_add_i64(w, "Soft", (int64_t)c->rlimits[i].soft);
		json_end(w);
	}
	json_end(w);
}

static void add_numbers(const struct container_options *o, struct json_writer *w)
{
	const struct {
		const char *key;
		int64_t value;
	} rows[] = {
		{ "CpuShares", o->cpu_shares },
		{ "Memory", o->memory },
		{ "NanoCpus", o->nano_cpus },
		{ "CpuPeriod", o->cpu_period },
		{ "CpuQuota", o->cpu_quota },
		{ "CpuRealtimePeriod", o->cpu_rt_period },
		{ "CpuRealtimeRuntime", o->cpu_rt_runtime },
		{ "MemoryReservation", o->memory_reservation },
		/* docker shows what is in force */
		{ "MemorySwap",
		  o->memory_swap == 0 && o->memory > 0 ? 2 * o->memory : o->memory_swap },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		json_add_i64(w, rows[i].key, rows[i].value);
	if (o->memory_swappiness >= 0)
		json_add_i64(w, "MemorySwappiness", o->memory_swappiness);
	else
		json_add_null(w, "MemorySwappiness");
	json_add_bool(w, "OomKillDisable", o->oom_kill_disable);
	if (o->pids_limit != 0)
		json_add_i64(w, "PidsLimit", o->pids_limit);
	else
		json_add_null(w, "PidsLimit");
}

static void add_tmpfs(const struct container_options *o, struct json_writer *w)
{
	if (strv_len(o->tmpfs) == 0)
		return;
	json_begin_object(w, "Tmpfs");
	for (size_t i = 0; i < strv_len(o->tmpfs); i++) {
		size_t len = strcspn(o->tmpfs[i], ":");
		cleanup_free char *path = xstrndup(o->tmpfs[i], len);

		json_add_string(w, path, o->tmpfs[i][len] ? o->tmpfs[i] + len + 1 : "");
	}
	json_end(w);
}

static void add_lists(const struct container_options *o, struct json_writer *w)
{
	const struct {
		const char *key;
		char *const *list;
	} rows[] = {
		{ "Dns", o->dns },
		{ "DnsOptions", o->dns_option },
		{ "DnsSearch", o->dns_search },
		{ "ExtraHosts", o->add_host },
		{ "GroupAdd", o->group_add },
		{ "SecurityOpt", o->security_opt },
		{ "DeviceCgroupRules", o->device_cgroup_rule },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		document_add_list(w, rows[i].key, rows[i].list);
}

/* "chown" and "CAP_CHOWN" are shown as one. */
static void add_capabilities(struct json_writer *w, const char *key, char *const *words)
{
	if (strv_len(words) == 0) {
		json_add_null(w, key);
		return;
	}
	json_begin_array(w, key);
	for (size_t i = 0; i < strv_len(words); i++) {
		int cap = capability_parse(words[i], strlen(words[i]));

		/* the only word beside names */
		json_add_string(w, NULL, cap >= 0 ? capability_name((unsigned)cap) : "ALL");
	}
	json_end(w);
}

static void add_modes(const struct container_config *c, struct json_writer *w)
{
	add_mode(c, w, OCI_NS_NET, "none");
	add_mode(c, w, OCI_NS_IPC, str_empty(c->options->ipc) ? "private" : c->options->ipc);
	add_mode(c, w, OCI_NS_PID, "");
	add_mode(c, w, OCI_NS_UTS, "");
	add_mode(c, w, OCI_NS_USER, "");
	add_mode(c, w, OCI_NS_CGROUP, "private");
}

void document_add_host_config(const struct container_config *c, struct json_writer *w)
{
	const struct container_options *o = c->options;

	json_begin_object(w, "HostConfig");
	document_add_list(w, "Binds", o->volume);
	json_add_string(w, "ContainerIDFile", text(o->cidfile));
	add_log_config(o, w);
	json_begin_object(w, "PortBindings");
	json_end(w);
	add_restart_policy(w);
	json_add_bool(w, "AutoRemove", o->auto_remove);
	json_add_null(w, "VolumesFrom");
	add_console_size(o, w);
	add_modes(c, w);
	add_capabilities(w, "CapAdd", o->cap_add);
	add_capabilities(w, "CapDrop", o->cap_drop);
	add_lists(o, w);
	json_add_i64(w, "OomScoreAdj", o->oom_score_adj);
	json_add_bool(w, "Privileged", o->privileged);
	json_add_bool(w, "PublishAllPorts", false);
	json_add_bool(w, "ReadonlyRootfs", o->read_only);
	json_add_i64(w, "ShmSize", o->shm_size ? o->shm_size : SHM_SIZE_DEFAULT);
	json_add_string(w, "Runtime", o->runtime ? o->runtime : DOCUMENT_RUNTIME_BUILTIN);
	json_add_string(w, "CgroupParent", text(o->cgroup_parent));
	json_add_string(w, "CpusetCpus", text(o->cpuset_cpus));
	json_add_string(w, "CpusetMems", text(o->cpuset_mems));
	add_numbers(o, w);
	add_blkio(c, w);
	add_devices(o, w);
	add_ulimits(c, w);
	add_tmpfs(o, w);
	if (strv_len(o->sysctl) > 0)
		document_add_pairs(w, "Sysctls", (const char *const *)o->sysctl,
				   strv_len(o->sysctl));
	if (o->init)
		json_add_bool(w, "Init", true);
	if (c->n_annotations > 0)
		document_add_pairs(w, "Annotations", c->annotations, c->n_annotations);
	json_end(w);
}
