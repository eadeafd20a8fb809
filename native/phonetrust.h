/* SPDX-License-Identifier: MIT */
/*
 * libphonetrust: the computation behind a phone's trust decisions.
 *
 * This header is the whole interface and its manual. The library computes over memory that the caller owns.
 * It does no I/O (but asks the kernel for random bytes where the caller hands in no source), keeps no state,
 * keeps no pointer after a call returns, and starts no thread. Any number of threads may call it at once,
 * each with its own buffers. Nothing that is allocated inside a call outlives it, with one exception: the
 * running digest of phonetrust_digest_new, which the caller frees.
 *
 * Inputs may be arbitrary bytes from a network. Every length is checked against what it stands in before it
 * is used, and no function recurses. A pointer may be NULL only where that is said, or where its length is 0.
 *
 * Results are int: 0 or a count where things went well, and one of the negative PHONETRUST_ERROR_ numbers
 * where they did not. After an error the contents of output buffers are not to be used, except `fault` as
 * described below.
 *
 * Lengths handed in are size_t; offsets handed out are uint32_t from the start of the buffer that was handed
 * in. Functions that give offsets take buffers of at most PHONETRUST_MAXIMUM_LENGTH bytes (ERROR_ARGUMENT
 * beyond).
 *
 * The formats are those of spec/trust-files.md; tag numbers and names are used as they stand there.
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

/* ----------------------------------------------------------------------------------------------------
 * versions, errors
 */

/* The number of this interface. It changes when a function changes its arguments, its rows or its meaning. */
#define PHONETRUST_ABI 1

/* The number the library was built with: compare with PHONETRUST_ABI before the first other call. */
PHONETRUST_API int phonetrust_abi(void);

#define PHONETRUST_ERROR_ARGUMENT (-1)  /* the caller's mistake: a size or a number outside of its range */
#define PHONETRUST_ERROR_MALFORMED (-2) /* bytes that do not follow their format */
#define PHONETRUST_ERROR_MISMATCH (-3)  /* a record that says something else than the certificate in it */
#define PHONETRUST_ERROR_SPACE (-4)     /* an output buffer is too small */
#define PHONETRUST_ERROR_UNSUPPORTED                                                                         \
    (-5)                                /* a digest, key kind or key size that this library does not handle */
#define PHONETRUST_ERROR_SIGNATURE (-6) /* the signature does not verify */
#define PHONETRUST_ERROR_MEMORY (-7)    /* no memory */
#define PHONETRUST_ERROR_DECRYPT (-8)   /* encrypted bytes of a length that cannot be */
#define PHONETRUST_ERROR_KEY                                                                                 \
    (-9) /* a private key that is unreadable or of the wrong kind, or random bytes failed */

/* The name of an error in lower case ("malformed"), "ok" for 0 and more, "unknown" for other numbers. Never
 * NULL. */
PHONETRUST_API const char *phonetrust_error_name(int error);

#define PHONETRUST_MAXIMUM_LENGTH 0x7FFFFFFF

/* -------------------------------------------------------------------------------------------------------------
 * digests
 */

/* Digest algorithms. 1 to 3 are the values of tag 8 (DIGESTALGORITHM); trust files have no number for
 * SHA-384. */
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
 * Digest of `count` slices of `data`, in the order given. slices[2 * i] is the offset and slices[2 * i + 1]
 * the length of slice i; slices may overlap. Result and errors as of phonetrust_digest.
 */
PHONETRUST_API int phonetrust_digest_slices(int algorithm, const uint8_t *data, size_t length,
                                            const uint32_t *slices, size_t count, uint8_t *out,
                                            size_t capacity);

/*
 * A running digest, for data that arrives in pieces. NULL: unknown algorithm, or no memory. The caller owns
 * it and must hand it to phonetrust_digest_free once; it must not be used by two threads at once.
 */
PHONETRUST_API void *phonetrust_digest_new(int algorithm);

/* Add a piece. 0, or ERROR_ARGUMENT: `digest` is NULL or was already finished. */
PHONETRUST_API int phonetrust_digest_update(void *digest, const uint8_t *data, size_t length);

/* Finish: writes the digest and returns its length. Once only: ERROR_ARGUMENT after that. ERROR_SPACE leaves
 * it running. */
PHONETRUST_API int phonetrust_digest_final(void *digest, uint8_t *out, size_t capacity);

/* Free a running digest, finished or not. NULL is let pass. */
PHONETRUST_API void phonetrust_digest_free(void *digest);

/* --------------------------------------------------------------------------------------------------------
 * certificates
 */

#define PHONETRUST_KEY_OTHER 0
#define PHONETRUST_KEY_RSA 1
#define PHONETRUST_KEY_EC 2 /* on P-256, P-384 or P-521; any other curve is KEY_OTHER */

/* Fields of a certificate: pairs of offset and length into the DER, except KEY_KIND and KEY_BITS. */
#define PHONETRUST_CERTIFICATE_ISSUER 0     /* the Name, its SEQUENCE header included */
#define PHONETRUST_CERTIFICATE_SUBJECT 2    /* likewise */
#define PHONETRUST_CERTIFICATE_SERIAL 4     /* contents without leading zero bytes; at least one byte */
#define PHONETRUST_CERTIFICATE_PUBLIC_KEY 6 /* the SubjectPublicKeyInfo, header included */
#define PHONETRUST_CERTIFICATE_RECORD_KEY                                                                    \
    8 /* what a record's PUBLICKEY repeats: RSAPublicKey DER or the EC point */
#define PHONETRUST_CERTIFICATE_SIGNATURE 10 /* the signature's bits */
#define PHONETRUST_CERTIFICATE_NOT_BEFORE                                                                    \
    12 /* 13 characters YYMMDDHHMMSSZ (year 50 and up: 19YY) or 15, with YYYY */
#define PHONETRUST_CERTIFICATE_NOT_AFTER 14           /* likewise */
#define PHONETRUST_CERTIFICATE_SIGNATURE_ALGORITHM 16 /* contents of the OBJECT IDENTIFIER */
#define PHONETRUST_CERTIFICATE_KEY_KIND 18            /* PHONETRUST_KEY_ number */
#define PHONETRUST_CERTIFICATE_KEY_BITS 19 /* of the RSA modulus or the EC field; 0 for KEY_OTHER */
#define PHONETRUST_CERTIFICATE_FIELDS 20   /* how many numbers there are */

/*
 * Find the fields of one X.509 certificate (RFC 5280) in DER. Nothing may follow it. Extensions are not
 * looked at, and whether the certificate is signed, valid today or fit for a purpose is not asked: a phone
 * trusts certificates because they stand in its trust list.
 *
 * `capacity` is the number of entries in `fields`, at least PHONETRUST_CERTIFICATE_FIELDS.
 * Returns PHONETRUST_CERTIFICATE_FIELDS. ERROR_MALFORMED: not one whole certificate in DER. ERROR_SPACE.
 * ERROR_ARGUMENT.
 */
PHONETRUST_API int phonetrust_certificate(const uint8_t *der, size_t length, uint32_t *fields,
                                          size_t capacity);

/*
 * Check `signature` over `digest` with the key of a certificate: RSASSA-PKCS1-v1_5 (RFC 8017; 512 to 4096
 * bits, and exactly as long as the modulus) or ECDSA (the DER SEQUENCE of r and s; P-256, P-384, P-521). Weak
 * keys and digests are the caller's policy. Takes 1 ms at most on a PC, and time that depends on public data.
 *
 * 0: it verifies. ERROR_SIGNATURE: it does not. ERROR_MALFORMED: unreadable certificate or key.
 * ERROR_UNSUPPORTED: other keys, unknown algorithm. ERROR_ARGUMENT: digest_length is not that of the
 * algorithm. ERROR_MEMORY.
 */
PHONETRUST_API int phonetrust_verify(const uint8_t *certificate, size_t certificate_length, int algorithm,
                                     const uint8_t *digest, size_t digest_length, const uint8_t *signature,
                                     size_t signature_length);

/* ------------------------------------------------------------------------------------------- trust lists,
 * signed files
 */

/*
 * The index functions turn TLVs into rows of PHONETRUST_TLV_ROW numbers: tag, offset of the value, length of
 * the value. They check that the bytes hang together and nothing about the values. `capacity` counts rows.
 *
 * `fault` has room for two numbers. With ERROR_MALFORMED (and ERROR_MISMATCH) they are the tag that is wrong
 * and the offset of its first byte. They are the same that agent/tlv.py gives, which walks by the same rules.
 */
#define PHONETRUST_TLV_ROW 3

/*
 * All TLVs of a file's header in the order of the file: VERSION and HEADERLENGTH first; a container (tags 3,
 * 7, 9, 16, 17, 21) before its contents; PADDING (13), which is one byte, with the offset after it and length
 * 0. Unknown tags are listed and may repeat.
 *
 * Returns the number of rows. ERROR_MALFORMED: VERSION and a two-byte HEADERLENGTH are not first; the header
 * is shorter than these or longer than the file; a TLV runs past the container or the header it stands in; a
 * known tag appears twice (PADDING may) or in another place than spec/trust-files.md gives it. ERROR_SPACE.
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
#define PHONETRUST_RECORD_CERTIFICATE 3 /* offset and length; length 0: an empty record, and the rest is 0   \
                                         */
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
 * plain comparison of the commonest attributes. Without the flag nothing is said about the names: a slower
 * reader that knows escapes and rarer attributes (agent/names.py) has to compare them before the record is
 * refused or believed.
 */
#define PHONETRUST_RECORD_NAMES_EQUAL 1

/*
 * Read and check all records of a trust list, from `start` to the end of the file: what
 * phonetrust_record_index checks, the sizes of values (FUNCTION two bytes; DNSNAME, SUBJECTNAME and
 * ISSUERNAME UTF-8 with one NUL at the end; DNSNAME may have no bytes at all), the certificate, and that
 * SERIALNUMBER and PUBLICKEY, where present, are the certificate's. A CERTIFICATE of no bytes counts as none.
 * Leading zero bytes of a SERIALNUMBER are ignored.
 *
 * `capacity` counts rows of PHONETRUST_RECORD_ROW numbers. Returns the number of records. Allocates nothing.
 * ERROR_MALFORMED: the first thing that is malformed, with its fault. ERROR_MISMATCH: nothing is malformed,
 * and fault is the SERIALNUMBER or PUBLICKEY of the first record that disagrees with its certificate.
 * ERROR_SPACE. ERROR_ARGUMENT.
 */
PHONETRUST_API int phonetrust_check_records(const uint8_t *file, size_t length, size_t start, uint32_t *rows,
                                            size_t capacity, uint32_t *fault);

#ifdef __cplusplus
}
#endif

#endif
