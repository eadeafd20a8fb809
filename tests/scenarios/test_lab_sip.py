# SPDX-License-Identifier: MIT
"""The lab's call manager: which devices may register, by which certificate, and what happens when certificates change.

An agent of the tests holds the LSC here; tests/scenarios/test_phone_registers.py has the whole phone."""

import dataclasses
import json
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import serialization

from agent.formats import pem
from host_tools.lab.model.keys import Identity, make_certificate, subject
from tests.helpers.lab.procedure import MAC
from tests.helpers.native.make import make
from tests.helpers.native.signing_agent import SigningAgent, key_of
from tests.helpers.servers.sip_phone import SipFiles, SipPhone

DEVICE = f"SEP{MAC}"
URI = "pkcs11:token=phonetrust;object=LSC;type=private"


@pytest.fixture(scope="module", autouse=True)
def module():
    make("native/pkcs11", "all")


@pytest.fixture
def mixed(new_cluster):
    return new_cluster(mixed=True)


class Lsc:
    """A phone's LSC, its key with an agent, and the files for a SIP stack."""

    def __init__(self, folder, cluster, issuer=None, name=f"CP-8861-{DEVICE}"):
        folder.mkdir()
        key = key_of("rsa-2048")
        certificate = make_certificate(subject(name), key.public_key(), issuer or cluster.identity("capf"))
        der = Identity(certificate).der
        private = key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.serial = f"{certificate.serial_number:x}"
        self.agent = SigningAgent(folder / "trust.sock", {"lsc": (der, private)})
        self.files = SipFiles(folder / "phone.pem", folder / "callmanagers.pem", folder / "trust.sock")
        self.files.certificate.write_text(pem.block("CERTIFICATE", der) + pem.provider_uri(URI))
        self.follow(cluster)

    def follow(self, cluster):
        """What a new trust list brings: the call manager's certificate."""
        self.files.authorities.write_text(pem.block("CERTIFICATE", cluster.certificate("callmanager")))


def phone(folder, serving, files=None):
    return SipPhone(folder, DEVICE, ("127.0.0.1", serving.port("sip")), files)


def test_a_nonsecure_cluster_registers_by_tcp(cluster, tmp_path):
    with cluster.serve(sip=True) as serving:
        port = serving.port("sip")
        configuration = cluster.published(f"{DEVICE}.cnf.xml.sgn")
        assert f"<sipPort>{port}</sipPort>".encode() in configuration
        with phone(tmp_path / "baresip", serving) as one:
            assert one.registered() is True
            assert serving.events.wait_for(service="sip", what="registered", device=DEVICE, transport="tcp")
            found = serving.registrations[DEVICE]
            assert found["node"] == 1 and found["certificate"] is None
            status = [sys.executable, "-m", "host_tools.lab", "status", "-C", cluster.path]
            shown = subprocess.run([*status, "--json"], capture_output=True, text=True, check=True).stdout
            assert list(json.loads(shown)["registrations"]) == [DEVICE]
            assert "TCP, no certificate" in subprocess.run(status, capture_output=True, text=True, check=True).stdout
        assert serving.events.wait_for(service="sip", what="unregistered", device=DEVICE)
        assert serving.registrations == {}
    assert not (cluster.path / "registrations.json").exists()


def test_mixed_mode_wants_an_lsc_of_the_clusters_capf(mixed, tmp_path):
    lsc = Lsc(tmp_path / "lsc", mixed)
    with mixed.serve(sip=True) as serving:
        with phone(tmp_path / "baresip", serving, lsc.files) as one:
            assert one.registered() is True
            event = serving.events.wait_for(service="sip", what="registered", device=DEVICE)
            assert event["transport"] == "tls" and event["serial"] == lsc.serial
            certificate = serving.registrations[DEVICE]["certificate"]
            assert certificate["serial"] == lsc.serial and certificate["issuer"].startswith("CN=CAPF-lab")
            assert lsc.agent.signed(), "the key behind PKCS#11 was not used"


def test_mixed_mode_refuses_the_certificate_of_another_device(mixed, tmp_path):
    lsc = Lsc(tmp_path / "lsc", mixed, name="CP-8861-SEP001122334455")
    with mixed.serve(sip=True) as serving:
        with phone(tmp_path / "baresip", serving, lsc.files) as one:
            assert "403 Certificate of Another Device" in one.registered()
        assert serving.events.wait_for(90, service="sip", what="refused", device=DEVICE, serial=lsc.serial)
        assert not serving.events.matching(what="registered") and serving.registrations == {}


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("another CAPF", "certificate verify failed"),
        ("no certificate", "peer did not return a certificate"),
        ("tcp", "wrong version number"),
    ],
)
def test_mixed_mode_refuses_at_the_handshake(mixed, tmp_path, new_cluster, wrong, why):
    issuer = new_cluster(name="other").identity("capf") if wrong == "another CAPF" else None
    lsc = Lsc(tmp_path / "lsc", mixed, issuer)
    files = dataclasses.replace(lsc.files, certificate=None) if wrong == "no certificate" else lsc.files
    with mixed.serve(sip=True) as serving:
        with phone(tmp_path / "baresip", serving, None if wrong == "tcp" else files):
            event = serving.events.wait_for(service="sip", what="failed connection", timeout=90)
        assert event and event["text"] == why and event["client"].startswith("127.0.0.1:"), [*serving.events]
        assert not serving.events.matching(what="registered") and serving.registrations == {}


def test_a_regenerated_callmanager_certificate_is_shown_and_old_trust_refuses_it(mixed, tmp_path):
    lsc = Lsc(tmp_path / "lsc", mixed)
    with mixed.serve(sip=True) as serving:
        port = serving.port("sip")
        with phone(tmp_path / "one", serving, lsc.files) as one:
            assert one.registered() is True
        mixed.regenerate("tftp")
        assert serving.events.wait_for(service="sip", what="restarted", timeout=20)
        assert serving.port("sip") == port and serving.registrations == {}
        signed = len(lsc.agent.signed())
        with phone(tmp_path / "two", serving, lsc.files) as two:
            assert two.registered() is not True
        assert len(lsc.agent.signed()) == signed, "a call manager that is not believed gets a signature"
        lsc.follow(mixed)
        with phone(tmp_path / "three", serving, lsc.files) as three:
            assert three.registered() is True


def test_the_mode_is_followed(cluster, tmp_path):
    with cluster.serve(sip=True) as serving:
        with phone(tmp_path / "one", serving) as one:
            assert one.registered() is True
        cluster.set_cluster_mode("mixed")
        assert serving.events.wait_for(service="sip", what="restarted", timeout=20)
        lsc = Lsc(tmp_path / "lsc", cluster)
        with phone(tmp_path / "two", serving, lsc.files) as two:
            assert two.registered() is True
