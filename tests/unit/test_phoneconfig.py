# SPDX-License-Identifier: MIT
from agent.errors import Malformed
from agent.formats.phoneconfig import HOST_LIMIT, NOTES_LIMIT, TVS_LIMIT, PhoneConfig
from agent.formats.xml import ATTRIBUTES_LIMIT, DEPTH_LIMIT, NAME_LIMIT, TEXT_LIMIT, elements
from tests.helpers.agent.both import raises, vector


def read(text):
    """The PhoneConfig of what stands inside <device>."""
    return PhoneConfig(b"<device>" + text.encode() + b"</device>")


def tvs(*members):
    return read("<TVS><members>" + "".join(members) + "</members></TVS>").tvs


def member(address, port="2445", priority="0"):
    return '<member priority="%s"><port>%s</port><address>%s</address></member>' % (priority, port, address)


def fault(data):
    data = data.encode() if isinstance(data, str) else data
    error = raises(Malformed, PhoneConfig, data)
    assert error.reason == "malformed" and error.offset is not None and 0 <= error.offset <= len(data)
    return error


def test_a_real_configuration():
    found = PhoneConfig(vector("SEP00270DC01C92.cnf.xml"))
    assert found.tvs == [("127.0.0.1", 2445)]
    assert found.full is True and found.encrypted is False
    assert found.capf == [] and found.capf_auth_mode is None and found.notes == []


def test_bytes_of_any_kind():
    data = vector("SEP00270DC01C92.cnf.xml")
    for kind in (bytes, bytearray):
        assert PhoneConfig(kind(data)).tvs == [("127.0.0.1", 2445)]


def test_part_of_a_buffer():
    data = vector("SEP00270DC01C92.cnf.xml").rstrip()
    buffer = bytearray(b"<<&" + data + b"<x>&")
    assert PhoneConfig(buffer, 3, 3 + len(data)).tvs == [("127.0.0.1", 2445)]
    for end in range(3, 3 + len(data), 7):
        error = raises(Malformed, PhoneConfig, buffer, 3, end)
        assert 0 <= error.offset <= end - 3
    assert raises(Malformed, PhoneConfig, b"xxx<a>&bad;</a>", 3).offset == 3


def test_nothing_in_it():
    found = PhoneConfig(b"<device/>")
    assert (found.tvs, found.capf, found.capf_auth_mode, found.encrypted, found.full) == ([], [], None, False, True)
    assert (found.certificate_hash, found.notes) == ("", [])


def test_tvs_by_priority():
    assert tvs(member("b", "1", "1"), member("a", "2", "0"), member("c", "3", "2")) == [("a", 2), ("b", 1), ("c", 3)]
    assert tvs(member("b", priority="10"), member("a", priority="9")) == [("a", 2445), ("b", 2445)]
    assert tvs(member("b"), member("a")) == [("b", 2445), ("a", 2445)], "the same priority: in the order of the file"
    assert tvs(member("b", priority="x"), member("a", priority="7")) == [("a", 2445), ("b", 2445)]
    assert tvs(member("b", priority="x"), member("a", priority="123456")) == [("a", 2445), ("b", 2445)]


def test_tvs_at_most_five_by_priority():
    members = [member("h%d" % n, priority=str(9 - n)) for n in range(10)]
    assert tvs(*members) == [("h%d" % n, 2445) for n in (9, 8, 7, 6, 5)]
    assert TVS_LIMIT == 5
    assert len(tvs(*[member("h%d" % n) for n in range(100)])) == 5


def test_tvs_repeated_or_not_whole():
    assert tvs(member("a"), member("a"), member("a", "2446")) == [("a", 2445), ("a", 2446)]
    assert tvs("<member><address>a</address></member>") == [("a", 2445)], "the usual port, priority 0"
    assert tvs("<member priority='1'><port>2445</port></member>", "<member/>", member("")) == []
    assert read("<TVS/>").tvs == [] and read("<TVS><members></members></TVS>").tvs == []


def test_only_elements_in_their_place_count():
    assert read("<x><TVS><members>" + member("a") + "</members></TVS></x>").tvs == []
    assert read("<TVS>" + member("a") + "</TVS>").tvs == []
    assert read("<x><fullConfig>false</fullConfig></x>").full is True
    assert tvs("<member><x><address>a</address></x></member>") == []


def test_a_wrong_port_is_passed_over_and_noted():
    for port in ("0", "65536", "-1", "2445x", "", "24 45", "99999999999999999999"):
        found = read("<TVS><members>" + member("bad", port) + member("good") + "</members></TVS>")
        assert found.tvs == [("good", 2445)], port
        assert len(found.notes) == 1 and "TVS/members/member/port" in found.notes[0] and "65535" in found.notes[0]
    assert tvs(member("a", " 2445\n")) == [("a", 2445)]


def test_capf():
    text = "<capfList><capf><phonePort>3805</phonePort><processNodeName> capf.lab </processNodeName></capf></capfList>"
    assert read(text).capf == [("capf.lab", 3805)]
    assert read(text.replace("<phonePort>3805</phonePort>", "")).capf == [("capf.lab", 3804)]
    assert read(text.replace("capf.lab", "")).capf == []
    two = text.replace("</capfList>", "<capf><processNodeName>other</processNodeName></capf></capfList>")
    assert read(two).capf == [("capf.lab", 3805), ("other", 3804)], "in their order"
    many = "<capf><processNodeName>%d</processNodeName></capf>"
    assert len(read("<capfList>%s</capfList>" % "".join([many % number for number in range(9)])).capf) == 5
    assert read("<capfList>%s</capfList>" % (many % 1 * 2)).capf == [("1", 3804)], "said twice, asked once"


def test_capf_with_a_wrong_port():
    found = read("<capfList><capf><phonePort>x</phonePort><processNodeName>a</processNodeName></capf></capfList>")
    assert found.capf == [] and len(found.notes) == 1


def test_numbers_in_their_range():
    for mode in range(5):
        assert read("<capfAuthMode>%d</capfAuthMode>" % mode).capf_auth_mode == mode
    for text in ("5", "-1", "", "one", "1.0", "0x1"):
        found = read("<capfAuthMode>%s</capfAuthMode>" % text)
        assert found.capf_auth_mode is None and len(found.notes) == 1 and "0 to 4" in found.notes[0], text


def test_truth_values():
    assert read("<encrConfig>true</encrConfig><fullConfig>false</fullConfig>").encrypted is True
    assert read("<encrConfig> TRUE </encrConfig>").encrypted is True
    assert read("<fullConfig> False\n</fullConfig>").full is False
    for text in ("", "1", "yes"):
        assert read("<encrConfig>%s</encrConfig>" % text).encrypted is False
    assert read("<certHash>00ff</certHash>").certificate_hash == "00ff"


def test_entities():
    found = read("<certHash>&lt;a&gt;&amp;&quot;b&apos;&#65;&#x42;&#xeb;&#128222;</certHash>")
    assert found.certificate_hash == "<a>&\"b'ABë📞"
    assert tvs('<member priority="&#49;"><address>b</address></member>', member("a")) == [("a", 2445), ("b", 2445)]
    for text in (
        "&nbsp;",
        "&",
        "& ",
        "&;",
        "a&b",
        "&lt",
        "&#;",
        "&#x;",
        "&#0;",
        "&#xD800;",
        "&#x110000;",
        "&#12a;",
        "&#1_0;",
        "&# 10;",
        "&#+10;",
        "&#x-41;",
        "&#" + "0" * 5000 + "65;",
    ):
        fault("<device><certHash>" + text + "</certHash></device>")


def test_cdata_and_comments():
    assert read("<certHash><![CDATA[<a>&amp;]]></certHash>").certificate_hash == "<a>&amp;"
    assert read("<certHash>a<!-- <b> & -->c<![CDATA[d]]>e</certHash>").certificate_hash == "acde"
    assert read("<certHash><![CDATA[]]]]></certHash>").certificate_hash == "]]"
    assert read("<!-- <fullConfig>false</fullConfig> -->").full is True
    assert PhoneConfig(b"<?xml version='1.0'?><!-- a --><device/><!-- b --><?x y?>\n").full is True
    for text in ("<!-- a", "<![CDATA[ a", "<?pi", "<!DOCTYPE x>", "<!ENTITY a 'b'>"):
        fault("<device>" + text + "</device>")
        fault(text)


def test_text_in_pieces_and_children():
    assert read("<certHash> a <b>not this</b> c </certHash>").certificate_hash == "a  c"


def test_utf8():
    assert PhoneConfig(b"\xef\xbb\xbf<device><certHash>\xc3\xab</certHash></device>").certificate_hash == "ë"
    for raw in (b"\xff", b"\xc3", b"\xc0\x80", b"\xed\xa0\x80"):
        fault(b"<device><certHash>" + raw + b"</certHash></device>")
        fault(b"<device><certHash><![CDATA[" + raw + b"]]></certHash></device>")
        fault(b"<device><" + raw + b"/></device>")
        fault(b"<device><a b='" + raw + b"'/></device>")


def test_values_that_are_too_long_are_left_to_other_programs():
    assert read("<certHash>%s</certHash>" % ("x" * TEXT_LIMIT)).certificate_hash == "x" * TEXT_LIMIT
    found = read("<certHash>%s</certHash><encrConfig>true</encrConfig>" % ("x" * (TEXT_LIMIT + 1)))
    assert found.certificate_hash == "" and found.encrypted is True
    pieces = "<!-- -->".join(["x" * 100] * 20)
    assert read("<certHash>%s</certHash>" % pieces).certificate_hash == ""


def test_start_tags():
    def attributes(text):
        return [found for path, found, value in elements(text.encode()) if value is None][0]

    assert attributes("<a/>") == {} and attributes("<a />") == {} and attributes("<a></a>") == {}
    assert attributes("<a b='1' c = \"2\"\n\td='>'/>") == {"b": "1", "c": "2", "d": ">"}
    assert attributes("<a b='/>'></a>") == {"b": "/>"}
    assert attributes('<a b="it\'s"></a>') == {"b": "it's"}
    assert attributes("<a b=''/>") == {"b": ""}
    for text in (
        "<a b></a>",
        "<a b=1></a>",
        "<a b='1></a>",
        "<a =''/>",
        "<a b",
        "<a",
        "<a ",
        "<",
        "<a / b='c'/>",
        "<a b='1' /",
        "< a></a>",
        "</a>",
        "<a b c='d'></a>",
        "<a><b c>text</b><d e='f'/></a>",
        "<a 'b'='c'/>",
        "<a <b='c'/>",
        "<a b='1' b='2'/>",
    ):
        fault(text)


def test_elements_close_in_order():
    for text in (
        "<a>",
        "<a><b></a></b>",
        "<a></b>",
        "<a></a></a>",
        "<a></A>",
        "<a></a x>",
        "<a",
        "</a",
        "<a></a",
        "<a></a><b/>",
        "<a/><a/>",
        "text",
        "<a/>text",
        "text<a/>",
        "",
        " ",
        "\n",
        "\xef\xbb\xbf",
    ):
        fault(text)
    paths = [(path, text) for path, _, text in elements(b"<r><a>x<b/></a ></r>")]
    assert paths == [("", None), ("a", None), ("a/b", None), ("a/b", ""), ("a", "x"), ("", "")]


def test_depth():
    inner = "<a>" * (DEPTH_LIMIT - 1) + "</a>" * (DEPTH_LIMIT - 1)
    assert read(inner).full is True
    assert "nested" in fault("<a>" * (DEPTH_LIMIT + 1)).what


def test_every_truncation_is_malformed():
    data = vector("SEP00270DC01C92.cnf.xml").rstrip()
    for end in range(len(data)):
        fault(data[:end])


def test_the_offset_is_where_it_is():
    assert fault("<device><a>&bad;</a></device>").offset == 11
    assert fault("<device><a></b></device>").offset == 11
    assert fault("<device>\n<!DOCTYPE x></device>").offset == 9


def test_many_entities_cost_no_more_than_their_bytes():
    data = b"<device><certHash>" + b"&amp;" * 12000 + b"</certHash></device>"
    assert PhoneConfig(data).certificate_hash == ""


def test_limits_of_what_is_given_out():
    long = "x" * NAME_LIMIT
    assert read("<%s></%s>" % (long, long)).full is True
    for text in ("<%sx/>" % long, "<a %sx=''/>" % long, "</%sx>" % long):
        fault("<device>" + text + "</device>")
    many = " ".join(["b%d=''" % number for number in range(ATTRIBUTES_LIMIT)])
    assert read("<a %s/>" % many).full is True
    fault("<device><a %s c=''/></device>" % many)


def test_an_invalid_host_is_passed_over_and_noted():
    assert tvs(member("x" * HOST_LIMIT)) == [("x" * HOST_LIMIT, 2445)]
    found = read("<TVS><members>" + member("x" * (HOST_LIMIT + 1)) + member("a") + "</members></TVS>")
    assert found.tvs == [("a", 2445)] and len(found.notes) == 1


def test_notes_have_an_end():
    text = "".join(["<capfAuthMode>%d</capfAuthMode>" % number for number in range(5, 50)])
    assert len(read(text + text).notes) == NOTES_LIMIT
    assert len(read("<capfAuthMode>9</capfAuthMode>" * 3).notes) == 1
