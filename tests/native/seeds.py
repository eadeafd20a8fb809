# SPDX-License-Identifier: MIT
"""Prepares the vectors for the C tests: python3 seeds.py VECTORS OUT (the standard library alone).

OUT/vectors: the files themselves, the phone's private key as DER and the recorded TLS handshakes. OUT/seeds/TARGET: first
inputs of each fuzz target."""

import base64
import re
import shutil
import sys
from pathlib import Path

LONGEST_SEED = 9000
RECORDINGS = Path(__file__).resolve().parent / "tls_recordings"
WITH_EC = ("tls12-rsa", "tls13-retry-ec")  # recorded with the client certificate that the fuzz targets have
KEYS_PRIVATE, KEYS_WRAPPED = b"\0", b"\1"  # first bytes of seeds: tests/native/fuzz_keys.c
TLS_IDENTITY, TLS_STATIC_RSA = 1, 2  # flags in the first byte of a seed: tests/native/fuzz_tls.c


def pem_blocks(text):
    """(label, DER) of each block of a PEM text."""
    for label, body in re.findall(r"-----BEGIN ([A-Z ]+)-----(.*?)-----END", text, re.S):
        yield label, base64.b64decode(body)


def write(folder, name, data):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def array_header(name, data):
    """C source of an array of bytes."""
    return f"static const uint8_t {name}[] = {{{','.join(map(str, data))}}};\n".encode()


def identity_header(certificate, key):
    """C source of the client certificate that the fuzz targets of TLS show."""
    lines = ["static const struct fuzz_identity fuzz_own = {"]
    for data in (certificate, key):
        lines.append("{" + ",".join(map(str, data)) + "}, " + str(len(data)) + ",")
    return "\n".join([*lines, "};", ""])


def tls_streams(certificate, recorded):
    """What a server of TLS 1.3 and of 1.2 would send, decrypted but with room for a tag: fuzz_tls_keys.c takes it so."""

    def sized(data, size):
        return len(data).to_bytes(size, "big") + data

    def message(kind, body):
        return bytes([kind]) + sized(body, 3)

    def record(kind, body):
        return bytes([kind]) + b"\x03\x03" + sized(body, 2)

    def sealed_13(kind, body):
        return record(23, body + bytes([kind]) + bytes(16))

    def sealed_12(kind, body):
        return record(kind, bytes(8) + body + bytes(16))

    point = bytes.fromhex(  # the base point of P-256: any point will do
        "04"
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    )
    shared = bytes.fromhex("0033") + sized(b"\x00\x17" + sized(point, 2), 2) + bytes.fromhex("002b00020304")
    session = recorded[44:76]  # the client's own, which is the same each time
    hello_13 = message(2, b"\x03\x03" + b"r" * 32 + sized(session, 1) + b"\x13\x01\0" + sized(shared, 2))
    asks_13 = message(13, b"\0" + sized(bytes.fromhex("000d0008000604030804" + "0603"), 2))
    own_13 = message(11, b"\0" + sized(sized(certificate, 3) + b"\0\0", 3))
    proof = message(15, b"\x06\x03" + sized(bytes(70), 2))
    ticket = message(4, bytes(8) + sized(bytes(8), 1) + sized(bytes(64), 2) + b"\0\0")
    flight = [message(8, b"\0\0"), asks_13, own_13, proof, message(20, bytes(32))]
    data_13 = sealed_13(22, ticket) + sealed_13(23, b"hello") + sealed_13(21, b"\x01\0")
    start = b"\x01\0" + record(22, hello_13) + record(20, b"\x01")
    hello_12 = message(2, b"\x03\x03" + b"r" * 32 + b"\0" + b"\xc0\x2b" + b"\0" + sized(bytes.fromhex("ff01000100"), 2))
    exchange = message(12, b"\x03\x00\x17" + sized(point, 1) + b"\x06\x03" + sized(bytes(70), 2))
    asks_12 = message(13, b"\x02\x01\x40" + sized(bytes.fromhex("04010603"), 2) + b"\0\0")
    flight_12 = [hello_12, message(11, sized(sized(certificate, 3), 3)), exchange, asks_12, message(14, b"")]
    finish = record(20, b"\x01") + sealed_12(22, message(20, bytes(12)))
    data_12 = sealed_12(22, message(0, b"")) + sealed_12(23, b"hello") + sealed_12(21, b"\x01\0")
    return {
        "tls13": start + b"".join(sealed_13(22, each) for each in flight) + data_13,
        "tls13-one-record": start + sealed_13(22, b"".join(flight)) + data_13,
        "tls12": b"\x01\0" + b"".join(record(22, each) for each in flight_12) + finish + data_12,
        "tls12-one-record": b"\0\x40" + record(22, b"".join(flight_12)) + finish + data_12,
    }


def main(vectors, out):
    shutil.rmtree(out / "vectors", ignore_errors=True)
    shutil.rmtree(out / "seeds", ignore_errors=True)
    seeds = out / "seeds"
    for path in sorted(vectors.iterdir()):
        data = path.read_bytes()
        if path.suffix in (".tlv", ".sgn", ".xml"):
            write(out / "vectors", path.name, data)
        if path.suffix in (".tlv", ".sgn") and len(data) > 10:
            start = int.from_bytes(data[8:10], "big")
            write(seeds / "header_index", path.name, data[:start])
            if path.suffix == ".tlv" and len(data) - start < LONGEST_SEED:
                write(seeds / "record_index", path.name, data[start:])
                write(seeds / "check_records", path.name, data[start:])
        if path.suffix == ".pem":
            for label, der in pem_blocks(path.read_text()):
                if label == "CERTIFICATE":
                    write(seeds / "certificate", path.name, der)
                else:
                    write(out / "vectors", path.name.replace(".pem", ".key.der"), der)
                    write(seeds / "keys", path.name, KEYS_PRIVATE + der)
                    write(out, "fuzz_private_key.h", array_header("fuzz_private_key", der))
    for path in sorted(RECORDINGS.iterdir()):
        write(out / "vectors", path.name, path.read_bytes())
        if path.suffix == "":
            flags = TLS_STATIC_RSA if "static" in path.name else TLS_IDENTITY if path.name in WITH_EC else 0
            write(seeds / "tls", path.name, bytes([flags, 0]) + path.read_bytes())
    certificate, key = ((RECORDINGS / f"client-ec521.{part}").read_bytes() for part in ("crt", "key"))
    for name, stream in tls_streams(certificate, (RECORDINGS / "tls13-retry-ec").read_bytes()).items():
        write(seeds / "tls_keys", name, stream)
    write(seeds / "keys", "ec", KEYS_PRIVATE + key)
    write(seeds / "keys", "wrapped", KEYS_WRAPPED + bytes(255) + b"\1")
    write(out, "fuzz_tls_identity.h", identity_header(certificate, key).encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
