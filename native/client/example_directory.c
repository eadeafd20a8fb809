/* SPDX-License-Identifier: MIT */
/*
 * An HTTPS request for a directory, for which the agent judges the certificate: example_directory URL
 * [SOCKET]
 *
 * A phone's directory program works like this, with libcurl and OpenSSL. TLS proves that the server has the
 * key of the certificate that it shows. The trust agent decides whether to believe the certificate;
 * authorities, names and dates do not count. OpenSSL asks during the handshake, before the request is sent.
 *
 * Exit status: 0 the directory was printed, 1 the server was refused, 2 something failed.
 */
#include <stdio.h>
#include <string.h>

#include <curl/curl.h>
#include <openssl/ssl.h>

#include "phonetrust_client.h"

#define AGENT_TIMEOUT 30000 /* ms; gives the agent time to ask TVS */

struct request {
    const char *socket_path;
    int asked;
    struct phonetrust_decision decision;
    int error;
};

/* Ask the agent about a certificate. Returns 1 only if the agent accepts it. */
static int ask_agent(struct request *request, const unsigned char *der, size_t length) {
    struct phonetrust_client client;
    request->error = phonetrust_client_open(&client, request->socket_path, AGENT_TIMEOUT);
    if (request->error == 0)
        request->error = phonetrust_client_judge(&client, "application", der, length, &request->decision);
    phonetrust_client_close(&client);
    return request->error == 0 && request->decision.accepted;
}

/* OpenSSL calls this instead of building a chain. data: the request. Returns 1 to go on. */
static int verify(X509_STORE_CTX *context, void *data) {
    struct request *request = data;
    unsigned char *der = NULL;
    X509 *certificate = X509_STORE_CTX_get0_cert(context);
    int length = certificate != NULL ? i2d_X509(certificate, &der) : -1;
    int accepted = 0;
    request->asked = 1;
    memset(&request->decision, 0, sizeof request->decision);
    if (length > 0)
        accepted = ask_agent(request, der, (size_t)length);
    OPENSSL_free(der);
    X509_STORE_CTX_set_error(context, accepted ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION);
    return accepted;
}

/* libcurl calls this with OpenSSL's settings of each new connection. */
static CURLcode set_up(CURL *handle, void *settings, void *data) {
    (void)handle;
    SSL_CTX *context = settings;
    SSL_CTX_set_security_level(context, 0); /* old clusters have keys of 1024 bits, which the agent judges */
    SSL_CTX_set_cert_verify_callback(context, verify, data);
    return CURLE_OK;
}

static CURLcode get(CURL *handle, const char *url, struct request *request) {
    /* VERIFYPEER makes OpenSSL call verify(). The host name is not checked: a phone knows its servers by
     * their certificates, and often knows only an address. */
    CURLcode code = curl_easy_setopt(handle, CURLOPT_URL, url);
    if (code == CURLE_OK)
        code = curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "https");
    if (code == CURLE_OK)
        code = curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
    if (code == CURLE_OK)
        code = curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 0L);
    if (code == CURLE_OK) /* a file of authorities is not needed, and may be missing */
        code = curl_easy_setopt(handle, CURLOPT_CAINFO, NULL);
    if (code == CURLE_OK)
        code = curl_easy_setopt(handle, CURLOPT_CAPATH, NULL);
    if (code == CURLE_OK)
        code = curl_easy_setopt(handle, CURLOPT_SSL_CTX_FUNCTION, set_up);
    if (code == CURLE_OK)
        code = curl_easy_setopt(handle, CURLOPT_SSL_CTX_DATA, request);
    if (code == CURLE_OK) /* a resumed session shows no certificate */
        code = curl_easy_setopt(handle, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    if (code == CURLE_OK)
        code = curl_easy_setopt(handle, CURLOPT_FAILONERROR, 1L);
    if (code == CURLE_OK)
        code = curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, 2L * AGENT_TIMEOUT);
    return code == CURLE_OK ? curl_easy_perform(handle) : code;
}

/* Print the outcome. Returns the exit status. */
static int report(const struct request *request, CURLcode code) {
    if (code == CURLE_OK && request->decision.accepted) {
        fprintf(stderr, "accepted %s\n", request->decision.reason);
        return 0;
    }
    if (request->asked && request->error != 0) {
        fprintf(stderr, "failed: %s. %s\n", phonetrust_client_error(request->error), request->decision.text);
        return 2;
    }
    if (request->asked && !request->decision.accepted) {
        fprintf(stderr, "refused %s: %s\n", request->decision.reason, request->decision.text);
        return 1;
    }
    fprintf(stderr, "failed: %s\n", curl_easy_strerror(code));
    return 2;
}

int main(int count, char **arguments) {
    if (count < 2 || count > 3) {
        fprintf(stderr, "usage: example_directory URL [SOCKET]\n");
        return 2;
    }
    struct request request = {.socket_path = count > 2 ? arguments[2] : PHONETRUST_CLIENT_SOCKET};
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return 2;
    CURL *handle = curl_easy_init();
    CURLcode code = handle != NULL ? get(handle, arguments[1], &request) : CURLE_FAILED_INIT;
    fflush(stdout);
    int status = report(&request, code);
    curl_easy_cleanup(handle);
    curl_global_cleanup();
    return status;
}
