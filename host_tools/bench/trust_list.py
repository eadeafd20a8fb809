# SPDX-License-Identifier: MIT
"""Judging a trust list in process: the agent with libphonetrust against a plain reader and bare cryptography."""

import time
from pathlib import Path

from agent.formats.header import Header
from agent.formats.trustlist import TrustList
from agent.trust.decision import Decision
from agent.trust.rules import Trust
from hal.host import crypto
from host_tools.bench import plain_reader
from host_tools.bench.measure import Line, medians

VECTORS = Path(__file__).resolve().parent.parent.parent / "tests" / "vectors"
LIST = "itl-over64k.tlv"
ROUNDS = 101
CALLS = 5


def lines():
    """All checks of a list of 63 records (88 KB, the size limit lifted), and how they split up."""
    data = (VECTORS / LIST).read_bytes()
    native, fallback = crypto("native"), crypto("cryptography")
    header = TrustList(data, native, len(data)).header
    signer = next(iter(TrustList(data, native, len(data)).signers(header.issuer, header.serial, (0,))))[0].certificate

    def judge(part):
        decision = Trust(part, limit=len(data)).decide_list("itl", data)
        if not isinstance(decision, Decision) or not decision.accepted:
            raise RuntimeError(f"the list was not accepted: {decision}")

    def bare():
        digest = native.digest(header.digest_algorithm, data, header.signature_cut)
        if not native.verify(signer, header.digest_algorithm, digest, header.signature):
            raise RuntimeError("the signature does not verify")

    view, digest = memoryview(data), native.digest(header.digest_algorithm, data, header.signature_cut)
    sides = [
        lambda: judge(native),
        lambda: plain_reader.read(data),
        bare,
        lambda: judge(fallback),
        lambda: native.digest(header.digest_algorithm, data, header.signature_cut),
        lambda: native.verify(signer, header.digest_algorithm, digest, header.signature),
        lambda: native.check_records(view, header.length, 1 << 12),
        lambda: Header(data),
    ]
    times = medians(sides, ROUNDS, CALLS, time.process_time)
    ours, plain, alone, by_fallback, hashing, verifying, records, reading = (seconds * 1e6 for seconds in times)
    profile = [
        (f"{header.digest_algorithm.upper().replace('SHA', 'SHA-')} of {len(data) // 1024} KB, mbedTLS", hashing),
        ("the signature, RSA 2048, mbedTLS", verifying),
        ("63 records held against their certificates, libphonetrust", records),
        ("the header, Python", reading),
        ("finding the signer, rules, sentences, Python", max(ours - hashing - verifying - records - reading, 0)),
    ]
    what = "63 records, all checks, against"
    yield Line(
        f"{what} a plain reader", ours, "us", plain, 0.15,
        "the agent with libphonetrust judges a list of 88 KB, the size limit lifted; other: struct and `cryptography`, each "
        "certificate loaded, its names, serial and key compared with the record's, the signature verified", 1, profile,
    )  # fmt: skip
    yield Line(
        f"{what} digest and signature alone", ours, "us", alone, 1.25,
        "the same; other: libphonetrust's digest and signature check of that file, nothing else", 2, profile,
    )  # fmt: skip
    yield Line(
        "63 records, all checks, without libphonetrust", by_fallback, "us", plain, None,
        "the agent on `cryptography`; other: the plain reader",
    )  # fmt: skip
