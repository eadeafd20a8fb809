# SPDX-License-Identifier: MIT
"""Headers of loads that somebody changed who has a load of the maker's and not the key: tags twice, sizes that lie, bytes
too many. None gets so far that the boot loader hears of it."""

from agent.errors import Refused
from agent.formats import tlv
from agent.formats.header import Header
from agent.formats.signedfile import SignedFileSink
from agent.trust.loads import LoadRules, Software
from tests.helpers.agent.both import MICROPYTHON
from tests.helpers.agent.building import library
from tests.helpers.agent.load_world import NEW, OLD_IMAGE, RUNNING, LoadWorld, cluster, load

HEAP = "16m"
TIMEOUT = 300
GOOD = load("new.sgn")
LENGTH = Header(GOOD).length
PLACES = {tag: (offset, length) for tag, offset, length in tlv.header_tlvs(GOOD)}
MALFORMED = NEW + ".sgn !malformed"


def with_length(header, body=GOOD[LENGTH:]):
    """A file of this header, whose HEADERLENGTH fits."""
    return header[:8] + len(header).to_bytes(2, "big") + header[10:] + body


def whole(tag):
    """A TLV of the good header, tag and length included."""
    offset, length = PLACES[tag]
    return GOOD[offset - 3 : offset + length]


def put(tag, value, at=0):
    """The good file with bytes of a tag's value changed."""
    offset = PLACES[tag][0] + at
    return GOOD[:offset] + value + GOOD[offset + len(value) :]


def sized(tag, change):
    """The good file whose tag says that its value is `change` bytes longer."""
    offset, length = PLACES[tag]
    return GOOD[: offset - 2] + (length + change).to_bytes(2, "big") + GOOD[offset:]


def reason(data):
    """What a phone decides about this file under the name of a load; it runs on as before."""
    world = LoadWorld(cluster("new"))
    world.files[NEW + ".sgn"] = data
    assert not world.go_on()
    assert world.card.words() == {"slot": "a"} and world.running_image(world.card.slots["a"]) == OLD_IMAGE
    return world.reasons()[-1]


def test_tags_that_stand_there_twice_or_elsewhere():
    end = GOOD[:LENGTH]
    for tag in (tlv.FILENAME, tlv.SIGNATURE, tlv.SIGNERID, tlv.VERSION):
        assert reason(with_length(end + whole(tag))) == MALFORMED, tag
    for tag in (tlv.SERIALNUMBER, tlv.DIGESTALGORITHM, tlv.SIGNATUREMODULUS):  # outside of what they belong into
        assert reason(with_length(end + whole(tag))) == MALFORMED, tag
    assert reason(with_length(end + b"\xc8\0\1x")) == "load !bad-signature", "an unknown tag is read over, and signed"
    for tag in (tlv.FILENAME, tlv.SIGNATURE, tlv.SIGNERID):
        assert reason(with_length(end.replace(whole(tag), b""))) == MALFORMED, "without %d" % tag


def test_sizes_that_lie():
    for tag in (tlv.SIGNERID, tlv.SIGNATUREINFO, tlv.SIGNATURE, tlv.FILENAME, tlv.SERIALNUMBER):
        for change in (-1, 1, 0x4000):
            assert reason(sized(tag, change)) in (MALFORMED, NEW + ".sgn !unsupported"), (tag, change)
    for length in (0, 9, 10, LENGTH - 1, LENGTH + 1, 8193, 0xFFFF):
        found = reason(GOOD[:8] + length.to_bytes(2, "big") + GOOD[10:])
        assert found in (MALFORMED, "load !bad-signature"), (length, found)


def test_bytes_too_many_and_too_few():
    for data, expected in (
        (GOOD + b"\0", "load !bad-signature"),
        (GOOD + GOOD[:2000], "load !bad-signature"),
        (GOOD[:-1], "load !bad-signature"),
        (GOOD[:LENGTH], "load !bad-signature"),
        (GOOD[: LENGTH - 1], MALFORMED),
        (b"", MALFORMED),
        (GOOD[LENGTH:], MALFORMED),  # the boot image alone
        (b"\0" + GOOD, MALFORMED),
    ):
        assert reason(data) == expected, len(data)


def test_other_words_in_the_header():
    for data, expected in (
        (put(tlv.FILENAME, b"P"), "load !wrong-file"),
        (put(tlv.FILENAME, b"\0"), MALFORMED),
        (put(tlv.FILENAME, b"\xff"), MALFORMED),
        (put(tlv.DIGESTALGORITHM, b"\1"), "load !bad-signature"),
        (put(tlv.DIGESTALGORITHM, b"\2"), "load !bad-signature"),
        (put(tlv.DIGESTALGORITHM, b"\7"), MALFORMED),
        (put(tlv.SIGNATUREALGORITHM, b"\1"), NEW + ".sgn !unsupported"),
        (put(tlv.SIGNATUREMODULUS, b"\3"), MALFORMED),
        (put(tlv.TIMESTAMP, b"\0"), "load !bad-signature"),
        (put(tlv.SIGNATURE, b"\xa5" * 256), "load !bad-signature"),
        (put(tlv.SIGNATURE, bytes(256)), "load !bad-signature"),
        (put(tlv.SERIALNUMBER, b"\x7e"), "load !unknown-signer"),
        (put(tlv.SIGNERNAME, b"X"), "load !bad-signature"),
        (load("spare.sgn")[: Header(load("spare.sgn")).length] + GOOD[LENGTH:], "load !wrong-file"),
    ):
        assert data != GOOD and reason(data) == expected, (reason(data), expected)


def test_every_bit_of_the_header():
    """The rules and the reader alone: a changed header is never as good as the maker's."""
    crypto = library()
    rules = LoadRules(crypto, Software(RUNNING, "rpi3", "0.1.0", [load("maker.der"), load("spare.der")]))
    assert _passes(rules, crypto, GOOD)
    for at in range(0, LENGTH, 1 if not MICROPYTHON else 9):
        for bit in range(8) if not MICROPYTHON else (at % 8,):
            data = bytearray(GOOD)
            data[at] ^= 1 << bit
            assert not _passes(rules, crypto, data), (at, bit)


def _passes(rules, crypto, data):
    sink = SignedFileSink(crypto, 1 << 20)
    try:
        sink.write(memoryview(data))
        signed = sink.finish()
        return rules.by_header(NEW, signed.header) is None and rules.by_signature(NEW, signed) is None
    except Refused:
        return False
    finally:
        sink.close()
