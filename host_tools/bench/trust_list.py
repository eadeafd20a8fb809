# SPDX-License-Identifier: MIT
"""Judging a trust list in process: the agent with libphonetrust against a plain reader and bare cryptography."""

from pathlib import Path

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

    sides = [lambda: judge(native), lambda: plain_reader.read(data), bare, lambda: judge(fallback)]
    ours, plain, alone, by_fallback = (seconds * 1e6 for seconds in medians(sides, ROUNDS, CALLS))
    what = "trust list of 63 records, 88 KB, all checks"
    yield Line(f"{what}, against a plain reader", ours, "us", plain, 0.25, "theirs: struct and `cryptography`")
    yield Line(f"{what}, against bare cryptography", ours, "us", alone, 1.5, "theirs: digest and signature alone")
    yield Line(f"{what}, without libphonetrust", by_fallback, "us", plain, note="ours: agent on `cryptography`")
