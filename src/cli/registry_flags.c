/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/registry_flags.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/prompt.h"
#include "image/reference.h"

int registry_flags_parse_tls(void *target, const struct option *o, const char *value,
			     struct error *err)
{
	enum registry_tls *tls = (enum registry_tls *)(void *)((char *)target + o->offset);
	bool verify;

	if (str_to_bool(value, &verify) < 0)
		return error_kind(err, ERROR_INVALID,
				  "invalid argument \"%s\" for \"--%s\" flag: not true or false",
				  value, o->name);
	*tls = verify ? REGISTRY_TLS_VERIFIED : REGISTRY_TLS_ANY;
	return 0;
}

int compression_parse(void *target, const struct option *o, const char *value, struct error *err)
{
	enum compression *compression = (enum compression *)(void *)((char *)target + o->offset);

	if (str_eq(value, "gzip"))
		*compression = COMPRESSION_GZIP;
	else if (str_eq(value, "zstd"))
		*compression = COMPRESSION_ZSTD;
	else
		return error_kind(err, ERROR_INVALID, "unknown compression format '%s': gzip, zstd",
				  value);
	return 0;
}

int content_trust_parse(void *target UNUSED, const struct option *o, const char *value,
			struct error *err)
{
	bool disable;

	if (str_to_bool(value, &disable) < 0)
		return error_kind(err, ERROR_INVALID,
				  "invalid argument \"%s\" for \"--%s\" flag: not true or false",
				  value, o->name);
	return disable ? 0
		       : error_kind(
				 err, ERROR_UNSUPPORTED,
				 "there is no content trust (Notary): signatures are policy.json's");
}

int destination_parse(const char *text, struct reference *ret, struct error *err)
{
	static const char *const others[] = { "containers-storage:", "dir:",
					      "docker-archive:",     "docker-daemon:",
					      "oci-archive:",	     "oci:" };
	const char *rest = str_after(text, "docker://");

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (str_after(text, others[i]))
			return error_kind(err, ERROR_UNSUPPORTED,
					  "cannot push to '%s': only to a registry ('save' writes "
					  "archives and directories)",
					  text);
	}
	return reference_parse(rest ? rest : text, ret, err);
}

static int parse_creds(const char *text, struct credential *ret, struct error *err)
{
	size_t len = strcspn(text, ":");
	int r = 0;

	if (len > 0)
		ret->username = xstrndup(text, len);
	else
		r = prompt_line("Username: ", false, &ret->username, err);
	if (r >= 0 && text[len])
		ret->secret = xstrdup(text + len + 1);
	else if (r >= 0)
		r = prompt_line("Password: ", true, &ret->secret, err);
	return r < 0 ? error_prefix(err, r, "--creds") : 0;
}

int registry_flags_access(const struct registry_flags *f, struct credential *credential,
			  struct registry_access *ret, struct error *err)
{
	int r = 0;

	if (f->authfile && access(f->authfile, F_OK) < 0)
		return error_sys(err, "cannot open '%s'", f->authfile);
	if (f->creds)
		r = parse_creds(f->creds, credential, err);
	if (r < 0)
		return r;
	*ret = (struct registry_access){ .tls = f->tls,
					 .cert_dir = f->cert_dir,
					 .authfile = f->authfile,
					 .credential = f->creds ? credential : NULL };
	return 0;
}
