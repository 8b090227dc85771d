/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Options of pushes that sign: podman's --sign-by, --sign-by-sigstore-private-key and
 * --sign-passphrase-file. A command has a struct sign_flags with the name "sign" in its own flags.
 */

#include "base/option.h"
#include "image/sign.h"

struct sign_flags {
	const char *key, *sealed_key, *passphrase_file;
};

#define SIGN_OPTION_BY(type_)                                                         \
	{                                                                             \
		.name = "sign-by", .type = OPTION_STRING, .arg = "fingerprint",       \
		OPTION_FIELD(type_, sign.key),                                        \
		.help = "Sign with this key of gpg's, into the lookaside-staging of " \
			"registries.d"                                                \
	}

#define SIGN_OPTION_SEALED_KEY(type_)                                                         \
	{                                                                                     \
		.name = "sign-by-sigstore-private-key", .type = OPTION_STRING, .arg = "path", \
		OPTION_FIELD(type_, sign.sealed_key),                                         \
		.help = "Sign with this key of cosign's or skopeo's, beside the image in "    \
			"its registry"                                                        \
	}

#define SIGN_OPTION_PASSPHRASE_FILE(type_)                                            \
	{                                                                             \
		.name = "sign-passphrase-file", .type = OPTION_STRING, .arg = "path", \
		OPTION_FIELD(type_, sign.passphrase_file),                            \
		.help = "Read the key's passphrase from this file"                    \
	}

/*
 * What they say. The passphrase of a sigstore key is asked for on the terminal if no file has it.
 *
 * passphrase   keeps what ret borrows: heap, to be wiped behind it by secret_free()
 */
int sign_flags_options(const struct sign_flags *f, char **passphrase, struct sign_options *ret,
		       struct error *err);
void secret_free(char **secret);
#define cleanup_secret __attribute__((cleanup(secret_free)))
