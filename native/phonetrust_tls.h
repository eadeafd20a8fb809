/* SPDX-License-Identifier: MIT */
/*
 * The TLS client of libphonetrust: TLS 1.3 and 1.2 without I/O. phonetrust.h includes this file; its rules
 * about lengths, results and errors hold here too.
 *
 * A connection is bytes in (phonetrust_tls_receive), bytes out (phonetrust_tls_send), plaintext in and out
 * (_read, _write), and a state. The caller moves the bytes, so deadlines are the caller's. Each call ends
 * after a bounded computation, whatever the server sends.
 *
 * The library checks no chain, no name and no date. Once the server has shown its certificate and proved
 * that it holds the key (with TLS_STATIC_RSA: see there), the connection stops in TLS_JUDGE. Until
 * phonetrust_tls_accept nothing leaves it but the ClientHello and alerts, and no signature is computed:
 *
 *     struct phonetrust_tls *tls = phonetrust_tls_new(0);
 *     while ((state = phonetrust_tls_state(tls)) < PHONETRUST_TLS_OPEN) {
 *         while ((count = phonetrust_tls_send(tls, buffer, sizeof buffer)) > 0)
 *             send_all(socket, buffer, count);
 *         if (state == PHONETRUST_TLS_JUDGE)
 *             is_believed(tls) ? phonetrust_tls_accept(tls) : phonetrust_tls_close(tls);
 *         else if ((count = recv(socket, buffer, sizeof buffer, 0)) > 0)
 *             phonetrust_tls_receive(tls, buffer, count); (and once more with the rest that it did not take)
 *         else
 *             phonetrust_tls_cut(tls);
 *     }
 *
 * Offered: ECDHE on P-256, P-384, P-521; AES-128-GCM, AES-256-GCM, ChaCha20-Poly1305; certificates with RSA
 * keys up to 4096 bits or EC keys on these curves. RSA PKCS #1 signatures are offered before PSS; in TLS 1.2
 * both are taken. Not there: TLS below 1.2, compression, renegotiation (a server that asks for it is
 * told no), resumption, early data, new keys within a connection (mbedTLS 3.6 has no KeyUpdate of TLS 1.3:
 * ERROR_TLS_KEY_UPDATE; servers ask for it after some 16 million records or 137 GB).
 *
 * Ownership: the connection is the caller's, who frees it once. No pointer handed in is kept; the certificate
 * and key of phonetrust_tls_identity are copied, and the copy is overwritten when it is freed. A connection
 * must not be used by two threads at once; two connections may. TLS 1.3 keeps its keys in the table of
 * mbedTLS's PSA core, which is the one global state of this library: it is made by the first
 * phonetrust_tls_new, has a lock, and holds nothing of a connection that was freed.
 */
#ifndef PHONETRUST_TLS_H
#define PHONETRUST_TLS_H

/* -------------------------------------------------------------------------------- bounds (docs/tls.md) */

/* Most bytes that a server may send until the handshake has ended. */
#define PHONETRUST_TLS_HANDSHAKE_BYTES 65536
/* Most records in a row that neither complete a handshake message nor bring plaintext: pieces of messages,
 * empty records, alerts, tickets, ChangeCipherSpec. */
#define PHONETRUST_TLS_IDLE_RECORDS 64
/* Most alert records on one connection. Those that TLS 1.3 encrypts count as idle records. */
#define PHONETRUST_TLS_ALERTS 4
/* Longest certificate of a server, and longest certificate of ours, in bytes. */
#define PHONETRUST_TLS_CERTIFICATE_SIZE 8192
#define PHONETRUST_TLS_IDENTITY_SIZE 3840
/* Longest handshake message of a server, in bytes; its whole chain is one message. */
#define PHONETRUST_TLS_MESSAGE_SIZE 16384
/* Most heap memory of a connection at any moment, in bytes; tests/native/test_tls_replay.c measures it. */
#define PHONETRUST_TLS_MEMORY 65536

/* ------------------------------------------------------------------------------------------- errors */

#define PHONETRUST_ERROR_TLS_ALERT (-11)       /* the server ended it with a fatal alert: FACT_ALERT */
#define PHONETRUST_ERROR_TLS_VERSION (-12)     /* the server has neither TLS 1.2 nor 1.3 */
#define PHONETRUST_ERROR_TLS_PARAMETERS (-13)  /* the server chose what was not offered */
#define PHONETRUST_ERROR_TLS_CERTIFICATE (-14) /* its certificate is unreadable, missing or too long */
#define PHONETRUST_ERROR_TLS_KEY (-15)         /* a certificate with a key that is not handled here */
#define PHONETRUST_ERROR_TLS_PROOF (-16)       /* the server did not prove that it holds that key */
#define PHONETRUST_ERROR_TLS_SCHEME (-17)      /* proof by a kind of signature that was not offered */
#define PHONETRUST_ERROR_TLS_RECORD (-18)   /* a record that is malformed, too long, altered, in plaintext */
#define PHONETRUST_ERROR_TLS_MESSAGE (-19)  /* a message that is malformed, too long or not due */
#define PHONETRUST_ERROR_TLS_BYTES (-20)    /* more than TLS_HANDSHAKE_BYTES */
#define PHONETRUST_ERROR_TLS_RECORDS (-21)  /* more than TLS_IDLE_RECORDS */
#define PHONETRUST_ERROR_TLS_ALERTS (-22)   /* more than TLS_ALERTS */
#define PHONETRUST_ERROR_TLS_CLOSED (-23)   /* ended in order (close_notify), but during the handshake */
#define PHONETRUST_ERROR_TLS_CUT (-24)      /* ended without close_notify */
#define PHONETRUST_ERROR_TLS_INTERNAL (-25) /* a fault of this library: FACT_CAUSE has mbedTLS's number */
#define PHONETRUST_ERROR_TLS_KEY_UPDATE (-26) /* the server changed its keys (KeyUpdate of TLS 1.3) */
#define PHONETRUST_ERROR_TLS_IDENTITY (-27)   /* the server takes no signature of our certificate's key */

/* ------------------------------------------------------------------------------------- a connection */

/* Offer key exchange by RSA encryption too (TLS 1.2, AES-GCM). Then the server proves its key only after the
 * client's certificate has gone out, with its Finished; there is no forward secrecy. */
#define PHONETRUST_TLS_STATIC_RSA 1

/* A new connection; its ClientHello is ready to be sent. flags: 0 or TLS_STATIC_RSA. NULL: no memory, no
 * random bytes, or unknown flags. */
struct phonetrust_tls;
PHONETRUST_API struct phonetrust_tls *phonetrust_tls_new(int flags);

/* Free a connection in any state. NULL is let pass. */
PHONETRUST_API void phonetrust_tls_free(struct phonetrust_tls *tls);

/* Name the server (server_name, RFC 6066): 1 to 255 bytes without NUL. Only before the first
 * phonetrust_tls_send, else ERROR_ARGUMENT. ERROR_MEMORY. */
PHONETRUST_API int phonetrust_tls_server_name(struct phonetrust_tls *tls, const uint8_t *name, size_t length);

/*
 * The client certificate that is shown if the server asks, and its private key (DER, as for
 * phonetrust_public_key). Before phonetrust_tls_accept, else ERROR_ARGUMENT; a second call replaces the
 * first.
 *
 * 0. ERROR_MALFORMED: the certificate. ERROR_KEY: the private key. ERROR_UNSUPPORTED: its kind or size.
 * ERROR_MISMATCH: it is not the certificate's. ERROR_SPACE: a certificate of more than TLS_IDENTITY_SIZE.
 */
PHONETRUST_API int phonetrust_tls_identity(struct phonetrust_tls *tls, const uint8_t *certificate,
                                           size_t certificate_length, const uint8_t *private_key,
                                           size_t private_key_length);

#define PHONETRUST_TLS_HANDSHAKE 0 /* send what there is to send, then receive */
#define PHONETRUST_TLS_JUDGE 1     /* look at the certificate, then accept or close */
#define PHONETRUST_TLS_OPEN 2      /* read, write, receive */
#define PHONETRUST_TLS_ENDED 3     /* ended by the server, in order (close_notify): no more plaintext comes */
#define PHONETRUST_TLS_SHUT 4      /* after phonetrust_tls_close: only phonetrust_tls_send does anything */
#define PHONETRUST_TLS_FAILED 5    /* calls give the same error; phonetrust_tls_send may have an alert */

/* The state: one of the six. ERROR_ARGUMENT: `tls` is NULL. */
PHONETRUST_API int phonetrust_tls_state(struct phonetrust_tls *tls);

/*
 * Take bytes that the server sent. Returns how many were taken: all, or fewer where the connection first
 * needs something else: the judgement, the plaintext to be read, the output to be sent. Hand in the rest
 * after that. 0 in TLS_ENDED and TLS_SHUT. Errors: the one that ended the connection, from then on always.
 */
PHONETRUST_API int phonetrust_tls_receive(struct phonetrust_tls *tls, const uint8_t *data, size_t length);

/* Say that the server closed its transport. 0 where it had ended TLS in order or the connection was shut,
 * else the error, ERROR_TLS_CUT if there was none before. */
PHONETRUST_API int phonetrust_tls_cut(struct phonetrust_tls *tls);

/* Move bytes for the server into `out`; returns how many, 0: there are none now. Never an error of TLS. */
PHONETRUST_API int phonetrust_tls_send(struct phonetrust_tls *tls, uint8_t *out, size_t capacity);

/* Copy the server's certificate, in and after TLS_JUDGE. Returns its length. ERROR_ARGUMENT: there is none
 * yet. ERROR_SPACE: TLS_CERTIFICATE_SIZE bytes are always enough. */
PHONETRUST_API int phonetrust_tls_certificate(struct phonetrust_tls *tls, uint8_t *out, size_t capacity);

/* Say that the certificate is believed: the handshake goes on. ERROR_ARGUMENT in any state but TLS_JUDGE;
 * else as phonetrust_tls_receive. */
PHONETRUST_API int phonetrust_tls_accept(struct phonetrust_tls *tls);

/* Move plaintext of the server into `out`; returns how many bytes, 0: there are none now. */
PHONETRUST_API int phonetrust_tls_read(struct phonetrust_tls *tls, uint8_t *out, size_t capacity);

/* Encrypt plaintext for the server. Returns how many bytes were taken, 0 where what there is to send has to
 * be sent first. ERROR_ARGUMENT in any state but TLS_OPEN. */
PHONETRUST_API int phonetrust_tls_write(struct phonetrust_tls *tls, const uint8_t *data, size_t length);

/* End TLS: TLS_SHUT, with a close_notify to be sent; in TLS_JUDGE with the alert bad_certificate, which is
 * the no. After a failure nothing is done. 0. */
PHONETRUST_API int phonetrust_tls_close(struct phonetrust_tls *tls);

/* Facts of a connection, as numbers. */
#define PHONETRUST_TLS_FACT_STATE 0
#define PHONETRUST_TLS_FACT_ERROR 1    /* the error without its sign, 0: none */
#define PHONETRUST_TLS_FACT_ALERT 2    /* of the server, fatal (RFC 8446, 6), TLS_NO_ALERT: none */
#define PHONETRUST_TLS_FACT_AWAITED 3  /* type of the handshake message that is or was due, 0: none */
#define PHONETRUST_TLS_FACT_VERSION 4  /* 0x0303, 0x0304, 0: not agreed yet */
#define PHONETRUST_TLS_FACT_SUITE 5    /* IANA's number, 0: not agreed yet */
#define PHONETRUST_TLS_FACT_ASKED 6    /* 1: the server asked for a client certificate */
#define PHONETRUST_TLS_FACT_BYTES 7    /* bytes received until the handshake ended */
#define PHONETRUST_TLS_FACT_READABLE 8 /* bytes that phonetrust_tls_read has */
#define PHONETRUST_TLS_FACT_SENDABLE 9 /* bytes that phonetrust_tls_send has */
#define PHONETRUST_TLS_FACT_CAUSE 10   /* mbedTLS's number for the failure without its sign, for reports */
#define PHONETRUST_TLS_FACTS 11        /* how many numbers there are */

#define PHONETRUST_TLS_NO_ALERT 256

/* Write all facts. Returns PHONETRUST_TLS_FACTS. ERROR_SPACE: `capacity` is smaller than that. */
PHONETRUST_API int phonetrust_tls_facts(struct phonetrust_tls *tls, uint32_t *facts, size_t capacity);

#endif
