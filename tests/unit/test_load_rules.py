# SPDX-License-Identifier: MIT
"""The rules for loads, one at a time (docs/spec/loads.md, W5 to W10): each condition alone makes the difference."""

from agent.formats import names
from agent.formats.signedfile import read
from agent.trust.loads import NAME_LIMIT, LoadRules, Software, parts_of, version_of
from tests.helpers.agent.both import raises
from tests.helpers.agent.building import fields, library
from tests.helpers.agent.load_world import NEW, RUNNING, image, load

MAKER = load("maker.der")


def rules(crypto=None, floor="0.1.0", board="rpi3", certificates=(MAKER,)):
    return LoadRules(crypto or library(), Software(RUNNING, board, floor, certificates))


def reason(decision):
    return decision and decision.reason


def test_what_is_a_version():
    for text, expected in (
        ("0.2.0", (0, 2, 0)),
        ("0.2.10", (0, 2, 10)),
        ("9999.0.0", (9999, 0, 0)),
        ("0.2", None),
        ("0.2.0.1", None),
        ("0.2.", None),
        ("0..1", None),
        ("", None),
        ("0.2.00010", None),  # five digits
        ("0.2.a", None),
        ("0.2.-1", None),
        ("0.2.+1", None),
        ("0.2. 1", None),
        ("0.2.\u0661", None),  # a digit, though not of ASCII
    ):
        assert version_of(text) == expected, text


def test_what_is_the_name_of_a_load():
    longest = "x" * (NAME_LIMIT - len("phonetrust--0.2.0"))
    for name, expected in (
        (NEW, ("rpi3", (0, 2, 0))),
        ("phonetrust-my-board-0.2.0", ("my-board", (0, 2, 0))),
        ("phonetrust-%s-0.2.0" % longest, (longest, (0, 2, 0))),
        ("phonetrust-x%s-0.2.0" % longest, (None, None)),
        ("Phonetrust-rpi3-0.2.0", (None, None)),
        ("sip88xx-rpi3-0.2.0", (None, None)),
        ("phonetrust-0.2.0", (None, None)),
        ("phonetrust--0.2.0", (None, None)),
        ("phonetrust-rpi3-0.2", (None, None)),
        ("phonetrust-rpi3", (None, None)),
        ("", (None, None)),
    ):
        assert parts_of(name) == expected, name


def test_a_floor_that_is_no_version_is_a_mistake():
    for floor in ("", "0.1", "latest"):
        error = raises(ValueError, Software, RUNNING, "rpi3", floor, [MAKER])
        assert "three numbers" in str(error) and repr(floor) in str(error)


class Image:
    """The boot image of the new load with one piece of it replaced by another of the same length."""

    def __init__(self, old=b"", new=b""):
        assert len(old) == len(new)
        data = image("new")
        assert old in data
        self.data = data.replace(old, new)

    def judged(self, name=NEW, **options):
        return reason(rules(**options).by_image(name, self.read, len(self.data)))

    def read(self, offset, count):
        return self.data[offset : offset + count]


def test_what_is_inside_is_compared_one_by_one():
    assert Image().judged() is None
    assert Image(b"\x06\0\0\0>0.2.0\0", b"\x06\0\0\0>0.3.0\0").judged() == "malformed", (
        "another version than its name's"
    )
    assert Image(NEW.encode() + b"\0", b"phonetrust-rpi3-0.3.0\0").judged() == "malformed", "another name"
    assert Image().judged("phonetrust-rpi3-0.3.0") == "malformed", "another name was asked for"
    assert Image(b"-rpi3\0", b"-rpi4\0").judged() == "wrong-board"
    assert Image(b"-rpi3\0", b"-rpi4\0").judged(board="rpi4") is None, "the board inside counts"


def test_the_floor_is_that_of_the_version_inside():
    assert Image().judged(floor="0.2.0") is None
    assert Image().judged(floor="0.2.1") == "load-too-old"
    assert Image().judged(floor="0.10.0") == "load-too-old", "numbers, not text"


class Header:
    filename = NEW + ".sgn"
    subject = issuer = None
    serial = digest_algorithm = timestamp = None
    signature = b""


def header(issuer, serial):
    found = Header()
    found.issuer = found.subject = names.to_text(issuer)
    found.serial = serial
    return found


def test_the_signer_is_known_by_issuer_and_serial_together():
    maker, other = library().certificate(MAKER), fields("other.cert.pem")
    for issuer, serial, expected in (
        (maker.issuer, maker.serial, None),
        (maker.issuer, other.serial, "unknown-signer"),
        (other.issuer, maker.serial, "unknown-signer"),
    ):
        assert reason(rules().by_header(NEW, header(issuer, serial))) == expected
    strange = header(maker.issuer, maker.serial)
    strange.filename = RUNNING + ".sgn"
    assert reason(rules().by_header(NEW, strange)) == "wrong-file"
    assert reason(rules(certificates=()).by_header(NEW, header(maker.issuer, maker.serial))) == "unknown-signer"


class Weak:
    """libphonetrust, to which every signature is good and every key has `bits`."""

    def __init__(self, bits):
        self.bits = bits

    def certificate(self, der):
        found = library().certificate(der)
        found.key_bits = self.bits
        return found

    def verify(self, certificate, algorithm, digest, signature):
        return True


def test_a_weak_image_key_signs_nothing():
    signed = read(load("new.sgn"), library(), 1 << 20)
    assert rules().by_signature(NEW, signed) is None
    for bits, expected in ((1024, None), (1023, "bad-signature"), (512, "bad-signature")):
        assert reason(rules(Weak(bits)).by_signature(NEW, signed)) == expected, bits
