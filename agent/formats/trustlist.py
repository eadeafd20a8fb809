# SPDX-License-Identifier: MIT
"""Reads a trust list (CTL or ITL) into a TrustList, and checks that its records agree with their certificates.

A record repeats fields of its certificate. These copies are compared here and never used afterwards: all answers come from
the certificate's own fields (docs/spec/formats.md, R1 and R2)."""

from array import array

from agent.errors import Malformed, RecordMismatch, Refused
from agent.formats import names, tlv
from agent.formats.header import Header

#: Bytes; phones refuse a larger list (R7).
SIZE_LIMIT = 65536
#: Bytes of a DNS name with its NUL; a longer name cannot be a host.
HOST_LIMIT = 256

# Each record has a row of numbers, as crypto.check_records returns it (RecordColumn in hal/__init__.pyi).
ROW = 16
NO_ROLE = 0xFFFFFFFF
NAMES_EQUAL, POINT_OPEN = 1, 2  # flags
KEY_KINDS = ("other", "rsa", "ec")
_SERVERS = (names.TFTP, names.CCM_TFTP, names.TVS)
_OFFSET, _LENGTH, _ROLE, _CERTIFICATE, _CERTIFICATE_LENGTH = 0, 1, 2, 3, 4
_ISSUER, _SERIAL, _SUBJECT, _KEY_KIND, _KEY_BITS, _FLAGS, _KEY = 5, 7, 9, 11, 12, 13, 14


class Record:
    """One record, with the fields of its certificate. offset, length: bytes, in the file. role: number or None. certificate,
    issuer, subject: DER. serial: bytes without leading zeros. key_kind: "rsa", "ec" or "other". key_bits: bits. In a blank
    record (R6) certificate, issuer, subject and serial are None."""

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
        """The certificate (DER), or None in a blank record."""
        return self._slice(_CERTIFICATE)

    @property
    def certificate_size(self):
        """The size of the certificate in bytes, 0 in a blank record."""
        return self._list.rows[self._at + _CERTIFICATE_LENGTH]

    @property
    def issuer(self):
        """The issuer's Name (DER), or None in a blank record."""
        return self._slice(_ISSUER)

    @property
    def subject(self):
        """The subject's Name (DER), or None in a blank record."""
        return self._slice(_SUBJECT)

    @property
    def serial(self):
        """The serial number, big-endian without leading zero bytes, or None in a blank record."""
        return self._slice(_SERIAL)

    def field(self, tag, limit=0xFFFF):
        """The value of one of the record's own TLVs (agent/formats/tlv.py, RECORD_NAMES), or None if it is missing or has more
        than `limit` bytes."""
        record = self._list.view[self.offset : self.offset + self.length]
        for found, offset, length in tlv.record_tlvs(record, 0):
            if found == tag and length <= limit:
                return bytes(record[offset : offset + length])
        return None

    def host(self):
        """The host of this certificate's server: the record's IPADDRESS, else its DNSNAME, else None."""
        address = self.field(10)
        if address is not None:
            return address_text(address)
        name = self.field(2, HOST_LIMIT)
        return str(name[:-1], "utf-8") if name and len(name) > 1 else None


class TrustList:
    """A trust list that was read completely, and whose records agree with their certificates.

    data: the file's bytes, or what rest_on() was given. They are not copied, so they must not change while the list is in
    use. header: agent.formats.header.Header. count: the number of records. rows: ROW numbers for each record."""

    def __init__(self, data, crypto, limit=SIZE_LIMIT):
        """Read `data`. limit: bytes. Raises Refused: `too-large`, `malformed`, `unsupported`, `record-mismatch`."""
        if len(data) > limit:
            raise too_large(len(data), limit)
        self.data = data
        self.view = memoryview(data)
        self.header = Header(data)
        self.count, self.rows = _check_records(self.view, self.header.length, crypto)

    def rest_on(self, data):
        """Use `data` from now on. It has the same bytes in another place, and has len() and slices
        (agent.flash.installed_list.ListOnFlash)."""
        self.data = data
        self.view = data

    def is_same(self, data):
        """Whether the file of this list has exactly these bytes."""
        return self.data.holds(data) if hasattr(self.data, "holds") else self.data == data

    def digest(self, crypto, algorithm):
        """The digest of the file. algorithm: as in the HAL's crypto."""
        if hasattr(self.data, "digest"):
            return self.data.digest(crypto, algorithm)
        return crypto.digest(algorithm, self.data)

    def records(self):
        """Yields all records."""
        for index in range(self.count):
            yield Record(self, index)

    def with_roles(self, roles):
        """Yields the records that have a certificate and one of `roles`."""
        rows = self.rows
        for index in range(self.count):
            if rows[index * ROW + _ROLE] in roles and rows[index * ROW + _CERTIFICATE_LENGTH]:
                yield Record(self, index)

    def has_roles(self, roles):
        """Whether a record has a certificate and one of `roles`."""
        for _ in self.with_roles(roles):
            return True
        return False

    @property
    def empty(self):
        """Whether this list announces a rollback: it has blank records as TFTP, CCM+TFTP or TVS, and no certificate with any of
        these roles (docs/spec/rules.md, E1). A list that has no record with these roles is not empty (E2)."""
        blank = False
        for at in range(0, self.count * ROW, ROW):
            if self.rows[at + _ROLE] in _SERVERS:
                if self.rows[at + _CERTIFICATE_LENGTH]:
                    return False
                blank = True
        return blank

    def signers(self, issuer, serial, roles):
        """The records with one of `roles` whose certificate has this issuer (text) and serial number (bytes): a list of (record,
        sure). sure is False if the names cannot be compared (N4); such records come last."""
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
        """Whether the list has exactly this certificate (DER, byte for byte) with one of `roles`."""
        for record in self.with_roles(roles):
            if record.certificate_size == len(certificate) and record.certificate == certificate:
                return True
        return False


def address_text(address):
    """An IPADDRESS of 4 or 16 bytes as text. IPv6 has small letters, and `::` for its longest run of zeros (RFC 5952)."""
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
    """The Refused for a file of at least `size` bytes, of which `limit` are allowed."""
    return Refused(
        "The file has %d bytes and this phone takes at most %d (about 40 certificates in a trust list); remove "
        "certificates that are no longer needed from the cluster's trust stores." % (size, limit),
        "too-large",
    )


def record_limit(size):
    """How many records a list of `size` bytes may have. It is a bound for memory; a record with a certificate has over 600
    bytes."""
    return max(128, size // 512)


def _check_records(view, start, crypto):
    """(count, rows) of all records. libphonetrust checks them, or Python if the HAL has no such library."""
    accelerated = crypto.check_records(view, start, record_limit(len(view)))
    if accelerated is None:
        count, rows = _read_records(view, start, crypto)
    else:
        count, rows, tag, offset = accelerated
        if count < 0:
            # Python reads the list again, because its error says more. If Python finds no fault, the list is refused anyway.
            _read_records(view, start, crypto)
            raise Malformed("a record that libphonetrust cannot read", tag, offset)
    for at in range(0, count * ROW, ROW):
        if rows[at + _CERTIFICATE_LENGTH] and rows[at + _FLAGS] != NAMES_EQUAL:
            _compare_copies(view, rows, at)
    return count, rows


def _read_records(view, start, crypto):
    """Does what crypto.check_records does, in Python and without comparing the names. If the list is malformed and has a
    mismatch too, it raises Malformed."""
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
    """Compare one record with its certificate. Returns (its row, RecordMismatch or None). Raises Malformed."""
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
    """A RecordMismatch if the record's serial number or public key is not the certificate's, else None."""
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
    """Whether a record's copy of a public key equals the certificate's key. Points of EC keys may be compressed (R3)."""
    return copy == key or kind == "ec" and _same_point(copy, key)


def _same_point(copy, key):
    from agent.formats.points import same_point  # imported late: most lists have no compressed point

    return same_point(copy, key)


def _compare_copies(view, rows, at):
    """Compare the names and points that the library could not prove equal. Raises RecordMismatch."""
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
