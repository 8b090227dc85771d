/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sign_flags.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/prompt.h"

#define PASSPHRASE_MAX_BYTES 4096

void secret_free(char **secret)
{
	if (*secret)
		explicit_bzero(*secret, strlen(*secret));
	free(*secret);
}

int sign_flags_options(const struct sign_flags *f, char **passphrase, struct sign_options *ret,
		       struct error *err)
{
	int r = 0;

	if (f->key && f->sealed_key && f->passphrase_file)
		return error_kind(
			err, ERROR_INVALID,
			"--sign-passphrase-file is of one key: sign with --sign-by or with "
			"--sign-by-sigstore-private-key");
	*ret = (struct sign_options){ .key = f->key,
				      .passphrase_file = f->passphrase_file,
				      .sealed_key = f->sealed_key };
	if (!f->sealed_key)
		return 0;
	if (access(f->sealed_key, R_OK) < 0) /* before a question is asked in vain */
		return error_sys(err, "cannot open key '%s'", f->sealed_key);
	if (f->passphrase_file)
		r = file_read(AT_FDCWD, f->passphrase_file, PASSPHRASE_MAX_BYTES, passphrase, NULL,
			      err);
	else
		r = prompt_line("Key passphrase: ", true, passphrase, err);
	if (r < 0)
		return f->passphrase_file ? r
					  : error_prefix(err, r,
							 "asking for the key's passphrase "
							 "(--sign-passphrase-file reads it)");
	(*passphrase)[strcspn(*passphrase, "\r\n")] = '\0';
	ret->sealed_passphrase = *passphrase;
	return 0;
}
