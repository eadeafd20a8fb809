# SPDX-License-Identifier: MIT
"""Phones of each kind fetch by HTTP and HTTPS from the lab, and judge its HTTPS services while they run."""

import socket
import ssl

import pytest

from tests.helpers.lab import stepped
from tests.helpers.lab.procedure import MAC
from tests.helpers.servers.ports import free_port

OWN = f"SEP{MAC}.cnf.xml"
SIGNED = OWN + ".sgn"
LISTS = [f"CTLSEP{MAC}.tlv", "CTLFile.tlv", f"ITLSEP{MAC}.tlv", "ITLFile.tlv"]
WANTED = ["ctl not-found", "itl first-use", "configuration listed-in-itl", f"{SIGNED} from-trusted-server"]
stepped_phone = stepped.fixture()


@pytest.fixture
def http_phone(stepped_phone):
    """make(serving, **settings): a phone that is set to HTTP at the lab's ports."""

    def make(serving, **settings):
        ports = {"http_port": serving.port("http"), "https_port": serving.port("https"), "http_timeout": 2000}
        return stepped_phone(serving, MAC, file_transfer="http", **{**ports, **settings})

    return make


class Fetches:
    """What the phones fetched: new() gives [(service, file)] since the last call."""

    def __init__(self, serving):
        self._events = serving.events
        self._seen = 0

    def new(self):
        found = [event for event in list(self._events)[self._seen :] if event["what"] == "fetch"]
        self._seen = len(self._events)
        return [(event["service"], event["file"].lstrip("/")) for event in found]


def test_lists_by_http_and_the_configuration_by_https(cluster, http_phone):
    with cluster.serve() as serving:
        fetches = Fetches(serving)
        phone = http_phone(serving)
        assert phone.do("boot")["good"], phone.log
        assert phone.reasons == WANTED
        assert fetches.new() == [*[("http", name) for name in LISTS], ("https", SIGNED)]
        assert phone.section("itl") == cluster.published("ITLFile.tlv")
        assert phone.do("restart")["good"] and phone.reasons[1] == "itl unchanged"


def test_large_files_arrive_whole(new_cluster, http_phone):
    cluster = new_cluster(nodes=6)
    with cluster.serve() as serving:
        phone = http_phone(serving)
        assert phone.do("boot")["good"], phone.log
        itl = cluster.published("ITLFile.tlv")
        assert len(itl) > 4 * 4096 and phone.section("itl") == itl


def test_falls_back_to_http_and_to_tftp(cluster, http_phone):
    with cluster.serve() as serving:
        fetches = Fetches(serving)
        phone = http_phone(serving, https_port=free_port())
        assert phone.do("boot")["good"], phone.log
        assert fetches.new()[-1] == ("http", SIGNED)
        phone = http_phone(serving, https_port=free_port(), http_port=free_port())
        assert phone.do("boot")["good"]
        assert fetches.new() == [("tftp", name) for name in [*LISTS, SIGNED]]
        assert len([line for line in phone.log if "connection refused" in line]) == 2, "each is tried once a boot"
        phone = http_phone(serving, https_port=serving.port("http"), http_port=serving.port("https"))
        assert phone.do("boot")["good"], "ports mixed up: TLS where none is spoken, and the other way round"
        assert fetches.new()[-1] == ("tftp", SIGNED)


def test_an_https_server_of_another_cluster(cluster, new_cluster, http_phone):
    other = new_cluster()
    with cluster.serve() as serving, other.serve() as elsewhere:
        fetches, wrong = Fetches(serving), Fetches(elsewhere)
        phone = http_phone(serving, https_port=elsewhere.port("https"), tvs_timeout=500)
        assert phone.do("boot")["good"]
        assert phone.reasons[2:] == ["configuration !tvs-unreachable", f"{SIGNED} signed-by-itl"], (
            "TVS is not known yet"
        )
        assert phone.do("restart")["good"]
        assert phone.reasons[2:] == ["configuration !tvs-refused", f"{SIGNED} signed-by-itl"]
        assert fetches.new()[-1] == ("http", SIGNED) and wrong.new() == []


def test_in_rollback_there_is_no_https(cluster, http_phone):
    with cluster.serve() as serving:
        fetches = Fetches(serving)
        phone = http_phone(serving)
        assert phone.do("boot")["good"]
        cluster.set_rollback(True)
        fetches.new()
        assert phone.do("restart")["good"]
        assert phone.reasons == ["ctl not-found", "itl signed-by-itl", f"{OWN} after-rollback"]
        assert fetches.new() == [("http", name) for name in [*LISTS, OWN]]


def shown_by(port):
    """The certificate (DER) that a TLS server shows now."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=10)) as stream:
        return stream.getpeercert(True)


def test_tomcat_regenerated_while_the_phone_runs(cluster, stepped_phone):
    with cluster.serve() as serving:
        phone = stepped_phone(serving, MAC)
        assert phone.do("boot")["good"]
        itl, port = phone.section("itl"), serving.port("application")
        old = shown_by(port)
        assert phone.do("judge", purpose="application", certificate=old.hex())["reason"] == "vouched-by-tvs"
        cluster.regenerate("tomcat")
        new = shown_by(port)
        assert new != old
        assert phone.do("judge", purpose="application", certificate=new.hex())["reason"] == "vouched-by-tvs"
        assert cluster.published("ITLFile.tlv") == itl == phone.section("itl"), "with no new ITL"
        # In rollback no HTTPS service works, neither with the new certificate nor with the old one.
        cluster.set_rollback(True)
        assert phone.do("restart")["good"]
        for certificate in (new, old):
            answer = phone.do("judge", purpose="application", certificate=certificate.hex())
            assert (answer["accepted"], answer["reason"]) == (False, "after-rollback")


def test_a_certificate_that_was_taken_back_is_not_believed(cluster, stepped_phone):
    with cluster.serve(time_to_live=0) as serving:
        phone = stepped_phone(serving, MAC)
        assert phone.do("boot")["good"]
        old = shown_by(serving.port("application"))
        assert phone.do("judge", purpose="application", certificate=old.hex())["accepted"]
        cluster.regenerate("tomcat")
        assert phone.do("judge", purpose="application", certificate=old.hex())["reason"] == "tvs-refused"
