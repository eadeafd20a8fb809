# SPDX-License-Identifier: MIT
from agent.errors import Malformed
from agent.formats import tlv
from tests.helpers.agent import building
from tests.helpers.agent.both import raises, vector


def rows(data):
    return list(tlv.header_tlvs(data))


def fault(call, *args):
    """(tag, offset, what) of the Malformed that listing it raises."""
    error = raises(Malformed, lambda: list(call(*args)))
    assert error.reason == "malformed"
    return error.tag, error.offset, error.what


def tags(found):
    return [row[0] for row in found]


def test_header_of_a_real_list():
    data = vector("itl-base.tlv")
    assert tlv.header_length(data) == 416
    found = rows(data)
    assert tags(found)[:3] == [1, 2, 28]
    assert {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 28}.issubset(tags(found))
    lengths = {tag: length for tag, _, length in found}
    assert (lengths[7], lengths[9], lengths[12]) == (15, 8, 256)


def test_offsets_are_those_of_values():
    data = building.header_of([building.tlv(14, b"abc\0"), b"\x0d", b"\x0d", building.tlv(15, b"1234")])
    assert rows(data) == [(1, 3, 2), (2, 8, 2), (14, 13, 4), (13, 18, 0), (13, 19, 0), (15, 22, 4)]
    assert bytes(data[13:17]) == b"abc\0"


def test_a_memoryview_is_walked_as_bytes_are():
    data = vector("itl-base.tlv")
    assert rows(memoryview(data)) == rows(data)


def test_containers_come_before_their_contents_in_any_order():
    inside = building.tlv(6, b"i\0") + building.tlv(5, b"\1") + building.tlv(4, b"s\0")
    assert tags(rows(building.header_of([building.tlv(3, inside)]))) == [1, 2, 3, 6, 5, 4]


def test_empty_and_nested_containers():
    inner = building.tlv(17, b"") + building.tlv(21, building.tlv(25, b"k"))
    assert tags(rows(building.header_of([building.tlv(16, inner), building.tlv(27, b"")]))) == [
        1,
        2,
        16,
        17,
        21,
        25,
        27,
    ]


def test_unknown_tags_are_listed_and_may_repeat_anywhere():
    unknown = building.tlv(99, b"x") + building.tlv(0, b"") + building.tlv(255, b"yy") + building.tlv(99, b"z")
    data = building.header_of([unknown, building.tlv(3, unknown + building.tlv(5, b"\1"))])
    assert tags(rows(data)) == [1, 2, 99, 0, 255, 99, 3, 99, 0, 255, 99, 5]


def test_what_stands_first():
    assert fault(tlv.header_tlvs, b"") == (1, 0, "the file is empty")
    assert fault(tlv.header_tlvs, b"\x02\x00")[:2] == (2, 0)
    assert fault(tlv.header_tlvs, b"<device>")[:2] == (0x3C, 0)
    assert fault(tlv.header_tlvs, b"\x01\x00")[:2] == (1, 0)
    assert "inside the first tag" in fault(tlv.header_tlvs, b"\x01\x00")[2]
    assert fault(tlv.header_tlvs, b"\x01\x00\x00") == (1, 0, "the file ends before the header length")
    assert fault(tlv.header_tlvs, b"\x01\x00\x02\x01\x02\x02\x00\x02\x00")[:2] == (1, 0)
    wide = building.tlv(1, b"\1\2") + building.tlv(2, b"\0\x0c\0\0")  # four bytes, and the first two would do
    assert fault(tlv.header_tlvs, wide) == (2, 5, "HEADERLENGTH (tag 2, two bytes) must come second")
    assert fault(tlv.header_tlvs, building.tlv(1, b"\1\2") + building.tlv(3, b"\0\x0a"))[:2] == (3, 5)
    assert fault(tlv.header_tlvs, building.tlv(1, b"\1\2") + building.tlv(2, b"\0\0\x0b"))[:2] == (2, 5)


def test_header_length_counts_to_its_end():
    good = building.tlv(1, b"\1\2") + building.tlv(2, b"\0\x0a")
    assert tags(rows(good)) == [1, 2]
    assert tags(rows(good + b"records")) == [1, 2]
    for length in (0, 9, 11, 0xFFFF):
        bad = building.tlv(1, b"\1\2") + building.tlv(2, length.to_bytes(2, "big"))
        assert fault(tlv.header_tlvs, bad)[:2] == (2, 5), length


def test_lengths_are_held_against_what_they_stand_in():
    assert fault(tlv.header_tlvs, building.header_of([b"\x0e\x00\x05abcd"]))[:2] == (14, 10)
    assert fault(tlv.header_tlvs, building.header_of([b"\x0e\x00"]))[:2] == (14, 10)
    assert fault(tlv.header_tlvs, building.header_of([b"\x0e\x00"]) + b"\x01xx")[:2] == (14, 10)
    # inside a container: its end counts, not the header's
    short = building.tlv(3, b"\x05\x00\x02\x01") + building.tlv(15, b"1234")
    assert fault(tlv.header_tlvs, building.header_of([short]))[:2] == (5, 13)
    assert fault(tlv.header_tlvs, building.header_of([building.tlv(3, b"\x05\x00")]))[:2] == (5, 13)
    # a container that runs past the header
    assert fault(tlv.header_tlvs, building.header_of([b"\x03\x00\x09" + building.tlv(5, b"\1")]) + bytes(9))[:2] == (
        3,
        10,
    )


def test_a_container_in_a_container_must_fit():
    inner = b"\x09\x00\x09" + building.tlv(10, b"\0") + building.tlv(11, b"\2")
    assert fault(tlv.header_tlvs, building.header_of([building.tlv(7, inner), b"\x0d"]))[:2] == (9, 13)


def test_no_field_twice():
    twice = building.tlv(15, b"1234")
    tag, offset, what = fault(tlv.header_tlvs, building.header_of([twice, twice]))
    assert (tag, offset) == (15, 17) and "TIMESTAMP appears twice" in what
    assert fault(tlv.header_tlvs, building.header_of([building.tlv(1, b"\1\2")]))[:2] == (1, 10)
    assert fault(tlv.header_tlvs, building.header_of([building.tlv(2, b"\1\2")]))[:2] == (2, 10)
    serial = building.tlv(5, b"\1")
    assert fault(tlv.header_tlvs, building.header_of([building.tlv(3, serial + serial)]))[:2] == (5, 17)
    assert fault(tlv.header_tlvs, building.header_of([building.tlv(3, serial), building.tlv(3, b"")]))[:2] == (3, 17)


def test_every_known_tag_has_its_place():
    for tag in tlv.HEADER_NAMES:
        parent = [each for each in tlv.CONTAINERS if tag in tlv.CONTAINERS[each]]
        if parent:
            assert fault(tlv.header_tlvs, building.header_of([building.tlv(tag, b"")]))[:2] == (tag, 10), tag
        elif tag != tlv.SIGNERID:
            assert fault(tlv.header_tlvs, building.header_of([building.tlv(3, building.tlv(tag, b""))]))[:2] == (
                tag,
                13,
            )


def test_padding_is_one_byte_and_only_at_the_top():
    assert tags(rows(building.header_of([b"\x0d" * 5]))) == [1, 2] + [13] * 5
    assert fault(tlv.header_tlvs, building.header_of([building.tlv(3, b"\x0d")]))[:2] == (13, 13)


def test_records_of_a_real_list():
    data = vector("itl-base.tlv")
    found = list(tlv.record_tlvs(data, 416))
    assert tags(found).count(1) == 5 and tags(found).count(9) == 5
    assert [row[2] for row in found if row[0] == 1] == [2] * 5
    assert list(tlv.record_tlvs(data, len(data))) == []


def test_record_lengths():
    one = building.tlv(1, b"\0\x0a") + building.tlv(4, b"\0\3")
    assert list(tlv.record_tlvs(one + one, 0)) == [(1, 3, 2), (4, 8, 2), (1, 13, 2), (4, 18, 2)]
    assert list(tlv.record_tlvs(b"\x01\x00\x02\x00\x05", 0)) == [(1, 3, 2)]
    assert fault(tlv.record_tlvs, b"\x02\x00\x00", 0)[:2] == (2, 0)
    assert fault(tlv.record_tlvs, one + b"\x0d", 0)[:2] == (13, 10)
    assert fault(tlv.record_tlvs, one + b"\x01\x00\x02\x00", 0)[:2] == (1, 10)
    assert fault(tlv.record_tlvs, b"\x01\x00\x03\x00\x00\x06", 0)[:2] == (1, 0)
    wide = b"\x01\x00\x03\x00\x0a\x00\x00\x01\x63\x00"  # all of it would do, were it read as two bytes
    assert fault(tlv.record_tlvs, wide, 0) == (1, 0, "RECORDLENGTH must be two bytes")
    for length in (0, 4, 11, 0xFFFF):
        bad = building.tlv(1, length.to_bytes(2, "big")) + building.tlv(4, b"\0\3")
        assert fault(tlv.record_tlvs, bad, 0)[:2] == (1, 0), length


def test_record_fields():
    def a_record(*parts):
        body = b"".join(parts)
        return building.tlv(1, (5 + len(body)).to_bytes(2, "big")) + body

    role = building.tlv(4, b"\0\3")
    assert fault(tlv.record_tlvs, a_record(role, role), 0)[:2] == (4, 10)
    assert fault(tlv.record_tlvs, a_record(building.tlv(1, b"\0\x0a")), 0)[:2] == (1, 5)
    assert fault(tlv.record_tlvs, a_record(b"\x04\x00\x03\x00\x03"), 0)[:2] == (4, 5)
    assert fault(tlv.record_tlvs, a_record(b"\x04\x00"), 0)[:2] == (4, 5)
    # the next record does not lend its bytes
    assert fault(tlv.record_tlvs, a_record(b"\x04\x00\x03\x00\x03") + a_record(role), 0)[:2] == (4, 5)
    unknown = building.tlv(13, b"") + building.tlv(0, b"x") + building.tlv(13, b"")
    assert tags(tlv.record_tlvs(a_record(unknown, role) + a_record(role), 0)) == [1, 13, 0, 13, 4, 1, 4]


def test_text_ends_in_its_only_nul():
    def read(raw):
        return tlv.text(b"\x0e\x00\x00" + raw, 14, 3, len(raw))

    assert read(b"abc\0") == "abc"
    assert read(b"\0") == ""
    assert read("Zoë ☎ 📞".encode() + b"\0") == "Zoë ☎ 📞"
    for raw in (b"", b"abc", b"a\0b\0", b"\0\0"):
        error = raises(Malformed, read, raw)
        assert (error.tag, error.offset) == (14, 0), raw
    assert "NUL inside" in raises(Malformed, read, b"a\0b\0").what
    assert "without its NUL" in raises(Malformed, read, b"abc").what


def test_text_is_utf8():
    good = (
        b"",
        b"~",
        b"\xc2\x80",
        b"\xdf\xbf",
        b"\xe0\xa0\x80",
        b"\xed\x9f\xbf",
        b"\xee\x80\x80",
        b"\xef\xbf\xbf",
        b"\xf0\x90\x80\x80",
        b"\xf4\x8f\xbf\xbf",
    )
    for raw in good:
        assert tlv.is_utf8(raw), raw
        assert tlv.is_utf8(b"a" + raw + b"z"), raw
    bad = (
        b"\x80",
        b"\xbf",
        b"\xc0\x80",
        b"\xc1\xbf",
        b"\xc3",
        b"\xc3a",
        b"\xc2\x7f",
        b"\xc2\xc0",
        b"\xe1\x7f\x80",
        b"\xe1\xc0\x80",
        b"\xe1\x80\x7f",
        b"\xe1\x80\xc0",
        b"\xf1\x7f\x80\x80",
        b"\xf1\xc0\x80\x80",
        b"\xf1\x80\xc0\x80",
        b"\xf1\x80\x80\xc0",
        b"\xe0\x9f\xbf",
        b"\xe2\x82",
        b"\xe2\x82a",
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xf0\x8f\xbf\xbf",
        b"\xf0\x90\x80",
        b"\xf4\x90\x80\x80",
        b"\xf5\x80\x80\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\xfe",
        b"\xff",
    )
    for raw in bad:
        assert not tlv.is_utf8(raw), raw
        error = raises(Malformed, tlv.text, raw + b"\0", 4, 0, len(raw) + 1)
        assert "not UTF-8" in error.what, raw


def test_the_error_says_where():
    error = Malformed("text without its NUL", 14, 123, "ITLFile.tlv")
    assert str(error) == "ITLFile.tlv, tag 14, offset 123: text without its NUL"
    assert str(Malformed("nothing there")) == "nothing there"
