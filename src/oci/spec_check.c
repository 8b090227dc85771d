/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/spec.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "oci/words.h"

/*
 * The rules that hold between fields. Each message starts with the path of the field, as the
 * parser's do. What only the running kernel can decide (does a device exist, is a namespace the
 * host's) is left to those who ask it.
 */

static int bad(struct error *err, const char *fmt, ...) PRINTF_FORMAT(2, 3) COLD;
static int bad(struct error *err, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* cut if longer */
	va_end(ap);
	return error_kind(err, ERROR_INVALID, "config.json: %s", text);
}

static bool is_absolute(const char *path)
{
	return path && path[0] == '/';
}

static bool has_word(const char *const *words, size_t n, const char *word)
{
	return str_index(words, n, word) >= 0;
}

static bool wants(const struct oci_spec *spec, enum oci_ns ns)
{
	return spec->linux_.namespaces[ns].wanted;
}

/* config.md "Specification version": semver, of which we know major 1 */
static int check_version(const struct oci_spec *spec, struct error *err)
{
	unsigned long numbers[3];
	const char *s = spec->version;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		size_t digits = s ? strspn(s, "0123456789") : 0;

		if (digits == 0 || digits > 9)
			return bad(err, "ociVersion: '%s' is not a version like %s",
				   s ? spec->version : "", OCI_VERSION);
		numbers[i] = strtoul(s, NULL, 10);
		s += digits;
		if (i < 2 && *s == '.')
			s++;
		else if (i < 2)
			s = "";
	}
	if (*s && *s != '-' && *s != '+')
		return bad(err, "ociVersion: '%s' is not a version like %s", spec->version,
			   OCI_VERSION);
	if (numbers[0] != 1)
		return bad(err, "ociVersion: '%s' is not supported, only 1.x", spec->version);
	return 0;
}

static int check_root(const struct oci_spec *spec, struct error *err)
{
	if (str_empty(spec->root_path))
		return bad(err, "root.path: missing");
	return 0;
}

static int check_rlimits(const struct oci_process *p, struct error *err)
{
	uint32_t seen = 0;

	for (size_t i = 0; i < p->n_rlimits; i++) {
		const struct oci_rlimit *limit = &p->rlimits[i];
		const char *name = oci_words_name(&oci_rlimit_words, limit->resource);

		if (seen >> limit->resource & 1)
			return bad(err, "process.rlimits[%zu]: %s is listed twice", i, name);
		seen |= UINT32_C(1) << limit->resource;
		if (limit->soft > limit->hard)
			return bad(err,
				   "process.rlimits[%zu]: soft limit of %s is above the hard one",
				   i, name);
	}
	return 0;
}

/* (uid_t)-1 means "leave as it is" to the kernel: the process would keep root. */
static int check_user(const struct oci_user *user, struct error *err)
{
	if (user->uid == UINT32_MAX || user->gid == UINT32_MAX)
		return bad(err, "process.user: %u is no user or group id", UINT32_MAX);
	for (size_t i = 0; i < user->n_additional_gids; i++)
		if (user->additional_gids[i] == UINT32_MAX)
			return bad(err, "process.user.additionalGids[%zu]: %u is no group id", i,
				   UINT32_MAX);
	if (user->umask.set && (user->umask.value < 0 || user->umask.value > 0777))
		return bad(err, "process.user.umask: %lld is out of range",
			   (long long)user->umask.value);
	return 0;
}

static int check_scheduling(const struct oci_process *p, struct error *err)
{
	static const char *const policies[] = {
		"SCHED_OTHER", "SCHED_FIFO", "SCHED_RR",       "SCHED_BATCH",
		"SCHED_ISO",   "SCHED_IDLE", "SCHED_DEADLINE",
	};
	static const char *const classes[] = { "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE",
					       "IOPRIO_CLASS_IDLE" };
	const char *policy = p->scheduler.policy, *class = p->io_priority_class;

	if (policy && !has_word(policies, ARRAY_SIZE(policies), policy))
		return bad(err, "process.scheduler.policy: unknown policy '%s'", policy);
	if (class && !has_word(classes, ARRAY_SIZE(classes), class))
		return bad(err, "process.ioPriority.class: unknown class '%s'", class);
	if (class && (p->io_priority < 0 || p->io_priority > 7))
		return bad(err, "process.ioPriority.priority: %d is not 0 to 7", p->io_priority);
	if (p->oom_score_adj.set &&
	    (p->oom_score_adj.value < -1000 || p->oom_score_adj.value > 1000))
		return bad(err, "process.oomScoreAdj: %lld is not -1000 to 1000",
			   (long long)p->oom_score_adj.value);
	return 0;
}

int oci_process_check(const struct oci_process *p, struct error *err)
{
	int r;

	if (!is_absolute(p->cwd))
		return bad(err, "process.cwd: '%s' is not absolute", p->cwd ? p->cwd : "");
	if (p->n_args == 0)
		return bad(err, "process.args: missing, there is nothing to run");
	if ((r = check_user(&p->user, err)) < 0 || (r = check_rlimits(p, err)) < 0)
		return r;
	return check_scheduling(p, err);
}

static int check_process(const struct oci_spec *spec, struct error *err)
{
	return spec->process ? oci_process_check(spec->process, err) : 0;
}

/* user_namespaces(7): at most 340 lines, no line may pass the last id */
int oci_id_maps_check(const char *path, const struct oci_id_map *maps, size_t n, struct error *err)
{
	if (n > 340)
		return bad(err, "%s: %zu mappings, the kernel takes 340", path, n);
	for (size_t i = 0; i < n; i++) {
		const struct oci_id_map *m = &maps[i];

		if (m->size == 0)
			return bad(err, "%s[%zu]: size is 0", path, i);
		if (m->size > UINT32_MAX - m->container_id || m->size > UINT32_MAX - m->host_id)
			return bad(err, "%s[%zu]: reaches beyond the last id", path, i);
	}
	return 0;
}

static bool is_bind(const struct oci_mount *m)
{
	return str_eq(m->type, "bind") || has_word(m->options, m->n_options, "bind") ||
	       has_word(m->options, m->n_options, "rbind");
}

static int check_mounts(const struct oci_spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->n_mounts; i++) {
		const struct oci_mount *m = &spec->mounts[i];
		char path[64];
		int r;

		/* a relative destination is taken from "/", as by other runtimes */
		if (str_empty(m->destination))
			return bad(err, "mounts[%zu].destination: missing", i);
		if (is_bind(m) && str_empty(m->source))
			return bad(err, "mounts[%zu].source: missing for the bind mount on '%s'", i,
				   m->destination);
		if (m->n_uid_maps == 0 && m->n_gid_maps == 0)
			continue;
		if (m->n_uid_maps == 0 || m->n_gid_maps == 0)
			return bad(
				err,
				"mounts[%zu]: an id-mapped mount needs both uidMappings and gidMappings",
				i);
		if (!is_bind(m))
			return bad(
				err,
				"mounts[%zu]: '%s' is not a bind mount, only these can be id-mapped",
				i, m->destination);
		(void)snprintf(path, sizeof(path), "mounts[%zu].uidMappings", i);
		r = oci_id_maps_check(path, m->uid_maps, m->n_uid_maps, err);
		if (r < 0)
			return r;
		(void)snprintf(path, sizeof(path), "mounts[%zu].gidMappings", i);
		r = oci_id_maps_check(path, m->gid_maps, m->n_gid_maps, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_hooks(const struct oci_spec *spec, struct error *err)
{
	for (size_t kind = 0; kind < OCI_HOOK_KIND_COUNT; kind++) {
		const char *name = oci_words_name(&oci_hook_words, (int)kind);

		for (size_t i = 0; i < spec->hooks.n[kind]; i++) {
			const struct oci_hook *hook = &spec->hooks.list[kind][i];

			if (!is_absolute(hook->path))
				return bad(err, "hooks.%s[%zu].path: '%s' is not absolute", name, i,
					   hook->path);
			if (hook->timeout_s < 0)
				return bad(err, "hooks.%s[%zu].timeout: %d is negative", name, i,
					   hook->timeout_s);
		}
	}
	return 0;
}

static int check_user_namespace(const struct oci_spec *spec, struct error *err)
{
	const struct oci_linux *l = &spec->linux_;
	const struct oci_namespace *user = &l->namespaces[OCI_NS_USER];
	int r;

	if (!user->wanted && (l->n_uid_maps || l->n_gid_maps))
		return bad(err, "linux.%s: needs 'user' in linux.namespaces",
			   l->n_uid_maps ? "uidMappings" : "gidMappings");
	if (user->wanted && !user->path && (!l->n_uid_maps || !l->n_gid_maps))
		return bad(err, "linux.%s: missing for the new user namespace",
			   l->n_uid_maps ? "gidMappings" : "uidMappings");
	r = oci_id_maps_check("linux.uidMappings", l->uid_maps, l->n_uid_maps, err);
	if (r < 0)
		return r;
	return oci_id_maps_check("linux.gidMappings", l->gid_maps, l->n_gid_maps, err);
}

/* Fields that would act on the host if their namespace were not the container's own. */
static int check_namespaces(const struct oci_spec *spec, struct error *err)
{
	const struct oci_linux *l = &spec->linux_;
	const struct {
		bool present;
		enum oci_ns ns;
		const char *field, *needs;
	} rules[] = {
		{ !str_empty(spec->hostname), OCI_NS_UTS, "hostname", "uts" },
		{ !str_empty(spec->domainname), OCI_NS_UTS, "domainname", "uts" },
		{ l->n_masked_paths > 0, OCI_NS_MOUNT, "linux.maskedPaths", "mount" },
		{ l->n_readonly_paths > 0, OCI_NS_MOUNT, "linux.readonlyPaths", "mount" },
		{ l->has_time_offsets, OCI_NS_TIME, "linux.timeOffsets", "time" },
		{ l->n_net_devices > 0, OCI_NS_NET, "linux.netDevices", "network" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].present && !wants(spec, rules[i].ns))
			return bad(err, "%s: needs '%s' in linux.namespaces", rules[i].field,
				   rules[i].needs);
	for (size_t i = 0; i < OCI_NS_COUNT; i++)
		if (l->namespaces[i].path && !is_absolute(l->namespaces[i].path))
			return bad(err, "linux.namespaces: path '%s' is not absolute",
				   l->namespaces[i].path);
	if (l->namespaces[OCI_NS_TIME].path && l->has_time_offsets)
		return bad(err,
			   "linux.timeOffsets: cannot be set in a time namespace that is joined");
	return check_user_namespace(spec, err);
}

static int check_paths(const char *field, const char *const *paths, size_t n, struct error *err)
{
	for (size_t i = 0; i < n; i++)
		if (!is_absolute(paths[i]))
			return bad(err, "linux.%s[%zu]: '%s' is not absolute", field, i, paths[i]);
	return 0;
}

static int check_devices(const struct oci_spec *spec, struct error *err)
{
	const struct oci_linux *l = &spec->linux_;
	int r;

	r = check_paths("maskedPaths", l->masked_paths, l->n_masked_paths, err);
	if (r == 0)
		r = check_paths("readonlyPaths", l->readonly_paths, l->n_readonly_paths, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < l->n_devices; i++) {
		const struct oci_device *d = &l->devices[i];

		if (!is_absolute(d->path))
			return bad(err, "linux.devices[%zu].path: '%s' is not absolute", i,
				   d->path);
		if (d->type != 'p' && (d->major < 0 || d->minor < 0))
			return bad(err, "linux.devices[%zu]: '%s' needs a major and a minor number",
				   i, d->path);
		/* podman gives a whole st_mode; the type in it is not looked at, as in runc */
		if (d->file_mode.set && (d->file_mode.value < 0 || d->file_mode.value > UINT32_MAX))
			return bad(err, "linux.devices[%zu].fileMode: %lld is out of range", i,
				   (long long)d->file_mode.value);
	}
	return 0;
}

static const char *inside_name(const struct oci_net_device *d)
{
	return str_empty(d->name) ? d->host_name : d->name;
}

/* A percent sign is for one "%d", where the kernel puts a number. */
static bool is_name_pattern(const char *name)
{
	const char *percent = strchr(name, '%');

	return !percent || (percent[1] == 'd' && !strchr(percent + 1, '%'));
}

/* Interface names: dev_valid_name() of the kernel */
static int check_net_devices(const struct oci_spec *spec, struct error *err)
{
	const struct oci_net_device *list = spec->linux_.net_devices;

	for (size_t i = 0; i < spec->linux_.n_net_devices; i++) {
		const struct oci_net_device *d = &list[i];
		const char *names[] = { d->host_name, inside_name(d) };

		for (size_t j = 0; j < ARRAY_SIZE(names); j++)
			if (!*names[j] || strlen(names[j]) > 15 || str_eq(names[j], ".") ||
			    str_eq(names[j], "..") || strpbrk(names[j], "/: \t\n\v\f\r"))
				return bad(err, "linux.netDevices: '%s' is no interface name",
					   names[j]);
		if (strchr(names[0], '%') || !is_name_pattern(names[1]))
			return bad(err, "linux.netDevices: '%s' is no interface name",
				   strchr(names[0], '%') ? names[0] : names[1]);
		for (size_t j = 0; j < i; j++)
			if (!strchr(names[1], '%') && str_eq(names[1], inside_name(&list[j])))
				return bad(err, "linux.netDevices: two devices are named '%s'",
					   names[1]);
	}
	return 0;
}

/* Sysctls */

/* "net/ipv4/x" and "net.ipv4.x" are the same; the text that follows prefix, or NULL. */
static const char *sysctl_after(const char *key, const char *prefix)
{
	for (; *prefix; prefix++, key++)
		if (*key != *prefix && !(*key == '/' && *prefix == '.'))
			return NULL;
	return key;
}

/* Every part of the name is a file name: nothing that climbs, nothing empty. */
static bool is_sysctl_name(const char *key)
{
	size_t first = strcspn(key, "./");
	char separator = key[first];

	if (!separator)
		return false;
	for (;;) {
		size_t n = strcspn(key, separator == '/' ? "/" : ".");

		if (n == 0 || (n <= 2 && strncmp(key, "..", n) == 0) ||
		    (separator == '.' && strncmp(key, "/", n) == 0))
			return false;
		if (!key[n])
			return true;
		key += n + 1;
	}
}

static int check_sysctl(const struct oci_spec *spec, const char *key, struct error *err)
{
	static const char *const ipc[] = {
		"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
		"kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
	};
	const char *rest;
	enum oci_ns ns = OCI_NS_COUNT;

	if (!is_sysctl_name(key))
		return bad(err, "linux.sysctl: '%s' is no sysctl name", key);
	if ((rest = sysctl_after(key, "kernel.hostname")) && !*rest)
		return bad(err, "linux.sysctl: '%s' is set by the hostname field", key);
	if ((rest = sysctl_after(key, "kernel.domainname")) && !*rest)
		ns = OCI_NS_UTS;
	if (sysctl_after(key, "net."))
		ns = OCI_NS_NET;
	if (sysctl_after(key, "fs.mqueue."))
		ns = OCI_NS_IPC;
	for (size_t i = 0; i < ARRAY_SIZE(ipc); i++)
		if ((rest = sysctl_after(key, ipc[i])) && !*rest)
			ns = OCI_NS_IPC;
	if (ns == OCI_NS_COUNT)
		return bad(err, "linux.sysctl: '%s' is not namespaced, it would change the host",
			   key);
	if (!wants(spec, ns))
		return bad(err, "linux.sysctl: '%s' needs '%s' in linux.namespaces", key,
			   oci_words_name(&oci_namespace_words, (int)ns));
	return 0;
}

static int check_sysctls(const struct oci_spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->linux_.n_sysctl; i++) {
		int r = check_sysctl(spec, spec->linux_.sysctl[i].key, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Seccomp */

static int check_notify(const struct oci_seccomp *s, struct error *err)
{
	bool notify = false;

	if (s->default_action == OCI_SECCOMP_NOTIFY)
		return bad(err,
			   "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY cannot be the default");
	for (size_t i = 0; i < s->n_rules; i++) {
		if (s->rules[i].action != OCI_SECCOMP_NOTIFY)
			continue;
		notify = true;
		/* other runtimes write when nobody answers yet; a profile is to work with all */
		if (has_word(s->rules[i].names, s->rules[i].n_names, "write"))
			return bad(
				err,
				"linux.seccomp.syscalls[%zu]: SCMP_ACT_NOTIFY is not possible for write",
				i);
	}
	if (notify && str_empty(s->listener_path))
		return bad(err, "linux.seccomp.listenerPath: missing, but SCMP_ACT_NOTIFY is used");
	return 0;
}

static int check_seccomp(const struct oci_spec *spec, struct error *err)
{
	const struct oci_seccomp *s = spec->linux_.seccomp;

	if (!s)
		return 0;
	for (size_t i = 0; i < s->n_architectures; i++)
		if (!oci_words_find(&oci_seccomp_arch_words, s->architectures[i]))
			return bad(err,
				   "linux.seccomp.architectures[%zu]: unknown architecture '%s'", i,
				   s->architectures[i]);
	for (size_t i = 0; i < s->n_rules; i++) {
		const struct oci_seccomp_rule *rule = &s->rules[i];

		if (rule->n_names == 0)
			return bad(err, "linux.seccomp.syscalls[%zu].names: empty", i);
		if (rule->errno_ret.set && rule->errno_ret.value > UINT16_MAX)
			return bad(err, "linux.seccomp.syscalls[%zu].errnoRet: out of range", i);
		for (size_t j = 0; j < rule->n_args; j++)
			if (rule->args[j].index > 5)
				return bad(
					err,
					"linux.seccomp.syscalls[%zu].args[%zu].index: %u is above 5",
					i, j, rule->args[j].index);
	}
	if (s->default_errno_ret.set && s->default_errno_ret.value > UINT16_MAX)
		return bad(err, "linux.seccomp.defaultErrnoRet: out of range");
	return check_notify(s, err);
}

/* Control groups and the rest of config-linux.md */

static bool is_page_size(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits > 0 && text[0] != '0' && strchr("KMG", text[digits]) && text[digits] &&
	       str_eq(text + digits + 1, "B");
}

static int check_resources(const struct oci_spec *spec, struct error *err)
{
	const struct oci_resources *res = &spec->linux_.resources;

	for (size_t i = 0; i < res->n_hugepage_limits; i++)
		if (!is_page_size(res->hugepage_limits[i].page_size))
			return bad(
				err,
				"linux.resources.hugepageLimits[%zu].pageSize: '%s' is no size like 2MB",
				i, res->hugepage_limits[i].page_size);
	for (size_t i = 0; i < res->n_unified; i++)
		if (strchr(res->unified[i].key, '/') || !strchr(res->unified[i].key, '.') ||
		    res->unified[i].key[0] == '.')
			return bad(err, "linux.resources.unified: '%s' is no CONTROLLER.FILE name",
				   res->unified[i].key);
	return 0;
}

static int check_words(const struct oci_spec *spec, struct error *err)
{
	static const char *const propagations[] = {
		"private", "rprivate", "shared",     "rshared",
		"slave",   "rslave",   "unbindable", "runbindable",
	};
	static const char *const domains[] = { "LINUX", "LINUX32" };
	const struct oci_linux *l = &spec->linux_;
	const char *clos = l->rdt_clos_id;

	if (!str_empty(l->rootfs_propagation) &&
	    !has_word(propagations, ARRAY_SIZE(propagations), l->rootfs_propagation))
		return bad(err, "linux.rootfsPropagation: unknown propagation '%s'",
			   l->rootfs_propagation);
	if (l->personality_domain && !has_word(domains, ARRAY_SIZE(domains), l->personality_domain))
		return bad(err, "linux.personality.domain: unknown domain '%s'",
			   l->personality_domain);
	if (l->mempolicy_mode && !oci_words_find(&oci_mempolicy_mode_words, l->mempolicy_mode))
		return bad(err, "linux.memoryPolicy.mode: unknown mode '%s'", l->mempolicy_mode);
	if (clos && !str_eq(clos, "/") && /* the root class */
	    (str_eq(clos, ".") || str_eq(clos, "..") || strpbrk(clos, "/\n")))
		return bad(err, "linux.intelRdt.closID: '%s' is no directory name", clos);
	return 0;
}

int oci_spec_check(const struct oci_spec *spec, struct error *err)
{
	static int (*const checks[])(const struct oci_spec *spec, struct error *err) = {
		check_version, check_root,    check_process,	 check_mounts,
		check_hooks,   check_words,   check_namespaces,	 check_devices,
		check_sysctls, check_seccomp, check_net_devices, check_resources,
	};

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		int r = checks[i](spec, err);

		if (r < 0)
			return r;
	}
	return 0;
}
