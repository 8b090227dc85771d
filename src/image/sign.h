/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Signatures of manifests, made: "simple signing", which policy_simple.c checks, and attached ones,
 * which policy_sigstore.c checks. Source: containers-signature(5); cosign's SIGNATURE_SPEC.md
 */

#include <stdbool.h>
#include "base/buf.h"
#include "base/digest.h"
#include "base/error.h"
#include "registry/lookaside.h"

struct reference;
struct registry;

/* With which keys. All borrowed; zeroed: nothing is signed. */
struct sign_options {
	const char *key; /* of gpg's; gpg.h */
	const char *passphrase_file;
	const char *sealed_key; /* the path of a key for attached signatures; codec/sealed_key.h */
	const char *sealed_passphrase;
};

/* A key that is ready. */
struct signer {
	const struct sign_options *options;
	struct buf der; /* of the sealed key */
};

/* Unlocks the key, before anything is sent. The options are borrowed. */
int signer_open(const struct sign_options *o, struct signer *ret, struct error *err);
void signer_close(struct signer *s); /* wipes it */
#define cleanup_signer __attribute__((cleanup(signer_close)))

/* A simple signature between its making and its place. */
struct signing {
	struct lookaside place;
	struct buf message;
};

void signing_done(struct signing *s);
#define cleanup_signing __attribute__((cleanup(signing_done)))

/*
 * Sign "under this name there is this manifest", before the manifest is put there: who cannot sign
 * does not push. An attached signature goes to the registry at once, so that nobody finds the
 * manifest without it.
 *
 * ret   for sign_keep()
 */
int sign_manifest(const struct signer *s, struct registry *registry, const struct reference *ref,
		  const struct digest *id, struct signing *ret, struct error *err);
/* The manifest is there: the simple signature goes to its place. */
int sign_keep(const struct signing *s, const struct digest *id, struct error *err);

/* sign_attach.c: put a signed text beside a manifest, behind what is there. */
int sign_attach(struct registry *registry, const struct digest *id, const struct buf *payload,
		const struct buf *signature, struct error *err);
