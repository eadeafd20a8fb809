# SPDX-License-Identifier: MIT
"""The hardware abstraction: one object with small parts, through which alone the agent reaches the world.

A Hal has the parts `net`, `flash`, `loads`, `files`, `published`, `clock`, `random`, `crypto`, `console` and `board`. There are
three Hals: `hal.host.Hal` (a PC, CPython), `hal.device.Hal` (MicroPython on Linux boards) and `hal.fake.Hal` (tests, both
Pythons). The agent is given a Hal and imports none. No trust rule is here. hal/__init__.pyi has the same interface as types.

Conventions of all parts: times are whole milliseconds, sizes are bytes, and a buffer is any object with the buffer protocol
(bytes, bytearray, memoryview). Only builtin errors are raised: OSError if something in the world fails (its errno is positive on
both Pythons; silence is ETIMEDOUT), ValueError for bytes that crypto cannot read and for wrong arguments. close() may be
called twice.

A function that waits is async, for asyncio's loop, and blocks no other task. A `deadline` is a reading of clock.monotonic() at
which the wait ends. Data that is there already is returned even after the deadline. Only one task at a time may wait for one
direction of a socket. If another task closes the socket, the waiting task gets OSError (EBADF). A wait may be cancelled.

net
    resolve(host, port, deadline) -> address, which is opaque. host: a name, or an IPv4 or IPv6 address in digits. If a name has
        both, the result is IPv4 if there is a route. OSError: ENOENT if there is no address, ETIMEDOUT.
    address_text(address) -> "192.0.2.1:69", "[2001:db8::1]:69".
    same_host(a, b) -> whether two addresses differ only in their ports.
    udp(address) -> a socket on a free port, for servers with addresses of this kind. send(data, address);
        receive_into(buffer, deadline) -> (count, address), or None at the deadline. A longer datagram is cut to the buffer.
        close(). A refused port (ICMP) counts as silence.
    tcp(host, port, deadline) -> a stream. The deadline covers name and connection together.
    tls(host, port, deadline, accept, identity=None) -> a stream. The deadline covers name, connection and handshake. TLS checks
        no chain, no host name and no date. Instead, accept(certificate DER) is awaited after the server has shown its
        certificate and proved its key. The phone sends nothing of its own before accept() returns True. If the server asks
        for a certificate, it is then shown identity = (certificate DER, private key DER). OSError: EACCES if accept()
        returns False, EPROTO if TLS fails. ValueError: the identity cannot be used.
    tls_name: the name of the TLS engine. static_rsa: whether the phone offers key exchange by RSA encryption, for servers of
        TLS 1.2 that have no other; False at first, may be set.
    A stream has read_into(buffer, deadline) -> count, 0 at the end; write(data, deadline), which writes all of it;
        peer_certificate: DER, None without TLS; close(), which never waits; and orderly: whether the server announced the
        end, by close_notify in TLS, or by any end of plain TCP. A TLS connection that was cut has not ended orderly.
    listen_local(path) -> a listener of a Unix socket; it replaces an old socket file. accept() -> a local stream. close() also
        removes the file. A local stream has read_into(buffer, deadline=None), write(data, deadline) and close() like a
        stream. Its process, user and group are the numbers of the program at the other end when it connected.

flash: a raw region of fixed size
    size. read_into(offset, buffer) fills the buffer. write(offset, data). sync() returns when all writes before it will survive
    a loss of power. Between two syncs writes may reach the medium in any order, completely, in part or not at all. OSError on
    failure, ValueError outside of the region.

loads: the phone's own software on its card, in two slots; None if the phone cannot replace it
    running: the slot that was started, "a" or "b". boot: how the boot loader started it: "normal", "trial", "refused",
    "unconfirmed" or "fallback" (host_tools/image/uboot/boot.cmd). slots["a"], slots["b"]: regions like `flash`; a boot image
    begins at offset 0. environment: a list of two such regions, the copies of the boot loader's environment. confirmed() tells
    the program that watches over the trial that the load on trial stays.

files: files that other programs of the phone read (hal/files.py); None if the phone keeps none
    create(owner) -> a sink: begin(size or None), write(block), then keep() -> its path, or drop(). OSError on failure. An
        owner (a number) has a limited number of files, and a new file replaces the oldest. release(owner) removes them all.
        A restart removes all files.

published: small files that other programs find by their names (hal/files.py); None if the phone keeps none
    replace(name, pieces) makes the texts `pieces` the whole content of a file, in one step. remove(name). OSError on failure.

clock
    monotonic() -> ms since some start; it never goes back. sleep(duration) lets other tasks run for that many ms.

random
    bytes(n) -> n bytes from the system's generator.

crypto: pure computation, so the modules that decide may use it
    name: "libphonetrust" or "cryptography".
    digest(algorithm, data, cut=None) -> bytes. algorithm: "sha1", "sha256", "sha384" or "sha512". cut=(offset, length) is left
        out: a signed file is digested without its SIGNATURE TLV.
    digest_stream(algorithm) -> an object with update(data), digest(), which may be called once, and close().
    verify(certificate_der, algorithm, digest, signature) -> bool. It knows RSA PKCS#1 v1.5 of 1024 to 4096 bits, and ECDSA on
        P-256, P-384 and P-521. False also for a signature of the wrong length. ValueError: the certificate is unreadable, its
        kind of key is not supported, or the digest has the wrong size.
    certificate(der) -> an object with issuer, subject (DER of the Name), serial (unsigned, no leading zero byte, at least one
        byte), public_key (SubjectPublicKeyInfo DER), record_key (content of its BIT STRING: RSAPublicKey DER or EC point),
        key_kind ("rsa", "ec", "other"), key_bits (0 for "other"), signature, signature_algorithm (dotted OID), not_before,
        not_after ("YYYYMMDDHHMMSSZ"). ValueError: it is unreadable, or bytes follow the certificate.
    check_records(data, start, limit) reads and checks all records of a trust list, at most `limit`, as native/phonetrust.h
        describes it: (count or a negative error, rows, tag, offset). rows: an array of numbers with room for at least `count`
        rows; RecordColumn in hal/__init__.pyi has their columns. tag, offset: the place of the fault. Returns None if there is
        no accelerator.
    make_key(kind, bits) -> (private key DER, SubjectPublicKeyInfo DER). "rsa" of 1024 to 4096 bits, or "ec" of 256, 384 or 521
        bits. ValueError for others. An RSA key takes seconds on a board. public_key(private_key) -> SubjectPublicKeyInfo DER.
    sign(private_key, scheme, digest) -> signature. "rsa-bare": PKCS#1 type 1 padding without a DigestInfo, as CAPF wants it;
        "ecdsa": DER. ValueError: the key cannot be read, or is not for this scheme.
    sign_tls(private_key, scheme, algorithm, digest) -> a signature for the TLS handshake of another program. scheme:
        "rsa-pkcs1" (with DigestInfo), "rsa-pss" (salt as long as the digest) or "ecdsa" (DER). algorithm: "sha256", "sha384"
        or "sha512". ValueError: `digest` does not have the size of that digest, or the key is not for this scheme.
    unwrap_key(private_key, wrapped, length) -> AES key, by RSAES-PKCS1-v1_5. A wrong key or wrong padding gives random bytes,
        so that only the digest of the plaintext tells. ValueError: the private key is unreadable, or `wrapped` has an
        impossible length.
    decrypt_stream(key, iv) -> AES-CBC: update(data) decrypts a bytearray of whole blocks of 16 bytes in place.

console
    write(text) writes the text as it is, without adding a line end. It never waits. If the console does not take the text, up to
        16 KB are kept for later; beyond that whole lines are dropped, and a line says how many. read_line() -> the next line
        without its end. A line of more than 200 bytes is dropped. EOFError at the end of the input.

board
    mac ("00270DC01C92"), model ("8861"). restart() does not return. watchdog() feeds the watchdog; a board without a watchdog
    does nothing.
"""
