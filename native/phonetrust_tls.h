/* SPDX-License-Identifier: MIT */
/*
 * The TLS client of libphonetrust: TLS 1.3 and 1.2 without I/O. phonetrust.h includes this file; its rules
 * about lengths, results and errors hold here, too.
 *
 * A connection takes bytes (phonetrust_tls_receive), gives bytes (phonetrust_tls_send), takes and gives
 * plaintext (_write, _read), and has a state. The caller moves the bytes, so the caller keeps the deadlines.
 * Each call ends after a bounded computation, whatever the server sends.
 *
 * The library checks no chain, no name and no date. When the server has shown its certificate and proved
 * that it has the key (with TLS_STATIC_RSA: see there), the connection stops in the state TLS_JUDGE. Before
 * phonetrust_tls_accept only the ClientHello and alerts leave it, and it computes no signature:
 *
 *     struct phonetrust_tls *tls = phonetrust_tls_new(0);
 *     while ((state = phonetrust_tls_state(tls)) < PHONETRUST_TLS_OPEN) {
 *         while ((count = phonetrust_tls_send(tls, buffer, sizeof buffer)) > 0)
 *             send_all(socket, buffer, count);
 *         if (state == PHONETRUST_TLS_JUDGE)
 *             is_believed(tls) ? phonetrust_tls_accept(tls) : phonetrust_tls_close(tls);
 *         else if ((count = recv(socket, buffer, sizeof buffer, 0)) > 0)
 *             phonetrust_tls_receive(tls, buffer, count); (call it again with the bytes that it did not take)
 *         else
 *             phonetrust_tls_cut(tls);
 *     }
 *
 * The client offers ECDHE on P-256, P-384 and P-521; AES-128-GCM, AES-256-GCM and ChaCha20-Poly1305; and
 * certificates with RSA keys up to 4096 bits or EC keys on these curves. It offers RSA PKCS #1 signatures
 * before PSS, and accepts both in TLS 1.2. It does not have TLS below 1.2, compression, renegotiation (it
 * refuses a server that asks for it), resumption, early data, or new keys within a connection (mbedTLS 3.6
 * has no KeyUpdate of TLS 1.3: ERROR_TLS_KEY_UPDATE; servers ask for it after about 16 million records or
 * 137 GB).
 *
 * The caller owns the connection and frees it once. The library keeps no pointer of the caller's. It copies
 * the certificate and key of phonetrust_tls_identity, and overwrites the copy when it frees it. Two threads
 * must not use one connection at the same time, but may use two connections. TLS 1.3 keeps its keys in the
 * table of mbedTLS's PSA core, which is the only global state of this library. The first phonetrust_tls_new
 * makes the table. It has a lock, and has nothing of connections that were freed.
 */
#ifndef PHONETRUST_TLS_H
#define PHONETRUST_TLS_H

/* -------------------------------------------------------------------------------- bounds (docs/tls.md) */

/* How many bytes a server may send until the handshake has ended. */
#define PHONETRUST_TLS_HANDSHAKE_BYTES 65536
/* How many records in a row may neither complete a handshake message nor bring plaintext: pieces of messages,
 * empty records, alerts, tickets, ChangeCipherSpec. */
#define PHONETRUST_TLS_IDLE_RECORDS 64
/* How many alert records a connection may have. Alerts that TLS 1.3 encrypts count as idle records. */
#define PHONETRUST_TLS_ALERTS 4
/* The longest certificate of a server, and the longest certificate of the client, in bytes. */
#define PHONETRUST_TLS_CERTIFICATE_SIZE 8192
#define PHONETRUST_TLS_IDENTITY_SIZE 3840
/* The longest handshake message of a server, in bytes. Its whole chain is one message. */
#define PHONETRUST_TLS_MESSAGE_SIZE 16384
/* The most heap memory of a connection at any time, in bytes; tests/native/test_tls_replay.c measures it. */
#define PHONETRUST_TLS_MEMORY 65536

/* ------------------------------------------------------------------------------------------- errors */

#define PHONETRUST_ERROR_TLS_ALERT (-11)       /* the server sent a fatal alert: FACT_ALERT */
#define PHONETRUST_ERROR_TLS_VERSION (-12)     /* the server has neither TLS 1.2 nor 1.3 */
#define PHONETRUST_ERROR_TLS_PARAMETERS (-13)  /* the server chose parameters that were not offered */
#define PHONETRUST_ERROR_TLS_CERTIFICATE (-14) /* its certificate is unreadable, missing or too long */
#define PHONETRUST_ERROR_TLS_KEY (-15)         /* its certificate has an unsupported kind of key */
#define PHONETRUST_ERROR_TLS_PROOF (-16)       /* the server did not prove that it has that key */
#define PHONETRUST_ERROR_TLS_SCHEME (-17)      /* its proof is a kind of signature that was not offered */
#define PHONETRUST_ERROR_TLS_RECORD (-18)      /* a record is malformed, too long, altered or in plaintext */
#define PHONETRUST_ERROR_TLS_MESSAGE (-19)     /* a message is malformed, too long or not due */
#define PHONETRUST_ERROR_TLS_BYTES (-20)       /* more than TLS_HANDSHAKE_BYTES */
#define PHONETRUST_ERROR_TLS_RECORDS (-21)     /* more than TLS_IDLE_RECORDS */
#define PHONETRUST_ERROR_TLS_ALERTS (-22)      /* more than TLS_ALERTS */
#define PHONETRUST_ERROR_TLS_CLOSED (-23)      /* ended by close_notify, but during the handshake */
#define PHONETRUST_ERROR_TLS_CUT (-24)         /* ended without close_notify */
#define PHONETRUST_ERROR_TLS_INTERNAL (-25)    /* a fault of this library: FACT_CAUSE has mbedTLS's number */
#define PHONETRUST_ERROR_TLS_KEY_UPDATE (-26)  /* the server changed its keys (KeyUpdate of TLS 1.3) */
#define PHONETRUST_ERROR_TLS_IDENTITY (-27)    /* the server accepts no signature of the client's key */

/* ------------------------------------------------------------------------------------- a connection */

/* Offer key exchange by RSA encryption, too (TLS 1.2, AES-GCM). The server then proves its key only with its
 * Finished, after the client's certificate has been sent. There is no forward secrecy. */
#define PHONETRUST_TLS_STATIC_RSA 1

/* Make a connection. flags: 0 or TLS_STATIC_RSA. NULL: no memory, no random bytes, or unknown flags. */
struct phonetrust_tls;
PHONETRUST_API struct phonetrust_tls *phonetrust_tls_new(int flags);

/* Free a connection in any state. NULL is allowed. */
PHONETRUST_API void phonetrust_tls_free(struct phonetrust_tls *tls);

/* Tell the server its name (server_name, RFC 6066): 1 to 255 bytes without NUL. Call it before the first
 * phonetrust_tls_send, else ERROR_ARGUMENT. ERROR_MEMORY. */
PHONETRUST_API int phonetrust_tls_server_name(struct phonetrust_tls *tls, const uint8_t *name, size_t length);

/*
 * Set the client certificate, which is shown if the server asks for one, and its private key (DER, as for
 * phonetrust_public_key). Call it before phonetrust_tls_accept, else ERROR_ARGUMENT. A second call replaces
 * the first.
 *
 * Returns 0. ERROR_MALFORMED: the certificate is unreadable. ERROR_KEY: the private key is unreadable.
 * ERROR_UNSUPPORTED: its kind or size. ERROR_MISMATCH: the key is not the certificate's. ERROR_SPACE: the
 * certificate has more than TLS_IDENTITY_SIZE bytes.
 */
PHONETRUST_API int phonetrust_tls_identity(struct phonetrust_tls *tls, const uint8_t *certificate,
                                           size_t certificate_length, const uint8_t *private_key,
                                           size_t private_key_length);

#define PHONETRUST_TLS_HANDSHAKE 0 /* send the output, then receive */
#define PHONETRUST_TLS_JUDGE 1     /* look at the certificate, then accept or close */
#define PHONETRUST_TLS_OPEN 2      /* read, write, receive */
#define PHONETRUST_TLS_ENDED 3     /* the server sent close_notify: no more plaintext comes */
#define PHONETRUST_TLS_SHUT 4      /* after phonetrust_tls_close: only phonetrust_tls_send does anything */
#define PHONETRUST_TLS_FAILED 5    /* calls return the same error; phonetrust_tls_send may have an alert */

/* The state, one of these six. ERROR_ARGUMENT: `tls` is NULL. */
PHONETRUST_API int phonetrust_tls_state(struct phonetrust_tls *tls);

/*
 * Take bytes that the server sent. Returns how many were taken. These are fewer than `length` if the caller
 * has to judge, to read the plaintext or to send the output first; pass the rest after that. Returns 0 in
 * TLS_ENDED and TLS_SHUT. After a failure it always returns the error that ended the connection.
 */
PHONETRUST_API int phonetrust_tls_receive(struct phonetrust_tls *tls, const uint8_t *data, size_t length);

/* Say that the server closed its transport. Returns 0 if it had ended TLS before (close_notify) or the
 * connection was shut. Otherwise it returns the error of the connection, ERROR_TLS_CUT if it had none. */
PHONETRUST_API int phonetrust_tls_cut(struct phonetrust_tls *tls);

/* Move bytes for the server into `out`. Returns how many, 0 if there are none now. It never returns an error
 * of TLS. */
PHONETRUST_API int phonetrust_tls_send(struct phonetrust_tls *tls, uint8_t *out, size_t capacity);

/* Copy the server's certificate to `out`, in and after TLS_JUDGE. Returns its length. ERROR_ARGUMENT: there
 * is none yet. ERROR_SPACE; TLS_CERTIFICATE_SIZE bytes are always enough. */
PHONETRUST_API int phonetrust_tls_certificate(struct phonetrust_tls *tls, uint8_t *out, size_t capacity);

/* Say that the certificate is believed. The handshake goes on. ERROR_ARGUMENT in any state except TLS_JUDGE.
 * Other errors are those of phonetrust_tls_receive. */
PHONETRUST_API int phonetrust_tls_accept(struct phonetrust_tls *tls);

/* Move plaintext of the server into `out`. Returns how many bytes, 0 if there are none now. */
PHONETRUST_API int phonetrust_tls_read(struct phonetrust_tls *tls, uint8_t *out, size_t capacity);

/* Encrypt plaintext for the server. Returns how many bytes were taken, 0 if the caller has to send the output
 * first. ERROR_ARGUMENT in any state except TLS_OPEN. */
PHONETRUST_API int phonetrust_tls_write(struct phonetrust_tls *tls, const uint8_t *data, size_t length);

/* End TLS. The state becomes TLS_SHUT, and the output has a close_notify, or the alert bad_certificate if the
 * state was TLS_JUDGE. After a failure it does nothing. Returns 0. */
PHONETRUST_API int phonetrust_tls_close(struct phonetrust_tls *tls);

/* Facts of a connection, as numbers. */
#define PHONETRUST_TLS_FACT_STATE 0
#define PHONETRUST_TLS_FACT_ERROR 1    /* the error without its sign, 0: none */
#define PHONETRUST_TLS_FACT_ALERT 2    /* the server's fatal alert (RFC 8446, 6), TLS_NO_ALERT: none */
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
