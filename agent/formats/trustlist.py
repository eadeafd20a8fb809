# SPDX-License-Identifier: MIT
"""A trust list (CTL or ITL): from bytes to a TrustList whose records agree with their certificates.

A record repeats fields of its certificate. The copies are compared here and then never used again: all answers come
from the certificate's own fields (docs/spec/formats.md, R1 and R2)."""

from array import array

from agent.errors import Malformed, RecordMismatch, Refused
from agent.formats import names, tlv
from agent.formats.header import Header

#: Bytes; phones refuse a larger list [documented].
SIZE_LIMIT = 65536
#: Bytes of a DNS name with its NUL; a longer name is no host.
HOST_LIMIT = 256

# One row for each record, as crypto.check_records gives it (RecordColumn in hal/__init__.pyi).
ROW = 16
NO_ROLE = 0xFFFFFFFF
NAMES_EQUAL, POINT_OPEN = 1, 2  # flags
KEY_KINDS = ("other", "rsa", "ec")
_SERVERS = (names.TFTP, names.CCM_TFTP, names.TVS)
_OFFSET, _LENGTH, _ROLE, _CERTIFICATE, _CERTIFICATE_LENGTH = 0, 1, 2, 3, 4
_ISSUER, _SERIAL, _SUBJECT, _KEY_KIND, _KEY_BITS, _FLAGS, _KEY = 5, 7, 9, 11, 12, 13, 14


class Record:
    """One record, by its certificate. role: number or None. certificate, issuer, subject: DER; serial: bytes without
    leading zeros; key_kind "rsa", "ec", "other"; key_bits. An empty record has certificate None."""

    def __init__(self, trust_list, index):
        self._list = trust_list
        self._at = index * ROW
        row = trust_list.rows
        role = row[self._at + _ROLE]
        self.offset = row[self._at + _OFFSET]
        self.length = row[self._at + _LENGTH]
        self.role = None if role == NO_ROLE else role
        self.key_kind = KEY_KINDS[row[self._at + _KEY_KIND]]
        self.key_bits = row[self._at + _KEY_BITS]

    def _slice(self, field):
        offset, length = self._list.rows[self._at + field], self._list.rows[self._at + field + 1]
        return bytes(self._list.view[offset : offset + length]) if length else None

    @property
    def certificate(self):
        """DER of the certificate, None in an empty record."""
        return self._slice(_CERTIFICATE)

    @property
    def certificate_size(self):
        """Bytes of the certificate, 0 in an empty record."""
        return self._list.rows[self._at + _CERTIFICATE_LENGTH]

    @property
    def issuer(self):
        """DER of the issuer's Name, None in an empty record."""
        return self._slice(_ISSUER)

    @property
    def subject(self):
        """DER of the subject's Name, None in an empty record."""
        return self._slice(_SUBJECT)

    @property
    def serial(self):
        """Serial number, big-endian, no leading zero bytes; None in an empty record."""
        return self._slice(_SERIAL)

    def field(self, tag, limit=0xFFFF):
        """Value of one of the record's own TLVs (agent/formats/tlv.py, RECORD_NAMES), None where it is missing or longer."""
        record = self._list.view[self.offset : self.offset + self.length]
        for found, offset, length in tlv.record_tlvs(record, 0):
            if found == tag and length <= limit:
                return bytes(record[offset : offset + length])
        return None

    def host(self):
        """Where the server of this certificate is: the record's IPADDRESS, else its DNSNAME, else None."""
        address = self.field(10)
        if address is not None:
            return address_text(address)
        name = self.field(2, HOST_LIMIT)
        return str(name[:-1], "utf-8") if name and len(name) > 1 else None


class TrustList:
    """A trust list that was read whole and whose records agree with their certificates.

    data: the file's bytes (not copied: they must not change while the list is in use), or what rest_on() was given.
    header: agent.formats.header.Header. count: records. rows: ROW numbers a record."""

    def __init__(self, data, crypto, limit=SIZE_LIMIT):
        """Read `data`. limit in bytes. Raises Refused: `too-large`, `malformed`, `record-mismatch`."""
        if len(data) > limit:
            raise too_large(len(data), limit)
        self.data = data
        self.view = memoryview(data)
        self.header = Header(data)
        self.count, self.rows = _check_records(self.view, self.header.length, crypto)

    def rest_on(self, data):
        """Use `data` from now on: the same bytes in another place, with len() and slices."""
        self.data = data
        self.view = data

    def is_same(self, data):
        """Whether this list was read from just these bytes."""
        return self.data.holds(data) if hasattr(self.data, "holds") else self.data == data

    def digest(self, crypto, algorithm):
        """The digest of the file."""
        if hasattr(self.data, "digest"):
            return self.data.digest(crypto, algorithm)
        return crypto.digest(algorithm, self.data)

    def records(self):
        """The records, one after the other."""
        for index in range(self.count):
            yield Record(self, index)

    def with_roles(self, roles):
        """The records that have a certificate in one of `roles`."""
        rows = self.rows
        for index in range(self.count):
            if rows[index * ROW + _ROLE] in roles and rows[index * ROW + _CERTIFICATE_LENGTH]:
                yield Record(self, index)

    def has_roles(self, roles):
        """Whether any record has a certificate in one of `roles`."""
        for _ in self.with_roles(roles):
            return True
        return False

    @property
    def empty(self):
        """Whether this list says a rollback: it has blank records as TFTP, CCM+TFTP or TVS, and no certificate with any of
        these roles (docs/spec/rules.md, E1 and E2). A list that names no such server at all is not empty."""
        blank = False
        for at in range(0, self.count * ROW, ROW):
            if self.rows[at + _ROLE] in _SERVERS:
                if self.rows[at + _CERTIFICATE_LENGTH]:
                    return False
                blank = True
        return blank

    def signers(self, issuer, serial, roles):
        """Records in `roles` whose certificate has this issuer (text) and serial: a list, sure ones first.

        Each is (record, sure); sure is False where the names cannot be compared (agent/formats/names.py)."""
        found = []
        for record in self.with_roles(roles):
            if record.serial == serial:
                same = names.same(issuer, record.issuer)
                if same:
                    found.insert(0, (record, True))
                elif same is None:
                    found.append((record, False))
        return found

    def holds(self, certificate, roles):
        """Whether the list has exactly this certificate (DER, byte for byte) in one of `roles`."""
        for record in self.with_roles(roles):
            if record.certificate_size == len(certificate) and record.certificate == certificate:
                return True
        return False


def address_text(address):
    """An IPADDRESS of 4 or 16 bytes as text; IPv6 in small letters with its longest run of zeros as `::` (RFC 5952)."""
    if len(address) == 4:
        return ".".join([str(byte) for byte in address])
    groups = [address[at] << 8 | address[at + 1] for at in range(0, len(address), 2)]
    start = length = 0
    for first in range(len(groups)):
        last = first
        while last < len(groups) and groups[last] == 0:
            last += 1
        if last - first > max(length, 1):
            start, length = first, last - first
    words = ["%x" % group for group in groups]
    if not length:
        return ":".join(words)
    return ":".join(words[:start]) + "::" + ":".join(words[start + length :])


def too_large(size, limit):
    """The refusal of a file of at least `size` bytes where `limit` are allowed."""
    return Refused(
        "The file has %d bytes and this phone takes at most %d (about 40 certificates in a trust list); remove "
        "certificates that are no longer needed from the cluster's trust stores." % (size, limit),
        "too-large",
    )


def record_limit(size):
    """The most records of a list of `size` bytes, a bound for memory: a record with a certificate has over 600 bytes."""
    return max(128, size // 512)


def _check_records(view, start, crypto):
    """(count, rows) of all records, checked by libphonetrust, or by Python where the library is missing."""
    accelerated = crypto.check_records(view, start, record_limit(len(view)))
    if accelerated is None:
        count, rows = _read_records(view, start, crypto)
    else:
        count, rows, tag, offset = accelerated
        if count < 0:
            # Python's walk finds the fault again and words it better; if it finds none, the list is refused all the same.
            _read_records(view, start, crypto)
            raise Malformed("a record that libphonetrust cannot read", tag, offset)
    for at in range(0, count * ROW, ROW):
        if rows[at + _CERTIFICATE_LENGTH] and rows[at + _FLAGS] != NAMES_EQUAL:
            _compare_copies(view, rows, at)
    return count, rows


def _read_records(view, start, crypto):
    """What crypto.check_records does, in Python and without the names. Malformed comes before RecordMismatch."""
    rows = array("I")
    count = 0
    mismatch = None
    for record, fields in _walk(view, start):
        if count == record_limit(len(view)):
            raise Refused("The list has more than %d records." % count, "too-large")
        row, found = _row(view, record, fields, crypto)
        mismatch = mismatch or found
        rows.extend(array("I", row))
        count += 1
    if mismatch is not None:
        raise mismatch
    return count, rows


def _walk(view, start):
    """Yields (offset, {tag: (value offset, length)}) for each record."""
    record = None
    fields = {}
    for tag, offset, length in tlv.record_tlvs(view, start):
        if tag == 1:
            if record is not None:
                yield record, fields
            record = offset - 3
            fields = {}
        if tag in tlv.RECORD_NAMES:
            fields[tag] = (offset, length)
    if record is not None:
        yield record, fields


def _row(view, record, fields, crypto):
    """One record held against its certificate: (its row, RecordMismatch or None). Raises Malformed."""
    row = [0] * ROW
    row[_OFFSET] = record
    row[_LENGTH] = tlv.u16(view, record + 3)
    row[_ROLE] = NO_ROLE
    for tag in (2, 3, 5):
        if tag in fields and (fields[tag][1] or tag != 2):  # DNSNAME may be empty
            tlv.check_text(view, tag, fields[tag][0], fields[tag][1])
    for tag, sizes, words in ((4, (2,), "2 bytes"), (10, (4, 16), "4 or 16 bytes")):
        if tag in fields and fields[tag][1] not in sizes:
            raise Malformed("%s must be %s" % (tlv.RECORD_NAMES[tag], words), tag, fields[tag][0] - 3)
    if 4 in fields:
        row[_ROLE] = tlv.u16(view, fields[4][0])
    if 9 not in fields or fields[9][1] == 0:
        return row, None
    at, size = fields[9]
    der = bytes(view[at : at + size])
    try:
        certificate = crypto.certificate(der)
    except ValueError as error:
        raise Malformed(str(error), 9, at - 3) from None
    row[_CERTIFICATE], row[_CERTIFICATE_LENGTH] = at, size
    for field, value in (
        (_ISSUER, certificate.issuer),
        (_SERIAL, certificate.serial),
        (_SUBJECT, certificate.subject),
        (_KEY, certificate.record_key),
    ):
        row[field], row[field + 1] = at + der.find(value), len(value)
    row[_KEY_KIND], row[_KEY_BITS] = KEY_KINDS.index(certificate.key_kind), certificate.key_bits
    return row, _mismatch(view, fields, certificate)


def _mismatch(view, fields, certificate):
    """The RecordMismatch of a record's serial number or public key, or None."""
    if 6 in fields:
        offset, length = fields[6]
        if names.serial_bytes(view[offset : offset + length]) != certificate.serial:
            return RecordMismatch("the serial number differs from the certificate's", 6, offset - 3)
    if 7 in fields:
        offset, length = fields[7]
        if not _same_key(bytes(view[offset : offset + length]), certificate.record_key, certificate.key_kind):
            return RecordMismatch("the public key differs from the certificate's", 7, offset - 3)
    return None


def _same_key(copy, key, kind):
    """Whether a record's copy of a public key is the certificate's; points of EC keys may be compressed."""
    return copy == key or kind == "ec" and _same_point(copy, key)


def _same_point(copy, key):
    from agent.formats.points import same_point  # most lists have no compressed point, and need no memory for it

    return same_point(copy, key)


def _compare_copies(view, rows, at):
    """The careful comparison of the names and points that the library did not prove equal."""
    end = rows[at + _OFFSET] + rows[at + _LENGTH]
    for tag, offset, length in tlv.record_tlvs(view[:end], rows[at + _OFFSET]):
        if tag in (3, 5) and length <= names.NAME_LIMIT:  # a longer name is not compared
            field = _SUBJECT if tag == 3 else _ISSUER
            name = view[rows[at + field] : rows[at + field] + rows[at + field + 1]]
            if names.same(tlv.text(view, tag, offset, length), name) is False:
                what = tlv.RECORD_NAMES[tag]
                raise RecordMismatch("%s differs from the certificate's" % what, tag, offset - 3)
        elif tag == 7 and rows[at + _FLAGS] & POINT_OPEN:
            key = view[rows[at + _KEY] : rows[at + _KEY] + rows[at + _KEY + 1]]
            if not _same_point(bytes(view[offset : offset + length]), bytes(key)):
                raise RecordMismatch("the public key differs from the certificate's", 7, offset - 3)
