# SPDX-License-Identifier: MIT
"""Every truncation and every single-bit flip of signed files is refused, on both cryptos."""

import time
from concurrent.futures import ProcessPoolExecutor

from agent.errors import Refused
from agent.formats.encrypted import decrypt
from agent.formats.header import Header
from agent.trust.decision import Answer, Question
from agent.trust.rules import Trust
from hal.host import crypto
from tests.helpers.agent.both import vector
from tests.helpers.agent.building import der
from tests.helpers.agent.phone_world import own_pair
from tests.torture.tally import Tally

CONFIGURATION = "SEP00270DC01C92.cnf.xml.sgn"
ENCRYPTED = "SEP00270DC01C92.cnf.xml.enc.sgn"
#: (file, as what, installed ITL, installed CTL, certificate that TVS vouches for): each way by which a signature is believed
FILES = (
    ("itl-base.tlv", "itl", None, None, None),  # first use: by its own signer
    ("itl-sha512.tlv", "itl", "itl-base.tlv", None, None),
    ("itl-base.tlv", "itl", None, "ctl-mixed.tlv", None),
    ("itl-tftpregen-selfsigned.tlv", "itl", "itl-base.tlv", None, "cucmnew.cert.pem"),
    ("ctl-mixed.tlv", "ctl", "itl-base.tlv", None, None),
    ("cfg-sha1.cnf.xml.sgn", CONFIGURATION, "itl-base.tlv", None, None),
    ("cfg-sha512.cnf.xml.sgn", CONFIGURATION, "itl-base.tlv", "ctl-mixed.tlv", None),
    ("cfg-new.cnf.xml.sgn", CONFIGURATION, "itl-base.tlv", None, "cucmnew.cert.pem"),
    (ENCRYPTED, ENCRYPTED, "itl-base.tlv", None, None),
)
BACKENDS = ("native", "cryptography")
STRIDE = 1000003  # a prime over each number of changes, so that each comes once
ROLES = [0, 3]  # SAST, TFTP
PROCESSES = 2
CIPHERTEXT = 0.25  # of the seconds


class Ways:
    """One row of FILES under one crypto: judge(bytes) is what a phone decides about them."""

    def __init__(self, row, library):
        self.name, self.kind, itl, ctl, self.vouched = row
        self.library = library
        self.trust = Trust(library, itl=itl and vector(itl), ctl=ctl and vector(ctl), device="SEP00270DC01C92")

    def judge(self, data):
        """A Decision."""
        if self.kind in ("itl", "ctl"):
            found = self.trust.decide_list(self.kind, data)
        else:
            found = self.trust.decide_file(self.kind, data, limit=1 << 20)
        while isinstance(found, Question):
            found = self.trust.answer(found, self._answer())
        return found

    def _answer(self):
        """A TVS that vouches for one certificate in every answer, which is more than a real TVS would do."""
        return Answer("valid", der(self.vouched), ROLES) if self.vouched else Answer("unreachable")


def changes(data, seed):
    """(name, changed bytes): every truncation and every flipped bit, in an order that is even over the file wherever it is
    stopped, and begins elsewhere for each seed."""
    sizes, bits = len(data), len(data) * 8
    for number in range(sizes + bits):
        place = (seed * 7919 + number * STRIDE) % (sizes + bits)
        if place < sizes:
            yield f"cut to {place} bytes", data[:place]
        else:
            changed = bytearray(data)
            bit = place - sizes
            changed[bit >> 3] ^= 1 << (bit & 7)
            yield f"bit {bit & 7} of byte {bit >> 3} flipped", bytes(changed)


def run(effort):
    """Two lines: signed files, and the ciphertext behind a good signature."""
    return [signed(effort), ciphertext(effort)]


def signed(effort):
    """Every change of a signed file, as far as the seconds go: each way and crypto is a job, and two jobs run at once."""
    tally = Tally("bits: cuts and flips of signed files")
    processes = 1 if effort.short else PROCESSES
    rows = [(backend, row) for backend in BACKENDS for row in FILES]
    sizes = [len(vector(row[0])) * 9 for _, row in rows]
    share = effort.seconds * (1 - CIPHERTEXT) * processes / sum(sizes)  # s for each change
    jobs = [(backend, row, effort.seed, size * share) for (backend, row), size in zip(rows, sizes, strict=True)]
    for found in each_of(way, jobs, processes):
        tally.add(found)
    total = sum(sizes)
    which = "all" if tally.cases == total else f"{tally.cases:,} of the {total:,}"
    tally.note = f"{which} that there are: {len(FILES)} ways to be believed, both cryptos."
    return tally


def each_of(does, jobs, processes):
    """The Tally does(job) of each job, in processes of their own where there are more than one."""
    if processes == 1:
        return map(does, jobs)
    with ProcessPoolExecutor(processes) as pool:
        return list(pool.map(does, jobs, chunksize=1))


def way(job):
    """The Tally of one way to be believed under one crypto, as far as its seconds go."""
    backend, row, seed, seconds = job
    tally = Tally(f"{backend}, {row[0]}")
    judged = Ways(row, crypto(backend))
    whole = vector(row[0])
    assert judged.judge(whole).accepted, f"{row} must be accepted as it is"
    ends = time.monotonic() + seconds
    for name, data in changes(whole, seed):
        begun = time.monotonic()
        label = f"{backend}, {row[0]} as {row[1]}: {name}"
        try:
            accepted = judged.judge(data).accepted
        except Exception as error:
            tally.lose(f"{label}: {error!r}", time.monotonic() - begun)
            continue
        _count(tally, label, accepted, begun)
        if begun > ends:
            break
    return tally


def ciphertext(effort):
    """The signature taken as good: the digest of the plaintext alone must notice each change of the ciphertext."""
    tally = Tally("bits: ciphertext behind a good signature")
    body = len(vector(ENCRYPTED)) - Header(vector(ENCRYPTED)).length
    processes = 1 if effort.short else PROCESSES
    seconds = effort.seconds * CIPHERTEXT * processes / len(BACKENDS)
    jobs = [(backend, effort.seed, seconds) for backend in BACKENDS]
    for found in each_of(second_defence, jobs, processes):
        tally.add(found)
    total = body * 9 * len(BACKENDS)
    which = "all" if tally.cases == total else f"{tally.cases:,} of the {total:,}"
    tally.note = f"{which} that there are; the second defence alone."
    return tally


def second_defence(job):
    """The Tally of one crypto, as far as its seconds go."""
    backend, seed, seconds = job
    tally = Tally(f"{backend}, ciphertext")
    data = vector(ENCRYPTED)
    header = Header(data)
    library, key = crypto(backend), own_pair()[1]
    ends = time.monotonic() + seconds
    for name, changed in changes(data[header.length :], seed):
        begun = time.monotonic()
        try:
            found = decrypt(library, key, header, memoryview(bytearray(changed)))
        except Refused:
            found = None
        _count(tally, f"{backend}: ciphertext, {name}", found is not None, begun)
        if begun > ends:
            break
    return tally


def _count(tally, label, accepted, begun):
    took = time.monotonic() - begun
    if accepted:
        tally.accept(label, took)
    else:
        tally.survive(took)
