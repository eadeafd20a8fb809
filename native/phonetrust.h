/* SPDX-License-Identifier: MIT */
/*
 * libphonetrust: the computation behind a phone's trust decisions.
 *
 * This header and phonetrust_tls.h, which it includes, are the whole interface and its manual. The library
 * computes over memory that the caller owns. It does no I/O (but asks the kernel for random bytes where the
 * caller hands in no source), keeps no state (but for TLS, see there), keeps no pointer after a call returns,
 * and starts no thread. Any number of threads may call it at once, each with its own buffers. Nothing that is
 * allocated inside a call outlives it, with two exceptions, which the caller frees: the running digest of
 * phonetrust_digest_new and the connection of phonetrust_tls_new.
 *
 * Inputs may be arbitrary bytes from a network. Every length is checked against what it stands in before it
 * is used, and no function recurses. A pointer may be NULL only where that is said, or where its length is 0.
 *
 * Results are int: 0 or a count where things went well, and one of the negative PHONETRUST_ERROR_ numbers
 * where they did not. After an error the contents of output buffers are not to be used, except `fault` as
 * described below. When memory runs out inside mbedTLS, some failures have the name of the step that then
 * failed (ERROR_MALFORMED, ERROR_KEY) in place of ERROR_MEMORY; none looks like success.
 *
 * Lengths handed in are size_t; offsets handed out are uint32_t from the start of the buffer that was handed
 * in. Functions that give offsets take buffers of at most PHONETRUST_MAXIMUM_LENGTH bytes (ERROR_ARGUMENT
 * beyond).
 *
 * The formats are those of docs/spec/formats.md; tag numbers and names are used as they stand there.
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

/* The number the library was built with: compare with PHONETRUST_ABI before the first other call. */
PHONETRUST_API int phonetrust_abi(void);

#define PHONETRUST_ERROR_ARGUMENT (-1)    /* the caller's mistake: a size or a number outside of its range */
#define PHONETRUST_ERROR_MALFORMED (-2)   /* bytes that do not follow their format */
#define PHONETRUST_ERROR_MISMATCH (-3)    /* a record that says something else than the certificate in it */
#define PHONETRUST_ERROR_SPACE (-4)       /* an output buffer is too small */
#define PHONETRUST_ERROR_UNSUPPORTED (-5) /* a digest, kind of key or size that is not handled here */
#define PHONETRUST_ERROR_SIGNATURE (-6)   /* the signature does not verify */
#define PHONETRUST_ERROR_MEMORY (-7)      /* no memory */
#define PHONETRUST_ERROR_DECRYPT (-8)     /* encrypted bytes of a length that cannot be */
#define PHONETRUST_ERROR_KEY (-9)         /* a private key that is unreadable or does not fit the job */
#define PHONETRUST_ERROR_RANDOM (-10)     /* no random bytes */

/* The name of an error ("malformed"), "ok" for 0 and more, "unknown" for other numbers; never NULL. */
PHONETRUST_API const char *phonetrust_error_name(int error);

#define PHONETRUST_MAXIMUM_LENGTH 0x7FFFFFFF

/* ------------------------------------------------------------------------------------------- digests */

/* Digest algorithms. 1 to 3 are the values of tag 8 (DIGESTALGORITHM), which has none for SHA-384. */
#define PHONETRUST_SHA1 1
#define PHONETRUST_SHA256 2
#define PHONETRUST_SHA512 3
#define PHONETRUST_SHA384 4

/* The longest digest in bytes. */
#define PHONETRUST_DIGEST_SIZE 64

/*
 * Digest of data[0 .. length) without data[cut_offset .. cut_offset + cut_length): what a signed file signs
 * is the file without its SIGNATURE TLV. cut_length 0 leaves nothing out.
 *
 * Writes the digest to `out` and returns its length: 20, 32, 48 or 64.
 * ERROR_UNSUPPORTED: unknown algorithm. ERROR_ARGUMENT: the cut is not inside the data. ERROR_SPACE.
 * ERROR_MEMORY.
 */
PHONETRUST_API int phonetrust_digest(int algorithm, const uint8_t *data, size_t length, size_t cut_offset,
                                     size_t cut_length, uint8_t *out, size_t capacity);

/*
 * A running digest, for data that arrives in pieces. NULL: unknown algorithm, or no memory. The caller owns
 * it and must hand it to phonetrust_digest_free once; it must not be used by two threads at once.
 */
struct phonetrust_digest;
PHONETRUST_API struct phonetrust_digest *phonetrust_digest_new(int algorithm);

/* Add a piece. 0, or ERROR_ARGUMENT: `digest` is NULL or was already finished. */
PHONETRUST_API int phonetrust_digest_update(struct phonetrust_digest *digest, const uint8_t *data,
                                            size_t length);

/* Write the digest and return its length. Only once: then ERROR_ARGUMENT. ERROR_SPACE leaves it running. */
PHONETRUST_API int phonetrust_digest_final(struct phonetrust_digest *digest, uint8_t *out, size_t capacity);

/* Free a running digest, finished or not. NULL does nothing. */
PHONETRUST_API void phonetrust_digest_free(struct phonetrust_digest *digest);

/* -------------------------------------------------------------------------------------- certificates */

#define PHONETRUST_KEY_OTHER 0
#define PHONETRUST_KEY_RSA 1
#define PHONETRUST_KEY_EC 2 /* on P-256, P-384 or P-521; any other curve is KEY_OTHER */

/* Fields of a certificate: pairs of offset and length into the DER, except KEY_KIND and KEY_BITS. */
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
 * Find the fields of one X.509 certificate (RFC 5280) in DER. Nothing may follow it. Extensions are not
 * looked at, nor the certificate's signature, dates or purposes: a phone trusts certificates because they
 * stand in its trust list.
 *
 * `capacity` is the number of entries in `fields`, at least PHONETRUST_CERTIFICATE_FIELDS.
 * Returns PHONETRUST_CERTIFICATE_FIELDS. ERROR_MALFORMED: not one whole certificate in DER. ERROR_SPACE.
 * ERROR_ARGUMENT.
 */
PHONETRUST_API int phonetrust_certificate(const uint8_t *der, size_t length, uint32_t *fields,
                                          size_t capacity);

/*
 * Check `signature` over `digest` with the key of a certificate: RSASSA-PKCS1-v1_5 (RFC 8017; 512 to 4096
 * bits, and exactly as long as the modulus) or ECDSA (the strict DER SEQUENCE of r and s; P-256, P-384,
 * P-521). Weak keys and digests are the caller's policy. A millisecond or so on a PC; how long depends on
 * public data alone.
 *
 * 0: it verifies. ERROR_SIGNATURE: it does not. ERROR_MALFORMED: unreadable certificate or key.
 * ERROR_UNSUPPORTED: other keys, unknown algorithm. ERROR_ARGUMENT: digest_length is not that of the
 * algorithm. ERROR_MEMORY.
 */
PHONETRUST_API int phonetrust_verify(const uint8_t *certificate, size_t certificate_length, int algorithm,
                                     const uint8_t *digest, size_t digest_length, const uint8_t *signature,
                                     size_t signature_length);

/* ---------------------------------------------------------------------- trust lists and signed files */

/*
 * The index functions turn TLVs into rows of PHONETRUST_TLV_ROW numbers: tag, offset of the value, length of
 * the value. They check how the bytes hang together, and do not look at the values. `capacity` counts rows.
 *
 * `fault` has room for two numbers. With ERROR_MALFORMED (and ERROR_MISMATCH) they are the tag that is wrong
 * and the offset of its first byte. They are the same that agent/formats/tlv.py gives, which walks by the
 * same rules.
 */
#define PHONETRUST_TLV_ROW 3

/*
 * All TLVs of a file's header in the order of the file: VERSION and HEADERLENGTH first; a container (tags 3,
 * 7, 9, 16, 17, 21) before its contents; PADDING (13), which is one byte, with the offset after it and length
 * 0. Unknown tags are listed and may repeat.
 *
 * Returns the number of rows. ERROR_MALFORMED: VERSION and a two-byte HEADERLENGTH are not first; the header
 * is shorter than these or longer than the file; a TLV runs past the container or the header it stands in; a
 * known tag appears twice (PADDING may) or in another place than docs/spec/formats.md gives it. ERROR_SPACE.
 * ERROR_ARGUMENT.
 */
PHONETRUST_API int phonetrust_header_index(const uint8_t *file, size_t length, uint32_t *rows,
                                           size_t capacity, uint32_t *fault);

/*
 * All TLVs of all records of a trust list, from `start` (the header length) to the end of the file. Each
 * record begins with its RECORDLENGTH, a row of tag 1 and length 2.
 *
 * Returns the number of rows, 0 for no records. ERROR_MALFORMED: a record does not start with a two-byte
 * RECORDLENGTH, is shorter than that or runs past the file; a TLV runs past its record; a known tag (1 to 12)
 * appears twice in a record. ERROR_SPACE. ERROR_ARGUMENT: `start` is past the end.
 */
PHONETRUST_API int phonetrust_record_index(const uint8_t *file, size_t length, size_t start, uint32_t *rows,
                                           size_t capacity, uint32_t *fault);

/* What phonetrust_check_records tells of a record: PHONETRUST_RECORD_ROW numbers, offsets into the file. */
#define PHONETRUST_RECORD_OFFSET 0
#define PHONETRUST_RECORD_LENGTH 1
#define PHONETRUST_RECORD_ROLE 2        /* FUNCTION, PHONETRUST_NO_ROLE without one */
#define PHONETRUST_RECORD_CERTIFICATE 3 /* offset and length; length 0: an empty record, the rest is 0 */
#define PHONETRUST_RECORD_ISSUER 5      /* the certificate's, as PHONETRUST_CERTIFICATE_ISSUER */
#define PHONETRUST_RECORD_SERIAL 7      /* likewise */
#define PHONETRUST_RECORD_SUBJECT 9     /* likewise */
#define PHONETRUST_RECORD_KEY_KIND 11
#define PHONETRUST_RECORD_KEY_BITS 12
#define PHONETRUST_RECORD_FLAGS 13
#define PHONETRUST_RECORD_KEY 14 /* offset and length, as PHONETRUST_CERTIFICATE_RECORD_KEY */
#define PHONETRUST_RECORD_ROW 16

#define PHONETRUST_NO_ROLE 0xFFFFFFFF

/*
 * Flag: SUBJECTNAME and ISSUERNAME, as far as the record has them, are the certificate's names, seen by a
 * plain comparison of the commonest attributes, in which letter case of ASCII and the number of blanks do not
 * count. Without the flag nothing is said about the names: a slower reader that knows escapes and rarer
 * attributes (agent/formats/names.py) has to compare them before the record is refused or believed.
 */
#define PHONETRUST_RECORD_NAMES_EQUAL 1

/*
 * Flag: PUBLICKEY is the certificate's EC point in another form (one of them compressed) as far as its x and
 * the parity of its y tell. Whether y belongs to x is not computed: the slower reader has to.
 */
#define PHONETRUST_RECORD_POINT_OPEN 2

/*
 * Read and check all records of a trust list, from `start` to the end of the file: what
 * phonetrust_record_index checks, the sizes of values (FUNCTION two bytes, IPADDRESS four or sixteen;
 * DNSNAME, SUBJECTNAME and ISSUERNAME UTF-8 with one NUL at the end; DNSNAME may have no bytes at all), the
 * certificate, and that SERIALNUMBER and PUBLICKEY, where present, are the certificate's. A CERTIFICATE of no
 * bytes counts as none. Leading zero bytes of a SERIALNUMBER are ignored, and the number 0 may have no bytes.
 *
 * `capacity` counts rows of PHONETRUST_RECORD_ROW numbers. Returns the number of records. Allocates nothing.
 * ERROR_MALFORMED: `fault` is the first malformed thing. ERROR_MISMATCH: nothing is malformed, but a record
 * differs from its certificate; fault is the first such SERIALNUMBER or PUBLICKEY. ERROR_SPACE.
 * ERROR_ARGUMENT.
 */
PHONETRUST_API int phonetrust_check_records(const uint8_t *file, size_t length, size_t start, uint32_t *rows,
                                            size_t capacity, uint32_t *fault);

/* ------------------------------------------------------------------------------- the phone's own key */

/*
 * Where random bytes come from: fill out[0 .. length), give 0, or anything else for failure. A NULL function
 * means the kernel's generator (getrandom), which waits until it is seeded. The function is only called
 * during the call it is handed to.
 */
typedef int (*phonetrust_random)(void *context, unsigned char *out, size_t length);

/* Room that holds any private key made here, in bytes (RSA of 4096 bits is the longest). */
#define PHONETRUST_PRIVATE_KEY_SIZE 2560
/* Room that holds any SubjectPublicKeyInfo made here. */
#define PHONETRUST_PUBLIC_KEY_SIZE 640
/* Room that holds any signature made here. */
#define PHONETRUST_SIGNATURE_SIZE 512

/*
 * Make a key pair. kind and bits: KEY_RSA with 1024 to 4096 bits (a multiple of 64, exponent 65537), or
 * KEY_EC with 256, 384 or 521. Writes the private key in DER, RSAPrivateKey (RFC 8017) or ECPrivateKey (RFC
 * 5915), and returns its length. An RSA key takes seconds on a slow phone.
 *
 * ERROR_UNSUPPORTED: other kinds and sizes. ERROR_SPACE. ERROR_RANDOM. ERROR_MEMORY.
 */
PHONETRUST_API int phonetrust_make_key(int kind, int bits, phonetrust_random random, void *context,
                                       uint8_t *out, size_t capacity);

/*
 * The public half of a private key (DER: RSAPrivateKey, ECPrivateKey or unencrypted PKCS #8), as
 * SubjectPublicKeyInfo. Byte for byte what phonetrust_certificate finds as PUBLIC_KEY in a certificate for
 * this key, if that was encoded as RFC 5280 asks. Returns its length. ERROR_KEY: unreadable.
 * ERROR_UNSUPPORTED: other kinds and sizes. ERROR_SPACE. ERROR_RANDOM. ERROR_MEMORY.
 */
PHONETRUST_API int phonetrust_public_key(const uint8_t *private_key, size_t length, uint8_t *out,
                                         size_t capacity);

/* For phonetrust_sign: RSA signs the bytes as they are, without saying which digest they are. */
#define PHONETRUST_BARE_DIGEST 0

/*
 * Sign a digest. RSA: PKCS #1 type 1 padding over the DigestInfo of `algorithm` (RSASSA-PKCS1-v1_5), or over
 * the bytes alone with PHONETRUST_BARE_DIGEST, as CAPF wants it (docs/spec/capf.md, C5). EC: ECDSA, the DER
 * SEQUENCE of r and s; `algorithm` only says how long the digest must be. A bare digest has 1 to
 * PHONETRUST_DIGEST_SIZE bytes.
 *
 * The private key is as for phonetrust_public_key. Returns the length of the signature. Random bytes blind
 * the computation and are ECDSA's secret number. ERROR_KEY: unreadable key, or one too short for this digest.
 * ERROR_UNSUPPORTED: other kinds, sizes, algorithms. ERROR_ARGUMENT: digest_length. ERROR_SPACE.
 * ERROR_RANDOM. ERROR_MEMORY.
 */
PHONETRUST_API int phonetrust_sign(const uint8_t *private_key, size_t length, int algorithm,
                                   const uint8_t *digest, size_t digest_length, phonetrust_random random,
                                   void *context, uint8_t *out, size_t capacity);

/* Schemes of phonetrust_sign_tls, all that TLS 1.2 and 1.3 handshakes use. */
#define PHONETRUST_RSA_PKCS1 1 /* RSASSA-PKCS1-v1_5 with the DigestInfo */
#define PHONETRUST_RSA_PSS 2   /* RSASSA-PSS; MGF1 of the same digest, a salt as long as the digest */
#define PHONETRUST_ECDSA 3     /* the DER SEQUENCE of r and s */

/*
 * Sign a digest for a TLS handshake, as the holder of the key does for other programs. `algorithm` is SHA256,
 * SHA384 or SHA512, and `digest` has exactly its length: nothing else is padded, so that no caller gets
 * ciphertext decrypted or a bare number signed. Unlike phonetrust_sign this wants the key to be of the
 * scheme's kind.
 *
 * Returns the length of the signature. ERROR_KEY: unreadable key, of another kind, or one too short for this
 * digest. ERROR_UNSUPPORTED: other schemes, algorithms and sizes. ERROR_ARGUMENT: digest_length. ERROR_SPACE.
 * ERROR_RANDOM. ERROR_MEMORY.
 */
PHONETRUST_API int phonetrust_sign_tls(const uint8_t *private_key, size_t length, int scheme, int algorithm,
                                       const uint8_t *digest, size_t digest_length, phonetrust_random random,
                                       void *context, uint8_t *out, size_t capacity);

/* --------------------------------------------------------------------------- encrypted configuration */

/*
 * Unwrap the AES key of an encrypted file (tag 25): RSAES-PKCS1-v1_5 with the phone's private key, giving
 * key_length = 16, 24 or 32 bytes in `out`, which has room for them.
 *
 * There is no error for a wrong private key, a wrong padding or a key of another length: then `out` holds
 * random bytes, and nothing but the digest of the plaintext (tag 27) tells, in the same way for all of these.
 * What is done and how long it takes does not depend on which it was, as far as mbedTLS gives that.
 *
 * 0. ERROR_KEY: unreadable private key, or not RSA. ERROR_UNSUPPORTED: its size. ERROR_DECRYPT:
 * wrapped_length is not that of the modulus. ERROR_ARGUMENT: key_length. ERROR_RANDOM. ERROR_MEMORY.
 */
PHONETRUST_API int phonetrust_unwrap_key(const uint8_t *private_key, size_t length, const uint8_t *wrapped,
                                         size_t wrapped_length, phonetrust_random random, void *context,
                                         uint8_t *out, size_t key_length);

/*
 * Decrypt a piece of an AES-CBC ciphertext. `length` is a multiple of 16 (else ERROR_DECRYPT). `iv` has 16
 * bytes: the file's IV (tag 19) before the first piece; each call leaves there what the next piece needs.
 * `out` has room for `length` bytes and may be `data`. Padding is not looked at: the file's header says how
 * long it is (tag 20).
 *
 * 0. ERROR_ARGUMENT: key_length is not 16, 24 or 32.
 */
PHONETRUST_API int phonetrust_decrypt(const uint8_t *key, size_t key_length, uint8_t *iv, const uint8_t *data,
                                      size_t length, uint8_t *out);

/* ----------------------------------------------------------------------------------------------- TLS */

#include "phonetrust_tls.h"

#ifdef __cplusplus
}
#endif

#endif
