# SPDX-License-Identifier: MIT
"""How a phone proves its key to CAPF: the last four elements of AUTH_RES (docs/spec/capf.md, C5 to C7).

`crypto` is the HAL's: it signs, this module only says what. RSA keys sign the bare digest (PKCS#1 type 1 padding
without a DigestInfo), EC keys ECDSA, once over SHA-1 and once over SHA-512.
"""

import struct

from agent.servers.capf import message


def proofs(crypto, session, device_name, certificate_kind, identity, mic):
    """The elements CERTIFICATE, SIGNEDDATA, SHA2SIGNEDDATA and SUDIDATA as a list of (tag, value).

    identity: (certificate DER, private key DER) that authenticates, of `certificate_kind` LSC or MIC. mic: the same
    of the MIC, or None: then SUDIDATA proves the identity itself, as the independent client does by default.
    SUDIDATA is for RSA keys only [seen] and is left out for others. ValueError when a key cannot be used.
    """
    certificate, private_key = identity
    signed = message.text(device_name, "the device name") + bytes(certificate)
    sha1, sha512 = _signatures(crypto, certificate, private_key, signed)
    elements = [
        (message.CERTIFICATE, message.certificate_value(certificate_kind, certificate)),
        (message.SIGNEDDATA, sha1),
        (message.SHA2SIGNEDDATA, message.part(message.DIGEST_SHA512, sha512)),
    ]
    sudi_certificate, sudi_key = mic or identity
    if crypto.certificate(sudi_certificate).key_kind == "rsa":
        # The session number in little-endian order: seen so, against the order of the header.
        signed = struct.pack("<I", session) + bytes(sudi_certificate)
        sha1, sha512 = _signatures(crypto, sudi_certificate, sudi_key, signed)
        elements.append(
            (
                message.SUDIDATA,
                message.part(0, sudi_certificate)
                + message.part(message.DIGEST_SHA1, sha1)
                + message.part(message.DIGEST_SHA512, sha512),
            )
        )
    return elements


def _signatures(crypto, certificate, private_key, data):
    scheme = "ecdsa" if crypto.certificate(certificate).key_kind == "ec" else "rsa-bare"
    return (
        crypto.sign(private_key, scheme, crypto.digest("sha1", data)),
        crypto.sign(private_key, scheme, crypto.digest("sha512", data)),
    )
