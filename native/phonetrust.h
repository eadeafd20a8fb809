/* SPDX-License-Identifier: MIT */
/*
 * libphonetrust: the computation behind a phone's trust decisions.
 *
 * This header and phonetrust_tls.h, which it includes, are the whole interface and its manual. The library
 * computes over memory that the caller owns. It does no I/O, except that it asks the kernel for random bytes
 * if the caller gives it no source. It keeps no state, except for TLS (see there). It keeps no pointer after
 * a call returns, and starts no thread. Any number of threads may call it at once, each with its own buffers.
 * Memory that a call allocates is freed before the call returns, with two exceptions that the caller frees:
 * the running digest of phonetrust_digest_new and the connection of phonetrust_tls_new.
 *
 * Inputs may be arbitrary bytes from a network. The library checks every length against its container before
 * it uses it, and no function recurses. A pointer may be NULL only if its description says so, or if its
 * length is 0.
 *
 * Functions return an int: 0 or a count if they succeed, and one of the negative PHONETRUST_ERROR_ numbers if
 * they fail. After an error the caller must not use the contents of output buffers, except `fault` as
 * described below. If memory runs out inside mbedTLS, some functions return the error of the step that failed
 * (ERROR_MALFORMED, ERROR_KEY) instead of ERROR_MEMORY. No such failure looks like success.
 *
 * Lengths are size_t. Offsets that the library returns are uint32_t, from the start of the input buffer.
 * Functions that return offsets take buffers of at most PHONETRUST_MAXIMUM_LENGTH bytes, and return
 * ERROR_ARGUMENT for longer ones.
 *
 * docs/spec/formats.md describes the formats; this header uses its tag numbers and names.
 */
#ifndef PHONETRUST_H
#define PHONETRUST_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define PHONETRUST_API __attribute__((visibility("default")))
#else
#define PHONETRUST_API
#endif

/* ------------------------------------------------------------------------------- versions and errors */

/* The number of this interface. It changes when a function changes its arguments, its rows or its meaning. */
#define PHONETRUST_ABI 1

/* The PHONETRUST_ABI with which the library was built. Compare it with your own before any other call. */
PHONETRUST_API int phonetrust_abi(void);

#define PHONETRUST_ERROR_ARGUMENT (-1)    /* the caller's mistake: a size or a number is out of range */
#define PHONETRUST_ERROR_MALFORMED (-2)   /* the bytes do not follow their format */
#define PHONETRUST_ERROR_MISMATCH (-3)    /* a record disagrees with its certificate */
#define PHONETRUST_ERROR_SPACE (-4)       /* an output buffer is too small */
#define PHONETRUST_ERROR_UNSUPPORTED (-5) /* the library does not know this digest, kind of key or size */
#define PHONETRUST_ERROR_SIGNATURE (-6)   /* the signature does not verify */
#define PHONETRUST_ERROR_MEMORY (-7)      /* no memory */
#define PHONETRUST_ERROR_DECRYPT (-8)     /* the encrypted bytes have an impossible length */
#define PHONETRUST_ERROR_KEY (-9)         /* a private key is unreadable, or unfit for this use */
#define PHONETRUST_ERROR_RANDOM (-10)     /* no random bytes */

/* The name of an error ("malformed"); "ok" for 0 and above, "unknown" for other numbers. Never NULL. */
PHONETRUST_API const char *phonetrust_error_name(int error);

#define PHONETRUST_MAXIMUM_LENGTH 0x7FFFFFFF

/* ------------------------------------------------------------------------------------------- digests */

/* Digest algorithms. 1 to 3 are the values of tag 8 (DIGESTALGORITHM), which has no value for SHA-384. */
#define PHONETRUST_SHA1 1
#define PHONETRUST_SHA256 2
#define PHONETRUST_SHA512 3
#define PHONETRUST_SHA384 4

/* The longest digest in bytes. */
#define PHONETRUST_DIGEST_SIZE 64

/*
 * Compute the digest of data[0 .. length) without data[cut_offset .. cut_offset + cut_length). The signature
 * of a file covers the file without its SIGNATURE TLV. A cut_length of 0 leaves nothing out.
 *
 * Writes the digest to `out` and returns its length: 20, 32, 48 or 64.
 * ERROR_UNSUPPORTED: the algorithm is unknown. ERROR_ARGUMENT: the cut is not inside the data. ERROR_SPACE.
 * ERROR_MEMORY.
 */
PHONETRUST_API int phonetrust_digest(int algorithm, const uint8_t *data, size_t length, size_t cut_offset,
                                     size_t cut_length, uint8_t *out, size_t capacity);

/*
 * Start a running digest, for data that arrives in pieces. NULL: the algorithm is unknown, or there is no
 * memory. The caller owns it and must pass it to phonetrust_digest_free once. Two threads must not use it at
 * the same time.
 */
struct phonetrust_digest;
PHONETRUST_API struct phonetrust_digest *phonetrust_digest_new(int algorithm);

/* Add a piece of data. Returns 0. ERROR_ARGUMENT: `digest` is NULL or finished. ERROR_MEMORY. */
PHONETRUST_API int phonetrust_digest_update(struct phonetrust_digest *digest, const uint8_t *data,
                                            size_t length);

/* Write the digest to `out` and return its length. ERROR_ARGUMENT: `digest` is NULL or finished already.
 * ERROR_SPACE: the digest goes on running. ERROR_MEMORY. */
PHONETRUST_API int phonetrust_digest_final(struct phonetrust_digest *digest, uint8_t *out, size_t capacity);

/* Free a running digest, whether it is finished or not. NULL is allowed. */
PHONETRUST_API void phonetrust_digest_free(struct phonetrust_digest *digest);

/* -------------------------------------------------------------------------------------- certificates */

#define PHONETRUST_KEY_OTHER 0
#define PHONETRUST_KEY_RSA 1
#define PHONETRUST_KEY_EC 2 /* on P-256, P-384 or P-521; any other curve is KEY_OTHER */

/* Fields of a certificate. Each is an offset into the DER and a length, except KEY_KIND and KEY_BITS. */
#define PHONETRUST_CERTIFICATE_ISSUER 0      /* the Name, its SEQUENCE header included */
#define PHONETRUST_CERTIFICATE_SUBJECT 2     /* likewise */
#define PHONETRUST_CERTIFICATE_SERIAL 4      /* contents without leading zero bytes; at least one byte */
#define PHONETRUST_CERTIFICATE_PUBLIC_KEY 6  /* the SubjectPublicKeyInfo, header included */
#define PHONETRUST_CERTIFICATE_RECORD_KEY 8  /* as in a record's PUBLICKEY: RSAPublicKey DER or EC point */
#define PHONETRUST_CERTIFICATE_SIGNATURE 10  /* the signature's bits */
#define PHONETRUST_CERTIFICATE_NOT_BEFORE 12 /* YYMMDDHHMMSSZ (50 and up: 19YY) or YYYYMMDDHHMMSSZ */
#define PHONETRUST_CERTIFICATE_NOT_AFTER 14  /* likewise */
#define PHONETRUST_CERTIFICATE_SIGNATURE_ALGORITHM 16 /* contents of the OBJECT IDENTIFIER */
#define PHONETRUST_CERTIFICATE_KEY_KIND 18            /* PHONETRUST_KEY_ number */
#define PHONETRUST_CERTIFICATE_KEY_BITS 19 /* of the RSA modulus or the EC field; 0 for KEY_OTHER */
#define PHONETRUST_CERTIFICATE_FIELDS 20   /* how many numbers there are */

/*
 * Find the fields of one X.509 certificate (RFC 5280) in DER. Nothing may follow the certificate. Extensions,
 * signature, dates and purposes are not checked, because a phone trusts a certificate that its trust list
 * has.
 *
 * `capacity` is the number of entries in `fields`, at least PHONETRUST_CERTIFICATE_FIELDS.
 * Returns PHONETRUST_CERTIFICATE_FIELDS. ERROR_MALFORMED: the bytes are not exactly one certificate in DER.
 * ERROR_SPACE. ERROR_ARGUMENT.
 */
PHONETRUST_API int phonetrust_certificate(const uint8_t *der, size_t length, uint32_t *fields,
                                          size_t capacity);

/*
 * Check `signature` over `digest` with the key of a certificate: RSASSA-PKCS1-v1_5 (RFC 8017; 512 to 4096
 * bits; the signature is exactly as long as the modulus) or ECDSA (the strict DER SEQUENCE of r and s; P-256,
 * P-384, P-521). The caller decides about weak keys and digests. It takes about a millisecond on a PC; the
 * time depends only on public data.
 *
 * Returns 0 if the signature verifies. ERROR_SIGNATURE: it does not. ERROR_MALFORMED: the certificate or its
 * key is unreadable. ERROR_UNSUPPORTED: another kind of key, or an unknown algorithm. ERROR_ARGUMENT:
 * digest_length does not fit the algorithm. ERROR_MEMORY.
 */
PHONETRUST_API int phonetrust_verify(const uint8_t *certificate, size_t certificate_length, int algorithm,
                                     const uint8_t *digest, size_t digest_length, const uint8_t *signature,
                                     size_t signature_length);

/* ---------------------------------------------------------------------- trust lists and signed files */

/*
 * The index functions turn TLVs into rows of PHONETRUST_TLV_ROW numbers: tag, offset of the value, length of
 * the value. They check tags and lengths, and ignore the values. `capacity` counts rows.
 *
 * `fault` has room for two numbers. After ERROR_MALFORMED and ERROR_MISMATCH they are the tag that is wrong
 * and the offset of its first byte. agent/formats/tlv.py keeps the same rules and finds the same faults.
 */
#define PHONETRUST_TLV_ROW 3

/*
 * List all TLVs of a file's header in the order of the file: first VERSION and HEADERLENGTH; each container
 * (tags 3, 7, 9, 16, 17, 21) before its contents. PADDING (13) is one byte; its row has the offset after it
 * and the length 0. Unknown tags are listed and may repeat.
 *
 * Returns the number of rows. ERROR_MALFORMED: VERSION and a two-byte HEADERLENGTH are not first; the header
 * is shorter than these or longer than the file; a TLV runs past its container or the header; a known tag
 * other than PADDING appears twice, or is in another place than docs/spec/formats.md says. ERROR_SPACE.
 * ERROR_ARGUMENT.
 */
PHONETRUST_API int phonetrust_header_index(const uint8_t *file, size_t length, uint32_t *rows,
                                           size_t capacity, uint32_t *fault);

/*
 * List all TLVs of all records of a trust list, from `start` (the header's length) to the end of the file.
 * Each record begins with its RECORDLENGTH, a row with tag 1 and length 2.
 *
 * Returns the number of rows, 0 for no records. ERROR_MALFORMED: a record does not start with a two-byte
 * RECORDLENGTH, is shorter than that or runs past the file; a TLV runs past its record; a known tag (1 to 12)
 * appears twice in a record. ERROR_SPACE. ERROR_ARGUMENT: `start` is past the end.
 */
PHONETRUST_API int phonetrust_record_index(const uint8_t *file, size_t length, size_t start, uint32_t *rows,
                                           size_t capacity, uint32_t *fault);

/* The row of a record from phonetrust_check_records: PHONETRUST_RECORD_ROW numbers, offsets into the file. */
#define PHONETRUST_RECORD_OFFSET 0
#define PHONETRUST_RECORD_LENGTH 1
#define PHONETRUST_RECORD_ROLE 2        /* FUNCTION, or PHONETRUST_NO_ROLE if there is none */
#define PHONETRUST_RECORD_CERTIFICATE 3 /* offset and length; length 0: a blank record, the rest is 0 */
#define PHONETRUST_RECORD_ISSUER 5      /* of the certificate, as PHONETRUST_CERTIFICATE_ISSUER */
#define PHONETRUST_RECORD_SERIAL 7      /* likewise */
#define PHONETRUST_RECORD_SUBJECT 9     /* likewise */
#define PHONETRUST_RECORD_KEY_KIND 11
#define PHONETRUST_RECORD_KEY_BITS 12
#define PHONETRUST_RECORD_FLAGS 13
#define PHONETRUST_RECORD_KEY 14 /* offset and length, as PHONETRUST_CERTIFICATE_RECORD_KEY */
#define PHONETRUST_RECORD_ROW 16

#define PHONETRUST_NO_ROLE 0xFFFFFFFF

/*
 * Flag: SUBJECTNAME and ISSUERNAME, if the record has them, equal the certificate's names. This is a simple
 * comparison of the commonest attributes, which ignores the case of ASCII letters and the number of blanks.
 * Without the flag the names may be equal or not: agent/formats/names.py, which is slower and knows escapes
 * and rarer attributes, has to compare them before the record is refused or believed.
 */
#define PHONETRUST_RECORD_NAMES_EQUAL 1

/*
 * Flag: PUBLICKEY and the certificate have the same EC point in two forms, one of them compressed, as far as
 * x and the parity of y tell. Whether y belongs to x is not computed; the caller has to do that.
 */
#define PHONETRUST_RECORD_POINT_OPEN 2

/*
 * Read and check all records of a trust list, from `start` to the end of the file. It checks
 * - what phonetrust_record_index checks;
 * - the values: FUNCTION has two bytes, IPADDRESS four or sixteen; DNSNAME, SUBJECTNAME and ISSUERNAME are
 *   UTF-8 with a single NUL at the end, and DNSNAME may have no bytes at all;
 * - that the certificate can be read;
 * - that SERIALNUMBER and PUBLICKEY, if present, are the certificate's. Leading zero bytes of a SERIALNUMBER
 *   are ignored, and the number 0 may have no bytes.
 * A CERTIFICATE without bytes counts as missing.
 *
 * `capacity` counts rows of PHONETRUST_RECORD_ROW numbers. Returns the number of records. Allocates nothing.
 * ERROR_MALFORMED: `fault` is the first malformed value. ERROR_MISMATCH: nothing is malformed, but a record
 * disagrees with its certificate; `fault` is the first such SERIALNUMBER or PUBLICKEY. ERROR_SPACE.
 * ERROR_ARGUMENT.
 */
PHONETRUST_API int phonetrust_check_records(const uint8_t *file, size_t length, size_t start, uint32_t *rows,
                                            size_t capacity, uint32_t *fault);

/* ------------------------------------------------------------------------------- the phone's own key */

/*
 * A source of random bytes. It fills out[0 .. length) and returns 0, or returns another number if it fails. A
 * NULL function means the kernel's generator (getrandom), which waits until it is seeded. The library calls
 * the function only during the call that it was passed to.
 */
typedef int (*phonetrust_random)(void *context, unsigned char *out, size_t length);

/* Bytes that are enough for every private key from this library. RSA keys of 4096 bits are the longest. */
#define PHONETRUST_PRIVATE_KEY_SIZE 2560
/* Bytes that are enough for every SubjectPublicKeyInfo from this library. */
#define PHONETRUST_PUBLIC_KEY_SIZE 640
/* Bytes that are enough for every signature from this library. */
#define PHONETRUST_SIGNATURE_SIZE 512

/*
 * Make a key pair. kind and bits: KEY_RSA with 1024 to 4096 bits (a multiple of 64; the exponent is 65537),
 * or KEY_EC with 256, 384 or 521 bits. Writes the private key in DER, RSAPrivateKey (RFC 8017) or
 * ECPrivateKey (RFC 5915), and returns its length. An RSA key takes seconds on a slow phone.
 *
 * ERROR_UNSUPPORTED: another kind or size. ERROR_SPACE. ERROR_RANDOM. ERROR_MEMORY.
 */
PHONETRUST_API int phonetrust_make_key(int kind, int bits, phonetrust_random random, void *context,
                                       uint8_t *out, size_t capacity);

/*
 * Write the public half of a private key (DER: RSAPrivateKey, ECPrivateKey or unencrypted PKCS #8) as
 * SubjectPublicKeyInfo, and return its length. It equals, byte for byte, the PUBLIC_KEY that
 * phonetrust_certificate finds in a certificate for this key, if that is encoded as RFC 5280 demands.
 *
 * ERROR_KEY: the key is unreadable. ERROR_UNSUPPORTED: another kind or size. ERROR_SPACE. ERROR_RANDOM.
 * ERROR_MEMORY.
 */
PHONETRUST_API int phonetrust_public_key(const uint8_t *private_key, size_t length, uint8_t *out,
                                         size_t capacity);

/* For phonetrust_sign: RSA signs the bytes as they are, without naming the digest algorithm. */
#define PHONETRUST_BARE_DIGEST 0

/*
 * Sign a digest. An RSA key makes PKCS #1 type 1 padding over the DigestInfo of `algorithm`
 * (RSASSA-PKCS1-v1_5), or, with PHONETRUST_BARE_DIGEST, over the bytes alone, as CAPF wants it
 * (docs/spec/capf.md, C5). An EC key makes an ECDSA signature, the DER SEQUENCE of r and s; there
 * `algorithm` only says how long the digest must be. A bare digest has 1 to PHONETRUST_DIGEST_SIZE bytes.
 *
 * private_key: as for phonetrust_public_key. Random bytes blind the computation, and are ECDSA's secret
 * number. Returns the length of the signature. ERROR_KEY: the key is unreadable, or too short for this
 * digest. ERROR_UNSUPPORTED: another kind, size or algorithm. ERROR_ARGUMENT: digest_length is wrong.
 * ERROR_SPACE. ERROR_RANDOM. ERROR_MEMORY.
 */
PHONETRUST_API int phonetrust_sign(const uint8_t *private_key, size_t length, int algorithm,
                                   const uint8_t *digest, size_t digest_length, phonetrust_random random,
                                   void *context, uint8_t *out, size_t capacity);

/* Schemes of phonetrust_sign_tls, all that TLS 1.2 and 1.3 handshakes use. */
#define PHONETRUST_RSA_PKCS1 1 /* RSASSA-PKCS1-v1_5 with the DigestInfo */
#define PHONETRUST_RSA_PSS 2   /* RSASSA-PSS; MGF1 of the same digest, a salt as long as the digest */
#define PHONETRUST_ECDSA 3     /* the DER SEQUENCE of r and s */

/*
 * Sign a digest for a TLS handshake, as the holder of a key does for other programs. `algorithm` is SHA256,
 * SHA384 or SHA512, and `digest` must have exactly its length. Other input is not accepted, so that no
 * program can have ciphertext decrypted or a bare number signed. Unlike with phonetrust_sign, the key must be
 * of the scheme's kind.
 *
 * private_key: as for phonetrust_public_key. Returns the length of the signature. ERROR_KEY: the key is
 * unreadable, of another kind, or too short for this digest. ERROR_UNSUPPORTED: another scheme, algorithm or
 * size. ERROR_ARGUMENT: digest_length is wrong. ERROR_SPACE. ERROR_RANDOM. ERROR_MEMORY.
 */
PHONETRUST_API int phonetrust_sign_tls(const uint8_t *private_key, size_t length, int scheme, int algorithm,
                                       const uint8_t *digest, size_t digest_length, phonetrust_random random,
                                       void *context, uint8_t *out, size_t capacity);

/* --------------------------------------------------------------------------- encrypted configuration */

/*
 * Unwrap the AES key of an encrypted file (tag 25) by RSAES-PKCS1-v1_5 with the phone's private key. Writes
 * key_length bytes (16, 24 or 32) to `out`.
 *
 * A wrong private key, a wrong padding and a key of another length give no error. Instead `out` has random
 * bytes, and only the digest of the plaintext (tag 27) shows that the key is wrong. Computation and time do
 * not depend on which of these it was, as far as mbedTLS guarantees that.
 *
 * Returns 0. ERROR_KEY: the private key is unreadable or not RSA. ERROR_UNSUPPORTED: its size is not
 * supported. ERROR_DECRYPT: wrapped_length is not that of the modulus. ERROR_ARGUMENT: key_length is wrong.
 * ERROR_RANDOM. ERROR_MEMORY.
 */
PHONETRUST_API int phonetrust_unwrap_key(const uint8_t *private_key, size_t length, const uint8_t *wrapped,
                                         size_t wrapped_length, phonetrust_random random, void *context,
                                         uint8_t *out, size_t key_length);

/*
 * Decrypt a piece of an AES-CBC ciphertext. `length` is a multiple of 16 (else ERROR_DECRYPT). `iv` has 16
 * bytes: before the first piece it is the file's IV (tag 19), and each call updates it for the next piece.
 * `out` has room for `length` bytes and may be `data`. The padding is left in place; the file's header has
 * its length (tag 20).
 *
 * Returns 0. ERROR_ARGUMENT: key_length is not 16, 24 or 32.
 */
PHONETRUST_API int phonetrust_decrypt(const uint8_t *key, size_t key_length, uint8_t *iv, const uint8_t *data,
                                      size_t length, uint8_t *out);

/* ----------------------------------------------------------------------------------------------- TLS */

#include "phonetrust_tls.h"

#ifdef __cplusplus
}
#endif

#endif
