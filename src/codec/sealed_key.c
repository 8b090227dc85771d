/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/sealed_key.h"

#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"

#define SODIUM_LIBRARY	"libsodium.so.23" /* Debian 12 and 13 */
#define BOX_KEY_BYTES	32
#define BOX_NONCE_BYTES 24
#define BOX_MAC_BYTES	16
/* cosign's is 32 or 64 MiB; more than this is a file that was made to hurt */
#define SCRYPT_MAX_BYTES (1ull << 30)
#define SCRYPT_MAX_P	 16

/* The two functions of libsodium's that are used, as its manual declares them. */
struct sodium {
	void *library;
	int (*scrypt)(const uint8_t *passphrase, size_t passphrase_len, const uint8_t *salt,
		      size_t salt_len, uint64_t n, uint32_t r, uint32_t p, uint8_t *key,
		      size_t key_len);
	int (*open_box)(unsigned char *plain, const unsigned char *box, unsigned long long len,
			const unsigned char *nonce, const unsigned char *key);
};

static int open_sodium(struct sodium *s, struct error *err)
{
	void *scrypt, *open_box;

	s->library = dlopen(SODIUM_LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!s->library)
		return error_kind(err, ERROR_UNSUPPORTED,
				  "such keys are unlocked by libsodium: install " SODIUM_LIBRARY);
	scrypt = dlsym(s->library, "crypto_pwhash_scryptsalsa208sha256_ll");
	open_box = dlsym(s->library, "crypto_secretbox_open_easy");
	if (!scrypt || !open_box) {
		(void)dlclose(s->library);
		return error_kind(err, ERROR_UNSUPPORTED, SODIUM_LIBRARY " cannot unlock keys");
	}
	memcpy(&s->scrypt, &scrypt, sizeof(scrypt));
	memcpy(&s->open_box, &open_box, sizeof(open_box));
	return 0;
}

/* What the JSON object says. */
struct sealed {
	uint64_t n;
	uint32_t r, p;
	void *salt, *nonce, *box; /* heap */
	size_t salt_len, nonce_len, box_len;
};

static void sealed_done(struct sealed *s)
{
	free(s->salt);
	free(s->nonce);
	free(s->box);
}
#define cleanup_sealed __attribute__((cleanup(sealed_done)))

static int get_word(const struct json *object, const char *key, const char *expected,
		    struct error *err)
{
	const char *word = NULL;
	int r = json_get_string(object, key, &word, err);

	if (r == 0 && !str_eq(word, expected))
		return error_kind(err, ERROR_UNSUPPORTED,
				  "the key is locked with '%.40s' instead of '%s'",
				  word ? word : "", expected);
	return r;
}

static int get_bytes(const struct json *object, const char *key, void **ret, size_t *ret_len,
		     struct error *err)
{
	const char *text = NULL;
	int r = json_get_string(object, key, &text, err);

	if (r < 0)
		return r;
	if (!text || base64_parse(text, ret, ret_len) < 0)
		return error_kind(err, ERROR_INVALID, "'%s' of the key is no base64", key);
	return 0;
}

static int parse_sealed(const char *json, size_t len, struct arena *arena, struct sealed *s,
			struct error *err)
{
	const struct json *doc, *kdf, *params, *cipher;
	int r = json_parse(json, len, arena, &doc, err);

	if (r < 0)
		return r;
	kdf = json_get(doc, "kdf");
	params = json_get(kdf, "params");
	cipher = json_get(doc, "cipher");
	r = get_word(kdf, "name", "scrypt", err);
	if (r == 0)
		r = get_word(cipher, "name", "nacl/secretbox", err);
	if (r == 0)
		r = json_get_u64(params, "N", &s->n, err);
	if (r == 0)
		r = json_get_u32(params, "r", &s->r, err);
	if (r == 0)
		r = json_get_u32(params, "p", &s->p, err);
	if (r == 0)
		r = get_bytes(kdf, "salt", &s->salt, &s->salt_len, err);
	if (r == 0)
		r = get_bytes(cipher, "nonce", &s->nonce, &s->nonce_len, err);
	if (r == 0)
		r = get_bytes(doc, "ciphertext", &s->box, &s->box_len, err);
	return r;
}

static int check_sealed(const struct sealed *s, struct error *err)
{
	if (s->nonce_len != BOX_NONCE_BYTES || s->box_len < BOX_MAC_BYTES)
		return error_kind(err, ERROR_INVALID, "the key's box has the wrong size");
	if (s->n < 2 || (s->n & (s->n - 1)) != 0 || s->r == 0 || s->p == 0 || s->p > SCRYPT_MAX_P ||
	    s->n > SCRYPT_MAX_BYTES / 128 / s->r)
		return error_kind(err, ERROR_INVALID,
				  "the key's numbers for scrypt are out of bounds");
	return 0;
}

/* The object within the PEM block. */
static int read_pem(const char *pem, size_t len, void **ret, size_t *ret_len, struct error *err)
{
	static const char *const kinds[] = { "SIGSTORE", "COSIGN" };
	cleanup_free char *text = xstrndup(pem, len);
	cleanup_buf struct buf packed = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		cleanup_free char *head =
			xasprintf("-----BEGIN ENCRYPTED %s PRIVATE KEY-----", kinds[i]);
		cleanup_free char *foot =
			xasprintf("-----END ENCRYPTED %s PRIVATE KEY-----", kinds[i]);
		const char *from = strstr(text, head);
		const char *to = from ? strstr(from, foot) : NULL;

		if (!to)
			continue;
		for (from += strlen(head); from < to; from++)
			if (!strchr(" \t\r\n", *from))
				buf_putc(&packed, *from);
		if (base64_parse(buf_str(&packed), ret, ret_len) < 0)
			return error_kind(err, ERROR_INVALID, "the key's PEM block is damaged");
		return 0;
	}
	return error_kind(err, ERROR_INVALID,
			  "no key in PEM: 'ENCRYPTED SIGSTORE PRIVATE KEY' is looked for, as "
			  "'cosign generate-key-pair' and 'skopeo generate-sigstore-key' make it");
}

static int unlock(const struct sealed *s, const char *passphrase, struct buf *ret,
		  struct error *err)
{
	unsigned char key[BOX_KEY_BYTES];
	struct sodium sodium = { 0 };
	int r = open_sodium(&sodium, err);

	if (r < 0)
		return r;
	buf_reserve(ret, s->box_len);
	if (sodium.scrypt((const uint8_t *)passphrase, strlen(passphrase), s->salt, s->salt_len,
			  s->n, s->r, s->p, key, sizeof(key)) != 0)
		r = error_oom(err);
	else if (sodium.open_box((unsigned char *)ret->data, s->box, s->box_len, s->nonce, key) !=
		 0)
		r = error_kind(err, ERROR_DENIED, "the passphrase does not unlock the key");
	else
		ret->len = s->box_len - BOX_MAC_BYTES;
	explicit_bzero(key, sizeof(key));
	(void)dlclose(sodium.library); /* stays, if it is still used elsewhere */
	return r;
}

int sealed_key_open(const char *pem, size_t len, const char *passphrase, struct buf *ret_der,
		    struct error *err)
{
	cleanup_with(arena_free) struct arena *arena = arena_new();
	cleanup_sealed struct sealed sealed = { 0 };
	cleanup_free void *json = NULL;
	size_t json_len;
	int r = read_pem(pem, len, &json, &json_len, err);

	if (r == 0)
		r = parse_sealed(json, json_len, arena, &sealed, err);
	if (r == 0)
		r = check_sealed(&sealed, err);
	return r < 0 ? r : unlock(&sealed, passphrase, ret_der, err);
}
