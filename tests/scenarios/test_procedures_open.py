# SPDX-License-Identifier: MIT
"""Clusters of the open tools

SAST keys sign lists, and files are often not signed. The ITL has the call manager for signalling by TLS, so the mode is
mixed by the phone's rule.
"""

import pytest

MIXED = {"mode": "mixed"}


def https(procedure, cluster):
    """Let the phone fetch by HTTP and HTTPS where the cluster has them."""
    ports = cluster.node(1)["ports"]
    procedure.phone.waits = {
        "file_transfer": "http",
        "http_port": ports["http"],
        "https_port": ports.get("https", 6971),
    }


def start(procedure, **parts):
    """An open cluster, and the phone that has taken its ITL."""
    cluster = procedure.cluster(kind="open", **parts)
    procedure.point_at(cluster)
    return cluster


@pytest.mark.board
def test_open_cluster(procedure):
    """An open cluster: first use, new application server, SAST replaced through the second one

    Files are not signed here, so the phone takes unsigned configuration, with a warning.
    """
    cluster = start(procedure, sast=2)
    unsigned = {"plain": "accepted no-file-signer", **MIXED}
    procedure.boot(itl="accepted first-use", **unsigned)
    procedure.step("The application server gets a new certificate.")
    cluster.regenerate("tomcat")
    procedure.boot(itl="accepted signed-by-itl", **unsigned)
    procedure.step("The list is signed with the second SAST key.")
    cluster.itl_sign("sast-2")
    procedure.boot(itl="accepted signed-by-itl", **unsigned)
    procedure.step("The first SAST key is made anew.")
    cluster.regenerate("sast-1")
    procedure.boot(itl="accepted signed-by-itl", **unsigned)
    procedure.step("The list is signed with it.")
    cluster.itl_sign("sast-1")
    procedure.boot(itl="accepted signed-by-itl", **unsigned)


def test_open_cluster_services(procedure):
    """An open cluster's application server

    The ITL has its certificate; there is no TVS to ask about another server.
    """
    cluster = start(procedure)
    procedure.boot(itl="accepted first-use", plain="accepted no-file-signer", **MIXED, documented=False)
    old = cluster.certificate("tomcat")
    procedure.judge("The directory service connects.", "application", old, "accepted listed-in-itl")
    procedure.step("The application server gets a new certificate.")
    cluster.regenerate("tomcat")
    procedure.boot(itl="accepted signed-by-itl", plain="accepted no-file-signer", **MIXED)
    procedure.judge("It connects to a server that shows the old one.", "application", old, "refused unknown-signer")
    new = cluster.certificate("tomcat")
    procedure.judge("It connects to one that shows the new one.", "application", new, "accepted listed-in-itl")


def test_open_cluster_loses_its_only_sast(procedure):
    """An open cluster whose only SAST key is made anew

    There is no TVS that could vouch for the new key.
    """
    cluster = start(procedure)
    procedure.boot(itl="accepted first-use", plain="accepted no-file-signer", **MIXED, documented=False)
    procedure.step("The SAST key is made anew, and the list signed with it.")
    cluster.regenerate("sast-1")
    procedure.boot(itl="refused unknown-signer", plain="accepted no-file-signer", **MIXED)


def test_open_cluster_with_a_file_signer(procedure):
    """An open cluster with a key that signs files"""
    cluster = start(procedure, files=True)
    procedure.boot(itl="accepted first-use", signed="accepted signed-by-itl", **MIXED)
    procedure.step("The key that signs files is made anew.")
    cluster.regenerate("tftp")
    procedure.boot(itl="accepted signed-by-itl", signed="accepted signed-by-itl", **MIXED)


def test_open_cluster_with_tvs(procedure):
    """An open cluster with a TVS that knows only CERT_VERIFICATION

    The list carries its signer's certificate, so the phone asks TVS about that certificate.
    """
    cluster = start(procedure, tvs=True)
    unsigned = {"plain": "accepted no-file-signer", **MIXED}
    procedure.boot(itl="accepted first-use", **unsigned, documented=False)
    procedure.step("The SAST key is made anew, and the list signed with it.")
    cluster.regenerate("sast-1")
    procedure.boot(itl="accepted vouched-by-tvs", **unsigned)


def test_open_cluster_by_https(procedure):
    """An open cluster with configuration by HTTPS

    The body is not signed; the phone believes it because the ITL has the server's EC certificate as TFTP.
    """
    cluster = procedure.cluster(kind="open", https=True)
    https(procedure, cluster)
    procedure.foretold = False  # a forecast's phone fetches by TFTP
    procedure.point_at(cluster)
    secure = {"https": "accepted listed-in-itl", "signed": "accepted from-trusted-server", **MIXED}
    procedure.boot(itl="accepted first-use", **secure)
    procedure.step("The certificate of the HTTPS server is made anew.")
    cluster.regenerate("https")
    procedure.boot(itl="accepted signed-by-itl", **secure)
