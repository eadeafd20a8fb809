# SPDX-License-Identifier: MIT
"""The lab's application server and its configuration files by HTTP and HTTPS; ledger and log of what phones fetched."""

import http.client
import json
import ssl

from tests.helpers.lab.procedure import MAC
from tests.helpers.lab.raw_clients import ask, element, query, tftp_read, tls

SGN = f"SEP{MAC}.cnf.xml.sgn"


def get(port, path, secure, method="GET"):
    """(status, body, certificate of the server)"""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind("127.0.0.1", port, timeout=10, **({"context": context} if secure else {}))
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read(), connection.sock.getpeercert(True) if secure else None
    finally:
        connection.close()


def test_the_application_server_shows_tomcats_certificate_also_a_new_one(cluster):
    with cluster.serve() as serving:
        port = serving.port("application")
        status, body, peer = get(port, "/directory.xml", True)
        assert status == 200 and b"<DirectoryEntry>" in body and peer == cluster.certificate("tomcat")
        itl = cluster.published("ITLFile.tlv")
        cluster.regenerate("tomcat")
        assert cluster.published("ITLFile.tlv") == itl, "Tomcat is no matter of the ITL"
        new = get(port, "/directory.xml", True)[2]
        assert new == cluster.certificate("tomcat") != peer
        assert ask(serving.tvs_port(), 1, element(2, new))[2][8] == b"\7"
        assert ask(serving.tvs_port(), 1, element(2, peer))[2] == {7: b"\1"}
        assert get(port, "/nothing", True)[0] == 404


def test_files_by_http_and_by_https_with_the_ec_certificate(cluster):
    with cluster.serve() as serving:
        assert get(serving.port("http"), f"/{SGN}", False)[:2] == (200, cluster.published(SGN))
        status, body, peer = get(serving.port("https"), "/ITLFile.tlv", True)
        assert (status, body) == (200, cluster.published("ITLFile.tlv"))
        assert peer == cluster.certificate("callmanager-ec")
        assert get(serving.port("http"), "/CTLFile.tlv", False)[0] == 404
        assert get(serving.port("http"), "/../cluster.json", False)[0] == 404
        assert get(serving.port("http"), "/%2e%2e/cluster.json", False)[0] == 404
        assert get(serving.port("http"), "/ITLFile.tlv", False, "HEAD")[:2] == (200, b"")
        event = serving.events.matching(service="http", file=f"/{SGN}")
        assert len(event) == 1 and event[0]["found"]


def test_services_are_stopped_and_started_from_outside_too(new_cluster):
    cluster = new_cluster(nodes=2)
    with cluster.serve() as serving:
        cluster.stop("tvs", 2)
        assert serving.events.wait_for(service="tvs", node=2, what="stopped")
        assert not serving._servers[2, "tvs"].running and serving._servers[1, "tvs"].running
        cluster.start("tvs", 2)
        assert serving.events.wait_for(service="tvs", node=2, what="started")
        cluster.set_pre8(True)
        assert serving.events.wait_for(service="tvs", node=1, what="stopped")


def test_phones_are_asked_for_their_certificate_where_serve_is_told_to(cluster, tmp_path):
    mic = cluster.make_mic(MAC)
    (tmp_path / "mic.pem").write_bytes(mic.pem())
    body = element(2, cluster.certificate("tomcat"))
    with cluster.serve(ask_certificate=True) as serving:
        assert ask(serving.tvs_port(), 1, body)[2][7] == b"\0"
        assert "phone" not in serving.events.wait_for(service="tvs", what="verification")
        with tls(serving.tvs_port(), tmp_path / "mic.pem") as stream:
            stream.sendall(b"\x57\1\1\0\0\0\0\1" + len(body).to_bytes(2, "big") + body)
            assert stream.recv(1) == b"\x57"
        assert serving.events[len(serving.events) - 1]["phone"].startswith(f"CN=CP-8861-SEP{MAC}")


def test_the_ledger_follows_what_phones_fetched_and_accepted(classic):
    with classic.serve(log_file=classic.path / "log") as serving:
        tftp = serving.tftp_port()

        def boot():
            for name in (f"CTLSEP{MAC}.tlv", "CTLFile.tlv", f"ITLSEP{MAC}.tlv", "ITLFile.tlv"):
                tftp_read(tftp, name)

        def reasons():
            return [(item["phones"], item["reason"]) for item in classic.forecast() if item["kind"] == "itl"]

        assert reasons() == [([], "unchanged")]
        boot()
        classic.regenerate("tvs")
        assert reasons() == [([MAC], "signed-by-itl")]
        boot()
        classic.regenerate("tftp")
        assert reasons() == [([MAC], "vouched-by-tvs")]
        classic.regenerate("tvs")
        assert reasons() == [([MAC], "tvs-untrusted")]
        boot()
        assert reasons() == [([MAC], "tvs-untrusted")], "a list that was refused is not what the phone holds"
        assert ask(serving.tvs_port(), 3, query({4: b"CN=x\0", 6: b"CN=x\0", 5: b"\1"}))[2] == {7: b"\1"}
    events = [json.loads(line) for line in (classic.path / "log").read_text().splitlines()]
    assert [event["file"] for event in events if event["service"] == "tftp"][:4] == [
        f"CTLSEP{MAC}.tlv", "CTLFile.tlv", f"ITLSEP{MAC}.tlv", "ITLFile.tlv"]  # fmt: skip
