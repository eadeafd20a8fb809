# SPDX-License-Identifier: MIT
"""libphonetrust's TLS against OpenSSL: each combination works, or is refused with a reason that an administrator can act on.

Each server is asked by every Python: first without a client certificate, then with an RSA, then with an EC one.
"""

import re
import ssl
import subprocess
from types import SimpleNamespace

import pytest

from tests.helpers.tls.identity import Identity, identity, make_key
from tests.helpers.tls.openssl_server import REQUEST, OpenSSLServer
from tests.helpers.tls.pythons import PYTHONS, exchanges

RSA_KEYS = ("rsa2048", "rsa3072", "rsa4096")
EC_KEYS = ("ec256", "ec384", "ec521")
CLIENTS = {"none": None, "rsa": "rsa2048", "ec": "ec256"}
SUITES_13 = {
    "TLS_AES_128_GCM_SHA256": 0x1301, "TLS_AES_256_GCM_SHA384": 0x1302, "TLS_CHACHA20_POLY1305_SHA256": 0x1303,
}  # fmt: skip
SUITES_12 = {
    "ECDHE-RSA-AES128-GCM-SHA256": 0xC02F, "ECDHE-RSA-AES256-GCM-SHA384": 0xC030, "ECDHE-RSA-CHACHA20-POLY1305": 0xCCA8,
    "ECDHE-ECDSA-AES128-GCM-SHA256": 0xC02B, "ECDHE-ECDSA-AES256-GCM-SHA384": 0xC02C,
    "ECDHE-ECDSA-CHACHA20-POLY1305": 0xCCA9,
}  # fmt: skip
# (version, key of the server, suite)
WORKING = [("TLS 1.3", key, suite) for key in RSA_KEYS + EC_KEYS for suite in SUITES_13] + [
    ("TLS 1.2", key, suite) for suite in SUITES_12 for key in (RSA_KEYS if "-RSA-" in suite else EC_KEYS)
]


def ask(server, python, clients=CLIENTS, **more):
    """One exchange for each kind of client certificate, by its name."""
    cases = []
    for kind in clients.values():
        pair = identity(kind, "client").pair if kind else None
        cases.append({"port": server.port, "request": REQUEST, "enough": 100000, "identity": pair, **more})
    return dict(zip(clients, exchanges(python, *cases), strict=True))


def made_by_openssl(*options):
    """An Identity whose certificate the package cryptography would not make."""
    command = ["openssl", "req", "-x509", "-nodes", "-subj", "/CN=old", "-keyout", "-", "-newkey", *options]
    pem = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    begin = pem.index("-----BEGIN CERTIFICATE")
    return SimpleNamespace(pem=pem.encode(), certificate=ssl.PEM_cert_to_DER_cert(pem[begin:]))


def options(version, suite):
    if version == "TLS 1.3":
        return ["-tls1_3", "-ciphersuites", suite]
    return ["-tls1_2", "-cipher", suite]


def check_works(result, server_identity, version, suite=None):
    assert (result["failure"], result["text"]) == (None, "")
    assert result["state"] == "ended"
    assert result["version"] == version
    assert result["certificate"] == server_identity.certificate
    assert result["read"].startswith(b"HTTP/1.0 200 ok") and result["read"].rstrip().endswith(b"</HTML>")
    if suite:
        assert result["suite"] == suite


def is_shown(result):
    """Whether the server says that it saw a client certificate."""
    return b"no client certificate available" not in result["read"]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(("version", "key", "suite"), WORKING)
def test_works(version, key, suite, python):
    with OpenSSLServer(identity(key), *options(version, suite), "-verify", "1") as server:
        results = ask(server, python)
    for client, result in results.items():
        check_works(result, identity(key), version, {**SUITES_12, **SUITES_13}[suite])
        assert result["asked"]
        assert is_shown(result) == (client != "none")


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("client", ["rsa1024", "rsa3072", "rsa4096", "ec256", "ec384", "ec521"])
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_client_certificates_of_all_kinds(version, client, python):
    with OpenSSLServer(identity("ec256"), version, "-cipher", "DEFAULT@SECLEVEL=0", "-verify", "1") as server:
        result = ask(server, python, {"one": client})["one"]
    check_works(result, identity("ec256"), "TLS 1." + version[-1])
    assert is_shown(result)


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("key", ["rsa2048", "ec256"])
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_security_levels(version, key, level, python):
    with OpenSSLServer(identity(key), version, "-cipher", f"DEFAULT@SECLEVEL={level}", "-verify", "1") as server:
        for result in ask(server, python).values():
            check_works(result, identity(key), "TLS 1." + version[-1])


@pytest.mark.parametrize("python", PYTHONS)
def test_a_server_that_is_free_to_choose_takes_tls_13(python):
    with OpenSSLServer(identity("rsa2048")) as server:
        result = ask(server, python, {"none": None})["none"]
    check_works(result, identity("rsa2048"), "TLS 1.3")
    assert not result["asked"]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_each_curve_also_where_the_server_has_to_ask_again(version, curve, python):
    with OpenSSLServer(identity("rsa2048"), version, "-groups", curve) as server:
        check_works(ask(server, python, {"none": None})["none"], identity("rsa2048"), "TLS 1." + version[-1])


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("key", RSA_KEYS)
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_rsa_pss_only(version, key, python):
    with OpenSSLServer(identity(key), version, "-sigalgs", "RSA-PSS+SHA256") as server:
        check_works(ask(server, python, {"none": None})["none"], identity(key), "TLS 1." + version[-1])


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("options", [["-serverpref"], ["-sigalgs", "RSA+SHA256"], ["-sigalgs", "RSA+SHA512"]])
def test_servers_that_end_at_tls_12_whatever_order_they_go_by(options, python):
    with OpenSSLServer(identity("rsa2048"), "-tls1_2", *options) as server:
        check_works(ask(server, python, {"none": None})["none"], identity("rsa2048"), "TLS 1.2")


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("suite", ["AES128-GCM-SHA256", "AES256-GCM-SHA384"])
def test_static_rsa_only_by_setting(suite, python):
    with OpenSSLServer(identity("rsa2048"), "-tls1_2", "-cipher", suite, "-verify", "1") as server:
        refused = ask(server, python, {"rsa": "rsa2048"})["rsa"]
        allowed = ask(server, python, static_rsa=True)
    assert refused["failure"] == "tls-alert"
    assert "alert 40 (handshake_failure): see that it has a cipher suite with ECDHE" in refused["text"]
    for client, result in allowed.items():
        check_works(result, identity("rsa2048"), "TLS 1.2")
        assert is_shown(result) == (client != "none")


REFUSED = {
    "no_common_suite": ("rsa2048", ["-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA"], "alert 40 (handshake_failure): see"),
    "finite_field_only": ("rsa2048", ["-tls1_2", "-cipher", "DHE"], "alert 40 (handshake_failure): see"),
    "no_common_curve": ("rsa2048", ["-tls1_3", "-groups", "X25519"], "alert 40 (handshake_failure): see"),
    "tls_11": ("rsa2048", ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"], "alert 70 (protocol_version): switch on TLS 1.2"),
    "ed25519": ("ed25519", ["-tls1_3"], "alert 40 (handshake_failure): see"),
    "secp256k1": ("ec256k1", ["-tls1_2"], "alert 40 (handshake_failure): see"),
    "certificate_required": ("rsa2048", ["-tls1_3", "-Verify", "1"], "alert 116 (certificate_required): give this phone"),
    "certificate_required_12": ("rsa2048", ["-tls1_2", "-Verify", "1"], "asked for a certificate: give this phone one"),
}  # fmt: skip


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_the_server_with_a_reason_to_act_on(name, python):
    key, more, reason = REFUSED[name]
    with OpenSSLServer(identity(key), *more) as server:
        result = ask(server, python, {"none": None})["none"]
    assert (result["failure"], result["state"]) == ("tls-alert", "failed")
    assert reason in result["text"]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_an_rsa_key_of_more_than_4096_bits(version, python):
    with OpenSSLServer(identity("rsa4224"), version) as server:
        result = ask(server, python, {"none": None})["none"]
    assert result["failure"] == "tls-key"
    assert "RSA up to 4096 bits" in result["text"] and "its Certificate was due)" in result["text"]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_certificate_may_have_8192_bytes_and_no_more(version, python):
    key = make_key("ec256")
    for filler, works in ((7800, True), (8100, False)):
        long = Identity(key, "long", filler)
        assert (len(long.certificate) <= 8192) == works
        with OpenSSLServer(long, version) as server:
            result = ask(server, python, {"none": None})["none"]
        if works:
            check_works(result, long, "TLS 1." + version[-1])
        else:
            assert result["failure"] == "tls-certificate" and "longer than 8192 bytes" in result["text"]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("options", [["rsa:1024", "-sha1"], ["ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-sha1"]])
def test_weak_keys_and_signatures_of_old_clusters_are_for_the_trust_list_to_judge(options, python):
    old = made_by_openssl(*options)
    for version in ("-tls1_2", "-tls1_3"):
        with OpenSSLServer(old, version, "-cipher", "DEFAULT@SECLEVEL=0") as server:
            check_works(ask(server, python, {"none": None})["none"], old, "TLS 1." + version[-1])


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_client_certificate_that_the_server_does_not_take(version, python):
    with OpenSSLServer(identity("rsa2048"), version, "-Verify", "1", "-verify_return_error") as server:
        result = ask(server, python, {"rsa": "rsa2048"})["rsa"]
    assert result["failure"] == "tls-alert"
    assert re.search(r"alert \d+ \(\w+\): see that it trusts the issuer of this phone's certificate", result["text"])


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_without_a_yes_nothing_but_the_client_hello_is_sent(version, python):
    with OpenSSLServer(identity("rsa2048"), version, "-verify", "1") as server:
        result = ask(server, python, {"rsa": "rsa2048"}, believe=False)["rsa"]
    assert (result["state"], result["failure"]) == ("judge", None)
    assert result["certificate"] == identity("rsa2048").certificate
    hello = int.from_bytes(result["sent"][3:5], "big") + 5
    assert result["sent"][:1] == b"\x16" and result["sent"][5:6] == b"\x01"
    assert result["sent"][hello:] == b"\x15\x03\x03\x00\x02\x02\x2a"  # the no: alert bad_certificate
    assert identity("rsa2048", "client").certificate not in result["sent"]
