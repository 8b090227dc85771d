/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Options of commands that speak with a registry: podman's --authfile, --cert-dir, --creds and
 * --tls-verify. A command has a struct registry_flags with the name "registry" in its own flags, and
 * the rows that it wants in its table.
 */

#include "base/option.h"
#include "codec/inflate.h"
#include "registry/credential.h"
#include "registry/registry.h"

struct registry_flags {
	const char *authfile, *cert_dir, *creds;
	enum registry_tls tls;
};

int registry_flags_parse_tls(void *target, const struct option *o, const char *value,
			     struct error *err);

/* --compression-format */
int compression_parse(void *target, const struct option *o, const char *value, struct error *err);

/* --disable-content-trust[=true]: true is how it is; =false is refused. */
int content_trust_parse(void *target, const struct option *o, const char *value, struct error *err);

/*
 * DESTINATION of a push: a reference, with podman's docker:// or without. ERROR_UNSUPPORTED: podman's
 * other transports.
 */
struct reference;
int destination_parse(const char *text, struct reference *ret, struct error *err);

#define REGISTRY_OPTION_AUTHFILE(type_)                                   \
	{                                                                 \
		.name = "authfile", .type = OPTION_STRING, .arg = "path", \
		OPTION_FIELD(type_, registry.authfile),                   \
		.help = "Look for credentials in this file alone"         \
	}

#define REGISTRY_OPTION_CERT_DIR(type_)                                              \
	{                                                                            \
		.name = "cert-dir", .type = OPTION_STRING, .arg = "path",            \
		OPTION_FIELD(type_, registry.cert_dir),                              \
		.help = "Directory of *.crt, *.cert and *.key, instead of certs.d's" \
	}

/* For a member "compression" of the flags. */
#define REGISTRY_OPTION_COMPRESSION(type_)                                          \
	{                                                                           \
		.name = "compression-format", .type = OPTION_CALL, .arg = "string", \
		OPTION_FIELD(type_, compression), .parse = compression_parse,       \
		.help = "Compress uncompressed layers with gzip or zstd"            \
	}

#define REGISTRY_OPTION_CREDS(type_)                                     \
	{                                                                \
		.name = "creds", .type = OPTION_STRING, .arg = "string", \
		OPTION_FIELD(type_, registry.creds),                     \
		.help = "user[:password], instead of what is stored"     \
	}

#define REGISTRY_OPTION_TLS_VERIFY(type_)                                                    \
	{                                                                                    \
		.name = "tls-verify", .type = OPTION_CALL, .is_flag = true,                  \
		OPTION_FIELD(type_, registry.tls), .parse = registry_flags_parse_tls,        \
		.help = "Insist on HTTPS and good certificates; false: HTTP and any will do" \
	}

/*
 * What they say. A part of --creds that is missing is asked for on the terminal.
 *
 * credential   keeps what ret borrows: to be released behind it
 * Errors       ERROR_NOT_FOUND: there is no such authfile
 */
int registry_flags_access(const struct registry_flags *f, struct credential *credential,
			  struct registry_access *ret, struct error *err);
