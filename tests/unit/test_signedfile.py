# SPDX-License-Identifier: MIT
from binascii import hexlify

from agent.errors import Malformed, Refused
from agent.formats.header import HEADER_LIMIT
from agent.formats.signedfile import SignedFileSink, looks_signed, read
from tests.helpers.agent import building
from tests.helpers.agent.both import raises, vector
from tests.helpers.agent.building import library

FILE = "cfg-sha512.cnf.xml.sgn"
# SHA-512 without the signature TLV, from sha512sum: (head -c 186 FILE; tail -c +446 FILE) | sha512sum
DIGEST = (
    "3beaaea50b8b30cd3af637be53c0d1017d290ca30c4aa8d67eacc0463cea3dfc"
    "a01ba51536674cb9ec3dbf76dbb8d18c56b9d44763d182db35e4318393d341c8"
)
DIGEST_OF_LOAD = (
    "746ac31c9a6cc59b70e0fdfba42e7ee80be0acc54ca9cc2de51dc8efe046448c"
    "8c74039f51f6ea3f43fd98fc6c735890bc888014bbe8d214582131f35da8b23b"
)


class Body:
    """What a sink hands on."""

    def __init__(self):
        self.begun = []
        self.data = b""

    def begin(self, size):
        self.begun.append(size)
        self.data = b""

    def write(self, block):
        self.data += bytes(block)


def stream(data, size, limit=65536, body=None, announce=True):
    """The file in blocks of `size` bytes through a sink, in a buffer that is used again, as the TFTP client's is."""
    sink = SignedFileSink(library(), limit, body)
    sink.begin(len(data) if announce else None)
    buffer = bytearray(size)
    for at in range(0, len(data), size):
        block = data[at : at + size]
        buffer[: len(block)] = block
        sink.write(memoryview(buffer)[: len(block)])
    return sink.finish()


def test_digest_is_of_all_but_the_signature():
    data = vector(FILE)
    found = read(data, library())
    assert (found.size, found.header.digest_algorithm, found.header.signature_cut) == (len(data), "sha512", (186, 259))
    assert hexlify(found.digest).decode() == DIGEST


def test_bytes_and_memoryview():
    data = vector(FILE)
    for kind in (memoryview, bytearray):
        assert hexlify(read(kind(data), library()).digest).decode() == DIGEST, kind


def test_every_block_size_gives_the_same():
    data = vector(FILE)
    whole = read(data, library())
    for size in list(range(1, 16)) + [255, 256, 483, 484, 485, 512, 824, 825, 826, 1428]:
        body = Body()
        found = stream(data, size, body=body)
        assert (found.digest, found.size) == (whole.digest, whole.size), size
        assert found.header.filename == whole.header.filename and found.header.length == 484
        assert body.data == data[484:] and body.begun == [None], size


def test_a_large_file_through_small_blocks():
    data = vector("load.bin.sgn")
    body = Body()
    found = stream(data, 4096, limit=1 << 20, body=body)
    assert hexlify(found.digest).decode() == DIGEST_OF_LOAD
    assert body.data == data[found.header.length :]


def test_empty_blocks_say_nothing():
    data = vector(FILE)
    sink = SignedFileSink(library(), 65536)
    sink.begin(None)
    sink.write(memoryview(b""))
    for at in range(len(data)):
        sink.write(memoryview(data)[at : at + 1])
        sink.write(memoryview(b""))
    assert sink.finish().digest == read(data, library()).digest


def test_an_empty_body():
    data = vector(FILE)[:484]
    for size in (1, 483, 484, 512):
        body = Body()
        found = stream(data, size, body=body)
        assert found.size == found.header.length == 484
        assert body.data == b"" and body.begun == [None]


def test_a_file_may_start_over():
    data = vector(FILE)
    body = Body()
    sink = SignedFileSink(library(), 65536, body)
    for half in (5, 300, 484, 600):
        sink.begin(len(data))
        sink.write(memoryview(data)[:half])
    sink.begin(len(data))
    sink.write(memoryview(data))
    assert sink.finish().digest == read(data, library()).digest
    assert body.data == data[484:]


def test_a_sink_may_be_closed_at_any_time():
    sink = SignedFileSink(library(), 65536)
    sink.close()
    sink.write(memoryview(vector(FILE)))
    sink.close()
    sink.close()


def test_a_file_that_is_announced_too_large_is_refused_before_its_first_byte():
    sink = SignedFileSink(library(), 1000)
    assert raises(Refused, sink.begin, 1001).reason == "too-large"
    sink.begin(1000)
    sink.close()


def test_limit_announced_and_real():
    data = vector(FILE)
    assert read(data, library(), len(data)).size == len(data)
    for announce in (True, False):
        error = raises(Refused, stream, data, 100, len(data) - 1, None, announce)
        assert error.reason == "too-large"
        assert str(len(data) - 1) in error.text
    assert raises(Refused, read, data, library(), 10).reason == "too-large"


def test_truncated_anywhere_in_the_header_is_malformed():
    data = vector(FILE)
    for end in list(range(0, 20)) + list(range(20, 484, 13)) + [483]:
        for size in (1, 7, 512):
            error = raises(Malformed, stream, data[:end], size)
            assert error.reason == "malformed", (end, size)


def test_garbage_is_malformed():
    for data in (
        b"",
        b"\0",
        b"<device/>",
        b"<?xml version='1.0'?><device></device>",
        b"\x01",
        b"\x01\x00\x03aaa" + bytes(20),
        b"\x01\x00\x02\x01\x00\x03\x00\x02\x00\x0a",
        b"\x01\x00\x02\x01\x00\x02\x00\x02\x00\x09",
        b"\xff" * 9000,
    ):
        for size in (1, 4, 1428):
            raises(Malformed, stream, data, size)
        raises(Malformed, read, data, library())


def test_header_limit():
    def padded(to):
        size = len(building.signed_file("x.sgn", b"", rest=b""))
        return building.signed_file("x.sgn", b"body", rest=b"\x0d" * (to - size))

    data = padded(HEADER_LIMIT)
    for size in (100, 8192, 10000):
        assert stream(data, size).header.length == HEADER_LIMIT
    for size in (1, 100, 10000):
        error = raises(Malformed, stream, padded(HEADER_LIMIT + 1), size)
        assert error.tag == 2 and str(HEADER_LIMIT) in error.what


def test_faults_in_the_header_come_through():
    good = building.signed_file("x.sgn", b"body")
    assert stream(good, 9).header.filename == "x.sgn"
    for change, tag in (({"filename": building.tlv(14, b"x")}, 14), ({"signature": None}, 12)):
        error = raises(Malformed, stream, building.header(**change) + b"body", 9)
        assert error.tag == tag
    error = raises(Malformed, read, building.header_of([], version=b"\1\0\0"), library())
    assert error.tag == 1
    error = raises(Malformed, read, building.header_of([b"\x0d" * 20], version=b"\1\0\0"), library())
    assert error.tag == 1


def test_what_looks_signed():
    for name in ("SEP00270DC01C92.cnf.xml.sgn", "load.bin.sgn", "SEP00270DC01C92.cnf.xml.enc.sgn"):
        assert looks_signed(vector(name)) and looks_signed(memoryview(vector(name))), name
    for data in (b"", b"<?xml version='1.0'?>", b"\xef\xbb\xbf<device/>", b"\n<device/>", b"\0"):
        assert not looks_signed(data), data


def test_encrypted_file():
    found = read(vector("SEP00270DC01C92.cnf.xml.enc.sgn"), library())
    assert found.header.encryption is not None and found.header.length == 868
