/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/client_cert.h"

#include <dlfcn.h>
#include <openssl/ssl.h>
#include <string.h>

#include "base/log.h"
#include "base/macro.h"
#include "base/mem.h"

#define SSL_LIBRARY "libssl.so.3"

struct client_cert {
	void *library;
	void (*set_callback)(SSL_CTX *ctx, int (*cb)(SSL *ssl, void *arg), void *arg);
	int (*use_certificate)(SSL *ssl, const char *file);
	int (*use_key)(SSL *ssl, const char *file, int type);
	X509 *(*get_certificate)(const SSL *ssl);
	const STACK_OF(X509_NAME) * (*peer_authorities)(const SSL *ssl);
	void (*clear)(SSL *ssl);
	long (*control)(SSL *ssl, int command, long number, void *pointer);
	int (*stack_len)(const OPENSSL_STACK *stack);
	void *(*stack_at)(const OPENSSL_STACK *stack, int i);
	X509_NAME *(*issuer)(const X509 *certificate);
	int (*compare)(const X509_NAME *a, const X509_NAME *b);
	struct client_pair *pairs;
	size_t n;
};

#define ROW(member, symbol)                                  \
	{                                                    \
		symbol, offsetof(struct client_cert, member) \
	}
static const struct {
	const char *name;
	size_t offset;
} symbols[] = {
	ROW(set_callback, "SSL_CTX_set_cert_cb"),
	ROW(use_certificate, "SSL_use_certificate_chain_file"),
	ROW(use_key, "SSL_use_PrivateKey_file"),
	ROW(get_certificate, "SSL_get_certificate"),
	ROW(peer_authorities, "SSL_get0_peer_CA_list"),
	ROW(clear, "SSL_certs_clear"),
	ROW(control, "SSL_ctrl"),
	ROW(stack_len, "OPENSSL_sk_num"), /* libcrypto's, which libssl brings along */
	ROW(stack_at, "OPENSSL_sk_value"),
	ROW(issuer, "X509_get_issuer_name"),
	ROW(compare, "X509_NAME_cmp"),
};

int client_cert_new(const struct client_pair *pairs, size_t n, struct client_cert **ret,
		    struct error *err)
{
	struct client_cert *t = xcalloc(1, sizeof(*t));
	int r = 0;

	t->library = dlopen(SSL_LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	for (size_t i = 0; i < ARRAY_SIZE(symbols) && r == 0; i++) {
		void *address = t->library ? dlsym(t->library, symbols[i].name) : NULL;

		if (!address)
			r = error_kind(err, ERROR_UNSUPPORTED,
				       "to choose between certificates, " SSL_LIBRARY
				       " with %s is needed",
				       symbols[i].name);
		memcpy((char *)t + symbols[i].offset, &address, sizeof(address));
	}
	t->pairs = xcalloc(n, sizeof(*t->pairs));
	for (t->n = 0; t->n < n; t->n++)
		t->pairs[t->n] = (struct client_pair){ xstrdup(pairs[t->n].cert_file),
						       xstrdup(pairs[t->n].key_file) };
	if (r < 0)
		client_cert_free(t);
	else
		*ret = t;
	return r;
}

struct client_cert *client_cert_free(struct client_cert *t)
{
	for (size_t i = 0; t && i < t->n; i++) {
		free(t->pairs[i].cert_file);
		free(t->pairs[i].key_file);
	}
	if (t)
		free(t->pairs);
	free(t);
	return NULL;
}

static bool is_named(const struct client_cert *t, const OPENSSL_STACK *names,
		     const X509 *certificate)
{
	for (int i = 0; i < t->stack_len(names); i++)
		if (t->compare(t->stack_at(names, i), t->issuer(certificate)) == 0)
			return true;
	return false;
}

/* Does the certificate in use, or one that it came with, come from whom the server names? */
static bool fits(const struct client_cert *t, SSL *ssl)
{
	const OPENSSL_STACK *names = (const OPENSSL_STACK *)t->peer_authorities(ssl);
	OPENSSL_STACK *chain = NULL;

	if (!names || t->stack_len(names) <= 0)
		return true; /* anybody */
	if (is_named(t, names, t->get_certificate(ssl)))
		return true;
	if (t->control(ssl, SSL_CTRL_GET_CHAIN_CERTS, 0, (void *)&chain) <= 0 || !chain)
		return false;
	for (int i = 0; i < t->stack_len(chain); i++)
		if (is_named(t, names, t->stack_at(chain, i)))
			return true;
	return false;
}

/* OpenSSL asks when a server wants a certificate. 1: go on; 0: no handshake. */
static int choose(SSL *ssl, void *arg)
{
	const struct client_cert *t = arg;

	for (size_t i = 0; i < t->n; i++) {
		const struct client_pair *p = &t->pairs[i];

		t->clear(ssl);
		if (t->use_certificate(ssl, p->cert_file) != 1 ||
		    t->use_key(ssl, p->key_file, SSL_FILETYPE_PEM) != 1) {
			log_debug("'%s' and '%s' cannot be used", p->cert_file, p->key_file);
			return 0;
		}
		if (fits(t, ssl))
			return 1;
	}
	t->clear(ssl);
	return 1;
}

void client_cert_offer(struct client_cert *t, void *ssl_ctx)
{
	t->set_callback(ssl_ctx, choose, t);
}
