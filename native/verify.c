/* SPDX-License-Identifier: MIT */
/* Signature checks with the key of a certificate. */
#include <mbedtls/asn1.h>

#include "internal.h"

static bool supported(const struct certificate *certificate) {
    if (certificate->key_kind == PHONETRUST_KEY_RSA)
        return rsa_bits_supported(certificate->key_bits);
    return certificate->key_kind == PHONETRUST_KEY_EC;
}

/* Whether an INTEGER above 0 in strict DER follows: no superfluous byte in front, and no sign. */
static bool is_positive(const uint8_t **at, const uint8_t *end) {
    size_t length;
    if (der_enter(at, end, MBEDTLS_ASN1_INTEGER, &length) != 0 || length == 0)
        return false;
    const uint8_t *bytes = *at;
    *at += length;
    if (bytes[0] >= 0x80 || (bytes[0] == 0 && (length == 1 || bytes[1] < 0x80)))
        return false;
    return true;
}

/* Whether these bytes are exactly SEQUENCE { INTEGER r, INTEGER s }, so that a signature has only one
 * encoding. */
static bool is_ecdsa_der(struct slice signature) {
    const uint8_t *at = signature.at;
    const uint8_t *end = signature.at + signature.length;
    size_t length;
    if (der_enter(&at, end, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE, &length) != 0 ||
        at + length != end)
        return false;
    return is_positive(&at, end) && is_positive(&at, end) && at == end;
}

static int verify(mbedtls_pk_context *key, const struct certificate *certificate, mbedtls_md_type_t type,
                  const uint8_t *digest, size_t digest_length, struct slice signature) {
    unsigned char *at = (unsigned char *)certificate->public_key.at; /* mbedTLS only reads, as in der.c */
    int result = mbedtls_pk_parse_subpubkey(&at, at + certificate->public_key.length, key);
    if (is_no_memory(result))
        return PHONETRUST_ERROR_MEMORY;
    if (result != 0)
        return PHONETRUST_ERROR_MALFORMED;
    if (certificate->key_kind == PHONETRUST_KEY_EC && !is_ecdsa_der(signature))
        return PHONETRUST_ERROR_SIGNATURE;
    result = mbedtls_pk_verify(key, type, digest, digest_length, signature.at, signature.length);
    if (is_no_memory(result))
        return PHONETRUST_ERROR_MEMORY;
    return result == 0 ? 0 : PHONETRUST_ERROR_SIGNATURE;
}

int phonetrust_verify(const uint8_t *certificate, size_t certificate_length, int algorithm,
                      const uint8_t *digest, size_t digest_length, const uint8_t *signature,
                      size_t signature_length) {
    mbedtls_md_type_t type = digest_type(algorithm);
    if (type == MBEDTLS_MD_NONE)
        return PHONETRUST_ERROR_UNSUPPORTED;
    if (digest_length != mbedtls_md_get_size(mbedtls_md_info_from_type(type)))
        return PHONETRUST_ERROR_ARGUMENT;
    struct certificate fields;
    int result = certificate_read(certificate, certificate_length, &fields);
    if (result != 0)
        return result;
    if (!supported(&fields))
        return PHONETRUST_ERROR_UNSUPPORTED;
    mbedtls_pk_context key;
    mbedtls_pk_init(&key);
    result = verify(&key, &fields, type, digest, digest_length, (struct slice){signature, signature_length});
    mbedtls_pk_free(&key);
    return result;
}
