# SPDX-License-Identifier: MIT
"""Makes the last four elements of AUTH_RES, in which a phone proves its key to CAPF (docs/spec/capf.md, C5 to C7).

This module builds the data; the HAL's `crypto` signs it, once over SHA-1 and once over SHA-512. An RSA key signs the bare
digest (PKCS#1 type 1 padding without a DigestInfo), an EC key signs with ECDSA.
"""

import struct

from agent.servers.capf import message


def proofs(crypto, session, device_name, certificate_kind, identity, mic):
    """The elements CERTIFICATE, SIGNEDDATA, SHA2SIGNEDDATA and SUDIDATA, as a list of (tag, value).

    session: the session number. device_name: text. identity: (certificate DER, private key DER), with which the phone
    authenticates. certificate_kind: LSC or MIC, the kind of that certificate. mic: the same pair for the MIC. If mic is None,
    SUDIDATA proves the identity itself, as the independent client does by default. SUDIDATA is for RSA keys only [seen] and
    is left out for other keys. Raises ValueError if a key cannot be used.
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
        # The session number is little-endian here, although the header has it big-endian [seen].
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
