/* SPDX-License-Identifier: MIT */
/*
 * mbedTLS 3.6 with only the parts that libphonetrust uses: RSA, ECDSA on three curves, four digests, AES-CBC,
 * keys in DER, and a TLS client. It has no server, files, sockets, clock or random generator; random bytes
 * come from the kernel or the caller. X.509 is declared for TLS; tls_x509.c has the functions that TLS calls.
 */
#ifndef PHONETRUST_MBEDTLS_CONFIG_H
#define PHONETRUST_MBEDTLS_CONFIG_H

/* Speed. SHA-2 and AES instructions are used if the processor says at run time that it has them (a Raspberry
 * Pi 3's Cortex-A53 has none), so one library serves all arm64 machines, and one all x86-64 machines. */
#define MBEDTLS_HAVE_ASM
#define MBEDTLS_SHA256_USE_ARMV8_A_CRYPTO_IF_PRESENT
#define MBEDTLS_SHA512_USE_A64_CRYPTO_IF_PRESENT
#define MBEDTLS_AESNI_C
#define MBEDTLS_AESCE_C
#define MBEDTLS_ECP_NIST_OPTIM

/* AES tables are in read-only memory. So setting the first key writes nothing, and threads need no lock. */
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

/* Keys and signatures. Trust files can name an RSA modulus of at most 4096 bits. */
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

/* The client of TLS 1.2 and 1.3, without renegotiation, compression, session tickets, early data, and
 * extensions that are not needed. A server may send records of 16 KB, which TLS allows; the client's records
 * are short (tls.h). */
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

/* TLS 1.3 computes its keys through PSA, whose table of keys is the library's only global state
 * (tls_global.c). */
#define MBEDTLS_PSA_CRYPTO_C
#define MBEDTLS_PSA_CRYPTO_CONFIG
#define MBEDTLS_PSA_CRYPTO_CONFIG_FILE <psa_config.h>
#define MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG
#define MBEDTLS_THREADING_C
#define MBEDTLS_THREADING_PTHREAD

#endif
