/* SPDX-License-Identifier: MIT */
/* The one global state: mbedTLS's PSA core, which TLS 1.3 computes its keys with. */
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

/* It does nothing where the core is there already, and has a lock of its own. */
int tls_global_start(void) { return psa_crypto_init() == PSA_SUCCESS ? 0 : MBEDTLS_ERR_SSL_HW_ACCEL_FAILED; }
