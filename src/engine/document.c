/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/document.h"

#include <strings.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "engine/document_host.h"
#include "engine/handle.h"
#include "image/snapshot.h"

#define DOCUMENT_MAX_BYTES (16u << 20)

/* "k=v" words as an object. */
void document_add_pairs(struct json_writer *w, const char *key, const char *const *words, size_t n)
{
	json_begin_object(w, key);
	for (size_t i = 0; i < n; i++) {
		size_t len = strcspn(words[i], "=");
		cleanup_free char *name = xstrndup(words[i], len);

		json_add_string(w, name, words[i][len] ? words[i] + len + 1 : "");
	}
	json_end(w);
}

/* docker writes null for a list that nobody gave. */
void document_add_list(struct json_writer *w, const char *key, char *const *list)
{
	if (strv_len(list) == 0)
		json_add_null(w, key);
	else
		json_add_strings(w, key, (const char *const *)list, strv_len(list));
}

static void add_words(struct json_writer *w, const char *key, const char *const *list, size_t n)
{
	if (n == 0)
		json_add_null(w, key);
	else
		json_add_strings(w, key, list, n);
}

static bool attaches(const struct container_options *o, const char *stream, bool otherwise)
{
	if (strv_len(o->attach) == 0)
		return otherwise;
	for (size_t i = 0; i < strv_len(o->attach); i++)
		if (strcasecmp(o->attach[i], stream) == 0)
			return true;
	return false;
}

static void add_volumes(const struct container_config *c, struct json_writer *w)
{
	if (c->n_volumes == 0) {
		json_add_null(w, "Volumes");
		return;
	}
	json_begin_object(w, "Volumes");
	for (size_t i = 0; i < c->n_volumes; i++) {
		json_begin_object(w, c->volumes[i]);
		json_end(w);
	}
	json_end(w);
}

static void add_config(const struct container_config *c, struct json_writer *w)
{
	const struct container_options *o = c->options;
	bool attach_stdin = attaches(o, "stdin", o->interactive && !o->detach);

	json_begin_object(w, "Config");
	json_add_string(w, "Hostname", c->hostname);
	json_add_string(w, "Domainname", c->domainname);
	json_add_string(w, "User", c->user);
	json_add_bool(w, "AttachStdin", attach_stdin);
	json_add_bool(w, "AttachStdout", attaches(o, "stdout", !o->detach));
	json_add_bool(w, "AttachStderr", attaches(o, "stderr", !o->detach));
	json_add_bool(w, "Tty", o->tty);
	json_add_bool(w, "OpenStdin", o->interactive);
	json_add_bool(w, "StdinOnce", attach_stdin);
	json_add_strings(w, "Env", c->env, c->n_env);
	add_words(w, "Cmd", c->cmd, c->n_cmd);
	json_add_string(w, "Image", o->image ? o->image : "");
	add_volumes(c, w);
	json_add_string(w, "WorkingDir", c->workdir);
	add_words(w, "Entrypoint", c->entrypoint, c->n_entrypoint);
	json_add_null(w, "OnBuild");
	document_add_pairs(w, "Labels", c->labels, c->n_labels);
	if (c->stop_signal)
		json_add_string(w, "StopSignal", c->stop_signal);
	if (o->stop_timeout_s >= 0)
		json_add_i64(w, "StopTimeout", o->stop_timeout_s);
	json_end(w);
}

static void add_mounts(const struct container_config *c, struct json_writer *w)
{
	json_begin_array(w, "Mounts");
	for (size_t i = 0; i < c->n_mounts; i++) {
		const struct mount_word *m = &c->mounts[i];
		bool bind = m->type == MOUNT_WORD_BIND;

		json_begin_object(w, NULL);
		json_add_string(w, "Type", bind ? "bind" : "tmpfs");
		json_add_string(w, "Source", bind ? m->source : "");
		json_add_string(w, "Destination", m->destination);
		json_add_string(w, "Mode", m->mode);
		json_add_bool(w, "RW", !m->read_only);
		json_add_string(w, "Propagation", m->propagation);
		json_end(w);
	}
	json_end(w);
}

static void add_graph_driver(const struct document_paths *p, struct json_writer *w)
{
	static const struct {
		const char *option, *key;
	} rows[] = { { "lowerdir=", "LowerDir" },
		     { "upperdir=", "UpperDir" },
		     { "workdir=", "WorkDir" } };

	json_begin_object(w, "GraphDriver");
	json_begin_object(w, "Data");
	for (size_t i = 0; p->mount && i < strv_len(p->mount->options); i++)
		for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
			const char *value = str_after(p->mount->options[i], rows[k].option);

			if (value)
				json_add_string(w, rows[k].key, value);
		}
	json_end(w);
	json_add_string(w, "Name", p->driver);
	json_end(w);
}

static void add_path(struct json_writer *w, const char *key, const char *dir, const char *file)
{
	cleanup_free char *path = xasprintf("%s/%s", dir, file);

	json_add_string(w, key, path);
}

void document_format(const struct container_config *c, const struct document_paths *p,
		     struct buf *out)
{
	const char *etc_dir = c->etc_dir ? c->etc_dir : p->dir;
	struct json_writer w;
	char created[CLOCK_TEXT_MAX];

	json_writer_init(&w, out, NULL);
	json_begin_object(&w, NULL);
	json_add_string(&w, "Id", c->id);
	json_add_string(&w, "Created", clock_format(c->created_ns, created));
	json_add_string(&w, "Path", c->args[0]);
	json_add_strings(&w, "Args", c->args + 1, c->n_args - 1);
	json_add_string(&w, "Image", c->image_id);
	add_path(&w, "ResolvConfPath", etc_dir, "resolv.conf");
	add_path(&w, "HostnamePath", etc_dir, "hostname");
	add_path(&w, "HostsPath", etc_dir, "hosts");
	json_add_string(&w, "LogPath", p->log_path);
	json_add_string(&w, "Driver", p->driver);
	json_add_string(&w, "Platform", "linux");
	json_add_string(&w, "MountLabel", c->security.mount_label ? c->security.mount_label : "");
	json_add_string(&w, "ProcessLabel",
			c->security.selinux_label ? c->security.selinux_label : "");
	json_add_string(&w, "AppArmorProfile",
			c->security.apparmor_profile ? c->security.apparmor_profile : "");
	document_add_host_config(c, &w);
	add_graph_driver(p, &w);
	add_mounts(c, &w);
	add_config(c, &w);
	json_end(&w);
}

/* Reading */

static int load_log(const struct json *root, struct arena *arena, struct document *d,
		    struct error *err)
{
	const struct json *log = json_find(root, "HostConfig", "LogConfig", NULL), *option;
	const struct json *config = json_get(log, "Config");
	size_t n = 0;
	int r = json_get_string(log, "Type", &d->log_driver, err);

	if (r < 0)
		return r;
	d->log_opts = arena_alloc(arena, ((config ? config->n : 0) + 1) * sizeof(*d->log_opts));
	json_foreach(option, config) {
		const char *value = "";

		r = json_to_string(option, &value, err);
		if (r < 0)
			return r;
		d->log_opts[n++] = arena_printf(arena, "%s=%s", option->key, value);
	}
	return json_get_string(root, "LogPath", &d->log_path, err);
}

static int load_settings(const struct json *root, struct document *d, struct error *err)
{
	const struct json *config = json_get(root, "Config");
	const struct json *host = json_get(root, "HostConfig");
	int32_t timeout = -1;
	const struct {
		const struct json *object;
		const char *key;
		bool *value;
	} bools[] = {
		{ config, "Tty", &d->tty },
		{ config, "OpenStdin", &d->open_stdin },
		{ config, "StdinOnce", &d->stdin_once },
		{ host, "AutoRemove", &d->auto_remove },
	};
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(bools); i++)
		r = json_get_bool(bools[i].object, bools[i].key, bools[i].value, err);
	if (r < 0)
		return r;
	r = json_get_string(config, "StopSignal", &d->stop_signal, err);
	if (r < 0)
		return r;
	r = json_get_i32(config, "StopTimeout", &timeout, err);
	if (r < 0)
		return r;
	d->stop_timeout_s = timeout;
	r = json_get_string(host, "Runtime", &d->runtime, err);
	if (r < 0)
		return r;
	if (str_eq(d->runtime, DOCUMENT_RUNTIME_BUILTIN))
		d->runtime = NULL;
	return json_get_string(host, "CgroupParent", &d->cgroup_parent, err);
}

int document_load(int dir_fd, struct arena *arena, struct document *ret, struct error *err)
{
	struct document d = { .stop_timeout_s = -1, .cgroup_parent = "", .log_path = "" };
	cleanup_free char *text = NULL;
	size_t len;
	int r = file_read(dir_fd, FILE_DOCUMENT, DOCUMENT_MAX_BYTES, &text, &len, err);

	if (r < 0 && r != -ENOENT)
		return r;
	if (r >= 0)
		r = json_parse(text, len, arena, &d.root, err);
	if (r >= 0)
		r = load_settings(d.root, &d, err);
	if (r >= 0)
		r = load_log(d.root, arena, &d, err);
	if (r < 0)
		return error_prefix(
			err, r, "the container is damaged and can only be removed: " FILE_DOCUMENT);
	*ret = d;
	return 0;
}
