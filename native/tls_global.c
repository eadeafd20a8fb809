/* SPDX-License-Identifier: MIT */
/* The only global state: mbedTLS's PSA core, with which TLS 1.3 computes its keys. */
#include "tls.h"

#include <psa/crypto.h>

psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t *context, uint8_t *output,
                                             size_t output_size, size_t *output_length) {
    struct random_source kernel = {NULL, NULL, false};
    (void)context;
    if (random_bytes(&kernel, output, output_size) != 0)
        return PSA_ERROR_INSUFFICIENT_ENTROPY;
    *output_length = output_size;
    return PSA_SUCCESS;
}

/* psa_crypto_init does nothing if the core is started already, and has its own lock. */
int tls_global_start(void) { return psa_crypto_init() == PSA_SUCCESS ? 0 : MBEDTLS_ERR_SSL_HW_ACCEL_FAILED; }
