/* SPDX-License-Identifier: Apache-2.0 */
/* login, logout: who the user is at a registry. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/prompt.h"
#include "cli/registry_flags.h"
#include "registry/credential.h"
#include "registry/registry.h"

#define HUB		 "docker.io"
#define HUB_SHOWN	 "https://index.docker.io/v1/" /* docker's name for it in sentences */
#define SECRET_MAX_BYTES 4096

/* The registry of "reg.example", "https://reg.example/v2/", ...; heap. */
static int parse_server(const char *text, char **ret_domain, struct error *err)
{
	const char *https = text ? str_after(text, "https://") : NULL;
	const char *http = text ? str_after(text, "http://") : NULL;
	const char *start = https ? https : http ? http : text;
	cleanup_free char *host = start ? xstrndup(start, strcspn(start, "/")) : NULL;

	if (str_empty(text) || str_eq(host, "index.docker.io") ||
	    str_eq(host, "registry-1.docker.io"))
		*ret_domain = xstrdup(HUB);
	else if (str_empty(host) || host[strspn(host, "abcdefghijklmnopqrstuvwxyz"
						      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
						      "0123456789.:-_[]")])
		return error_kind(err, ERROR_INVALID, "'%s' is no name of a registry", text);
	else
		*ret_domain = take_ptr(&host);
	return 0;
}

static const char *shown(const char *domain)
{
	return str_eq(domain, HUB) ? HUB_SHOWN : domain;
}

/* login */

struct login_flags {
	const char *username, *password;
	bool password_stdin, get_login, verbose;
	struct registry_flags registry;
};

static const struct option login_options[] = {
	{ .name = "authfile",
	  .type = OPTION_STRING,
	  .arg = "path",
	  OPTION_FIELD(login_flags, registry.authfile),
	  .help = "Store in this file, instead of REGISTRY_AUTH_FILE or docker's config.json" },
	REGISTRY_OPTION_CERT_DIR(login_flags),
	{ .name = "get-login",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(login_flags, get_login),
	  .help = "Print the user name that is stored for the registry" },
	{ .name = "password",
	  .short_name = 'p',
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(login_flags, password),
	  .help = "Password or personal access token" },
	{ .name = "password-stdin",
	  .type = OPTION_BOOL,
	  OPTION_FIELD(login_flags, password_stdin),
	  .help = "Take the password from stdin" },
	REGISTRY_OPTION_TLS_VERIFY(login_flags),
	{ .name = "username",
	  .short_name = 'u',
	  .type = OPTION_STRING,
	  .arg = "string",
	  OPTION_FIELD(login_flags, username),
	  .help = "Username" },
	{ .name = "verbose",
	  .short_name = 'v',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(login_flags, verbose),
	  .help = "Say where the credentials are stored" },
};

static int check_flags(const struct login_flags *f, struct error *err)
{
	if (f->password && f->password_stdin)
		return error_kind(err, ERROR_INVALID,
				  "conflicting options: cannot specify both --password and "
				  "--password-stdin");
	if (f->password_stdin && str_empty(f->username))
		return error_kind(err, ERROR_INVALID,
				  "the --password-stdin option requires --username to be set");
	if (f->password)
		(void)fprintf(stderr, "WARNING! Using --password via the CLI is insecure. Use "
				      "--password-stdin.\n");
	return 0;
}

/* All of stdin but the end of its line. */
static int read_secret(char **ret, struct error *err)
{
	char text[SECRET_MAX_BYTES + 1];
	ssize_t n = fd_read_full(STDIN_FILENO, text, sizeof(text));

	if (n < 0)
		return error_num(err, (int)-n, "cannot read the password from stdin");
	if (n > SECRET_MAX_BYTES)
		return error_kind(err, ERROR_INVALID, "a password of more than %d bytes",
				  SECRET_MAX_BYTES);
	if (n > 0 && text[n - 1] == '\n')
		n--;
	if (n > 0 && text[n - 1] == '\r')
		n--;
	*ret = xstrndup(text, (size_t)n);
	explicit_bzero(text, sizeof(text));
	return 0;
}

/* What no flag said is asked for. previous: a user name to offer, or NULL. */
static int ask(const char *domain, const char *previous, struct credential *c, struct error *err)
{
	cleanup_free char *question = NULL;
	int r = 0;

	if (c->username && c->secret)
		return 0;
	if (!isatty(STDIN_FILENO))
		return error_kind(err, ERROR_INVALID,
				  "cannot perform an interactive login from a non TTY device");
	if (str_eq(domain, HUB) && !c->username)
		(void)printf("Log in with your Docker ID. A personal access token serves as the "
			     "password.\n");
	question = previous ? xasprintf("Username (%s): ", previous) : xstrdup("Username: ");
	if (!c->username)
		r = prompt_line(question, false, &c->username, err);
	if (r >= 0 && !*c->username && previous) {
		free(c->username);
		c->username = xstrdup(previous);
	}
	if (r >= 0 && !*c->username)
		r = error_kind(err, ERROR_INVALID, "username is required");
	if (r >= 0 && !c->secret)
		r = prompt_line("Password: ", true, &c->secret, err);
	return r;
}

/* 1: what is stored serves; 0: it does not, the reason was printed. */
static int try_existing(const char *domain, const struct registry_access *access)
{
	const struct credential *c = access->credential;
	struct error err = { 0 };
	char text[ERROR_TEXT_MAX];

	(void)fprintf(stderr, "Authenticating with existing credentials...");
	if (!str_empty(c->username))
		(void)fprintf(stderr, " [Username: %s]", c->username);
	(void)fprintf(stderr, "\n");
	if (registry_login(domain, access, &err) >= 0)
		return 1;
	(void)fprintf(stderr, "Login did not succeed, error: %s\n",
		      error_text(&err, text, sizeof(text)));
	return 0;
}

/* Stores, and says where if everybody who reads the file reads the secret. */
static int store(const struct login_flags *f, const char *domain, const struct credential *c,
		 const struct credential *before, struct error *err)
{
	cleanup_credential_place struct credential_place place = { 0 };
	int r = credential_store(f->registry.authfile, domain, c, &place, err);

	if (r < 0)
		return error_prefix(err, r, "error saving credentials");
	if (f->verbose && place.helper)
		(void)printf("Used:  credential helper: %s\n", place.helper);
	else if (f->verbose)
		(void)printf("Used:  %s\n", place.file);
	if (!place.helper &&
	    !(str_eq(c->username, before->username) && str_eq(c->secret, before->secret)))
		(void)fprintf(stderr,
			      "\nWARNING! Your credentials are stored unencrypted in '%s'.\n"
			      "Configure a credential helper to remove this warning. See\n"
			      "https://docs.docker.com/go/credential-store/\n\n",
			      place.file);
	return 0;
}

static int login(const struct login_flags *f, const char *domain, struct error *err)
{
	cleanup_credential struct credential before = { 0 }, c = { 0 };
	struct registry_access access = { .tls = f->registry.tls,
					  .cert_dir = f->registry.cert_dir,
					  .credential = &before };
	int r = credential_find_in(f->registry.authfile, domain, &before, err);

	if (r > 0 && !f->username && !f->password && try_existing(domain, &access))
		return 0;
	if (r >= 0 && f->password_stdin)
		r = read_secret(&c.secret, err);
	if (r < 0)
		return r;
	c.username = f->username ? xstrdup(f->username) : NULL;
	if (f->password)
		c.secret = xstrdup(f->password);
	r = ask(domain, before.username, &c, err);
	if (r >= 0 && str_empty(c.secret))
		r = error_kind(err, ERROR_INVALID, "password is required");
	access.credential = &c;
	if (r >= 0)
		r = registry_login(domain, &access, err);
	return r < 0 ? r : store(f, domain, &c, &before, err);
}

static int print_login(const struct login_flags *f, const char *domain, struct error *err)
{
	cleanup_credential struct credential c = { 0 };
	int r = credential_find(f->registry.authfile, domain, NULL, &c, err);

	if (r == 0)
		return error_kind(err, ERROR_NOT_FOUND, "not logged into %s", domain);
	if (r > 0)
		(void)puts(c.username ? c.username : ""); /* checked by the flush at the end */
	return r < 0 ? r : 0;
}

static int cmd_login(struct cli *cli, void *target, int n, char **args, struct error *err)
{
	const struct login_flags *f = target;
	cleanup_free char *domain = NULL;
	int r = parse_server(n ? args[0] : NULL, &domain, err);

	if (r >= 0 && f->get_login)
		return print_login(f, domain, err);
	if (r >= 0)
		r = check_flags(f, err);
	if (r >= 0)
		r = login(f, domain, err);
	if (r >= 0)
		(void)printf("Login Succeeded\n");
	return r;
}

/* logout */

struct logout_flags {
	bool all;
	const char *authfile;
};

static const struct option logout_options[] = {
	{ .name = "all",
	  .short_name = 'a',
	  .type = OPTION_BOOL,
	  OPTION_FIELD(logout_flags, all),
	  .help = "Forget the credentials of all registries" },
	{ .name = "authfile",
	  .type = OPTION_STRING,
	  .arg = "path",
	  OPTION_FIELD(logout_flags, authfile),
	  .help = "Erase from this file, instead of REGISTRY_AUTH_FILE or docker's config.json" },
};

static int cmd_logout(struct cli *cli, void *target, int n, char **args, struct error *err)
{
	const struct logout_flags *f = target;
	cleanup_free char *domain = NULL;
	int r;

	if (f->all && n > 0)
		return error_kind(err, ERROR_INVALID, "--all takes no arguments");
	if (f->all) {
		r = credential_erase_all(f->authfile, err);
		if (r >= 0)
			(void)printf("Removed login credentials for all registries\n");
		return r;
	}
	r = parse_server(n ? args[0] : NULL, &domain, err);
	if (r >= 0)
		r = credential_erase(f->authfile, domain, err);
	if (r < 0)
		return r;
	(void)printf(r ? "Removing login credentials for %s\n" : "Not logged in to %s\n",
		     shown(domain));
	return 0;
}

static const struct command commands[] = {
	{ .name = "login",
	  .top = "login",
	  .usage = "[OPTIONS] [SERVER]",
	  .summary = "Authenticate to a registry",
	  COMMAND_OPTIONS(login_options, login_flags),
	  .max_args = 1,
	  .run = cmd_login },
	{ .name = "logout",
	  .top = "logout",
	  .usage = "[OPTIONS] [SERVER]",
	  .summary = "Log out from a registry",
	  COMMAND_OPTIONS(logout_options, logout_flags),
	  .max_args = 1,
	  .run = cmd_logout },
};

const struct command_table commands_login = { commands, ARRAY_SIZE(commands) };
