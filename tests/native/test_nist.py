# SPDX-License-Identifier: MIT
"""NIST's vectors of signature verification (CAVS), and the certificates that come with them, from the package
`cryptography-vectors`: libphonetrust and `cryptography` say what NIST says, or the difference is named with its reason."""

import base64
import hashlib
import re
import warnings
from pathlib import Path

import cryptography_vectors
import pytest
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hal.host import crypto
from tests.helpers.agent.building import element

FOLDER = Path(cryptography_vectors.__file__).parent
RSA = FOLDER / "asymmetric/RSA"
#: file -> what it has at least: signatures that verify, and that do not
RSA_FILES = {
    "FIPS_186-2/SigVer15_186-3.rsp": (20, 80),
    "FIPS_186-2/SigGen15_186-2.rsp": (150, 0),
    "FIPS_186-2/SigGen15_186-3.rsp": (150, 0),
    "SigVer15EMTest.txt": (0, 30),
}
ECDSA_FILES = ("FIPS_186-2/SigVer.rsp", "FIPS_186-3/SigVer.rsp")
#: bytes of a coordinate, and the identifier of the curve (RFC 5480)
CURVES = {
    "P-256": (32, bytes.fromhex("2a8648ce3d030107")),
    "P-384": (48, bytes.fromhex("2b81040022")),
    "P-521": (66, bytes.fromhex("2b81040023")),
}
#: Clusters do not sign with this digest: DIGESTALGORITHM has no number for it, and libphonetrust does not know it.
UNKNOWN_DIGEST = "sha224"
OID_RSA, OID_EC = bytes.fromhex("2a864886f70d010101"), bytes.fromhex("2a8648ce3d0201")


def records(path):
    """The tests of one file: dictionaries of what was said up to a Result, or up to a signature where none follows."""
    text = path.read_text()
    has_results = "Result = " in text
    state = {}
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("["):
            state = {"section": line.strip("[]")}
        elif " = " in line and not line.startswith("#"):
            key, value = line.split(" = ", 1)
            state[key] = value.strip()
            if key == ("Result" if has_results else "S"):
                yield dict(state)


def certificate_around(public_key):
    """A certificate (DER) that nobody signed, around a SubjectPublicKeyInfo."""
    algorithm = element(0x30, element(6, bytes.fromhex("2a864886f70d01010b")) + b"\5\0")
    name = element(0x30, b"")
    validity = element(0x30, element(0x17, b"260101000000Z") + element(0x17, b"360101000000Z"))
    body = element(2, b"\1") + algorithm + name + validity + name + public_key
    return element(0x30, element(0x30, body) + algorithm + element(3, b"\0" + bytes(64)))


def integer(value):
    return element(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def rsa_certificate(modulus, exponent):
    key = element(0x30, integer(modulus) + integer(exponent))
    return certificate_around(element(0x30, element(0x30, element(6, OID_RSA) + b"\5\0") + element(3, b"\0" + key)))


def ec_certificate(curve, x, y):
    size, identifier = CURVES[curve]
    point = b"\4" + x.to_bytes(size, "big") + y.to_bytes(size, "big")
    return certificate_around(
        element(0x30, element(0x30, element(6, OID_EC) + element(6, identifier)) + element(3, b"\0" + point))
    )


@pytest.fixture(scope="module", params=["native", "cryptography"])
def library(request):
    return crypto(request.param)


def says(library, certificate, algorithm, message, signature):
    """Whether it verifies; a key that cannot be used verifies nothing."""
    try:
        return library.verify(certificate, algorithm, hashlib.new(algorithm, message).digest(), signature)
    except ValueError:
        return False


@pytest.mark.parametrize("name", RSA_FILES)
def test_pkcs1(library, name):
    wrong, sizes, counts = [], set(), {True: 0, False: 0}
    for number, one in enumerate(records(RSA / name)):
        algorithm = one["SHAAlg"].lower()
        if algorithm == UNKNOWN_DIGEST:
            continue
        modulus, signature = int(one["n"], 16), bytes.fromhex(one["S"])
        sizes.add(modulus.bit_length())
        wanted = one.get("Result", "P").startswith("P")
        counts[wanted] += 1
        certificate = rsa_certificate(modulus, int(one["e"], 16))
        if says(library, certificate, algorithm, bytes.fromhex(one["Msg"]), signature) is not wanted:
            wrong.append((number, one["section"], algorithm, one.get("Result")))
    assert wrong == []
    assert sizes == {1024, 1536, 2048, 3072, 4096}
    assert (counts[True] >= RSA_FILES[name][0], counts[False] >= RSA_FILES[name][1]) == (True, True), counts


@pytest.mark.parametrize("name", ECDSA_FILES)
def test_ecdsa(library, name):
    wrong, seen, counts = [], set(), {True: 0, False: 0}
    for number, one in enumerate(records(FOLDER / "asymmetric/ECDSA" / name)):
        curve, _, digest = one["section"].partition(",")
        algorithm = (digest or "SHA-1").replace("-", "").lower()
        if curve not in CURVES or algorithm == UNKNOWN_DIGEST:
            continue  # phones do not use keys on the other curves
        seen.add(curve)
        wanted = one["Result"].startswith("P")
        counts[wanted] += 1
        x, y, r, s = (int(one[key], 16) for key in ("Qx", "Qy", "R", "S"))
        signature = encode_dss_signature(r, s)
        if says(library, ec_certificate(curve, x, y), algorithm, bytes.fromhex(one["Msg"]), signature) is not wanted:
            wrong.append((number, one["section"], one["Result"]))
    assert wrong == []
    assert seen == set(CURVES) and counts[True] >= 5 and counts[False] >= 20


#: Keys of kinds that sign no file of a cluster: a curve that is written out, RSA for PSS alone. Here they are `other`, of 0
#: bits, and their bytes are the certificate's; `cryptography` encodes them anew.
OTHER_FIELDS = {
    name: ["public_key", "key_bits"]
    for name in (
        "x509/custom/ec_no_named_curve.pem",
        "x509/custom/rsa_pss.pem",
        "x509/custom/rsa_pss_cert.pem",
        "x509/custom/rsa_pss_cert_invalid_mgf.der",
        "x509/custom/rsa_pss_cert_no_sig_params.der",
        "x509/custom/rsa_pss_cert_unsupported_mgf_hash.der",
    )
}
FIELDS = (
    "issuer", "subject", "serial", "public_key", "record_key", "key_kind", "key_bits", "signature",
    "signature_algorithm", "not_before", "not_after",
)  # fmt: skip

_UNUSED_BITS = (
    "the certificate's own signature is no whole bytes; it is never verified, but a damaged one is no DER of a key's"
)
_PARAMETERS = "parameters that this algorithm must not have, or must; no key of RSA or EC"
#: certificate -> (which library refuses it, why). Both read all other certificates with the same fields, or both refuse.
DIFFERENCES = {
    "x509/PKITS_data/certs/BadSignedCACert.crt": ("libphonetrust", _UNUSED_BITS),
    "x509/PKITS_data/certs/InvalidDSASignatureTest6EE.crt": ("libphonetrust", _UNUSED_BITS),
    "x509/custom/long-form-name-attribute.pem": ("libphonetrust", "a tag of several bytes in a name"),
    "x509/PKITS_data/certs/DSAParametersInheritedCACert.crt": ("cryptography", _PARAMETERS),
    "x509/PKITS_data/certs/ValidDSAParameterInheritanceTest5EE.crt": ("cryptography", _PARAMETERS),
    "x509/custom/dsa_null_alg_params.pem": ("cryptography", _PARAMETERS),
    "x509/custom/ecdsa_null_alg.pem": ("cryptography", _PARAMETERS),
    "x509/ed25519/ed25519-rfc8410.pem": (
        "cryptography",
        "an extension writes out a default value; extensions are not read here",
    ),
}


def fields(library, der):
    """All fields of a certificate; None where it is refused."""
    try:
        found = library.certificate(der)
    except ValueError:
        return None
    return {name: getattr(found, name) for name in FIELDS}


def by_cryptography(der):
    """The same as the package reads them, as far as it does; None where it refuses the certificate."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a negative serial number, and the like
        try:
            found = x509.load_der_x509_certificate(der)
        except (ValueError, x509.InvalidVersion):
            return None
        number = found.serial_number
        read = {
            "serial": None if number < 0 else number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big"),
            "signature": found.signature,
            "signature_algorithm": found.signature_algorithm_oid.dotted_string,
            "not_before": found.not_valid_before_utc.strftime("%Y%m%d%H%M%SZ").zfill(15),
            "not_after": found.not_valid_after_utc.strftime("%Y%m%d%H%M%SZ").zfill(15),
        }
        for name, get in (("issuer", lambda: found.issuer), ("subject", lambda: found.subject)):
            try:
                read[name] = get().public_bytes()
            except (ValueError, TypeError):
                pass  # a kind of string that it does not take apart
        try:
            key = found.public_key()
        except (ValueError, UnsupportedAlgorithm):
            return read
        if isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)):
            read["public_key"] = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            read["key_bits"] = key.key_size
        return read


def certificates():
    """(name, DER) of every certificate of the package."""
    for path in sorted(FOLDER.rglob("*")):
        if path.suffix in (".der", ".crt"):
            yield str(path.relative_to(FOLDER)), path.read_bytes()
        elif path.suffix == ".pem":
            pattern = rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----\s(.*?)-----END"
            for number, found in enumerate(re.findall(pattern, path.read_bytes(), re.S)):
                yield str(path.relative_to(FOLDER)) + (f" {number}" if number else ""), base64.b64decode(found)


def test_certificates():
    ours, theirs = crypto("native"), crypto("cryptography")
    found, other, read = {}, {}, 0
    for name, der in certificates():
        left = fields(ours, der)
        assert left == fields(theirs, der), f"{name}: the twins differ"
        right = by_cryptography(der)
        if left is None or right is None:
            if left is not right:
                found[name] = "libphonetrust" if left is None else "cryptography"
            continue
        read += 1
        differing = [field for field in right if right[field] is not None and right[field] != left[field]]
        if differing:
            other[name] = differing
    assert found == {name: who for name, (who, _) in DIFFERENCES.items()}
    assert other == OTHER_FIELDS
    assert read > 500
