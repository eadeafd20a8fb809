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
TLS_IDENTITY, TLS_STATIC_RSA = 1, 2  # flags in the first byte of a seed: tests/native/fuzz_tls.c


def pem_blocks(text):
    """(label, DER) of each block of a PEM text."""
    for label, body in re.findall(r"-----BEGIN ([A-Z ]+)-----(.*?)-----END", text, re.S):
        yield label, base64.b64decode(body)


def write(folder, name, data):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


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
    for path in sorted(RECORDINGS.iterdir()):
        write(out / "vectors", path.name, path.read_bytes())
        if path.suffix == "":
            flags = TLS_STATIC_RSA if "static" in path.name else TLS_IDENTITY if path.name == "tls12-rsa" else 0
            write(seeds / "tls", path.name, bytes([flags, 0]) + path.read_bytes()[: LONGEST_SEED - 2])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
