# SPDX-License-Identifier: MIT
"""The PKCS#11 module: objects, signatures, and what it refuses; plain, under valgrind and under sanitizers."""

import ctypes
import hashlib
import os
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from tests.helpers.native import pkcs11_module as p11
from tests.helpers.native.library import ROOT
from tests.helpers.native.pkcs11_module import OK
from tests.helpers.native.signing_agent import pair_of

HASHES = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
INFOS = {
    "sha1": "3021300906052b0e03021a05000414",
    "sha256": "3031300d060960864801650304020105000420",
    "sha384": "3041300d060960864801650304020205000430",
    "sha512": "3051300d060960864801650304020305000440",
}
DATA = b"what the handshake said"
FUZZ_SECONDS = os.environ.get("FUZZ_SECONDS", "5")


def info(algorithm, data=DATA):
    return bytes.fromhex(INFOS[algorithm]) + hashlib.new(algorithm, data).digest()


def verify_rsa(key, algorithm, signature, pss=False):
    digest = hashlib.new(algorithm, DATA).digest()
    scheme = padding.PSS(padding.MGF1(HASHES[algorithm]), len(digest)) if pss else padding.PKCS1v15()
    key.public_key().verify(signature, digest, scheme, Prehashed(HASHES[algorithm]))


def verify_ecdsa(key, algorithm, signature):
    half = (key.key_size + 7) // 8
    assert len(signature) == 2 * half
    der = encode_dss_signature(int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
    key.public_key().verify(der, DATA, ec.ECDSA(HASHES[algorithm]))


# Objects


@pytest.mark.parametrize("name", ["rsa-1024", "rsa-2048", "rsa-4096", "ec-256", "ec-384", "ec-521"])
def test_objects_are_what_the_certificate_says(agent, module, keys, name):
    der, _ = agent.pairs["lsc"] = pair_of(keys(name))
    certificate = x509.load_der_x509_certificate(der)
    module.ready()
    assert module.find() == 3 and module.find(p11.CERTIFICATE) == 1
    spki = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    identifier = hashlib.sha256(spki).digest()[:20]
    assert module.get(p11.VALUE) == der
    assert module.get(p11.SUBJECT) == certificate.subject.public_bytes()
    assert module.get(p11.ISSUER) == certificate.issuer.public_bytes()
    serial = module.get(p11.SERIAL_NUMBER)
    assert serial[0] == 2 and serial[1] == len(serial) - 2
    assert int.from_bytes(serial[2:], "big", signed=True) == certificate.serial_number
    assert module.get(p11.START_DATE) == b"20260101" and module.get(p11.END_DATE) == b"20450101"
    for kind in (p11.CERTIFICATE, p11.PUBLIC_KEY, p11.PRIVATE_KEY):
        assert module.find(kind, "LSC") == 1 and module.find(kind, "MIC") == 0 and module.find(kind) == 1
        assert module.get(p11.ID) == identifier and module.get(p11.LABEL) == b"LSC"
        assert module.get(p11.PUBLIC_KEY_INFO) == spki
    numbers = certificate.public_key().public_numbers()
    for kind in (p11.PUBLIC_KEY, p11.PRIVATE_KEY):
        module.find(kind)
        if name.startswith("rsa"):
            assert int.from_bytes(module.get(p11.MODULUS), "big") == numbers.n
            assert module.get(p11.MODULUS)[0] != 0 and module.get(p11.PUBLIC_EXPONENT) == b"\1\0\1"
            assert module.get(p11.EC_POINT) == p11.ATTRIBUTE_TYPE_INVALID
        else:
            point = certificate.public_key().public_bytes(
                serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
            )
            found = module.get(p11.EC_POINT)
            assert found[0] == 4 and found[-len(point) :] == point and module.get(p11.EC_PARAMS)[0] == 6
            assert module.get(p11.MODULUS) == p11.ATTRIBUTE_TYPE_INVALID


def test_the_private_key_signs_and_nothing_else(agent, module):
    module.ready()
    assert module.find(p11.PRIVATE_KEY) == 1
    for attribute, flag in ((p11.SIGN, 1), (p11.SENSITIVE, 1), (p11.DECRYPT, 0), (p11.UNWRAP, 0), (p11.EXTRACTABLE, 0)):
        assert module.get(attribute) == bytes([flag])
    for secret in (p11.VALUE, p11.PRIVATE_EXPONENT, p11.PRIME_1, 0x125, 0x126, 0x127, 0x128):
        assert module.get(secret) == p11.ATTRIBUTE_SENSITIVE
    assert module.get(0x7FFFFFFF) == p11.ATTRIBUTE_TYPE_INVALID
    assert module.do("get", p11.ID, 19) == (p11.BUFFER_TOO_SMALL, "")
    assert agent.signed() == []


def test_a_phone_with_both_certificates_shows_the_lsc_first(agent, module, keys):
    agent.pairs["mic"] = pair_of(keys("ec-256"), "CP-8861-SEP00270DC01C92")
    module.ready()
    assert module.find() == 6 and module.find(p11.PRIVATE_KEY) == 2
    assert module.get(p11.LABEL) == b"LSC"
    assert module.find(p11.PRIVATE_KEY, "MIC") == 1
    verify_ecdsa(keys("ec-256"), "sha256", module.sign(p11.SHA_ECDSA["sha256"], DATA))
    assert agent.signed()[0]["key"] == "mic"


def test_a_phone_without_certificates_has_an_empty_token(agent, module):
    agent.pairs.clear()
    module.ready()
    assert module.find() == 0
    assert module.sign(p11.RSA_PKCS, info("sha256")) == p11.KEY_HANDLE_INVALID


# Signatures


@pytest.mark.parametrize("algorithm", HASHES)
@pytest.mark.parametrize("name", ["rsa-2048", "rsa-4096"])
def test_rsa_signatures(agent, module, keys, name, algorithm):
    agent.pairs["lsc"] = pair_of(keys(name))
    module.ready()
    module.find(p11.PRIVATE_KEY)
    digest = hashlib.new(algorithm, DATA).digest()
    verify_rsa(keys(name), algorithm, module.sign(p11.RSA_PKCS, info(algorithm)))
    verify_rsa(keys(name), algorithm, module.sign(p11.SHA_RSA_PKCS[algorithm], DATA))
    pss = p11.PSS[algorithm]
    verify_rsa(keys(name), algorithm, module.sign(p11.RSA_PSS, digest, *pss), pss=True)
    verify_rsa(keys(name), algorithm, module.sign(p11.SHA_RSA_PSS[algorithm], DATA, *pss), pss=True)
    for piece in (DATA[:5], b"", DATA[5:]):
        if piece == DATA[:5]:
            assert module("start", p11.SHA_RSA_PKCS[algorithm]) == OK
        assert module("update", piece.hex() or "-") == OK
    result, text = module.do("final")
    assert result == OK
    verify_rsa(keys(name), algorithm, bytes.fromhex(text))


@pytest.mark.parametrize("algorithm", HASHES)
@pytest.mark.parametrize("name", ["ec-256", "ec-384", "ec-521"])
def test_ecdsa_signatures(agent, module, keys, name, algorithm):
    agent.pairs["lsc"] = pair_of(keys(name))
    module.ready()
    module.find(p11.PRIVATE_KEY)
    verify_ecdsa(keys(name), algorithm, module.sign(p11.SHA_ECDSA[algorithm], DATA))
    verify_ecdsa(keys(name), algorithm, module.sign(p11.ECDSA, hashlib.new(algorithm, DATA).digest()))


def test_what_is_no_digest_is_refused_before_the_agent_is_asked(agent, module):
    module.ready()
    module.find(p11.PRIVATE_KEY)
    digest = hashlib.sha256(DATA).digest()
    for wrong in (
        b"", digest, info("sha1"), b"\0" * 36, info("sha256")[:-1], info("sha256") + b"\0", b"\x31" + info("sha256")[1:],
        b"\0" * 256, info("sha512") + b"\0" * 200,
    ):  # fmt: skip
        assert module.sign(p11.RSA_PKCS, wrong) == p11.DATA_INVALID
    for length in (0, 1, 20, 31, 33, 48, 64, 65, 256):
        assert module.sign(p11.RSA_PSS, b"\1" * length, *p11.PSS["sha256"]) == p11.DATA_LEN_RANGE
    assert agent.signed() == []


def test_mechanisms_and_parameters_that_are_not_for_tls(agent, module, keys):
    module.ready()
    module.find(p11.PRIVATE_KEY)
    digest = hashlib.sha256(DATA).digest()
    # X.509 (raw RSA), MD5 and SHA-1 with RSA, OAEP, DSA, AES.
    for mechanism in (0x3, 0x5, 0x6, 0xE, 0x9, 0x11, 0x1082, 0xFFFFFFFF):
        assert module.sign(mechanism, digest) == p11.MECHANISM_INVALID
    assert module.sign(p11.RSA_PSS, digest) == p11.MECHANISM_PARAM_INVALID
    hash_, mask, salt = p11.PSS["sha256"]
    wrong = (
        (*p11.PSS["sha1"],),
        (hash_, mask, 0),
        (hash_, mask, 222),
        (hash_, 1, salt),
        (0x260, mask, salt),
        (0, 0, 0),
    )
    for parameter in wrong:
        assert module.sign(p11.RSA_PSS, digest, *parameter) == p11.MECHANISM_PARAM_INVALID
    assert module.sign(p11.SHA_RSA_PSS["sha384"], DATA, hash_, mask, salt) == p11.MECHANISM_PARAM_INVALID
    assert module.sign(p11.RSA_PKCS, info("sha256"), hash_, mask, salt) == p11.MECHANISM_PARAM_INVALID
    assert module.sign(p11.ECDSA, digest) == p11.KEY_TYPE_INCONSISTENT
    module.find(p11.PUBLIC_KEY)
    assert module.sign(p11.RSA_PKCS, info("sha256")) == p11.KEY_HANDLE_INVALID
    assert agent.signed() == []


def test_how_long_a_signature_is_costs_no_request(agent, module, keys):
    module.ready()
    module.find(p11.PRIVATE_KEY)
    assert module("start", p11.SHA_RSA_PKCS["sha256"]) == OK
    assert module("start", p11.SHA_RSA_PKCS["sha256"]) == p11.OPERATION_ACTIVE
    assert module.do("length", DATA.hex()) == (OK, "256")
    assert module.do("sign", DATA.hex(), 255) == (p11.BUFFER_TOO_SMALL, "256")
    assert agent.signed() == []
    result, text = module.do("sign", DATA.hex(), 256)
    assert result == OK
    verify_rsa(keys("rsa-2048"), "sha256", bytes.fromhex(text))
    assert module.do("sign", DATA.hex())[0] == p11.OPERATION_NOT_INITIALIZED
    assert module("start", p11.SHA_RSA_PKCS["sha256"]) == OK and module("update", "00") == OK
    assert module.do("sign", DATA.hex())[0] == p11.OPERATION_ACTIVE


# The module as such


def test_every_other_function_is_not_supported(pkcs11_build):
    """Encrypt, decrypt, digest, verify, make, change, random: by the table itself, with nothing initialised."""
    library = ctypes.CDLL(str(pkcs11_build.parent / "x86_64" / "libphonetrust-pkcs11.so"))
    table = ctypes.POINTER(ctypes.c_void_p)()
    assert library.C_GetFunctionList(ctypes.byref(table)) == 0
    text = (ROOT / "native/pkcs11/functions.c").read_text()
    order = [line.split("=")[0].strip(" .") for line in text.splitlines() if line.strip().startswith(".C_")]
    assert len(order) == 68 and order[0] == "C_Initialize" and order[-1] == "C_WaitForSlotEvent"
    answers = {}
    for index, name in enumerate(order):
        if name not in ("C_Initialize", "C_Finalize", "C_GetFunctionList"):
            function = ctypes.CFUNCTYPE(ctypes.c_ulong, *[ctypes.c_void_p] * 8)(table[1 + index])
            answers[name] = function(*[None] * 8)
    for name in ("C_DecryptInit", "C_Decrypt", "C_UnwrapKey", "C_DeriveKey", "C_SignRecoverInit", "C_CreateObject",
                 "C_DestroyObject", "C_SetAttributeValue", "C_GenerateKeyPair", "C_InitToken", "C_Digest"):  # fmt: skip
        assert answers[name] == p11.FUNCTION_NOT_SUPPORTED, name
    for name in ("C_GetSlotList", "C_OpenSession", "C_FindObjectsInit", "C_GetAttributeValue", "C_SignInit", "C_Sign"):
        assert answers[name] == p11.NOT_INITIALIZED, name


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_the_module_exports_one_name_and_needs_libc_alone(pkcs11_build, architecture):
    module = pkcs11_build.parent / architecture / "libphonetrust-pkcs11.so"
    done = subprocess.run(
        ["native/check-library.sh", module, "81920", "native/pkcs11/exports.map", "C_[A-Za-z]*"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0 and "1 functions, needs libc.so.6" in done.stdout, done.stderr


def test_fuzzed_answers(pkcs11_build):
    done = subprocess.run(
        ["make", "--no-print-directory", "-C", "native/pkcs11", "fuzz", f"FUZZ_SECONDS={FUZZ_SECONDS}"],
        cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
