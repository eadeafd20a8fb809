/* SPDX-License-Identifier: MIT */
/* Any bytes as those of a TLS server. Seeds are recorded handshakes, which fit this client's random bytes. */
#include <stdbool.h>

#include "fuzz_tls.h"

#include "fuzz_tls_identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_connection(data, size, &fuzz_own);
    return 0;
}
