/* SPDX-License-Identifier: MIT */
/* Signatures. The module digests the data, and the agent signs the digest. */
#include <string.h>

#include "internal.h"
#include "module.h"

/* The bytes before the digest in a DigestInfo (RFC 8017, 9.2, note 1). The last byte is the digest's
 * length. */
#define PREFIX_LENGTH 19
static const struct {
    const char *algorithm;
    uint8_t prefix[PREFIX_LENGTH];
} infos[] = {
    {"sha256", "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"},
    {"sha384", "\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30"},
    {"sha512", "\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"},
};

static bool is_sha256(const struct signing *signing) { return strcmp(signing->algorithm, "sha256") == 0; }

static int digest_start(struct signing *signing) {
    if (is_sha256(signing)) {
        mbedtls_sha256_init(&signing->data.sha256);
        return mbedtls_sha256_starts(&signing->data.sha256, 0);
    }
    mbedtls_sha512_init(&signing->data.sha512);
    return mbedtls_sha512_starts(&signing->data.sha512, strcmp(signing->algorithm, "sha384") == 0);
}

static int digest_update(struct signing *signing, const uint8_t *data, size_t length) {
    return is_sha256(signing) ? mbedtls_sha256_update(&signing->data.sha256, data, length)
                              : mbedtls_sha512_update(&signing->data.sha512, data, length);
}

static int digest_finish(struct signing *signing, uint8_t digest[DIGEST_SIZE]) {
    return is_sha256(signing) ? mbedtls_sha256_finish(&signing->data.sha256, digest)
                              : mbedtls_sha512_finish(&signing->data.sha512, digest);
}

/* Take data: digest it, or keep it as it is, up to one byte more than the longest valid input. */
static CK_RV take(struct signing *signing, const uint8_t *data, size_t length) {
    if (signing->mechanism->digests)
        return digest_update(signing, data, length) == 0 ? CKR_OK : CKR_FUNCTION_FAILED;
    size_t room = sizeof signing->data.raw - signing->raw_length;
    if (length > room)
        length = room;
    if (length != 0)
        memcpy(signing->data.raw + signing->raw_length, data, length);
    signing->raw_length += length;
    return CKR_OK;
}

/* Get the digest that the agent will sign. Data that the module did not digest must be a digest, or a
 * DigestInfo for CKM_RSA_PKCS. Other data is refused. */
static CK_RV digest_of(struct signing *signing, uint8_t digest[DIGEST_SIZE], size_t *length) {
    const uint8_t *raw = signing->data.raw;
    if (signing->mechanism->digests) {
        *length = algorithm_size(signing->algorithm);
        return digest_finish(signing, digest) == 0 ? CKR_OK : CKR_FUNCTION_FAILED;
    }
    *length = signing->raw_length;
    if (signing->mechanism->type == CKM_RSA_PKCS) {
        signing->algorithm = NULL;
        for (size_t i = 0; i < sizeof infos / sizeof *infos; i++)
            if (signing->raw_length == PREFIX_LENGTH + algorithm_size(infos[i].algorithm) &&
                memcmp(raw, infos[i].prefix, PREFIX_LENGTH) == 0)
                signing->algorithm = infos[i].algorithm;
        if (signing->algorithm == NULL)
            return CKR_DATA_INVALID;
        raw += PREFIX_LENGTH;
        *length -= PREFIX_LENGTH;
    } else if (signing->algorithm == NULL) {
        signing->algorithm = algorithm_of(signing->raw_length);
    }
    if (signing->algorithm == NULL || *length != algorithm_size(signing->algorithm))
        return CKR_DATA_LEN_RANGE;
    memcpy(digest, raw, *length);
    return CKR_OK;
}

static size_t signature_size(const struct identity *identity) {
    size_t bytes = (identity->bits + 7) / 8;
    return identity->key_type == CKK_RSA ? bytes : 2 * bytes;
}

/* Read an INTEGER of an ECDSA signature, right-aligned into out[0 .. size). */
static bool take_number(const uint8_t **at, const uint8_t *end, uint8_t *out, size_t size) {
    size_t length;
    if (der_enter(at, end, 0x02, &length) != 0 || length == 0)
        return false;
    const uint8_t *number = *at;
    *at += length;
    while (length > 0 && *number == 0) {
        number++;
        length--;
    }
    if (length > size)
        return false;
    memset(out, 0, size - length);
    memcpy(out + size - length, number, length);
    return true;
}

/* Write the r and s of the DER SEQUENCE side by side, as PKCS #11 wants them. */
static bool plain_ecdsa(const struct phonetrust_signature *signature, uint8_t *out, size_t size) {
    const uint8_t *at = signature->bytes;
    const uint8_t *end = at + signature->length;
    size_t length;
    if (der_enter(&at, end, 0x30, &length) != 0 || at + length != end)
        return false;
    return take_number(&at, end, out, size / 2) && take_number(&at, end, out + size / 2, size / 2) &&
           at == end;
}

static CK_RV finish(struct signing *signing, uint8_t *out, size_t size) {
    uint8_t digest[DIGEST_SIZE];
    size_t length;
    struct phonetrust_signature signature;
    CK_RV result = digest_of(signing, digest, &length);
    if (result == CKR_OK)
        result = agent_sign(signing->identity, signing->mechanism->scheme, signing->algorithm, digest, length,
                            &signature);
    if (result != CKR_OK)
        return result;
    if (signing->identity->key_type == CKK_EC)
        return plain_ecdsa(&signature, out, size) ? CKR_OK : CKR_DEVICE_ERROR;
    if (signature.length != size)
        return CKR_DEVICE_ERROR;
    memcpy(out, signature.bytes, size);
    return CKR_OK;
}

static void stop(struct session *session) { memset(&session->signing, 0, sizeof session->signing); }

static CK_RV start(struct session *session, const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key) {
    struct signing *signing = &session->signing;
    if (signing->mechanism != NULL)
        return CKR_OPERATION_ACTIVE;
    const struct mechanism *known = mechanism_find(mechanism->mechanism);
    if (known == NULL)
        return CKR_MECHANISM_INVALID;
    int index = object_index(session->view, key);
    if (index < 0 || object_class((unsigned)index) != CKO_PRIVATE_KEY)
        return CKR_KEY_HANDLE_INVALID;
    const struct identity *identity = &session->view->identities[index / OBJECTS_OF_IDENTITY];
    if (identity->key_type != known->key_type)
        return CKR_KEY_TYPE_INCONSISTENT;
    if (!mechanism_parameter(mechanism, known, &signing->algorithm))
        return CKR_MECHANISM_PARAM_INVALID;
    if (known->digests && digest_start(signing) != 0)
        return CKR_FUNCTION_FAILED;
    signing->identity = identity;
    signing->mechanism = known;
    return CKR_OK;
}

CK_RV C_SignInit(CK_SESSION_HANDLE handle, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key) {
    struct session *session;
    CK_RV result = session_enter(handle, &session);
    if (result != CKR_OK)
        return result;
    if (mechanism == NULL)
        return module_leave(CKR_ARGUMENTS_BAD);
    result = start(session, mechanism, key);
    if (result != CKR_OK && result != CKR_OPERATION_ACTIVE)
        stop(session);
    return module_leave(result);
}

/* As session_enter, for a session in which a signature has begun. */
static CK_RV signing_enter(CK_SESSION_HANDLE handle, struct session **session) {
    CK_RV result = session_enter(handle, session);
    if (result == CKR_OK && (*session)->signing.mechanism == NULL)
        return module_leave(CKR_OPERATION_NOT_INITIALIZED);
    return result;
}

/* Finish C_Sign or C_SignFinal: write the signature, or only its length if `out` is NULL. Only in the second
 * case the operation stays active. */
static CK_RV answer(struct session *session, uint8_t *out, CK_ULONG *length) {
    size_t size = signature_size(session->signing.identity);
    if (out == NULL || *length < size) {
        *length = size;
        return out == NULL ? CKR_OK : CKR_BUFFER_TOO_SMALL;
    }
    CK_RV result = finish(&session->signing, out, size);
    *length = size;
    stop(session);
    return result;
}

CK_RV C_Sign(CK_SESSION_HANDLE handle, unsigned char *data, CK_ULONG data_length, unsigned char *out,
             CK_ULONG *length) {
    struct session *session;
    CK_RV result = signing_enter(handle, &session);
    if (result != CKR_OK)
        return result;
    if (session->signing.updated)
        return module_leave(CKR_OPERATION_ACTIVE);
    if (length == NULL || (data == NULL && data_length != 0)) {
        stop(session);
        return module_leave(CKR_ARGUMENTS_BAD);
    }
    if (out != NULL && *length >= signature_size(session->signing.identity)) {
        result = take(&session->signing, data, data_length);
        if (result != CKR_OK) {
            stop(session);
            return module_leave(result);
        }
    }
    return module_leave(answer(session, out, length));
}

CK_RV C_SignUpdate(CK_SESSION_HANDLE handle, unsigned char *data, CK_ULONG data_length) {
    struct session *session;
    CK_RV result = signing_enter(handle, &session);
    if (result != CKR_OK)
        return result;
    session->signing.updated = true;
    result =
        data == NULL && data_length != 0 ? CKR_ARGUMENTS_BAD : take(&session->signing, data, data_length);
    if (result != CKR_OK)
        stop(session);
    return module_leave(result);
}

CK_RV C_SignFinal(CK_SESSION_HANDLE handle, unsigned char *out, CK_ULONG *length) {
    struct session *session;
    CK_RV result = signing_enter(handle, &session);
    if (result != CKR_OK)
        return result;
    if (length == NULL) {
        stop(session);
        return module_leave(CKR_ARGUMENTS_BAD);
    }
    return module_leave(answer(session, out, length));
}
