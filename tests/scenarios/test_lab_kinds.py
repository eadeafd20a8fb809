# SPDX-License-Identifier: MIT
"""The four kinds of cluster: which keys sign lists and files, byte for byte, and how an open cluster differs."""

import http.client
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from host_tools.lab.errors import LabError
from host_tools.lab.writers import files
from tests.helpers.lab.independent_reader import File
from tests.helpers.lab.procedure import MAC
from tests.helpers.lab.raw_capf_phone import RawPhone
from tests.helpers.lab.raw_clients import ask, element, query, tftp_read

OWN = f"SEP{MAC}.cnf.xml"
SGN = OWN + ".sgn"
NEW, OLD = b"\1\1", b"\1\0"


def itl(cluster, node=1):
    return File(cluster.published("ITLFile.tlv", node))


def roles(file, role):
    return [der for number, der in file.roles() if number == role]


def get(port, name):
    """(status, body, certificate of the server) by HTTPS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
    try:
        connection.request("GET", "/" + name)
        response = connection.getresponse()
        return response.status, response.read(), connection.sock.getpeercert(True)
    finally:
        connection.close()


@pytest.mark.parametrize(
    "kind, list_signer, file_signer",
    [("modern", "itlrecovery", "tftp"), ("classic", "tftp", "tftp"), ("tokens", "tftp", "tftp")],
)
def test_who_signs_lists_and_files(new_cluster, kind, list_signer, file_signer):
    cluster = new_cluster(kind=kind, nodes=2)
    for node in (1, 2):
        itl(cluster, node).verify(cluster.certificate(list_signer, node))
        File(cluster.published(SGN, node)).verify(cluster.certificate(file_signer, node))
    shared = cluster.published("ITLFile.tlv", 1) == cluster.published("ITLFile.tlv", 2)
    assert shared == (kind == "modern")
    assert {cluster.certificate("itlrecovery"), cluster.certificate("tftp")} <= set(roles(itl(cluster), files.SAST))


def test_tokens_sign_the_ctl_and_begin_in_mixed_mode(new_cluster):
    cluster = new_cluster(kind="tokens")
    ctl = File(cluster.published("CTLFile.tlv"))
    ctl.verify(cluster.certificate("token-1"))
    assert roles(ctl, files.SAST) == [cluster.certificate("token-1"), cluster.certificate("token-2")]
    assert roles(ctl, files.CCM_TFTP) == [cluster.certificate("tftp")]
    for kind in ("modern", "classic", "open"):
        assert new_cluster(kind=kind).published("CTLFile.tlv") is None


@pytest.mark.parametrize("kind, signer", [("modern", "itlrecovery"), ("classic", "tftp")])
def test_the_ctl_of_clusters_without_tokens(new_cluster, kind, signer):
    cluster = new_cluster(kind=kind, mixed=True)
    ctl = File(cluster.published("CTLFile.tlv"))
    ctl.verify(cluster.certificate(signer))
    assert roles(ctl, files.SAST) == [cluster.certificate("itlrecovery"), cluster.certificate("tftp")]


def test_an_open_cluster_with_nothing_but_its_sast(new_cluster):
    cluster = new_cluster(kind="open")
    file = itl(cluster)
    file.verify(cluster.certificate("sast-1"))
    assert file.fields[28] == OLD
    assert file.roles() == [
        (files.SAST, cluster.certificate("sast-1")),
        (files.CCM, cluster.certificate("callmanager")),
        (files.APP_SERVER, cluster.certificate("tomcat")),
        (files.CAPF, cluster.certificate("capf")),
    ]
    assert b"<device>" in cluster.published(OWN) and cluster.published(SGN) is None, "nobody signs files"
    assert b"<TVS>" not in cluster.published(OWN)
    with cluster.serve() as serving:
        assert tftp_read(serving.tftp_port(), OWN)[0] == cluster.published(OWN)
        for service in ("tvs", "https"):
            with pytest.raises(LabError, match=f"no {service} server"):
                serving.port(service)
    with pytest.raises(LabError, match="signs no files"):
        cluster.set_encrypted_configuration(MAC, True)


def test_an_open_cluster_with_everything(new_cluster):
    cluster = new_cluster(kind="open", sast=2, files=True, https=True, tvs=True)
    file = itl(cluster)
    assert file.fields[28] == NEW
    assert file.roles() == [
        (files.SAST, cluster.certificate("sast-1")),
        (files.SAST, cluster.certificate("sast-2")),
        (files.CCM, cluster.certificate("callmanager")),
        (files.APP_SERVER, cluster.certificate("tomcat")),
        (files.TFTP, cluster.certificate("callmanager-ec")),
        (files.TFTP, cluster.certificate("tftp")),
        (files.TVS, cluster.certificate("tvs")),
        (files.CAPF, cluster.certificate("capf")),
    ]
    shown = x509.load_der_x509_certificate(cluster.certificate("callmanager-ec"))
    assert isinstance(shown.public_key(), ec.EllipticCurvePublicKey)
    File(cluster.published(SGN)).verify(cluster.certificate("tftp"))


def test_the_tvs_of_an_open_cluster_knows_cert_verification_only(new_cluster):
    cluster = new_cluster(kind="open", tvs=True)
    with cluster.serve() as serving:
        assert b"<TVS>" in cluster.published(OWN)
        port = serving.tvs_port()
        answer = ask(port, 1, element(2, cluster.certificate("tomcat")))
        assert answer[0] == cluster.certificate("tvs") and answer[2][8] == bytes([files.APP_SERVER])
        assert ask(port, 1, element(2, cluster.certificate("sast-1")))[2][8] == bytes([files.SAST])
        assert ask(port, 3, query(itl(cluster).fields))[1] is None, "QUERY_CERT closes the connection"


def test_the_ctl_of_an_open_cluster(new_cluster):
    cluster = new_cluster(kind="open", mixed=True)
    ctl = File(cluster.published("CTLFile.tlv"))
    ctl.verify(cluster.certificate("sast-1"))
    assert [role for role, _der in ctl.roles()] == [files.SAST, files.CCM, files.APP_SERVER, files.CAPF]


def test_a_sast_key_is_replaced_through_the_other(new_cluster):
    cluster = new_cluster(kind="open", sast=2)
    old = cluster.certificate("sast-1")
    cluster.itl_sign("sast-2")
    itl(cluster).verify(cluster.certificate("sast-2"))
    cluster.regenerate("sast-1")
    assert roles(itl(cluster), files.SAST) == [cluster.certificate("sast-1"), cluster.certificate("sast-2")]
    assert cluster.certificate("sast-1") != old
    cluster.itl_sign("sast-1")
    itl(cluster).verify(cluster.certificate("sast-1"))


@pytest.mark.parametrize(
    "call, problem",
    [
        (lambda c: c.set_rollback(True), "no parameter"),
        (lambda c: c.itl_reset("localkey"), "no ITLRecovery key; sign its lists with the other SAST key"),
        (lambda c: c.itl_sign("sast-2"), "'sast-2' does not sign ITLs; these do: sast-1"),
        (lambda c: c.itl_sign("callmanager"), "does not sign ITLs"),
        (lambda c: c.upgrade(), "no releases"),
        (lambda c: c.set_pre8(True), "no releases"),
        (lambda c: c.regenerate("itlrecovery"), "these can: callmanager, capf, sast-1, tomcat"),
        (lambda c: c.export_recovery("/nowhere/file", "x"), "no ITLRecovery key"),
        (lambda c: c.bulk_export("/nowhere", "x"), "no bulk certificates"),
    ],
)
def test_what_an_open_cluster_does_not_have_is_said(new_cluster, call, problem):
    cluster = new_cluster(kind="open")
    before = cluster.state.number
    with pytest.raises(LabError, match=problem):
        call(cluster)
    assert cluster.state.number == before


def test_6971_answers_the_signed_name_with_the_unsigned_file(new_cluster):
    for options in ({}, {"kind": "classic"}, {"kind": "open", "https": True}):
        cluster = new_cluster(**options)
        with cluster.serve() as serving:
            status, body, shown = get(serving.port("https"), SGN)
            assert status == 200 and body.startswith(b"<?xml") and body.endswith(b"</device>\n"), options
            assert shown == cluster.certificate("callmanager-ec") and shown in roles(itl(cluster), files.TFTP)
            signed = cluster.published(SGN)
            assert body == (File(signed).body if signed else cluster.published(OWN))
            assert get(serving.port("https"), "SEP001122334455.cnf.xml.sgn")[0] == 404


def test_6971_is_closed_where_no_list_tells_phones_to_ask(cluster, new_cluster):
    old = new_cluster(digest="sha1")
    assert itl(old).fields[28] == OLD and itl(cluster).fields[28] == NEW
    with old.serve() as serving, pytest.raises(ConnectionRefusedError):
        get(serving.port("https"), SGN)
    with cluster.serve() as serving:
        cluster.set_rollback(True)
        assert serving.events.wait_for(service="https", what="stopped")
        with pytest.raises(ConnectionRefusedError):
            get(serving.port("https"), SGN)


def test_a_rollback_is_said_by_blank_entries(new_cluster):
    for kind in ("modern", "classic", "tokens"):
        cluster = new_cluster(kind=kind, nodes=2)
        cluster.set_rollback(True)
        records = itl(cluster, 2).records()
        blank = [record for record in records if 9 not in record]
        assert blank == [{4: bytes([0, files.TFTP])}, {4: bytes([0, files.TVS])}]
        assert {record[4][1] for record in records if 9 in record} == {files.SAST}


def test_up_to_five_capf_servers(new_cluster):
    cluster = new_cluster(nodes=6)
    with cluster.serve() as serving:
        assert File(cluster.published(SGN)).body.count(b"<capf>") == 1
        cluster.set_capf_servers(5)
        assert serving.events.wait_for(service="capf", node=5, what="started")
        body = File(cluster.published(SGN)).body
        ports = [f"<phonePort>{serving.port('capf', node)}</phonePort>".encode() for node in range(1, 6)]
        assert [body.index(port) for port in ports] == sorted(body.index(port) for port in ports)
        with RawPhone(serving.port("capf", 5)) as phone:
            assert phone.peer == cluster.certificate("capf")
        for wrong in (0, 6):
            with pytest.raises(LabError, match="1 to 5 CAPF servers"):
                cluster.set_capf_servers(wrong)
    with pytest.raises(LabError, match="1 to 1 CAPF servers"):
        new_cluster().set_capf_servers(2)
