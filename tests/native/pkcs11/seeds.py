# SPDX-License-Identifier: MIT
"""Seeds of fuzz_answers.c and the certificate in it: seeds.py FOLDER VECTORS."""

import base64
import sys
from pathlib import Path

SHA256 = "0123456789abcdef" * 4


def der_of(path):
    text = path.read_text().split("-----BEGIN CERTIFICATE-----")[1].split("-----END")[0]
    return base64.b64decode(text)


def main(folder, vectors):
    certificates = {path.name: der_of(path) for path in sorted(Path(vectors).glob("*.cert.pem"))}
    on_curve = certificates["cucmec.cert.pem"]
    rows = [", ".join(str(byte) for byte in on_curve[at : at + 20]) for at in range(0, len(on_curve), 20)]
    (folder / "ec_certificate.h").write_text(f"static const unsigned char ec_certificate[] = {{{', '.join(rows)}}};\n")
    seeds = folder / "seeds"
    seeds.mkdir(exist_ok=True)
    for name, der in certificates.items():
        (seeds / f"certificate-{name}").write_bytes(b"\1" + der)
        said = base64.b64encode(der).decode()
        lines = [
            f'{{"id": 1, "ok": true, "key": "lsc", "certificate": "{said}", "sha256": "{SHA256}"}}',
            '{"id": 2, "ok": true, "key": "mic", "certificate": null, "sha256": null}',
            '{"id": 3, "ok": true, "signature": "MAYCAQECAQE="}',
            '{"id": 4, "ok": false, "error": "no"}',
        ]
        (seeds / f"lines-{name}").write_bytes(b"\0" + "\n".join(lines).encode() + b"\n")
    (seeds / "signature").write_bytes(b"\2" + bytes.fromhex("3006020101020101"))
    (seeds / "signature-long").write_bytes(b"\2" + bytes.fromhex("3046022100" + "ff" * 32 + "022100" + "fe" * 32))


main(Path(sys.argv[1]), sys.argv[2])
