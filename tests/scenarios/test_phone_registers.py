# SPDX-License-Identifier: MIT
"""A whole phone registers: agent, LSC from CAPF, baresip with the key behind PKCS#11, Kamailio; on both Pythons.

test_lab_sip.py tests refusals of the call manager; this file tests how the phone's trust decides about the registration."""

import contextlib
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization

from agent.flash.store import Store
from hal.host import crypto
from host_tools.client import TrustClient
from host_tools.image.provision import Region
from tests.helpers.lab.procedure import MAC
from tests.helpers.native.make import make
from tests.helpers.servers import trixie
from tests.helpers.servers.service_phone import KINDS, ServingPhone
from tests.helpers.servers.sip_phone import SipFiles, SipPhone

DEVICE = f"SEP{MAC}"


@pytest.fixture(scope="module", autouse=True)
def module():
    make("native/pkcs11", "all")


class Desk:
    """A phone: the agent, and a SIP stack beside it that is only told its call manager."""

    def __init__(self, folder, kind, serving, **settings):
        self._folder = folder
        self.serving = serving
        self._runs = 0
        tftp = {"tftp": [f"127.0.0.1:{serving.tftp_port()}"], "tftp_timeout": 500}
        self.agent = ServingPhone(kind, {**tftp, "tvs_timeout": 2000, **settings})
        self.certificates = self.agent.folder / "certificates"
        self.agent.start()

    def status(self):
        with TrustClient(self.agent.socket) as client:
            return client.status()

    def reasons(self):
        return [f"{found['kind']} {found['reason']}" for found in self.status()["decisions"]]

    def sip(self, secure=True, serving=None):
        """A SIP stack that starts now, with the agent's present files."""
        self._runs += 1
        own = self.certificates / "phone.pem"
        files = SipFiles(
            own if own.exists() else None, self.certificates / "callmanagers.pem", self.agent.folder / "trust.sock"
        )
        server = ("127.0.0.1", (serving or self.serving).port("sip"))
        return SipPhone(self._folder / f"baresip-{self._runs}", DEVICE, server, files if secure else None)

    def registers(self, **options):
        """Whether a SIP stack that starts now is registered, and by the LSC that the phone has."""
        with self.sip(**options) as sip:
            if sip.registered() is not True:
                return False
            event = self.serving.events.wait_for(service="sip", what="registered", device=DEVICE)
            assert event["transport"] == ("tls" if options.get("secure", True) else "tcp")
            return True

    def close(self):
        self.agent.close()


@pytest.fixture(params=KINDS)
def desk(request, tmp_path):
    """desk(serving) -> a Desk whose phone has booted."""
    made = []

    def make(serving, **settings):
        made.append(Desk(tmp_path, request.param, serving, **settings))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def mixed(new_cluster):
    """A cluster in mixed mode that wants its phone to enrol."""
    found = new_cluster(mixed=True, kind="classic")  # one whose phones can be locked out
    found.set_capf(MAC, "install")
    return found


def test_nonsecure(cluster, desk):
    with cluster.serve(sip=True) as serving:
        phone = desk(serving)
        assert phone.registers(secure=False)
        assert phone.status()["signatures"]["signed"] == 0


def test_mixed_mode_enrolment_then_mutual_tls(mixed, desk):
    with mixed.serve(sip=True) as serving:
        phone = desk(serving)
        assert "lsc installed" in phone.reasons()
        with TrustClient(phone.agent.socket) as client:
            certificate = client.certificate()
        assert certificate.key == "lsc" and certificate.der == mixed.phone_certificate(MAC)
        with phone.sip() as sip:
            assert sip.registered() is True
            assert serving.events.wait_for(service="sip", what="registered", device=DEVICE, transport="tls")
            shown = serving.registrations[DEVICE]["certificate"]
            assert int(shown["serial"], 16) == int(phone.status()["lsc"]["serial"], 16)
        signatures = phone.status()["signatures"]
        assert signatures["signed"] >= 1 and signatures["refused"] == 0


def test_callmanager_certificate_regenerated(mixed, desk):
    with mixed.serve(sip=True) as serving:
        phone = desk(serving)
        assert phone.registers()
        signed = phone.status()["signatures"]["signed"]
        mixed.regenerate("tftp")
        mixed.ctl_update()
        assert serving.events.wait_for(service="sip", what="restarted", timeout=20)
        assert not phone.registers(), "a call manager that is not in the installed lists"
        assert phone.status()["signatures"]["signed"] == signed, "it got a signature all the same"
        phone.agent.restart()
        assert phone.reasons()[-3].startswith("ctl vouched-by-tvs"), phone.reasons()
        assert phone.registers()


def test_another_clusters_call_manager(mixed, new_cluster, desk):
    other = new_cluster(mixed=True, name="other")
    with mixed.serve(sip=True) as serving, other.serve(sip=True) as elsewhere:
        phone = desk(serving)
        assert not phone.registers(serving=elsewhere)
        assert phone.status()["signatures"]["signed"] == 0 and elsewhere.registrations == {}
        assert phone.registers()


def test_lsc_deleted(mixed, desk):
    with mixed.serve(sip=True) as serving:
        phone = desk(serving)
        assert phone.registers()
        mixed.set_capf(MAC, "delete", "lsc")
        phone.agent.restart()
        assert phone.status()["lsc"] is None and not (phone.certificates / "phone.pem").exists()
        seen = len(serving.events)
        with phone.sip():
            assert serving.events.wait_for(
                service="sip", what="failed connection", text="peer did not return a certificate", timeout=20
            )
        assert not [event for event in list(serving.events)[seen:] if event["what"] == "registered"]


def test_itl_reset_by_the_recovery_key_after_a_lockout(mixed, desk):
    """The lockout: phones believe neither the new lists nor the call manager, until the ITL is reset."""
    with mixed.serve(sip=True) as serving:
        phone = desk(serving)
        assert phone.registers()
        mixed.regenerate("tvs")
        mixed.regenerate("tftp")
        phone.agent.restart()
        assert phone.status()["locked_out"] and "itl tvs-untrusted" in phone.reasons()
        assert serving.events.wait_for(service="sip", what="restarted", timeout=20)
        assert not phone.registers()
        mixed.itl_reset("localkey")
        phone.agent.restart()
        assert "itl signed-by-ctl" in phone.reasons()[-3:], phone.reasons()  # it has ITLRecovery as SAST
        assert not phone.registers(), "only the CTL names the call manager"
        mixed.ctl_update()
        phone.agent.restart()
        assert "ctl signed-by-itl" in phone.reasons()[-3:], phone.reasons()  # the new ITL has the new signer
        assert phone.registers()


def memory_has(process, needle):
    """Whether a process has these bytes anywhere in its memory."""
    with open(f"/proc/{process}/maps") as maps, open(f"/proc/{process}/mem", "rb", 0) as memory:
        for line in maps:
            where, rights = line.split()[:2]
            if not rights.startswith("r") or "[v" in line:
                continue
            start, end = (int(part, 16) for part in where.split("-"))
            with contextlib.suppress(OSError, ValueError, OverflowError):
                memory.seek(start)
                if needle in memory.read(end - start):
                    return True
    return False


def stored_key(path):
    """The LSC's key (DER) in a file that stands for the flash."""
    content = path.read_bytes()
    region = Region(len(content))
    region.content[:] = content
    return bytes(Store(region, crypto()).load().read("lsc-key"))


def test_the_key_is_in_the_store_and_in_the_agents_memory_and_nowhere_else(mixed, desk):
    with mixed.serve(sip=True) as serving:
        phone = desk(serving)
        store = phone.agent.folder / ("store" if phone.agent.kind == "micropython" else "flash")
        numbers = serialization.load_der_private_key(stored_key(store), None).private_numbers()
        secrets = [prime.to_bytes(128, order) for prime in (numbers.p, numbers.q) for order in ("big", "little")]
        with phone.sip() as sip:
            assert sip.registered() is True
            assert any(memory_has(phone.agent.process.pid, secret) for secret in secrets), "the search finds nothing"
            assert not any(memory_has(sip.process, secret) for secret in secrets)
        for path in [*phone.agent.folder.rglob("*"), *phone._folder.rglob("*")]:
            if path.is_file() and path != store:
                content = path.read_bytes()
                assert not any(secret in content for secret in secrets), path


def test_a_program_that_is_not_in_the_group_gets_nothing(mixed, desk):
    with mixed.serve(sip=True) as serving:
        phone = desk(serving)
        phone.agent.folder.chmod(0o755)
        stranger = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        tool = ["pkcs11-tool", "--module", str(trixie.MODULE), "--list-objects"]
        environment = {"PATH": "/usr/bin:/bin", "PHONETRUST_SOCKET": phone.agent.socket}
        done = subprocess.run([*stranger, *tool], env=environment, capture_output=True, text=True)
        assert done.returncode != 0 and "Private Key Object" not in done.stdout, done.stdout
        allowed = subprocess.run(tool, env=environment, capture_output=True, text=True)
        assert "Private Key Object" in allowed.stdout


def test_a_program_that_asks_too_often_gets_no_more(mixed, desk):
    with mixed.serve(sip=True) as serving:
        phone = desk(serving, sign_limit=2)
        with TrustClient(phone.agent.socket) as client:
            assert client.sign("rsa-pss", "sha256", bytes(32)) != client.sign("rsa-pss", "sha256", bytes(32))
            with pytest.raises(Exception, match="gets 2 signatures a minute"):
                client.sign("rsa-pss", "sha256", bytes(32))
        assert phone.status()["signatures"] == {"signed": 2, "refused": 1, "limit": 2}
