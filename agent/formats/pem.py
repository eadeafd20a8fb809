# SPDX-License-Identifier: MIT
"""Writes PEM blocks (RFC 7468), among them the block by which OpenSSL's pkcs11-provider finds a private key.

That block stands in the place of a private key and names a key behind PKCS#11. It is a DER SEQUENCE of the VisibleString
"PKCS#11 Provider URI v1.0" and the URI (RFC 7512) as UTF8String, as pkcs11-provider's uri2pem writes it.
"""

from binascii import b2a_base64

_SEQUENCE, _VISIBLE_STRING, _UTF8_STRING = 0x30, 0x1A, 0x0C
_LINE = 48  # bytes, which are 64 letters


def block(label, der):
    """The PEM block of `der` (bytes) as text. label: such as "CERTIFICATE"."""
    lines = [str(b2a_base64(der[at : at + _LINE]), "ascii").strip() for at in range(0, len(der), _LINE)]
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n" % (label, "\n".join(lines), label)


def provider_uri(uri):
    """The block for the private key with this PKCS#11 URI, as text. The URI has less than about 220 bytes."""
    version = _element(_VISIBLE_STRING, b"PKCS#11 Provider URI v1.0")
    return block("PKCS#11 PROVIDER URI", _element(_SEQUENCE, version + _element(_UTF8_STRING, uri.encode())))


def _element(tag, content):
    """A DER element of up to 255 bytes."""
    length = bytes([len(content)]) if len(content) < 128 else bytes([0x81, len(content)])
    return bytes([tag]) + length + content
