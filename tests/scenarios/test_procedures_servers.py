# SPDX-License-Identifier: MIT
"""Servers that disagree or know less, and lists that grow"""

import contextlib

import pytest

from host_tools.lab.model.bulk import consolidate
from tests.helpers.lab.independent_tvs import VerificationServer
from tests.helpers.lab.procedure import MAC

PASSPHRASE = "seven bananas"


def test_two_tftp_servers_that_disagree(procedure):
    """Two TFTP servers that disagree

    Where the CallManager certificate signs, each node signs its ITL with its own key: a phone that comes to another node
    needs TVS each time.
    """
    cluster = procedure.start(kind="classic", nodes=2)
    procedure.point_at((cluster, 2), (cluster, 1))
    procedure.boot("The phone's first TFTP server is the other node. It restarts.", itl="accepted vouched-by-tvs")
    procedure.step("TVS is down on both nodes.")
    for node in (1, 2):
        procedure.clusters[cluster].stop_tvs(node)
    procedure.point_at((cluster, 1), (cluster, 2))
    procedure.boot(
        "Its first TFTP server is the publisher again. It restarts.",
        itl="refused tvs-unreachable",
        signed="refused tvs-unreachable",
    )
    procedure.point_at((cluster, 2), (cluster, 1))
    procedure.boot("Its first TFTP server is the other node. It restarts.", itl="accepted unchanged")


def test_first_tftp_server_is_down(procedure):
    """The first TFTP server is down, the second belongs to another cluster

    The phone uses the first server that answers, and refuses its files as at any move.
    """
    lost = procedure.start(name="lost")
    other = procedure.cluster(name="other")
    procedure.phone.waits = {"tftp_timeout": 300, "tftp_attempts": 2}  # nobody answers: what else would it wait for
    procedure.point_at(lost, other)
    procedure.boot(itl="accepted unchanged")
    procedure.step("The first server is switched off, with its cluster.")
    procedure.shut_down(lost)
    procedure.boot(itl="refused tvs-unreachable", signed="refused tvs-unreachable")


@contextlib.contextmanager
def verification_only(procedure, cluster, known):
    """In place of the cluster's TVS an independent one, which closes the connection on QUERY_CERT."""
    serving = procedure.clusters[cluster]
    serving.stop_tvs()
    procedure.foretold = False
    identity = procedure.folder / "tvs.pem"
    identity.write_bytes(cluster.identity("tvs").pem())
    with VerificationServer(procedure.listen, serving.tvs_port(), identity, known) as server:
        yield server
    procedure.foretold = True
    serving.start_tvs()


def test_verification_only_list(procedure):
    """TVS that knows only CERT_VERIFICATION: a trust list

    It closes the connection on QUERY_CERT. A list carries its signer's certificate, so the phone asks about that.
    """
    cluster = procedure.start(kind="classic")
    procedure.step("The CallManager certificate is regenerated; TVS does not know it yet.")
    cluster.regenerate("tftp")
    with verification_only(procedure, cluster, {}) as tvs:
        refused = {"itl": "refused tvs-refused", "signed": "refused tvs-unreachable"}
        procedure.boot(**refused)
        procedure.step("TVS knows it, but not as one that signs lists.")
        tvs.known = {cluster.certificate("tftp"): [3]}
        procedure.boot(itl="refused tvs-wrong-role", signed="refused tvs-unreachable")
        procedure.step("TVS knows it as SAST and TFTP.")
        tvs.known = {cluster.certificate("tftp"): [0, 3]}
        procedure.boot(itl="accepted vouched-by-tvs")
        assert set(tvs.commands) == {1, 3} and tvs.commands[-1] == 1


def test_verification_only_file(procedure):
    """TVS that knows only CERT_VERIFICATION: a signed file

    A signed file carries no certificate. With a TVS that knows QUERY_CERT, the same file is taken.
    """
    cluster = procedure.start()
    other = procedure.cluster(name="other")
    procedure.step("Another cluster's certificates are imported; its server hands out the phone's configuration.")
    other.bulk_export(procedure.folder / "bulk", PASSPHRASE)
    consolidate(procedure.folder / "bulk", PASSPHRASE)
    cluster.bulk_import(procedure.folder / "bulk", PASSPHRASE)
    with cluster.change() as draft:
        del draft.data["phones"][MAC]
    cluster.set_centralized_tftp(other.path)
    with verification_only(procedure, cluster, {other.certificate("tftp"): [0, 3]}):
        procedure.boot(itl="accepted unchanged", signed="refused tvs-unreachable")
    procedure.step("TVS is upgraded.")
    procedure.boot(itl="accepted unchanged", signed="accepted vouched-by-tvs")


@pytest.mark.board
def test_too_many_certificates(procedure):
    """More than 39 certificates

    A list over 64 KB is refused whatever it holds; the phone says so and keeps its trust.
    """
    cluster = procedure.start()
    procedure.step("Nodes are added, until the cluster has 35 certificates.")
    cluster.add_certificates(30)
    procedure.boot(itl="accepted signed-by-itl")
    procedure.step("10 more are added.")
    cluster.add_certificates(10)
    procedure.boot(itl="refused too-large")
