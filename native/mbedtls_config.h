/* SPDX-License-Identifier: MIT */
/*
 * mbedTLS 3.6 with only what libphonetrust uses: RSA, ECDSA on three curves, four digests, AES-CBC, key files
 * in DER. No X.509, no TLS, no PSA, no files, no clock, no random generator: random bytes come from the
 * kernel or the caller.
 */
#ifndef PHONETRUST_MBEDTLS_CONFIG_H
#define PHONETRUST_MBEDTLS_CONFIG_H

/* Speed. The processor's SHA-2 and AES instructions are used where it says at run time that it has them (a
 * Raspberry Pi 3's Cortex-A53 has none), so one library serves all arm64 and all x86-64 machines. */
#define MBEDTLS_HAVE_ASM
#define MBEDTLS_SHA256_USE_ARMV8_A_CRYPTO_IF_PRESENT
#define MBEDTLS_SHA512_USE_A64_CRYPTO_IF_PRESENT
#define MBEDTLS_AESNI_C
#define MBEDTLS_AESCE_C
#define MBEDTLS_ECP_NIST_OPTIM

/* AES tables in read-only memory: nothing is written when a key is first set, so threads need no lock. */
#define MBEDTLS_AES_ROM_TABLES
#define MBEDTLS_AES_FEWER_TABLES

/* Digests. */
#define MBEDTLS_MD_C
#define MBEDTLS_SHA1_C
#define MBEDTLS_SHA224_C
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA384_C
#define MBEDTLS_SHA512_C

/* AES-CBC for encrypted configuration. */
#define MBEDTLS_AES_C
#define MBEDTLS_CIPHER_MODE_CBC

/* Keys and signatures. 4096 bits is the longest RSA modulus that trust files can name. */
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_MPI_MAX_SIZE 512
#define MBEDTLS_RSA_C
#define MBEDTLS_PKCS1_V15
#define MBEDTLS_PKCS1_V21 /* PSS */
#define MBEDTLS_GENPRIME
#define MBEDTLS_ECP_C
#define MBEDTLS_ECDSA_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_DP_SECP384R1_ENABLED
#define MBEDTLS_ECP_DP_SECP521R1_ENABLED
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_OID_C
#define MBEDTLS_PK_C
#define MBEDTLS_PK_PARSE_C
#define MBEDTLS_PK_WRITE_C

#endif
