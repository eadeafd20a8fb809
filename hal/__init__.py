# SPDX-License-Identifier: MIT
"""The hardware abstraction: everything the agent may do to the world, as one object with small parts.

A Hal has the parts `net`, `flash`, `files`, `clock`, `random`, `crypto`, `console`, `board`, `loads`. There are three of them:
`hal.host.Hal` (a PC, CPython), `hal.device.Hal` (MicroPython on Linux boards) and `hal.fake.Hal` (tests, both Pythons).
The agent is handed one and imports none. No trust rule lives here.

Conventions of all parts: times are whole milliseconds, sizes are bytes, buffers are anything with the buffer protocol
(bytes, bytearray, memoryview). Errors are builtin ones only: OSError for whatever the world does (its errno is
positive, on both Pythons: ETIMEDOUT for silence), ValueError for bytes that crypto cannot read and for wrong
arguments. close() may be called twice.

net
    resolve(host, port) -> address. Opaque; OSError where the name is unknown.
    address_text(address) -> "192.0.2.1:69".
    same_host(a, b) -> True where two addresses differ in nothing but the port.
    udp() -> socket on a free port: send(data, address); receive_into(buffer, timeout) -> (count, address), None after
        `timeout` ms of silence, a longer datagram is cut to the buffer; close(). A refused port (ICMP) is silence.
    tcp(host, port, timeout), tls(host, port, timeout, identity=None) -> stream: read_into(buffer) -> count, 0 = end;
        write(data) writes all; peer_certificate: DER, None without TLS; close(). `timeout` bounds each connect,
        whole handshake, read and write. tls checks no chain, no host name and no date: who called decides by
        peer_certificate. identity = (certificate DER, private key DER) is shown if the server asks for it.
    listen_local(path) -> listener of a Unix socket (an old socket file is replaced): accept() -> local stream, None
        where nobody waits; close() also removes the file. A local stream never blocks: read_into(buffer) -> count, 0 =
        end, None = nothing now; write(data) -> how much was taken, 0 = full; process: the number of the program at the
        other end, 0 where the system does not tell; close().
    poller() -> waits for several of: listener, local stream, console. watch(thing, writing=False) (again to change
        it), forget(thing), wait(timeout) -> list of (thing, readable, writable), empty after `timeout` ms; None = no
        limit. A stream whose other end has gone is readable.

flash: a raw region of fixed size
    size; read_into(offset, buffer) fills the buffer; write(offset, data); sync() returns when all writes before it
    will survive a loss of power. Between two syncs writes may reach the medium in any order, whole, in part or not at
    all. OSError on failure, ValueError outside of the region.

loads: the phone's own software on its card, in two slots; None where the phone cannot replace it
    running ("a" or "b"): the slot that was started. boot: how, as the boot loader says: "normal", "trial", "refused",
    "unconfirmed", "fallback" (host_tools/image/uboot/boot.cmd). slots["a"], slots["b"]: regions as `flash` is one, a boot
    image begins at 0. environment: two such regions, the copies of the boot loader's environment. confirmed(): the load
    on trial stays; whoever watches over the trial is told.

files: files that other programs of the phone read (hal/files.py); None where the phone keeps none
    create(owner) -> a sink: begin(size or None), write(block); then keep() -> its path, or drop(). OSError on failure.
        Only so many are kept for one owner (a number), the oldest goes first; release(owner) removes them. All are gone
        after a restart.

clock
    monotonic() -> ms since some start, never back. wall() -> seconds since 1970, None where the board does not know.
    sleep(ms).

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
    header_index(data, limit), record_index(data, start, limit), check_records(data, start, limit): walks of a trust
        list, as native/phonetrust.h describes them: (count or a negative error, rows, tag, offset). rows: an array of
        numbers with room for at least `count` rows; tag, offset: of the fault. `limit`: the most TLVs or records that
        are read. None where there is no accelerator.
    make_key(kind, bits) -> (private key DER, SubjectPublicKeyInfo DER). "rsa" of 1024 to 4096 bits, "ec" of 256, 384,
        521; ValueError for others. Seconds on a board. public_key(private_key) -> SubjectPublicKeyInfo DER.
    sign(private_key, scheme, digest) -> signature. "rsa-bare": PKCS#1 type 1 padding without a DigestInfo, as CAPF
        wants it; "ecdsa": DER. ValueError: unreadable key, or one that is not for the scheme.
    unwrap_key(private_key, wrapped, length) -> AES key, RSAES-PKCS1-v1_5. A wrong key or padding gives random bytes:
        only the plaintext's digest tells. ValueError: unreadable private key, `wrapped` of an impossible length.
    decrypt_stream(key, iv) -> AES-CBC: update(data) decrypts a bytearray of whole 16 byte blocks in place.

console
    write(text) as it stands, no line end added. read_line(timeout) -> text without its line end, None after `timeout`
    ms without a whole line (what was typed so far is kept) and EOFError at the end of input.

board
    mac ("00270DC01C92"), model ("8861"), version (of the firmware). restart() does not return. watchdog() feeds it.
    led(on). A board without watchdog or LED does nothing there.
"""
