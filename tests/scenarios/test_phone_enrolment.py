# SPDX-License-Identifier: MIT
"""Phones of each kind enrol with the lab's CAPF and read the configuration that is encrypted to them."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tests.helpers.lab import stepped
from tests.helpers.lab.procedure import MAC

SIGNED, ENCRYPTED = f"SEP{MAC}.cnf.xml.sgn", f"SEP{MAC}.cnf.xml.enc.sgn"
FIRST = ["ctl not-found", "itl first-use", f"{SIGNED} signed-by-itl"]
LATER = ["ctl not-found", "itl unchanged", f"{SIGNED} signed-by-itl"]
KNOWN = "capf listed-in-itl"
stepped_phone = stepped.fixture()


def stored_pair(phone):
    """(certificate, key) as the phone stored them, which must belong together."""
    der, key = phone.section("lsc"), phone.section("lsc-key")
    certificate = x509.load_der_x509_certificate(der)
    private = serialization.load_der_private_key(key, None)
    assert private.public_key() == certificate.public_key()
    return der, private


@pytest.mark.parametrize("key", ["rsa-2048", "ec-256", "ec-384", "ec-521"])
def test_install_fetch_update_delete(cluster, stepped_phone, key):
    cluster.set_capf(MAC, "install", key=key)
    with cluster.serve(ask_certificate=True) as serving:
        phone = stepped_phone(serving, MAC)
        assert phone.do("boot")["good"], phone.log
        assert phone.reasons == [*FIRST, KNOWN, "lsc installed", f"{SIGNED} signed-by-itl"]
        first, private = stored_pair(phone)
        assert cluster.phone_certificate(MAC) == first
        kind, bits = key.split("-")
        assert phone.status["lsc"]["key"] == f"{kind} {bits}" and private.key_size == int(bits)
        assert phone.status["lsc"]["subject"].startswith(f"CN=CP-8861-SEP{MAC}")

        assert phone.do("restart")["good"] and phone.reasons == LATER, "nothing is pending, so nobody is asked"
        phone.do("update")
        assert phone.reasons == [KNOWN, "lsc no-action"]

        cluster.set_capf(MAC, "fetch", "lsc")
        assert phone.do("restart")["good"] and phone.reasons == [*LATER, KNOWN, "lsc fetched"]
        assert cluster.phone_certificate(MAC) == first

        cluster.set_capf(MAC, "update", "lsc", key="ec-256" if kind == "rsa" else "rsa-2048", in_progress=3)
        assert phone.do("restart")["good"] and phone.reasons[3:5] == [KNOWN, "lsc installed"]
        second, _ = stored_pair(phone)
        assert second != first and cluster.phone_certificate(MAC) == second

        cluster.set_capf(MAC, "delete", "lsc")
        assert phone.do("restart")["good"] and phone.reasons[3:5] == [KNOWN, "lsc deleted"]
        assert phone.section("lsc") is None is phone.section("lsc-key") and phone.status["lsc"] is None
        assert cluster.phone_certificate(MAC) is None
        cluster.set_capf(MAC, "delete", "none")
        assert phone.do("restart")["good"] and phone.reasons[4] == "lsc no-certificate"


def test_by_string(cluster, stepped_phone):
    cluster.set_capf(MAC, "install", "string", "4711", key="ec-256")
    with cluster.serve() as serving:
        phone = stepped_phone(serving, MAC)
        assert phone.do("boot")["good"] and phone.reasons == FIRST
        assert any("update lsc STRING" in line for line in phone.log)
        phone.do("update", string="1234")
        assert phone.reasons == [KNOWN, "lsc !wrong-string"]
        phone.do("update")
        assert phone.reasons == [KNOWN, "lsc !string-needed"] and phone.section("lsc") is None
        phone.do("update", string="4711")
        assert phone.reasons == [KNOWN, "lsc installed", f"{SIGNED} signed-by-itl"]
        assert cluster.phone_certificate(MAC) == stored_pair(phone)[0]


def test_by_mic_and_what_the_cluster_knows_of_it(cluster, stepped_phone):
    mic = cluster.make_mic(MAC)
    cluster.set_capf(MAC, "install", "mic", key="ec-384")
    with cluster.serve() as serving:
        phone = stepped_phone(serving, MAC)
        assert not phone.do("boot")["good"] and phone.reasons[-1] == "lsc !certificate-needed"
        assert phone.section("lsc") is None
        phone = stepped_phone(serving, MAC, mic=mic)
        assert phone.do("boot")["good"] and phone.reasons[3:5] == [KNOWN, "lsc installed"]
        assert phone.status["mic"] is True and cluster.phone_certificate(MAC) == stored_pair(phone)[0]


def test_after_an_enrolment_the_encrypted_configuration_in_one_boot(cluster, stepped_phone):
    cluster.set_encrypted_configuration(MAC, True)
    cluster.set_capf(MAC, "install", key="rsa-2048")
    with cluster.serve() as serving:
        phone = stepped_phone(serving, MAC)
        assert phone.do("boot")["good"], phone.log
        pair = f"{SIGNED} signed-by-itl", f"{ENCRYPTED} signed-by-itl"
        assert phone.reasons == [*FIRST, KNOWN, "lsc installed", *pair]
        assert phone.status["configuration"] == ENCRYPTED
        plain = phone.section("configuration")
        assert b"<fullConfig>true</fullConfig>" in plain and plain.endswith(b"</device>\n")
        # The cluster changes it, and the key.
        cluster.set_capf(MAC, "update", "lsc", key="rsa-2048")
        assert phone.do("restart")["good"]
        assert phone.reasons == [*LATER, pair[1], KNOWN, "lsc installed", *pair]
        # A phone of the same name without the key keeps what it has, and says why.
        other = stepped_phone(serving, MAC)
        assert not other.do("boot")["good"]
        assert other.reasons == [*FIRST, f"{ENCRYPTED} !no-certificate"]
        assert other.status["locked_out"] and other.section("configuration") is None


def test_a_wrong_key_keeps_the_old_configuration(cluster, stepped_phone):
    with cluster.serve() as serving:
        phone = stepped_phone(serving, MAC, mic=cluster.make_mic(MAC))
        assert phone.do("boot")["good"]
        before = phone.section("configuration")
        cluster.make_mic(MAC)  # another one than the phone has
        cluster.set_encrypted_configuration(MAC, True)
        assert not phone.do("restart")["good"]
        assert phone.reasons[-1] == f"{ENCRYPTED} !cannot-decrypt" and phone.section("configuration") == before


def test_the_encrypted_configuration_with_the_mic(cluster, stepped_phone):
    mic = cluster.make_mic(MAC)
    cluster.set_encrypted_configuration(MAC, True)
    with cluster.serve() as serving:
        phone = stepped_phone(serving, MAC, mic=mic)
        assert phone.do("boot")["good"]
        assert phone.reasons == [*FIRST, f"{ENCRYPTED} signed-by-itl"]


def test_put_off_and_not_known_and_not_there(cluster, stepped_phone):
    cluster.set_capf(MAC, "install", retry_later=60)
    with cluster.serve() as serving:
        phone = stepped_phone(serving, MAC, capf_timeout=2000)
        assert not phone.do("boot")["good"] and phone.reasons[-1] == "lsc !retry-later"
        assert any("in 60 s" in line for line in phone.log)
        cluster.stop("capf", 1)
        serving._follow_services()
        phone.do("fetch")
        assert phone.reasons == [f"{SIGNED} signed-by-itl", "lsc !unreachable"] and phone.section("lsc") is None


def test_the_capf_certificate_regenerated_while_the_phone_runs(cluster, stepped_phone):
    with cluster.serve() as serving:
        phone = stepped_phone(serving, MAC)
        assert phone.do("boot")["good"]
        cluster.regenerate("capf")
        cluster.set_capf(MAC, "install", key="ec-256")
        phone.do("update")
        assert phone.reasons[:2] == ["capf vouched-by-tvs", "lsc installed"], phone.log


@pytest.mark.parametrize("key", ["rsa-2048", "ec-256"])
def test_the_lsc_is_shown_to_tvs_and_the_mic_before_there_is_one(cluster, stepped_phone, key):
    mic = cluster.make_mic(MAC)
    with cluster.serve(ask_certificate=True, time_to_live=0) as serving:
        phone = stepped_phone(serving, MAC, mic=mic)
        assert phone.do("boot")["good"]
        tomcat = cluster.certificate("tomcat", 1).hex()
        shown = []
        for _ in range(2):
            seen = len(serving.events)
            answer = phone.do("judge", purpose="application", certificate=tomcat)
            assert answer["reason"] == "vouched-by-tvs", answer
            shown += [event["phone_issuer"] for event in list(serving.events)[seen:] if event["service"] == "tvs"]
            cluster.set_capf(MAC, "install", "mic", key=key)
            phone.do("fetch")
        assert len(shown) == 2 and "CN=lab-Manufacturing-CA" in shown[0] and "CN=CAPF-lab" in shown[1]
        assert phone.status["lsc"]["key"] == key.replace("-", " ")
