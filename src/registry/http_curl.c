/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP by libcurl, which is opened when the first request is made, so that no other verb pays for
 * it and its thirty libraries.
 *
 * Each exchange has an easy handle and a multi handle for itself; the multi handle is driven by
 * whoever waits for the answer or reads the body, so no thread is needed and the reader's pace is
 * the network's. A multi handle keeps its connections when an exchange is over. The pair then goes
 * back to the client's pool, and the next exchange, of any thread, takes the one used last.
 *
 *     http_read(buf) ─▶ curl_multi_perform ─▶ on_body ─▶ buf, the rest into "spare"
 *                  └──▶ curl_multi_poll, in ticks, so that a cancel is seen
 *
 * on_body copies into the reader's buffer itself. What does not fit is kept; when that is much,
 * curl is told to pause.
 */
#include <curl/curl.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "registry/http.h"
#include "registry/http_header.h"

#define CURL_LIBRARY "libcurl.so.4"

#define READ_BUFFER_BYTES   (512L << 10) /* the most that libcurl 7.88 takes */
#define UPLOAD_BUFFER_BYTES (512L << 10)
#define SPARE_MAX_BYTES	    ((size_t)1 << 20)
#define CONNECT_MS	    30000L
#define STALL_MS	    30000u
/* A server that gathers an upload, or fetches what it mirrors, may be silent for some time. */
#define ANSWER_STALLS 2
#define STORED_STALLS 10
#define TICK_MS	      100
/* Less than this in a stall time is as good as nothing. */
#define STALL_BYTES 1024

/* What is used of the library. */
struct curl_functions {
	void *library;
	CURLcode (*global_init)(long flags);
	CURL *(*easy_init)(void);
	void (*easy_cleanup)(CURL *easy);
	void (*easy_reset)(CURL *easy);
	CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
	CURLcode (*easy_getinfo)(CURL *easy, CURLINFO info, ...);
	CURLcode (*easy_pause)(CURL *easy, int bits);
	const char *(*easy_strerror)(CURLcode code);
	CURLM *(*multi_init)(void);
	CURLMcode (*multi_cleanup)(CURLM *multi);
	CURLMcode (*multi_add_handle)(CURLM *multi, CURL *easy);
	CURLMcode (*multi_remove_handle)(CURLM *multi, CURL *easy);
	CURLMcode (*multi_perform)(CURLM *multi, int *running);
	CURLMcode (*multi_poll)(CURLM *multi, struct curl_waitfd *fds, unsigned n, int timeout_ms,
				int *ready);
	CURLMsg *(*multi_info_read)(CURLM *multi, int *left);
	struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
	void (*slist_free_all)(struct curl_slist *list);
	CURLU *(*url)(void);
	void (*url_cleanup)(CURLU *url);
	CURLUcode (*url_set)(CURLU *url, CURLUPart part, const char *text, unsigned flags);
	CURLUcode (*url_get)(const CURLU *url, CURLUPart part, char **ret, unsigned flags);
	void (*free)(void *p);
};

#define ROW(member, symbol)                                     \
	{                                                       \
		symbol, offsetof(struct curl_functions, member) \
	}
static const struct {
	const char *symbol;
	size_t offset;
} curl_symbols[] = {
	ROW(global_init, "curl_global_init"),
	ROW(easy_init, "curl_easy_init"),
	ROW(easy_cleanup, "curl_easy_cleanup"),
	ROW(easy_reset, "curl_easy_reset"),
	ROW(easy_setopt, "curl_easy_setopt"),
	ROW(easy_getinfo, "curl_easy_getinfo"),
	ROW(easy_pause, "curl_easy_pause"),
	ROW(easy_strerror, "curl_easy_strerror"),
	ROW(multi_init, "curl_multi_init"),
	ROW(multi_cleanup, "curl_multi_cleanup"),
	ROW(multi_add_handle, "curl_multi_add_handle"),
	ROW(multi_remove_handle, "curl_multi_remove_handle"),
	ROW(multi_perform, "curl_multi_perform"),
	ROW(multi_poll, "curl_multi_poll"),
	ROW(multi_info_read, "curl_multi_info_read"),
	ROW(slist_append, "curl_slist_append"),
	ROW(slist_free_all, "curl_slist_free_all"),
	ROW(url, "curl_url"),
	ROW(url_cleanup, "curl_url_cleanup"),
	ROW(url_set, "curl_url_set"),
	ROW(url_get, "curl_url_get"),
	ROW(free, "curl_free"),
};

struct handle {
	CURL *easy;
	CURLM *multi;
	struct handle *next; /* in the pool */
};

struct http_client {
	struct curl_functions f;
	bool insecure;
	char *ca_pem;
	struct client_pair pair; /* if there is one */
	struct client_cert *tls; /* if there are several: it chooses */
	bool has_ca_path;	 /* the system's certificates by name: not all are read */
	unsigned stall_ms;
	const atomic_bool *cancel;
	pthread_mutex_t lock; /* idle */
	struct handle *idle;  /* used last is first */
};

struct http_exchange {
	struct http_client *client;
	struct handle *handle;
	char *url;
	struct curl_slist *header_list;
	char message[CURL_ERROR_SIZE];

	struct http_headers headers;
	bool has_headers, is_head, is_https;
	int status;

	struct http_body body; /* of the request; sent: how much was read of it */
	uint64_t sent;
	int send_error;

	char *dest; /* of the read in progress */
	size_t dest_size, dest_len;
	struct buf spare; /* what came beyond it */
	size_t spare_used;
	bool paused;

	uint64_t traffic; /* bytes in both directions */
	bool done;
	CURLcode result;
	enum http_fault fault;
};

/* The library */

static int open_library(struct curl_functions *f, struct error *err)
{
	/* never unloaded: OpenSSL leaves handlers for the end of the process */
	f->library = dlopen(CURL_LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!f->library)
		return error_kind(err, ERROR_UNSUPPORTED,
				  "registries need libcurl, which is not installed: %s", dlerror());
	for (size_t i = 0; i < ARRAY_SIZE(curl_symbols); i++) {
		void *address = dlsym(f->library, curl_symbols[i].symbol);

		if (!address)
			return error_kind(err, ERROR_UNSUPPORTED, "this libcurl is too old: no %s",
					  curl_symbols[i].symbol);
		memcpy((char *)f + curl_symbols[i].offset, &address, sizeof(address));
	}
	if (f->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) /* safe in threads since 7.84 */
		return error_kind(err, ERROR_INTERNAL, "libcurl cannot start");
	return 0;
}

/* Reading the one file of all certificates costs more than a request. */
#define CA_PATH "/etc/ssl/certs"
static bool find_ca_path(void)
{
	cleanup_dir DIR *dir = opendir(CA_PATH);
	const struct dirent *entry;

	if (getenv("SSL_CERT_FILE") || getenv("SSL_CERT_DIR"))
		return false;
	while (dir && (entry = readdir(dir))) /* "4042bcee.0" */
		if (strlen(entry->d_name) == 10 && entry->d_name[8] == '.' &&
		    strspn(entry->d_name, "0123456789abcdef") == 8)
			return true;
	return false;
}

int http_client_new(const struct http_options *o, struct http_client **ret, struct error *err)
{
	cleanup_with(http_client_free) struct http_client *c = xcalloc(1, sizeof(*c));
	int r;

	(void)pthread_mutex_init(&c->lock, NULL);
	r = open_library(&c->f, err);
	if (r < 0)
		return r;
	c->insecure = o->insecure;
	c->ca_pem = o->ca_pem ? xstrdup(o->ca_pem) : NULL;
	if (o->n_pairs == 1)
		c->pair = (struct client_pair){ xstrdup(o->pairs->cert_file),
						xstrdup(o->pairs->key_file) };
	if (o->n_pairs > 1)
		r = client_cert_new(o->pairs, o->n_pairs, &c->tls, err);
	if (r < 0)
		return r;
	c->has_ca_path = find_ca_path();
	c->stall_ms = o->stall_ms ? o->stall_ms : STALL_MS;
	c->cancel = o->cancel;
	*ret = take_ptr(&c);
	return 0;
}

static void free_handle(const struct http_client *c, struct handle *h)
{
	if (h->easy)
		c->f.easy_cleanup(h->easy);
	if (h->multi)
		(void)c->f.multi_cleanup(h->multi); /* only fails for what is no handle */
	free(h);
}

struct http_client *http_client_free(struct http_client *c)
{
	int saved = errno;

	while (c && c->idle) {
		struct handle *h = c->idle;

		c->idle = h->next;
		free_handle(c, h);
	}
	if (c) {
		(void)pthread_mutex_destroy(&c->lock); /* nobody holds it */
		if (c->f.library)
			(void)dlclose(c->f.library); /* it stays */
		free(c->ca_pem);
		free(c->pair.cert_file);
		free(c->pair.key_file);
		client_cert_free(c->tls); /* its connections are gone */
		free(c);
	}
	errno = saved;
	return NULL;
}

/* The pool */

static struct handle *take_handle(struct http_client *c)
{
	struct handle *h;

	(void)pthread_mutex_lock(&c->lock);
	h = c->idle;
	if (h)
		c->idle = h->next;
	(void)pthread_mutex_unlock(&c->lock);
	if (h)
		return h;
	h = xcalloc(1, sizeof(*h));
	h->easy = c->f.easy_init();
	h->multi = c->f.multi_init();
	if (h->easy && h->multi)
		return h;
	free_handle(c, h);
	return NULL;
}

static void put_handle(struct http_client *c, struct handle *h)
{
	c->f.easy_reset(h->easy); /* the connections stay */
	(void)pthread_mutex_lock(&c->lock);
	h->next = c->idle;
	c->idle = h;
	(void)pthread_mutex_unlock(&c->lock);
}

/* Called by libcurl */

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
	struct http_exchange *x = arg;
	size_t len = size * n;

	if (len > 5 && strncasecmp(data, "HTTP/", 5) == 0) { /* also after a "100 Continue" */
		http_headers_done(&x->headers);
		return len;
	}
	if (len <= 2 && (len == 0 || data[0] == '\r' || data[0] == '\n')) {
		long status = 0;

		(void)x->client->f.easy_getinfo(x->handle->easy, CURLINFO_RESPONSE_CODE, &status);
		x->status = (int)status;
		x->has_headers = status >= 200;
		return len;
	}
	return http_headers_add(&x->headers, data, len) < 0 ? 0 : len;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct http_exchange *x = arg;
	size_t len = size * n, fits = MIN(len, x->dest_size - x->dest_len);

	if (fits < len && x->spare.len > SPARE_MAX_BYTES) {
		x->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	if (fits > 0)
		memcpy(x->dest + x->dest_len, data, fits);
	x->dest_len += fits;
	buf_add(&x->spare, data + fits, len - fits);
	x->traffic += len;
	return len;
}

static size_t on_send(char *data, size_t size, size_t n, void *arg)
{
	struct http_exchange *x = arg;
	size_t len = (size_t)MIN((uint64_t)(size * n), x->body.len - x->sent);
	ssize_t got = (ssize_t)len;

	if (x->client->cancel && atomic_load(x->client->cancel))
		return CURL_READFUNC_ABORT;
	if (x->body.data)
		memcpy(data, (const char *)x->body.data + x->sent, len);
	else if (len > 0)
		got = pread(x->body.fd, data, len, (off_t)(x->body.offset + x->sent));
	if (got < 0 || (got == 0 && len > 0)) {
		x->send_error = got < 0 ? errno : ENODATA;
		return CURL_READFUNC_ABORT;
	}
	x->sent += (uint64_t)got;
	x->traffic += (uint64_t)got;
	if (x->body.progress)
		x->body.progress(x->body.ctx, x->sent);
	return (size_t)got;
}

/*
 * Where a kept connection turned out to be dead, what was sent is sent again. Not a file, which is a
 * piece of an upload: the server may have kept some of it, and is asked before more is sent.
 */
static int on_seek(void *arg, curl_off_t offset, int origin)
{
	struct http_exchange *x = arg;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > x->body.len)
		return CURL_SEEKFUNC_FAIL;
	if (!x->body.data && (uint64_t)offset != x->sent)
		return CURL_SEEKFUNC_FAIL;
	x->sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* Nothing that is started meanwhile gets it. */
static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* A request as options */

/* Go's capitals; libcurl leaves out HTTP_PROXY, which a CGI program's client can set. */
static const char *find_proxy(const char *url)
{
	const char *host = strstr(url, "://"), *proxy = NULL;

	host = host ? host + 3 : url;
	if ((str_after(host, "localhost") && strchr(":/", host[strlen("localhost")])) ||
	    str_after(host, "127.") || str_after(host, "[::1]"))
		return "";
	if (strncmp(url, "http://", 7) == 0 && !getenv("http_proxy") && !getenv("REQUEST_METHOD"))
		proxy = getenv("HTTP_PROXY");
	return proxy; /* NULL: libcurl looks for the others */
}

static CURLcode on_context(CURL *easy UNUSED, void *ssl_ctx, void *ctx)
{
	client_cert_offer(ctx, ssl_ctx);
	return CURLE_OK;
}

static void set_tls(const struct http_client *c, CURL *easy)
{
	const struct curl_functions *f = &c->f;
	const char *file = getenv("SSL_CERT_FILE"), *dir = getenv("SSL_CERT_DIR");

	(void)f->easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (c->insecure) {
		(void)f->easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		(void)f->easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (c->has_ca_path) {
		(void)f->easy_setopt(easy, CURLOPT_CAINFO, NULL);
		(void)f->easy_setopt(easy, CURLOPT_CAPATH, CA_PATH);
	}
	if (file)
		(void)f->easy_setopt(easy, CURLOPT_CAINFO, file);
	if (dir)
		(void)f->easy_setopt(easy, CURLOPT_CAPATH, dir);
	if (c->ca_pem) {
		struct curl_blob blob = { c->ca_pem, strlen(c->ca_pem), CURL_BLOB_NOCOPY };

		(void)f->easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
	}
	if (c->pair.cert_file) {
		(void)f->easy_setopt(easy, CURLOPT_SSLCERT, c->pair.cert_file);
		(void)f->easy_setopt(easy, CURLOPT_SSLKEY, c->pair.key_file);
	}
	if (c->tls) {
		(void)f->easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_context);
		(void)f->easy_setopt(easy, CURLOPT_SSL_CTX_DATA, c->tls);
	}
}

static void set_body(struct http_exchange *x, const struct http_body *body)
{
	const struct curl_functions *f = &x->client->f;
	CURL *easy = x->handle->easy;

	x->body = *body;
	(void)f->easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	(void)f->easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)body->len);
	(void)f->easy_setopt(easy, CURLOPT_READFUNCTION, on_send);
	(void)f->easy_setopt(easy, CURLOPT_READDATA, x);
	(void)f->easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
	(void)f->easy_setopt(easy, CURLOPT_SEEKDATA, x);
	(void)f->easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER_BYTES);
}

static void set_request(struct http_exchange *x, const struct http_request *q)
{
	static const struct http_body no_body = { .data = "" };
	const struct curl_functions *f = &x->client->f;
	CURL *easy = x->handle->easy;
	const char *proxy = find_proxy(q->url);
	bool is_get = str_eq(q->method, "GET");

	x->is_head = str_eq(q->method, "HEAD");
	x->is_https = str_after(q->url, "https:") != NULL;
	(void)f->easy_setopt(easy, CURLOPT_URL, q->url);
	(void)f->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)f->easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)f->easy_setopt(easy, CURLOPT_USERAGENT, "berth/" BERTH_VERSION);
	(void)f->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)f->easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	(void)f->easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	(void)f->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	(void)f->easy_setopt(easy, CURLOPT_BUFFERSIZE, READ_BUFFER_BYTES);
	(void)f->easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	(void)f->easy_setopt(easy, CURLOPT_ERRORBUFFER, x->message);
	(void)f->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	(void)f->easy_setopt(easy, CURLOPT_HEADERDATA, x);
	(void)f->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	(void)f->easy_setopt(easy, CURLOPT_WRITEDATA, x);
	if (proxy)
		(void)f->easy_setopt(easy, CURLOPT_PROXY, proxy);
	set_tls(x->client, easy);
	if (x->is_head)
		(void)f->easy_setopt(easy, CURLOPT_NOBODY, 1L);
	else if (q->body || !is_get)
		set_body(x, q->body ? q->body : &no_body);
	if (!is_get && !x->is_head)
		(void)f->easy_setopt(easy, CURLOPT_CUSTOMREQUEST, q->method);

	/* no waiting for "100 Continue" */
	x->header_list = f->slist_append(NULL, "Expect:");
	for (strv_const h = q->headers; h && *h; h++)
		x->header_list = f->slist_append(x->header_list, *h);
	(void)f->easy_setopt(easy, CURLOPT_HTTPHEADER, x->header_list);
}

/* Why it failed */

/* What OpenSSL says when the first bytes are those of "HTTP/1.1 400". */
static bool is_plain_answer(const char *message)
{
	return strstr(message, "wrong version number") ||
	       strstr(message, "packet length too long") || strstr(message, "http request");
}

static enum http_fault fault_of(CURLcode code, const char *message)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return HTTP_FAULT_NAME;
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT: /* only connecting has a time in libcurl */
		return HTTP_FAULT_CONNECT;
	case CURLE_SSL_CONNECT_ERROR:
		if (is_plain_answer(message))
			return HTTP_FAULT_PLAIN;
		/* the server is there but went away while it shook hands */
		return strstr(message, "SSL_ERROR_SYSCALL") ? HTTP_FAULT_BROKEN : HTTP_FAULT_TLS;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return HTTP_FAULT_TLS;
	case CURLE_UNSUPPORTED_PROTOCOL: /* "Received HTTP/0.9 when not allowed" */
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_PARTIAL_FILE:
	case CURLE_SEND_ERROR:
	case CURLE_SEND_FAIL_REWIND:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_BAD_CONTENT_ENCODING:
		return HTTP_FAULT_BROKEN;
	default:
		return HTTP_FAULT_OTHER;
	}
}

/* "scheme://host:port" of a URL, for messages: what is behind may hold a signature. */
static char *origin_of(const struct http_exchange *x)
{
	const char *host = strstr(x->url, "://");

	if (!host)
		return xstrdup("the registry");
	return xstrndup(x->url, (size_t)(host + 3 - x->url) + strcspn(host + 3, "/?#"));
}

static int fail_exchange(struct http_exchange *x, struct error *err)
{
	cleanup_free char *origin = origin_of(x);
	const char *why = x->message[0] ? x->message : x->client->f.easy_strerror(x->result);

	long number = 0;

	x->fault = fault_of(x->result, why);
	(void)x->client->f.easy_getinfo(x->handle->easy, CURLINFO_OS_ERRNO, &number);
	if (x->send_error)
		return error_num(err, x->send_error, "cannot read what is to be sent");
	if (x->client->cancel && atomic_load(x->client->cancel))
		return error_num(err, ECANCELED, "stopped");
	if (x->fault == HTTP_FAULT_PLAIN)
		return error_kind(err, ERROR_INTERNAL,
				  "%s: http: server gave HTTP response to HTTPS client", origin);
	if (x->fault == HTTP_FAULT_CONNECT && number > 0)
		return error_num(err, (int)number, "cannot connect to '%s'", origin);
	if (x->result == CURLE_WRITE_ERROR)
		return error_kind(err, ERROR_INVALID, "%s: headers of more than %zu bytes", origin,
				  HTTP_HEADERS_MAX_BYTES);
	return error_kind(err, ERROR_INTERNAL, "%s: %s", origin, why);
}

static int fail_stalled(struct http_exchange *x, struct error *err)
{
	cleanup_free char *origin = origin_of(x);

	x->done = true;
	x->result = CURLE_OPERATION_TIMEDOUT;
	x->fault = HTTP_FAULT_STALLED;
	return error_num(err, ETIMEDOUT, "%s: the connection stalls", origin);
}

/* Driving */

static void take_result(struct http_exchange *x)
{
	const CURLMsg *message;
	int left;

	while ((message = x->client->f.multi_info_read(x->handle->multi, &left))) {
		if (message->msg == CURLMSG_DONE) {
			x->done = true;
			x->result = message->data.result;
		}
	}
}

struct patience {
	uint64_t traffic; /* when it began */
	int64_t since_ns;
	int64_t stall_ns;
};

static struct patience patience_begin(const struct http_exchange *x, unsigned stalls)
{
	return (struct patience){ x->traffic, clock_monotonic_ns(),
				  (int64_t)x->client->stall_ms * stalls * 1000000 };
}

static bool patience_ends(struct patience *p, const struct http_exchange *x)
{
	int64_t now = clock_monotonic_ns();

	if (x->traffic - p->traffic >= STALL_BYTES) {
		p->traffic = x->traffic;
		p->since_ns = now;
	}
	return now - p->since_ns > p->stall_ns;
}

/* One step; waits for the network if nothing happened. */
static int step(struct http_exchange *x, struct patience *p, struct error *err)
{
	const struct curl_functions *f = &x->client->f;
	uint64_t before = x->traffic;
	bool had_headers = x->has_headers;
	int running;

	if (x->client->cancel && atomic_load(x->client->cancel)) {
		x->done = true;
		x->result = CURLE_ABORTED_BY_CALLBACK;
		return error_num(err, ECANCELED, "stopped");
	}
	if (f->multi_perform(x->handle->multi, &running) != CURLM_OK)
		return error_kind(err, ERROR_INTERNAL, "libcurl: a transfer cannot go on");
	take_result(x);
	if (x->done || x->traffic != before || x->has_headers != had_headers)
		return 0;
	if (patience_ends(p, x))
		return fail_stalled(x, err);
	(void)f->multi_poll(x->handle->multi, NULL, 0, TICK_MS, NULL); /* a signal is as good */
	return 0;
}

int http_open(struct http_client *c, const struct http_request *q, struct http_exchange **ret,
	      enum http_fault *ret_fault, struct error *err)
{
	cleanup_with(http_close) struct http_exchange *x = xcalloc(1, sizeof(*x));
	struct patience patience;
	int r = 0;

	*ret_fault = HTTP_FAULT_OTHER;
	x->client = c;
	x->url = xstrdup(q->url);
	x->handle = take_handle(c);
	if (!x->handle)
		return error_oom(err);
	set_request(x, q);
	if (c->f.multi_add_handle(x->handle->multi, x->handle->easy) != CURLM_OK)
		return error_kind(err, ERROR_INTERNAL, "libcurl: cannot begin a request");
	patience = patience_begin(x, x->is_head || !q->body ? ANSWER_STALLS : STORED_STALLS);
	while (r == 0 && !x->has_headers && !x->done)
		r = step(x, &patience, err);
	if (r == 0 && !x->has_headers)
		r = fail_exchange(x, err);
	*ret_fault = x->fault;
	if (r < 0)
		return r;
	log_debug("%s %.*s: %d", q->method, (int)strcspn(q->url, "?#"), q->url, x->status);
	*ret = take_ptr(&x);
	return 0;
}

ssize_t http_read(struct http_exchange *x, void *buf, size_t n, struct error *err)
{
	struct patience patience;
	int r = 0;

	if (x->spare.len > x->spare_used) {
		n = MIN(n, x->spare.len - x->spare_used);
		memcpy(buf, x->spare.data + x->spare_used, n);
		x->spare_used += n;
		if (x->spare_used == x->spare.len) {
			buf_clear(&x->spare);
			x->spare_used = 0;
		}
		return (ssize_t)n;
	}
	x->dest = buf;
	x->dest_size = n;
	x->dest_len = 0;
	if (x->paused) {
		x->paused = false;
		(void)x->client->f.easy_pause(x->handle->easy,
					      CURLPAUSE_CONT); /* may call on_body */
	}
	patience = patience_begin(x, 1);
	while (r == 0 && x->dest_len == 0 && !x->done)
		r = step(x, &patience, err);
	n = x->dest_len;
	x->dest_size = x->dest_len = 0;
	if (n > 0)
		return (ssize_t)n;
	if (r == 0 && x->result != CURLE_OK)
		r = fail_exchange(x, err);
	return r;
}

struct http_exchange *http_close(struct http_exchange *x)
{
	int saved = errno;

	if (!x)
		return NULL;
	if (x->handle) {
		/* a transfer that is not over loses its connection here */
		(void)x->client->f.multi_remove_handle(x->handle->multi, x->handle->easy);
		put_handle(x->client, x->handle);
	}
	x->client->f.slist_free_all(x->header_list);
	http_headers_done(&x->headers);
	buf_done(&x->spare);
	free(x->url);
	free(x);
	errno = saved;
	return NULL;
}

const char *http_url(const struct http_exchange *x)
{
	return x->url;
}

int http_status(const struct http_exchange *x)
{
	return x->status;
}

enum http_fault http_fault(const struct http_exchange *x)
{
	return x->fault;
}

const struct http_headers *http_headers(const struct http_exchange *x)
{
	return &x->headers;
}

/* URLs */

int http_resolve(struct http_client *c, const char *base, const char *target, char **ret,
		 struct error *err)
{
	CURLU *url = c->f.url();
	char *text = NULL;
	int r = 0;

	if (!url)
		return error_oom(err);
	if (c->f.url_set(url, CURLUPART_URL, base, 0) != CURLUE_OK ||
	    c->f.url_set(url, CURLUPART_URL, target, 0) != CURLUE_OK ||
	    c->f.url_get(url, CURLUPART_URL, &text, 0) != CURLUE_OK)
		r = error_kind(err, ERROR_INVALID, "the registry names an address that is no URL");
	else if (!str_after(text, "http://") && !str_after(text, "https://"))
		r = error_kind(err, ERROR_INVALID,
			       "the registry names an address that is not HTTP");
	else
		*ret = xstrdup(text);
	if (text)
		c->f.free(text);
	c->f.url_cleanup(url);
	return r;
}

bool http_same_origin(const char *a, const char *b)
{
	const char *host_a = strstr(a, "://"), *host_b = strstr(b, "://");
	size_t len_a, len_b;

	if (!host_a || !host_b)
		return false;
	len_a = (size_t)(host_a - a) + 3 + strcspn(host_a + 3, "/?#");
	len_b = (size_t)(host_b - b) + 3 + strcspn(host_b + 3, "/?#");
	return len_a == len_b && strncasecmp(a, b, len_a) == 0;
}
