/* SPDX-License-Identifier: MIT */
/*
 * The same for a server that has all keys: what is decrypted, signed and finished is taken as it stands (the
 * linker puts these functions in mbedTLS's place), so that changed bytes get behind the cryptography.
 */
#include <stdbool.h>

#include <mbedtls/cipher.h>
#include <mbedtls/constant_time.h>
#include <mbedtls/pk.h>

#include "fuzz_tls.h"

#include "fuzz_tls_identity.h"

int __wrap_mbedtls_cipher_auth_decrypt_ext(mbedtls_cipher_context_t *context, const unsigned char *iv,
                                           size_t iv_length, const unsigned char *extra, size_t extra_length,
                                           const unsigned char *input, size_t length, unsigned char *output,
                                           size_t output_size, size_t *output_length, size_t tag_length);
int __wrap_mbedtls_pk_verify_ext(mbedtls_pk_type_t type, const void *options, mbedtls_pk_context *key,
                                 mbedtls_md_type_t digest_type, const unsigned char *digest,
                                 size_t digest_length, const unsigned char *signature, size_t length);
int __wrap_mbedtls_pk_verify_restartable(mbedtls_pk_context *key, mbedtls_md_type_t digest_type,
                                         const unsigned char *digest, size_t digest_length,
                                         const unsigned char *signature, size_t length, void *restart);
int __wrap_mbedtls_ct_memcmp(const void *first, const void *second, size_t length);

int __wrap_mbedtls_cipher_auth_decrypt_ext(mbedtls_cipher_context_t *context, const unsigned char *iv,
                                           size_t iv_length, const unsigned char *extra, size_t extra_length,
                                           const unsigned char *input, size_t length, unsigned char *output,
                                           size_t output_size, size_t *output_length, size_t tag_length) {
    (void)context, (void)iv, (void)iv_length, (void)extra, (void)extra_length;
    MUST(length >= tag_length && output_size >= length - tag_length);
    *output_length = length - tag_length;
    memmove(output, input, *output_length);
    return 0;
}

int __wrap_mbedtls_pk_verify_ext(mbedtls_pk_type_t type, const void *options, mbedtls_pk_context *key,
                                 mbedtls_md_type_t digest_type, const unsigned char *digest,
                                 size_t digest_length, const unsigned char *signature, size_t length) {
    (void)type, (void)options, (void)key, (void)digest_type, (void)digest, (void)digest_length,
        (void)signature, (void)length;
    return 0;
}

int __wrap_mbedtls_pk_verify_restartable(mbedtls_pk_context *key, mbedtls_md_type_t digest_type,
                                         const unsigned char *digest, size_t digest_length,
                                         const unsigned char *signature, size_t length, void *restart) {
    (void)key, (void)digest_type, (void)digest, (void)digest_length, (void)signature, (void)length,
        (void)restart;
    return 0;
}

int __wrap_mbedtls_ct_memcmp(const void *first, const void *second, size_t length) {
    (void)first, (void)second, (void)length;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_connection(data, size, &fuzz_own);
    return 0;
}
