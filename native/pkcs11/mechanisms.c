/* SPDX-License-Identifier: MIT */
/* The mechanisms with which TLS 1.2 and 1.3 sign. */
#include <string.h>

#include "module.h"

const struct mechanism mechanisms[] = {
    {CKM_RSA_PKCS, CKK_RSA, "rsa-pkcs1", NULL, false},
    {CKM_SHA256_RSA_PKCS, CKK_RSA, "rsa-pkcs1", "sha256", true},
    {CKM_SHA384_RSA_PKCS, CKK_RSA, "rsa-pkcs1", "sha384", true},
    {CKM_SHA512_RSA_PKCS, CKK_RSA, "rsa-pkcs1", "sha512", true},
    {CKM_RSA_PKCS_PSS, CKK_RSA, "rsa-pss", NULL, false},
    {CKM_SHA256_RSA_PKCS_PSS, CKK_RSA, "rsa-pss", "sha256", true},
    {CKM_SHA384_RSA_PKCS_PSS, CKK_RSA, "rsa-pss", "sha384", true},
    {CKM_SHA512_RSA_PKCS_PSS, CKK_RSA, "rsa-pss", "sha512", true},
    {CKM_ECDSA, CKK_EC, "ecdsa", NULL, false},
    {CKM_ECDSA_SHA256, CKK_EC, "ecdsa", "sha256", true},
    {CKM_ECDSA_SHA384, CKK_EC, "ecdsa", "sha384", true},
    {CKM_ECDSA_SHA512, CKK_EC, "ecdsa", "sha512", true},
};
const unsigned mechanisms_count = sizeof mechanisms / sizeof *mechanisms;

static const struct {
    const char *name;
    size_t size;
    CK_MECHANISM_TYPE digest;
    CK_RSA_PKCS_MGF_TYPE mask;
} algorithms[] = {
    {"sha256", 32, CKM_SHA256, CKG_MGF1_SHA256},
    {"sha384", 48, CKM_SHA384, CKG_MGF1_SHA384},
    {"sha512", 64, CKM_SHA512, CKG_MGF1_SHA512},
};
#define ALGORITHMS (sizeof algorithms / sizeof *algorithms)

const struct mechanism *mechanism_find(CK_MECHANISM_TYPE type) {
    for (unsigned i = 0; i < mechanisms_count; i++)
        if (mechanisms[i].type == type)
            return &mechanisms[i];
    return NULL;
}

const char *algorithm_of(size_t length) {
    for (size_t i = 0; i < ALGORITHMS; i++)
        if (algorithms[i].size == length)
            return algorithms[i].name;
    return NULL;
}

size_t algorithm_size(const char *algorithm) {
    for (size_t i = 0; i < ALGORITHMS; i++)
        if (strcmp(algorithms[i].name, algorithm) == 0)
            return algorithms[i].size;
    return 0;
}

bool mechanism_parameter(const CK_MECHANISM *mechanism, const struct mechanism *known,
                         const char **algorithm) {
    *algorithm = known->algorithm;
    if (strcmp(known->scheme, "rsa-pss") != 0)
        return mechanism->ulParameterLen == 0;
    CK_RSA_PKCS_PSS_PARAMS wanted;
    if (mechanism->pParameter == NULL || mechanism->ulParameterLen != sizeof wanted)
        return false;
    memcpy(&wanted, mechanism->pParameter, sizeof wanted);
    for (size_t i = 0; i < ALGORITHMS; i++) {
        if (algorithms[i].digest != wanted.hashAlg)
            continue;
        if (known->algorithm != NULL && strcmp(known->algorithm, algorithms[i].name) != 0)
            return false;
        *algorithm = algorithms[i].name;
        return wanted.mgf == algorithms[i].mask && wanted.sLen == algorithms[i].size;
    }
    return false;
}
