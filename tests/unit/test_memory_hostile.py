# SPDX-License-Identifier: MIT
"""Files of up to 64 KB that try to exhaust the memory of a phone of 512 KB: each is refused and the phone goes on."""

import gc

from agent.formats.tlv import u16
from tests.helpers.agent import building
from tests.helpers.agent.both import temporary_path
from tests.helpers.agent.memory_phone import NAME, OWN, boot, make_hal, make_phone, reasons, used

HEAP = "448k"  # and 64 KB to spare
ALONE = True
IMAGE = True
PYTHONS = ("micropython",)

PLAIN = "SEP00270DC01C92.cnf.xml"
HEADER_LENGTH = 8  # offset of the number


def write(before, filler, count, after):
    """A file, put together on the disk; its path."""
    path = temporary_path()
    block = filler * 100
    with open(path, "wb") as file:
        file.write(before)
        for _ in range(count // 100):
            file.write(block)
        file.write(filler * (count % 100))
        file.write(after)
    return path


def stretch(data, mark, lengths, filler, count):
    """`data` with `filler` put in `count` times at `mark`, and that added to the numbers at the offsets `lengths`."""
    data = bytearray(data)
    for offset in lengths:
        data[offset : offset + 2] = (u16(data, offset) + len(filler) * count).to_bytes(2, "big")
    at = data.find(mark)
    return write(data[:at], filler, count, data[at:])


def header_with(count, filler, text, **changes):
    """A header whose text `text` is stretched."""
    data = building.header(**changes)
    at = data.find(text)
    lengths = [HEADER_LENGTH, at - 2]
    if b"\x03" in data[10:18] and changes.get("signer"):
        lengths.append(data.find(changes["signer"]) + 1)
    return stretch(data, text, lengths, filler, count)


def record_with(count, filler, text, extra=0, **changes):
    """A list of one record whose value `text` is stretched, or where TLVs are put in before it."""
    start = building.header()
    data = start + building.record(0, "sast.cert.pem", **changes)
    lengths = [len(start) + 3]
    if not extra:
        lengths.append(data.find(text) - 2)
    return stretch(data, data[data.find(text) - extra :][:40], lengths, filler, count)


def lists():
    """name -> path of a list; each is made when it is asked for."""
    long_signer = {"signer": building.signer("CN=subject", "CN=issuer", b"\5")}
    unknown = building.tlv(99)
    yield "long subject of the signer", header_with(50000, b"x", b"CN=subject", **long_signer)
    yield "long issuer of the signer", header_with(25000, "é".encode(), b"CN=issuer", **long_signer)
    yield "long file name", header_with(60000, b"x", b"ITLFile.tlv")
    yield "many unknown tags", stretch(building.header(rest=b"\x63\0\0"), b"\x63\0\0", [HEADER_LENGTH], unknown, 20000)
    yield "much padding", stretch(building.header(rest=b"\x0d"), b"\x0d", [HEADER_LENGTH], b"\x0d", 60000)
    yield "many records", write(building.header(), b"\1\0\2\0\5", 12900, b"")
    yield "long subject", record_with(60000, b"x", b"CN=somebody", subject=b"CN=somebody\0")
    yield "long issuer", record_with(30000, "é".encode(), b"CN=somebody", issuer=b"CN=somebody\0")
    yield "long DNS name", record_with(60000, b"x", b"dns.example", dns=b"dns.example\0")
    yield "many names", record_with(12000, b"O=x,", b"CN=somebody", subject=b"CN=somebody\0")
    yield "many tags in a record", record_with(20000, unknown, b"somebody", 3, subject=None, dns=b"somebody\0")
    yield "long serial", record_with(60000, b"\0", building.fields("sast.cert.pem").serial[:10])
    yield "not a list", write(b"", b"x", 65000, b"")


def test_lists():
    files = {"ITLFile.tlv": OWN + "large-old.tlv", NAME: OWN + "large.cnf.xml.sgn"}
    hal = make_hal(files)
    phone = make_phone(hal)
    assert boot(phone) is True, reasons(phone)
    before = used("before")
    for kind, path in lists():
        files["ITLFile.tlv"] = path
        boot(phone)
        decision = phone.history.decisions[-2]
        print(kind, decision.reason, decision.text[:120])
        assert decision.kind == "itl" and not decision.accepted, kind
        assert len(decision.text) < 1500 and len(str(decision.evidence)) < 3000, kind
        assert phone.history.decisions[-1].reason == "signed-by-itl", kind
    files["ITLFile.tlv"] = OWN + "large-new.tlv"
    boot(phone)
    assert reasons(phone)[-2:] == ["signed-by-itl", "signed-by-itl"]
    assert used("after") < before + 40000


def configurations():
    """(name, path of a configuration, whether it can be read, warnings about it)."""
    yield "entities", write(b"<device><a>", b"&amp;", 12000, b"</a></device>"), True, 0
    yield "text", write(b"<device><a>", b"x", 64000, b"</a></device>"), True, 0
    yield "cdata", write(b"<device><a><![CDATA[", b"x", 64000, b"]]></a></device>"), True, 0
    yield "attribute", write(b"<device><a b='", b"x", 64000, b"'/></device>"), True, 0
    yield "blanks", write(b"<device><a", b" ", 64000, b"/></device>"), True, 0
    yield "name", write(b"<device><", b"x", 64000, b"/></device>"), False, 0
    yield "closing name", write(b"<device></", b"x", 64000, b"></device>"), False, 0
    yield (
        "members",
        write(b"<device><TVS><members>", b"<member><address>a</address></member>", 1600, b"</members></TVS></device>"),
        True,
        0,
    )
    yield "elements", write(b"<device>", b"<a/>", 15000, b"</device>"), True, 0
    yield "wrong numbers", write(b"<device>", b"<capfAuthMode>x</capfAuthMode>", 2000, b"</device>"), True, 1
    yield "digits", write(b"<device><capfAuthMode>", b"9", 60000, b"</capfAuthMode></device>"), True, 1
    yield (
        "host",
        write(b"<device><TVS><members><member><address>", b"x", 1000, b"</address></member></members></TVS></device>"),
        True,
        1,
    )


def test_configurations():
    files = {}
    hal = make_hal(files)
    phone = make_phone(hal)
    for kind, path, readable, warnings in configurations():
        files[PLAIN] = path
        boot(phone)
        decision = phone.history.decisions[-1]
        print(kind, decision.reason, len(decision.warnings), decision.text[:120])
        expected = (PLAIN, readable, "no-trust-list" if readable else "bad-configuration", warnings)
        assert (decision.kind, decision.accepted, decision.reason, len(decision.warnings)) == expected, kind
        assert len(decision.text) < 1000, kind
        gc.collect()
    used("after")
