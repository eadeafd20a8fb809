# SPDX-License-Identifier: MIT
"""A small reader of trust lists and signed files, written for tests from docs/spec/formats.md alone.

It shares no code with agent/ nor with host_tools/lab, so what it reads of the lab's files is a second opinion.
"""

import struct

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

CONTAINERS = (3, 7, 9, 16, 17, 21)
DIGESTS = {1: hashes.SHA1, 2: hashes.SHA256, 3: hashes.SHA512}


class File:
    """`fields`: header {tag: value}; `order`: its tags; `body`: what follows the header; `signed`: what is signed."""

    def __init__(self, data):
        self.data = data
        self.fields, self.order = {}, []
        offset, end = 0, 10
        while offset < end:
            tag = data[offset]
            self.order.append(tag)
            if tag == 13:
                offset += 1
                continue
            (length,) = struct.unpack_from(">H", data, offset + 1)
            assert offset + 3 + length <= len(data)
            value = data[offset + 3 : offset + 3 + length]
            if tag in CONTAINERS:
                self.fields[tag] = value
                offset += 3
                continue
            assert tag not in self.fields, f"tag {tag} twice"
            self.fields[tag] = value
            if tag == 2:
                (end,) = struct.unpack(">H", value)
            if tag == 12:
                self.signed = data[:offset] + data[offset + 3 + length :]
            offset += 3 + length
        assert offset == end
        self.header_length = end
        self.body = data[end:]

    @property
    def digest(self):
        return DIGESTS[self.fields[8][0]]()

    def text(self, tag):
        value = self.fields[tag]
        assert value.endswith(b"\0") and b"\0" not in value[:-1]
        return value[:-1].decode()

    def verify(self, certificate_der):
        """Raises InvalidSignature when this certificate's key did not sign the file."""
        key = x509.load_der_x509_certificate(certificate_der).public_key()
        key.verify(self.fields[12], self.signed, padding.PKCS1v15(), self.digest)

    def records(self):
        """The records as a list of {tag: value}."""
        records, offset = [], 0
        while offset < len(self.body):
            tag, size, length = struct.unpack_from(">BHH", self.body, offset)
            assert (tag, size) == (1, 2) and length >= 5
            end = offset + length
            assert end <= len(self.body)
            record, offset = {}, offset + 5
            while offset < end:
                tag, size = struct.unpack_from(">BH", self.body, offset)
                assert tag not in record
                record[tag] = self.body[offset + 3 : offset + 3 + size]
                offset += 3 + size
            assert offset == end
            records.append(record)
        return records

    def roles(self):
        """[(role, certificate DER or None)] of the records."""
        return [(struct.unpack(">H", record[4])[0], record.get(9)) for record in self.records()]

    def decrypt(self, private_key):
        """The plaintext of an encrypted file, its digest checked."""
        key = private_key.decrypt(self.fields[25], padding.PKCS1v15())
        decryptor = Cipher(algorithms.AES(key), modes.CBC(self.fields[19])).decryptor()
        plain = decryptor.update(self.body) + decryptor.finalize()
        (padded,) = struct.unpack(">H", self.fields[20])
        plain = plain[: len(plain) - padded]
        digest = hashes.Hash(DIGESTS[self.fields[26][0]]())
        digest.update(plain)
        assert digest.finalize() == self.fields[27]
        return plain


def name_pairs(text):
    """A name's (type, value) pairs; for names without escapes."""
    return sorted(tuple(part.strip().split("=", 1)) for part in text.replace(";", ",").split(","))
