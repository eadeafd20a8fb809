# SPDX-License-Identifier: MIT
from agent.formats import names
from tests.helpers.agent import building

CN, ORGANIZATION, OU, DC = (
    b"\x55\x04\x03",
    b"\x55\x04\x0a",
    b"\x55\x04\x0b",
    b"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19",
)
UNKNOWN = b"\x55\x04\x63"
NUMERIC, PRINTABLE, TELETEX, IA5, UTF8, BMP = 0x12, 0x13, 0x14, 0x16, 0x0C, 0x1E
VISIBLE, UNIVERSAL = 0x1A, 0x1C


def name(*sets):
    return building.der_name(*sets)


def one(raw, kind=UTF8, oid=CN):
    """A name of one attribute."""
    return name([(oid, kind, raw)])


def value(text):
    """The value of `CN=` and this text, or None where it is not understood."""
    pairs = names.parse_text("CN=" + text)
    if pairs is None:
        return None
    assert len(pairs) == 1 and list(pairs)[0][0] == "CN", pairs
    return list(pairs)[0][1]


def test_roles():
    assert [names.role_name(number) for number in (0, 1, 2, 3, 4, 7, 21)] == [
        "SAST",
        "CCM",
        "CCM+TFTP",
        "TFTP",
        "CAPF",
        "APP-SERVER",
        "TVS",
    ]
    assert names.role_name(99) == "role 99"
    assert names.role_name(None) == "no role"
    assert names.role_number("sast") == 0 and names.role_number("CCM+TFTP") == 2 and names.role_number("TVS") == 21
    assert names.role_number("CCM+") is None


def test_serial_numbers_have_no_leading_zeros():
    assert names.serial_bytes(b"\x00\x80\x01") == b"\x80\x01"
    assert names.serial_bytes(b"\x80\x00") == b"\x80\x00"
    assert names.serial_bytes(b"\x00\x00") == b"\x00"
    assert names.serial_bytes(b"") == b"\x00", "lists may write 0 as no bytes"
    assert names.serial_bytes(memoryview(b"\x00\x05")) == b"\x05"


def test_separators_orders_and_blanks_do_not_matter():
    wanted = {("CN", "a"), ("O", "b c"), ("C", "AU")}
    for text in (
        "CN=a,O=b c,C=AU",
        "C=AU;O=b c;CN=a",
        "  cn = a ,  o= b c ;C =AU",
        "CN=a+O=b c,C=AU",
        "CN=a,O=b c,C=AU ",
        "2.5.4.3=a, OID.2.5.4.10=b c, countryName=AU",
    ):
        assert names.parse_text(text) == wanted, text


def test_keywords():
    for text, keyword in (
        ("S=x", "ST"),
        ("ST=x", "ST"),
        ("E=x", "EMAILADDRESS"),
        ("emailAddress=x", "EMAILADDRESS"),
        ("DC=x", "DC"),
        ("0.9.2342.19200300.100.1.25=x", "DC"),
        ("1.2.840.113549.1.9.1=x", "EMAILADDRESS"),
        ("UID=x", "UID"),
        ("serialNumber=x", "SERIALNUMBER"),
        ("2.5.4.5=x", "SERIALNUMBER"),
        ("OU=x", "OU"),
        ("L=x", "L"),
    ):
        assert names.parse_text(text) == {(keyword, "x")}, text


def test_what_is_not_understood_is_not_compared():
    for text in (
        "XYZ=a",
        "2.5.4.99=a",
        "CN=a,XYZ=b",
        "CN",
        "CN=a,b",
        "=a",
        "CN=a,",
        "CN=a; ",
        "CN=a,,O=b",
        "CN=#0c0161",
        "O=a,CN= #0c0161",
        "CN=a\\",
        "CN=a\\z",
        "CN=a\\x1",
        'CN="a',
        'CN="a"b',
        'CN=a"b"',
        "CN=\\ff",
        "CN=\\c3",
        "CN=\\c0\\80",
        "CN=\\ed\\a0\\80",
    ):
        assert names.parse_text(text) is None, text
        assert names.same(text, one(b"a")) is None, text


def test_escapes_of_rfc_4514():
    assert value("lab\\, Inc.") == "lab, Inc."
    assert value('a\\;b\\+c\\"d\\\\e\\<f\\>g\\=h\\#i') == 'a;b+c"d\\e<f>g=h#i'
    assert value("\\#a") == "#a"
    assert value("a#b=c/d") == "a#b=c/d"
    assert value("Zo\\c3\\ab") == "Zoë"
    assert value("Zo\\C3\\AB\\2c x") == "Zoë, x"
    assert value("a\\20b\\2B") == "a b+"
    assert value("Zoë ☎ 📞") == "Zoë ☎ 📞"
    assert value("\\E2\\98\\8e") == "☎"


def test_quotes():
    assert value('"lab, Inc."') == "lab, Inc."
    assert value('"a;b+c=d#e"') == "a;b+c=d#e"
    assert value('"a\\"b"') == 'a"b'
    assert value('""') == ""
    assert names.parse_text('CN="a, b" ; O= "c"') == {("CN", "a, b"), ("O", "c")}
    assert names.parse_text('CN="a"+O=b') == {("CN", "a"), ("O", "b")}


def test_blanks_around_values_do_not_count_on_either_side():
    assert value(" a  b ") == "a  b"
    assert names.same("CN=\\ a\\ ", one(b"a")) is True
    assert names.same('CN=" a "', one(b" a ")) is True
    assert names.same("CN=a  b", one(b"a b")) is True
    assert names.same("CN=a \\  b", one(b"a\t\nb ")) is True
    assert names.same("CN=ab", one(b"a b")) is False


def test_letter_case_does_not_count():
    for text, other in (
        ("LAB-Pub", "lab-pUB"),
        ("ZO\xcb", "zo\xeb"),
        ("\u0141\u00d3D\u0179", "\u0142\u00f3d\u017a"),
        ("\u0391\u03a9", "\u03b1\u03c9"),
        ("\u0419\u041e\u0401", "\u0439\u043e\u0451"),
        ("\u0178", "\xff"),
    ):
        assert names.same("CN=" + text, one(other.encode())) is True, text
        assert names.same("CN=" + other, one(text.encode())) is True, text
        assert names.same("CN=" + text, one(text.encode())) is True, text
        assert names.same("CN=" + text + "x", one(text.encode())) is False, text
    assert names.same("CN=\xd7", one("\xf7".encode())) is False, "no letters"
    assert names.same("CN=[", one(b"{")) is False and names.same("CN=@", one(b"`")) is False, "no letters"


def test_letters_that_are_not_understood_are_not_compared():
    for text, other in (
        ("stra\xdfe", "STRASSE"),
        ("e\u0301", "\xe9"),
        ("\u10d0\u10d1", "\u10d2\u10d3"),
        ("\u304b\u3099", "\u304c"),
        ("\uff76", "\u30ab"),
        ("\uf900", "\u8c48"),
        ("\u0130", "i"),
        ("\u1e9e", "ss"),
    ):
        assert names.same("CN=" + text, one(other.encode())) is None, text
        assert names.same("CN=" + other, one(text.encode())) is None, text
        assert names.same("CN=" + text, one(text.encode())) is True, text
    assert names.same("CN=\u65e5,O=a", name([(CN, UTF8, "\u65e5".encode())], [(ORGANIZATION, UTF8, b"b")])) is False


def test_letters_of_one_form_are_compared():
    for text, other in (
        ("\u65e5\u672c", "\u6771\u4eac"),
        ("\u304b", "\u304c"),
        ("\u30ab", "\u304b"),
        ("\uae40", "\ubc15"),
        ("\u05d0", "\u05d1"),
        ("\u0639", "\u063a"),
    ):
        assert names.same("CN=" + text, one(other.encode())) is False, text
        assert names.same("CN=" + text, one(text.encode())) is True, text


def test_an_empty_name_and_an_empty_value():
    assert names.parse_text("") == set()
    assert names.parse_der(name()) == set()
    assert names.same("", name()) is True
    assert names.same("CN=", one(b"")) is True
    assert names.same("", one(b"a")) is False
    assert names.same("CN=,O=b", name([(CN, UTF8, b"")], [(ORGANIZATION, UTF8, b"b")])) is True


def test_the_set_of_pairs_counts():
    both = name([(ORGANIZATION, UTF8, b"Lab")], [(CN, UTF8, b"a")])
    assert names.same("CN=a,O=Lab", both) is True
    assert names.same("O=Lab;CN=a", both) is True
    assert names.same("CN=a", both) is False
    assert names.same("CN=a,O=Lab,OU=x", both) is False
    assert names.same("CN=Lab,O=a", both) is False
    assert names.same("CN=A,O=LAB", both) is True
    assert names.same("DC=b,DC=a", name([(DC, IA5, b"a")], [(DC, IA5, b"b")])) is True


def test_multivalued():
    multivalued = name([(CN, UTF8, b"a"), (ORGANIZATION, PRINTABLE, b"b")], [(OU, UTF8, b"c")])
    assert names.parse_der(multivalued) == {("CN", "a"), ("O", "b"), ("OU", "c")}
    assert names.same("OU=c,CN=a+O=b", multivalued) is True
    assert names.same("CN=a,O=b,OU=c", multivalued) is True


def test_kinds_of_strings():
    assert names.parse_der(one(b"a1", NUMERIC)) == {("CN", "a1")}
    assert names.parse_der(one(b"a b", PRINTABLE)) == {("CN", "a b")}
    assert names.parse_der(one(b"a@b", IA5)) == {("CN", "a@b")}
    assert names.parse_der(one("Zoë".encode())) == {("CN", "Zoë")}
    assert names.parse_der(one(b"Zo\xeb", TELETEX)) == {("CN", "Zoë")}
    assert names.parse_der(one(b"\x00Z\x26\x0e", BMP)) == {("CN", "Z☎")}
    assert names.parse_der(one(b"a b", VISIBLE)) == {("CN", "a b")}
    assert names.parse_der(one(b"\0\0\0Z\0\x01\xf6\x00", UNIVERSAL)) == {("CN", "Z\U0001f600")}
    assert names.same("CN=Zoë", one(b"Zo\xeb", TELETEX)) is True


def test_strings_that_are_not_understood():
    for raw, kind in (
        (b"Zo\xeb", PRINTABLE),
        (b"Zo\xeb", IA5),
        (b"\xff", UTF8),
        (b"\xc0\x80", UTF8),
        (b"\xed\xa0\x80", UTF8),
        (b"\xf5\x80\x80\x80", UTF8),
        (b"\x00Z\x00", BMP),
        (b"\xd8\x00\xdc\x00", BMP),
        (b"\x00\x00\x00Z\x00", UNIVERSAL),
        (b"\x00\x11\x00\x00", UNIVERSAL),
        (b"\x00\x00\xd8\x00", UNIVERSAL),
        (b"Zo\xeb", VISIBLE),
        (b"a", 0x04),
        (b"\x02\x01\x05", 0x30),
    ):
        assert names.parse_der(one(raw, kind)) is None, (raw, kind)
        assert names.same("CN=a", one(raw, kind)) is None


def test_attributes_that_are_not_known():
    assert names.parse_der(one(b"a", UTF8, UNKNOWN)) is None
    assert names.parse_der(name([(CN, UTF8, b"a")], [(UNKNOWN, UTF8, b"a")])) is None
    assert names.parse_der(one(b"a", UTF8, b"\x2a\x03")) is None


def test_der_that_is_no_name():
    good = one(b"abc")
    assert names.parse_der(good) == {("CN", "abc")}
    assert names.parse_der(memoryview(good)) == {("CN", "abc")}
    for end in range(len(good)):
        assert names.parse_der(good[:end]) is None, end
    for at in range(len(good) - 3):
        changed = bytearray(good)
        changed[at] ^= 0x40
        assert names.parse_der(bytes(changed)) != {("CN", "abc")}, at
    assert names.parse_der(good + b"\0") is None
    assert names.parse_der(b"\x30\x80\x00\x00") is None
    assert names.parse_der(b"\x30\x84\x00\x00\x00\x00") is None


def test_a_long_value():
    assert names.parse_der(one(b"x" * 300)) == {("CN", "x" * 300)}
    assert names.same("CN=" + "x" * 300, one(b"x" * 300)) is True


def test_a_name_of_many_kilobytes_is_not_compared():
    # Memory and time: MicroPython counts the characters of a text from its start.
    assert names.parse_text("CN=" + "x" * 60000) is None
    assert names.parse_text("CN=" + "ë" * 30000) is None
    assert names.parse_text("CN=a," * 12000) is None
    assert names.parse_der(one(b"x" * 60000)) is None


def test_keywords_are_ascii():
    # CPython's upper() makes ASCII letters of these, MicroPython's does not.
    assert names.parse_text("ſT=a") is None
    assert names.parse_text("ıD=a") is None
    assert names.parse_text("\u00a0CN=a") is None


def test_vector_with_every_escape():
    found = building.fields("dncomma.cert.pem")
    assert names.parse_der(found.subject) == {("CN", "lab, Inc."), ("OU", 'Q"uote\\s'), ("O", "Zoë+Søn")}
    for text in (
        'CN=lab\\, Inc.,OU=Q\\"uote\\\\s,O=Zoë\\+Søn',
        'O=Zo\\c3\\ab\\+S\\C3\\B8n;OU=Q\\"uote\\\\s;CN="lab, Inc."',
    ):
        assert names.same(text, found.subject) is True, text
    assert names.same('CN=lab\\, Inc,OU=Q\\"uote\\\\s,O=Zoë\\+Søn', found.subject) is False


def test_every_vector_name_reads_back():
    for vector in ("ca", "capf", "cucm", "cucmca", "cucmec", "dncomma", "highserial", "lsc", "sast", "tomcat", "tvs"):
        found = building.fields(vector + ".cert.pem")
        for der in (found.subject, found.issuer):
            assert names.same(names.to_text(der), der) is True, vector


def test_text_for_people():
    assert names.to_text(name([(ORGANIZATION, UTF8, b"Lab")], [(CN, UTF8, b"a, b")])) == "CN=a\\, b,O=Lab"
    assert names.to_text(one(b"a", UTF8, UNKNOWN)) == "(name not understood)"
