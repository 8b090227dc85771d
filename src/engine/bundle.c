/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/bundle.h"

#include <fcntl.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/selinux_label.h"
#include "kernel/selinux.h"

#define ETC_FILE_MAX_BYTES (1u << 20)

int bundle_write(int dir_fd, const char *name, const struct buf *text, mode_t mode,
		 struct error *err)
{
	cleanup_fd int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	int r;

	if (fd < 0)
		return error_sys(err, "cannot create '%s'", name);
	r = fd_write_all(fd, buf_str(text), text->len);
	if (r < 0)
		return error_num(err, -r, "cannot write '%s'", name);
	return 0;
}

/* Lines "name:ip" or "name=ip"; an IPv6 address may stand in brackets. */
static void add_extra_hosts(const struct container_config *c, struct buf *out)
{
	for (size_t i = 0; c->extra_hosts && c->extra_hosts[i]; i++) {
		const char *word = c->extra_hosts[i];
		size_t name_len = strcspn(word, ":=");
		const char *ip = word + name_len + 1;
		size_t ip_len = strlen(ip);

		if (ip[0] == '[' && ip[ip_len - 1] == ']') {
			ip++;
			ip_len -= 2;
		}
		buf_printf(out, "%.*s\t%.*s\n", (int)ip_len, ip, (int)name_len, word);
	}
}

void bundle_hosts(const struct container_config *c, const char *host_hosts, struct buf *out)
{
	if (c->ns[OCI_NS_NET].kind == NAMESPACE_HOST && host_hosts)
		buf_puts(out, host_hosts);
	else
		buf_puts(out, "127.0.0.1\tlocalhost\n"
			      "::1\tlocalhost ip6-localhost ip6-loopback\n"
			      "fe00::\tip6-localnet\n"
			      "ff00::\tip6-mcastprefix\n"
			      "ff02::1\tip6-allnodes\n"
			      "ff02::2\tip6-allrouters\n");
	add_extra_hosts(c, out);
}

/* The keyword of a line, if the line has it: "nameserver", "search", "options". */
static bool is_line_of(const char *line, const char *keyword)
{
	const char *rest = str_after(line + strspn(line, " \t"), keyword);

	return rest && (*rest == ' ' || *rest == '\t');
}

/* A server on the host's loopback cannot be reached from another network namespace. */
static bool is_loopback_server(const char *line)
{
	const char *address;

	if (!is_line_of(line, "nameserver"))
		return false;
	address = line + strspn(line, " \t") + strlen("nameserver");
	address += strspn(address, " \t");
	return str_after(address, "127.") || str_eq(address, "::1");
}

/* "nameserver a\nnameserver b\n", or "search a b\n". */
static void add_resolver_words(const char *keyword, char *const *words, bool line_each,
			       struct buf *out)
{
	/* docker: --dns-search . means no search list at all */
	if (strv_len(words) == 0 || str_eq(words[0], "."))
		return;
	for (size_t i = 0; i < strv_len(words); i++) {
		if (i == 0 || line_each)
			buf_printf(out, "%s%s", i == 0 ? "" : "\n", keyword);
		buf_printf(out, " %s", words[i]);
	}
	buf_putc(out, '\n');
}

void bundle_resolv_conf(const struct container_config *c, const char *host_resolv_conf,
			struct buf *out)
{
	const struct container_options *o = c->options;
	const struct {
		const char *keyword;
		char *const *words;
		bool line_each;
	} rows[] = {
		{ "nameserver", o->dns, true },
		{ "search", o->dns_search, false },
		{ "options", o->dns_option, false },
	};
	bool host_net = c->ns[OCI_NS_NET].kind == NAMESPACE_HOST;
	cleanup_with(strv_free) char **lines =
		strv_split(host_resolv_conf ? host_resolv_conf : "", "\n", false);

	for (size_t i = 0; i < strv_len(lines); i++) {
		bool drop = !host_net && is_loopback_server(lines[i]);

		for (size_t k = 0; k < ARRAY_SIZE(rows); k++)
			drop |= strv_len(rows[k].words) > 0 &&
				is_line_of(lines[i], rows[k].keyword);
		if (!drop)
			buf_printf(out, "%s\n", lines[i]);
	}
	for (size_t k = 0; k < ARRAY_SIZE(rows); k++)
		add_resolver_words(rows[k].keyword, rows[k].words, rows[k].line_each, out);
}

static char *read_host_file(const char *path)
{
	char *text = NULL;

	/* A host without the file has nothing to hand on. */
	(void)file_read(AT_FDCWD, path, ETC_FILE_MAX_BYTES, &text, NULL, NULL);
	return text;
}

/* Others may share them, with their network. */
static int write_etc(const struct container_config *c, int dir_fd, const char *name,
		     const struct buf *text, struct error *err)
{
	const char *label = selinux_shared_label(c->security.mount_label, c->arena);
	int r = bundle_write(dir_fd, name, text, 0644, err);

	return r < 0 || !label ? r : selinux_set_label(dir_fd, name, label, err);
}

int bundle_write_etc(const struct container_config *c, int dir_fd, struct error *err)
{
	bool host_net = c->ns[OCI_NS_NET].kind == NAMESPACE_HOST;
	cleanup_free char *hosts = host_net ? read_host_file("/etc/hosts") : NULL;
	cleanup_free char *resolv_conf = read_host_file("/etc/resolv.conf");
	cleanup_buf struct buf text = { 0 };
	int r;

	buf_printf(&text, "%s\n", c->hostname);
	r = write_etc(c, dir_fd, "hostname", &text, err);
	if (r < 0)
		return r;
	buf_clear(&text);
	bundle_hosts(c, hosts, &text);
	r = write_etc(c, dir_fd, "hosts", &text, err);
	if (r < 0)
		return r;
	buf_clear(&text);
	bundle_resolv_conf(c, resolv_conf, &text);
	return write_etc(c, dir_fd, "resolv.conf", &text, err);
}

int bundle_check_sources(const struct container_config *c, struct error *err)
{
	for (size_t i = 0; i < c->n_mounts; i++) {
		const struct mount_word *m = &c->mounts[i];
		int r;

		if (m->type != MOUNT_WORD_BIND || access(m->source, F_OK) == 0)
			continue;
		if (!m->create_source)
			return error_kind(
				err, ERROR_INVALID,
				"invalid mount config for type \"bind\": bind source path "
				"does not exist: %s",
				m->source);
		r = path_mkdir_all(m->source, 0755, err);
		if (r < 0)
			return error_prefix(err, r, "creating mount source path '%s'", m->source);
	}
	return 0;
}
