# SPDX-License-Identifier: MIT
"""A large signed file verified while it arrives, against the bare SHA-512 of the same bytes by the same library."""

import time
from datetime import UTC, datetime

from agent.flash.loadslot import PIECE
from agent.formats.signedfile import SignedFileSink
from agent.trust.rules import Trust
from hal.host import crypto
from host_tools.bench.measure import Line, medians
from host_tools.lab.model.keys import KeyMaker, make_identity
from host_tools.lab.writers import files

NAME = "load.sgn"
SIZE = 16 << 20
TFTP_BLOCK = 1428  # bytes; a phone puts them together to pieces of PIECE before it verifies
ROUNDS = 7
TFTP_ROLE, SAST_ROLE = 3, 0


def make(size):
    """(signed file with a body of `size` bytes, trust list that names its signer)."""
    signer = make_identity("bench", KeyMaker().rsa())
    now = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    records = [files.record(signer.certificate, role) for role in (SAST_ROLE, TFTP_ROLE)]
    trusted = files.trust_list("ITLFile.tlv", signer, records, now)
    return files.signed_file(NAME, bytes(size), signer, now), trusted


def verify(native, trust, data, block):
    """Judge the file, block by block."""
    sink, view = SignedFileSink(native, len(data)), memoryview(data)
    sink.begin(len(data))
    for at in range(0, len(data), block):
        sink.write(view[at : at + block])
    decision = trust.decide_file(NAME, sink.finish())
    if not decision.accepted:
        raise RuntimeError(f"the file was not accepted: {decision.text}")


def lines():
    """16 MB in the pieces that a phone verifies, and as TFTP brings them."""
    native = crypto("native")
    data, trusted = make(SIZE)
    trust = Trust(native, itl=trusted)
    sides = [
        lambda: verify(native, trust, data, PIECE),
        lambda: native.digest("sha512", data),
        lambda: verify(native, trust, data, TFTP_BLOCK),
    ]
    ours, theirs, tftp = (seconds * 1e3 for seconds in medians(sides, ROUNDS, 1, time.process_time))
    yield Line(
        "signed file of 16 MB, verified as it streams", ours, "ms", theirs, 1.05,
        f"CPython, in pieces of {PIECE >> 10} KB, as the phone verifies a load; other: SHA-512 of the same bytes in one piece, "
        "libphonetrust", 4,
        [("SHA-512, mbedTLS", theirs), ("signature, pieces, Python", max(ours - theirs, 0))],
    )  # fmt: skip
    yield Line(
        "the same in blocks of TFTP", tftp, "ms", theirs, None,
        f"CPython, {TFTP_BLOCK} bytes a block, as the network brings them",
    )  # fmt: skip
