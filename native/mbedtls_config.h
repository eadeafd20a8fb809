/* SPDX-License-Identifier: MIT */
/*
 * mbedTLS 3.6 with only what libphonetrust uses: RSA, ECDSA on three curves, four digests, AES-CBC, key files
 * in DER, and a TLS client. No server, no files, no sockets, no clock, no random generator: random bytes come
 * from the kernel or the caller. X.509 is declared for TLS, and what TLS calls of it is in tls_x509.c.
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
#define MBEDTLS_PK_PARSE_EC_COMPRESSED /* certificates may have compressed points */
#define MBEDTLS_PK_WRITE_C

/* TLS 1.2 and 1.3, client. No renegotiation, compression, session tickets, early data, extensions that nobody
 * needs. The length of records: a server may send the 16 KB that TLS allows; ours are short (tls.h). */
#define MBEDTLS_SSL_TLS_C
#define MBEDTLS_SSL_CLI_C
#define MBEDTLS_SSL_PROTO_TLS1_2
#define MBEDTLS_SSL_PROTO_TLS1_3
#define MBEDTLS_SSL_TLS1_3_COMPATIBILITY_MODE
#define MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ENABLED
#define MBEDTLS_KEY_EXCHANGE_ECDHE_RSA_ENABLED
#define MBEDTLS_KEY_EXCHANGE_ECDHE_ECDSA_ENABLED
#define MBEDTLS_KEY_EXCHANGE_RSA_ENABLED
#define MBEDTLS_SSL_EXTENDED_MASTER_SECRET
#define MBEDTLS_SSL_SERVER_NAME_INDICATION
#define MBEDTLS_SSL_KEEP_PEER_CERTIFICATE
#define MBEDTLS_SSL_IN_CONTENT_LEN 16384
#define MBEDTLS_SSL_OUT_CONTENT_LEN 4096
#define MBEDTLS_X509_USE_C
#define MBEDTLS_X509_CRT_PARSE_C
#define MBEDTLS_X509_RSASSA_PSS_SUPPORT
#define MBEDTLS_PKCS1_V21
#define MBEDTLS_ECDH_C
#define MBEDTLS_CIPHER_C
#define MBEDTLS_GCM_C
#define MBEDTLS_CHACHA20_C
#define MBEDTLS_POLY1305_C
#define MBEDTLS_CHACHAPOLY_C

/* TLS 1.3 computes its keys through PSA, whose table of keys is the library's one global state: tls_global.c.
 */
#define MBEDTLS_PSA_CRYPTO_C
#define MBEDTLS_PSA_CRYPTO_CONFIG
#define MBEDTLS_PSA_CRYPTO_CONFIG_FILE <psa_config.h>
#define MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG
#define MBEDTLS_THREADING_C
#define MBEDTLS_THREADING_PTHREAD

#endif
