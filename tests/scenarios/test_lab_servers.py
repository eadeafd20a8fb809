# SPDX-License-Identifier: MIT
"""The lab's TFTP and TVS servers, spoken to by raw bytes, without any code of the phone."""

import random
import socket
import struct

import pytest

from host_tools.lab.errors import LabError
from tests.helpers.lab.independent_reader import File
from tests.helpers.lab.raw_clients import ask, element, query, receive, tftp_read, tls


def test_tftp_hands_out_what_is_published_with_and_without_options(cluster):
    with cluster.serve() as serving:
        itl = cluster.published("ITLFile.tlv")
        assert tftp_read(serving.tftp_port(), "ITLFile.tlv") == (itl, {})
        data, agreed = tftp_read(
            serving.tftp_port(), "ITLFile.tlv", [("blksize", "1428"), ("tsize", "0"), ("windowsize", "4")]
        )
        assert data == itl
        assert agreed[b"tsize"] == str(len(itl)).encode() and agreed[b"blksize"] == b"1428"
        assert b"windowsize" not in agreed
        assert tftp_read(serving.tftp_port(), "CTLFile.tlv") == 1
        found = serving.events.matching(service="tftp", file="CTLFile.tlv")
        assert [event["found"] for event in found] == [False]


def test_tftp_gives_nothing_from_outside_its_folder(cluster):
    with cluster.serve() as serving:
        for name, error in (("../../cluster.json", 4), ("/etc/passwd", 1), ("..", 4), ("../identities/capf.pem", 4)):
            assert tftp_read(serving.tftp_port(), name) == error, name


def test_tftp_answers_from_the_address_that_was_asked(cluster):
    with cluster.serve(address="127.0.0.2") as serving, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(10)
        for name in (b"ITLFile.tlv", b"CTLFile.tlv"):
            client.sendto(b"\0\1" + name + b"\0octet\0", ("127.0.0.2", serving.tftp_port()))
            assert client.recvfrom(1000)[1][0] == "127.0.0.2"


def test_tftp_survives_garbage(cluster):
    with cluster.serve() as serving, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for packet in (
            b"",
            b"\0",
            b"\0\1",
            b"\0\1\0\0",
            b"\0\1a\0mail\0",
            b"\xff\xff" * 40,
            b"\0\1\xff\xfe\0octet\0",
            b"\0\1a\0octet\0blksize\0x\0",
            b"\0\2a\0octet\0",
            random.Random(1).randbytes(600),
        ):
            client.sendto(packet, ("127.0.0.1", serving.tftp_port()))
        assert tftp_read(serving.tftp_port(), "ITLFile.tlv")[0] == cluster.published("ITLFile.tlv")


def test_tvs_finds_the_signer_by_issuer_and_serial(classic):
    with classic.serve() as serving:
        header = File(classic.published("ITLFile.tlv")).fields
        peer, fields, values = ask(serving.tvs_port(), 3, query(header))
        assert peer == classic.certificate("tvs", 1)
        assert fields[:3] == (0x57, 1, 4) and fields[4] == 1001
        assert values == {7: b"\0", 2: classic.certificate("tftp"), 8: b"\0\3", 9: struct.pack(">I", 86400)}
        event = serving.events.wait_for(service="tvs", what="query")
        assert event["answer"] == "valid" and event["device"] == "CP-8861-SEP00270DC01C92"


def test_tvs_answers_several_requests_on_one_connection_and_knows_names_in_any_order(cluster):
    header = File(cluster.published("ITLFile.tlv")).fields
    issuer = "; ".join(reversed(header[6][:-1].decode().split(","))).encode() + b"\0"
    body = element(4, issuer) + element(5, b"\0" + header[5])
    with cluster.serve() as serving, tls(serving.tvs_port()) as stream:
        for session in (7, 0xFFFFFFFF):
            stream.sendall(struct.pack(">BBBBIH", 0x57, 1, 3, 0, session, len(body)) + body)
            fields = struct.unpack(">BBBBIH", receive(stream, 10))
            assert fields[4] == session
            assert receive(stream, fields[5]).startswith(b"\x07\0\1\0")


def test_a_regenerated_certificate_is_vouched_for_at_once_and_the_old_one_no_longer(classic):
    with classic.serve() as serving:
        old = File(classic.published("ITLFile.tlv"))
        classic.regenerate("tftp")
        new = File(classic.published("ITLFile.tlv"))
        assert tftp_read(serving.tftp_port(), "ITLFile.tlv")[0] == new.data
        assert ask(serving.tvs_port(), 3, query(old.fields))[2] == {7: b"\1"}
        values = ask(serving.tvs_port(), 3, query(new.fields))[2]
        assert values[7] == b"\0"
        new.verify(values[2])


def test_tvs_shows_the_new_certificate_after_its_own_regeneration(new_cluster):
    cluster = new_cluster(nodes=2)
    with cluster.serve() as serving:
        before = cluster.certificate("tvs", 2)
        cluster.regenerate("tvs", node=2)
        peer, _fields, _values = ask(serving.tvs_port(2), 1, element(2, b"x"))
        assert peer == cluster.certificate("tvs", 2) != before
        assert ask(serving.tvs_port(1), 1, element(2, b"x"))[0] == cluster.certificate("tvs", 1)


def test_verification_tells_roles_and_refuses_strangers(cluster):
    with cluster.serve() as serving:
        port = serving.tvs_port()
        assert ask(port, 1, element(2, cluster.certificate("tomcat")))[2][8] == b"\7"
        assert ask(port, 1, element(2, cluster.certificate("capf")))[2][8] == b"\4"
        assert ask(port, 1, element(2, cluster.certificate("itlrecovery")))[2] == {
            7: b"\0",
            8: b"\0",
            9: struct.pack(">I", 86400),
        }
        assert ask(port, 1, element(2, b"no certificate"))[2] == {7: b"\1"}


def test_an_old_server_closes_on_query_and_answers_verification(cluster):
    with cluster.serve(only_verification=True) as serving:
        header = File(cluster.published("ITLFile.tlv")).fields
        assert ask(serving.tvs_port(), 3, query(header))[1] is None
        assert ask(serving.tvs_port(), 1, element(2, cluster.certificate("tftp")))[2][8] == b"\0\3"


@pytest.mark.parametrize(
    "message",
    [
        b"\x58\x01\x03\0\0\0\0\1\0\0",
        b"\x57\x02\x03\0\0\0\0\1\0\0",
        b"\x57\x01\x03\0\0\0\0\1\xff\xff",
        b"\x57\x01\x03\0\0\0\0\1\0\0",
        b"\x57\x01\x03\0\0\0\0\1\0\4\4\0\xff\0",
        b"\x57\x01\x09\0\0\0\0\1\0\0",
    ],
)
def test_a_bad_request_closes_the_connection_and_nothing_else(cluster, message):
    with cluster.serve() as serving:
        with tls(serving.tvs_port()) as stream:
            stream.sendall(message)
            assert receive(stream, 1) == b""
        assert ask(serving.tvs_port(), 1, element(2, cluster.certificate("tomcat")))[2][7] == b"\0"


def test_a_stopped_tvs_is_not_there_and_comes_back_on_its_port(cluster):
    with cluster.serve() as serving:
        port = serving.tvs_port()
        serving.stop_tvs()
        with pytest.raises(ConnectionRefusedError):
            tls(port)
        serving.start_tvs()
        assert ask(port, 1, element(2, cluster.certificate("tomcat")))[1] is not None


def test_ports_are_kept_from_run_to_run_and_written_for_scripts(cluster):
    with cluster.serve() as serving:
        ports = serving.as_dict()["nodes"]
        assert serving.ports_file.exists()
        configuration = File(cluster.published("SEP00270DC01C92.cnf.xml.sgn")).body
        assert f"<port>{serving.tvs_port()}</port>".encode() in configuration
    assert not serving.ports_file.exists()
    with cluster.serve() as serving:
        assert serving.as_dict()["nodes"] == ports


def test_a_port_that_is_taken_is_named_in_the_error(cluster):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LabError, match=f"tvs of node 1 cannot listen on 127.0.0.1 port {port}"):
            cluster.serve(ports={1: {"tvs": port}})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(LabError, match=f"port {taken.getsockname()[1]}"):
            cluster.serve(ports={1: {"tftp": taken.getsockname()[1]}})
