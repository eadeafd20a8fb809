# SPDX-License-Identifier: MIT
"""The hardware abstraction: everything the agent may do to the world, as one object with small parts.

A Hal has the parts `net`, `flash`, `files`, `published`, `clock`, `random`, `crypto`, `console`, `board`,
`loads`. There are three:
`hal.host.Hal` (a PC, CPython), `hal.device.Hal` (MicroPython on Linux boards) and `hal.fake.Hal` (tests, both Pythons).
The agent is handed one and imports none. No trust rule lives here.

hal/__init__.pyi has the same interface as types.

Conventions of all parts: times are whole milliseconds, sizes are bytes, buffers are anything with the buffer protocol
(bytes, bytearray, memoryview). Errors are builtin ones only: OSError for whatever the world does (its errno is
positive, on both Pythons: ETIMEDOUT for silence), ValueError for bytes that crypto cannot read and for wrong
arguments. close() may be called twice.

Whatever waits is async, for asyncio's loop, and blocks no other task. A `deadline` is a reading of clock.monotonic() at
which the wait ends. What is there already is given also after its deadline. One task at a time may wait for one direction
of a socket; a task that waits for what another one closes gets OSError (EBADF). A wait may be cancelled.

net
    resolve(host, port, deadline) -> address. Opaque; for a name or an IPv4 or IPv6 address in digits. A name that has
        both: IPv4, where there is a route. OSError: ENOENT where there is none, ETIMEDOUT.
    address_text(address) -> "192.0.2.1:69", "[2001:db8::1]:69".
    same_host(a, b) -> True where two addresses differ in nothing but the port.
    udp(address) -> socket on a free port for servers with addresses of this kind: send(data, address);
        receive_into(buffer, deadline) -> (count, address), None at the deadline; a longer datagram is cut to the buffer.
        close(). A refused port (ICMP) is silence.
    tcp(host, port, deadline) -> stream; the deadline is for name and connection together.
    tls(host, port, deadline, accept, identity=None) -> stream; the deadline is for name, connection and handshake. It
        checks no chain, no host name and no date: accept(certificate DER) is awaited when the server has shown its
        certificate and proved its key, and nothing of the phone's own is sent before it says True. identity =
        (certificate DER, private key DER) is shown then, if the server asks for it. OSError: EACCES where it says False,
        EPROTO where TLS fails. ValueError: identity. tls_name: whose TLS it is. static_rsa, which may be set: whether
        key exchange by RSA encryption is offered, for servers of TLS 1.2 that have no other; False at first.
    A stream has read_into(buffer, deadline) -> count, 0 = end; write(data, deadline) writes all; peer_certificate: DER,
        None without TLS; close(), which waits for nothing. orderly: after the end, whether the server said that it is the
        end: close_notify in TLS, any end of plain TCP. A cut TLS connection is an end that is not orderly.
    listen_local(path) -> listener of a Unix socket (an old socket file is replaced): accept() -> local stream; close() also
        removes the file. A local stream has read_into(buffer, deadline=None), write(data, deadline) and close() like a
        stream, and process, user, group: the numbers of the program at the other end, as they were when it connected.

flash: a raw region of fixed size
    size; read_into(offset, buffer) fills the buffer; write(offset, data); sync() returns when all writes before it
    will survive a loss of power. Between two syncs writes may reach the medium in any order, whole, in part or not at
    all. OSError on failure, ValueError outside of the region.

loads: the phone's own software on its card, in two slots; None where the phone cannot replace it
    running ("a" or "b"): the slot that was started. boot: how, as the boot loader says: "normal", "trial", "refused",
    "unconfirmed", "fallback" (host_tools/image/uboot/boot.cmd). slots["a"], slots["b"]: regions as `flash` is one, a boot
    image begins at 0. environment: two such regions, the copies of the boot loader's environment. confirmed(): the load
    on trial stays, and the program that watches over the trial is told.

files: files that other programs of the phone read (hal/files.py); None where the phone keeps none
    create(owner) -> a sink: begin(size or None), write(block); then keep() -> its path, or drop(). OSError on failure.
        Only so many are kept for one owner (a number), the oldest goes first; release(owner) removes them. All are gone
        after a restart.

published: small files that other programs find by their names (hal/files.py); None where the phone keeps none
    replace(name, pieces) makes the texts the whole content of a file in one step, remove(name). OSError on failure.

clock
    monotonic() -> ms since some start, never back. sleep(duration): other tasks run for so many ms.

random
    bytes(n) -> n bytes from the system's generator.

crypto: pure computation; the modules that decide may be handed it
    name: "libphonetrust" or "cryptography".
    digest(algorithm, data, cut=None) -> bytes. algorithm: "sha1", "sha256", "sha384", "sha512". cut=(offset, length)
        is left out: a signed file is digested without its SIGNATURE TLV.
    digest_stream(algorithm) -> update(data), digest() once, close().
    verify(certificate_der, algorithm, digest, signature) -> bool. RSA PKCS#1 v1.5 of 1024 to 4096 bits, ECDSA on
        P-256, P-384, P-521. False: does not verify, a signature of the wrong length included. ValueError: certificate
        unreadable, kind of key not supported, digest of the wrong size.
    certificate(der) -> object with issuer, subject (DER of the Name), serial (unsigned, no leading zero byte, at least
        one byte), public_key (SubjectPublicKeyInfo DER), record_key (content of its BIT STRING: RSAPublicKey DER or EC
        point), key_kind ("rsa", "ec", "other"), key_bits (0 for "other"), signature, signature_algorithm (dotted OID),
        not_before, not_after ("YYYYMMDDHHMMSSZ"). ValueError: unreadable, or bytes after the certificate.
    check_records(data, start, limit): reads and checks all records of a trust list, as native/phonetrust.h describes it:
        (count or a negative error, rows, tag, offset). rows: an array of numbers with room for at least `count` rows, whose
        columns are RecordColumn's in hal/__init__.pyi; tag, offset: of the fault. `limit`: the most records that are read.
        None where there is no accelerator.
    make_key(kind, bits) -> (private key DER, SubjectPublicKeyInfo DER). "rsa" of 1024 to 4096 bits, "ec" of 256, 384,
        521; ValueError for others. Seconds on a board. public_key(private_key) -> SubjectPublicKeyInfo DER.
    sign(private_key, scheme, digest) -> signature. "rsa-bare": PKCS#1 type 1 padding without a DigestInfo, as CAPF
        wants it; "ecdsa": DER. ValueError: the key cannot be read, or does not fit the scheme.
    sign_tls(private_key, scheme, algorithm, digest) -> signature for a TLS handshake, as others' programs ask for it.
        scheme: "rsa-pkcs1" (with DigestInfo), "rsa-pss" (salt as long as the digest), "ecdsa" (DER). algorithm:
        "sha256", "sha384", "sha512". ValueError: `digest` is not exactly that digest, or the key is not for the scheme.
    unwrap_key(private_key, wrapped, length) -> AES key, RSAES-PKCS1-v1_5. A wrong key or padding gives random bytes:
        only the plaintext's digest tells. ValueError: unreadable private key, `wrapped` of an impossible length.
    decrypt_stream(key, iv) -> AES-CBC: update(data) decrypts a bytearray of whole 16 byte blocks in place.

console
    write(text) as it stands, no line end added. It never waits: where the console does not take it, up to 16 KB are kept
        for later, then whole lines are lost, and a line says how many. read_line() -> the next line without its end; one of
        more than 200 bytes is dropped. EOFError at the end of input.

board
    mac ("00270DC01C92"), model ("8861"). restart() does not return. watchdog() feeds it; a board without one does nothing.
"""
