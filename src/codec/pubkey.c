/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/pubkey.h"

#include <dlfcn.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/buf.h"
#include "base/macro.h"

#define CRYPTO_LIBRARY "libcrypto.so.3"

struct crypto {
	void *library;
	BIO *(*bio_new)(const void *data, int len);
	int (*bio_free)(BIO *bio);
	EVP_PKEY *(*read_key)(BIO *bio, EVP_PKEY **key, pem_password_cb *callback, void *ctx);
	int (*key_kind)(const EVP_PKEY *key);
	void (*key_free)(EVP_PKEY *key);
	EVP_MD_CTX *(*md_new)(void);
	void (*md_free)(EVP_MD_CTX *ctx);
	const EVP_MD *(*sha256)(void);
	int (*init)(EVP_MD_CTX *ctx, EVP_PKEY_CTX **key_ctx, const EVP_MD *md, ENGINE *engine,
		    EVP_PKEY *key);
	int (*verify)(EVP_MD_CTX *ctx, const unsigned char *sig, size_t sig_len,
		      const unsigned char *data, size_t len);
	EVP_PKEY *(*parse_private)(EVP_PKEY **key, const unsigned char **der, long len);
	int (*sign_init)(EVP_MD_CTX *ctx, EVP_PKEY_CTX **key_ctx, const EVP_MD *md, ENGINE *engine,
			 EVP_PKEY *key);
	int (*sign)(EVP_MD_CTX *ctx, unsigned char *sig, size_t *sig_len, const unsigned char *data,
		    size_t len);
};

static const struct symbol {
	const char *name;
	size_t offset; /* of a pointer in struct crypto */
} symbols[] = {
	{ "BIO_new_mem_buf", offsetof(struct crypto, bio_new) },
	{ "BIO_free", offsetof(struct crypto, bio_free) },
	{ "PEM_read_bio_PUBKEY", offsetof(struct crypto, read_key) },
	{ "EVP_PKEY_get_base_id", offsetof(struct crypto, key_kind) },
	{ "EVP_PKEY_free", offsetof(struct crypto, key_free) },
	{ "EVP_MD_CTX_new", offsetof(struct crypto, md_new) },
	{ "EVP_MD_CTX_free", offsetof(struct crypto, md_free) },
	{ "EVP_sha256", offsetof(struct crypto, sha256) },
	{ "EVP_DigestVerifyInit", offsetof(struct crypto, init) },
	{ "EVP_DigestVerify", offsetof(struct crypto, verify) },
	{ "d2i_AutoPrivateKey", offsetof(struct crypto, parse_private) },
	{ "EVP_DigestSignInit", offsetof(struct crypto, sign_init) },
	{ "EVP_DigestSign", offsetof(struct crypto, sign) },
};

static int open_crypto(struct crypto *c, struct error *err)
{
	c->library = dlopen(CRYPTO_LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!c->library)
		return error_kind(
			err, ERROR_UNSUPPORTED,
			"signatures are made and verified by OpenSSL 3: install " CRYPTO_LIBRARY);
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		void *symbol = dlsym(c->library, symbols[i].name);

		if (!symbol) {
			(void)dlclose(c->library);
			return error_kind(err, ERROR_UNSUPPORTED, CRYPTO_LIBRARY " has no %s",
					  symbols[i].name);
		}
		*(void **)((char *)c + symbols[i].offset) = symbol;
	}
	return 0;
}

/* The digest that goes with a kind of key: NULL for none, which Ed25519 wants. */
static int digest_of(const struct crypto *c, const EVP_PKEY *key, const EVP_MD **ret,
		     struct error *err)
{
	switch (c->key_kind(key)) {
	case EVP_PKEY_RSA:
	case EVP_PKEY_EC:
		*ret = c->sha256();
		return 0;
	case EVP_PKEY_ED25519:
		*ret = NULL;
		return 0;
	default:
		return error_kind(err, ERROR_UNSUPPORTED,
				  "the key is neither of ECDSA nor of RSA nor of Ed25519");
	}
}

/* What a signature by this key is made of: its digest, and a context. */
static int begin(const struct crypto *c, EVP_PKEY *key, const EVP_MD **ret_md, EVP_MD_CTX **ret_ctx,
		 struct error *err)
{
	int r = digest_of(c, key, ret_md, err);

	if (r < 0)
		return r;
	*ret_ctx = c->md_new();
	return *ret_ctx ? 0 : error_oom(err);
}

static int verify(const struct crypto *c, EVP_PKEY *key, const void *data, size_t len,
		  const void *sig, size_t sig_len, struct error *err)
{
	const EVP_MD *md = NULL;
	EVP_MD_CTX *ctx = NULL;
	int r = begin(c, key, &md, &ctx, err);

	if (r < 0)
		return r;
	if (c->init(ctx, NULL, md, NULL, key) != 1)
		r = error_kind(err, ERROR_UNSUPPORTED, "OpenSSL refuses this key");
	else
		r = c->verify(ctx, sig, sig_len, data, len) == 1;
	c->md_free(ctx);
	return r;
}

int pubkey_verify(const char *pem, size_t pem_len, const void *data, size_t len, const void *sig,
		  size_t sig_len, struct error *err)
{
	struct crypto c;
	EVP_PKEY *key = NULL;
	BIO *bio = NULL;
	int r = open_crypto(&c, err);

	if (r < 0)
		return r;
	bio = pem_len <= INT_MAX ? c.bio_new(pem, (int)pem_len) : NULL;
	key = bio ? c.read_key(bio, NULL, NULL, NULL) : NULL;
	if (key)
		r = verify(&c, key, data, len, sig, sig_len, err);
	else
		r = error_kind(err, ERROR_INVALID, "no public key in PEM");
	if (key)
		c.key_free(key);
	if (bio)
		(void)c.bio_free(bio); /* memory only */
	(void)dlclose(c.library);      /* stays, if it is still used elsewhere */
	return r;
}

static int sign(const struct crypto *c, EVP_PKEY *key, const void *data, size_t len,
		struct buf *ret_sig, struct error *err)
{
	const EVP_MD *md = NULL;
	EVP_MD_CTX *ctx = NULL;
	size_t n = 0;
	int r = begin(c, key, &md, &ctx, err);

	if (r < 0)
		return r;
	/* asked without a buffer, it tells the most that it may need */
	if (c->sign_init(ctx, NULL, md, NULL, key) != 1 || c->sign(ctx, NULL, &n, data, len) != 1) {
		r = error_kind(err, ERROR_UNSUPPORTED, "OpenSSL refuses this key");
	} else {
		buf_reserve(ret_sig, n);
		if (c->sign(ctx, (unsigned char *)ret_sig->data + ret_sig->len, &n, data, len) == 1)
			ret_sig->len += n;
		else
			r = error_kind(err, ERROR_UNSUPPORTED, "OpenSSL does not sign");
	}
	c->md_free(ctx);
	return r;
}

int pubkey_sign(const void *der, size_t der_len, const void *data, size_t len, struct buf *ret_sig,
		struct error *err)
{
	const unsigned char *at = der;
	EVP_PKEY *key = NULL;
	struct crypto c;
	int r = open_crypto(&c, err);

	if (r < 0)
		return r;
	key = der_len <= LONG_MAX ? c.parse_private(NULL, &at, (long)der_len) : NULL;
	if (key) {
		r = sign(&c, key, data, len, ret_sig, err);
		c.key_free(key);
	} else {
		r = error_kind(err, ERROR_INVALID, "no private key of PKCS #8");
	}
	(void)dlclose(c.library); /* stays, if it is still used elsewhere */
	return r;
}
