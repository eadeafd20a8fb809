# SPDX-License-Identifier: MIT
"""Phones moved to another cluster

The security guide's chapter on migration names three problems: the new ITL is not signed by a signer that the phone knows
(1), the TVS servers of the old ITL may not be reachable from the new place (2), and if they are, they may not have the new
cluster's certificates (3).
"""

import os

import pytest

from host_tools.lab.model.bulk import consolidate

AFTER_MOVE = "The phone is moved: it gets the new cluster's TFTP server, and restarts."
REFUSED = {"itl": "refused tvs-refused", "signed": "refused tvs-refused"}
EMPTY = {"itl": "accepted signed-by-itl", "plain": "accepted after-rollback", "state": "rolled-back"}
# A loopback address of this process alone: phones look for the TVS of an ITL on port 2445, and nowhere else.
ADDRESS = f"127.{os.getpid() >> 16 & 0xFF | 1}.{os.getpid() >> 8 & 0xFF}.{os.getpid() & 0xFF | 2}"
PASSPHRASE = "seven bananas"


def start(procedure, kind="modern", **options):
    """(old cluster, with the phone; new cluster, of this kind)."""
    return procedure.start(name="old", **options), procedure.cluster(name="new", kind=kind)


def exchange(procedure, source, target):
    """Bulk certificate export on one cluster, consolidation, import on the other."""
    folder = procedure.folder / f"bulk-of-{source.data['name']}"
    source.bulk_export(folder, PASSPHRASE)
    consolidate(folder, PASSPHRASE)
    target.bulk_import(folder, PASSPHRASE)


def test_problem_1(procedure):
    """Nothing prepared: the new cluster's signer is unknown to the phone (problem 1)

    The new cluster's own TVS would vouch for it, but the phone does not ask it, because its ITL names the old cluster's
    TVS.
    """
    old, new = start(procedure)
    procedure.point_at(new)
    procedure.boot(AFTER_MOVE, **REFUSED)
    assert procedure.clusters[new].events.matching(service="tvs") == []
    assert len(procedure.clusters[old].events.matching(service="tvs", what="query")) == 2
    procedure.judge(
        "The directory service connects to the new cluster.",
        "application",
        new.certificate("tomcat"),
        "refused tvs-refused",
    )
    procedure.point_at(old)
    procedure.boot("The phone is moved back, and restarts.", itl="accepted unchanged")
    procedure.point_at(new)
    procedure.step("At the phone, in the new place:")
    procedure.erase()
    procedure.boot(itl="accepted first-use")


@pytest.mark.board
def test_problem_2(procedure):
    """Nothing prepared: the old cluster's TVS cannot be reached (problem 2)"""
    old, new = start(procedure)
    procedure.step("The old cluster is switched off.")
    procedure.shut_down(old)
    procedure.point_at(new)
    procedure.boot(AFTER_MOVE, itl="refused tvs-unreachable", signed="refused tvs-unreachable")


@pytest.mark.board
def test_problem_3(procedure):
    """The old cluster's TVS does not have the new certificates (problem 3)

    They were exchanged too early. Where ITLRecovery signs lists, the move depends on that certificate.
    """
    old, new = start(procedure, kind="classic")
    procedure.step("Bulk certificate export on the new cluster, consolidation, import on the old one.")
    exchange(procedure, new, old)
    procedure.step("On the new cluster, the CallManager certificate is regenerated.")
    new.regenerate("tftp")
    procedure.point_at(new)
    procedure.boot(AFTER_MOVE, **REFUSED)
    procedure.step("Export, consolidation and import are repeated.")
    exchange(procedure, new, old)
    procedure.boot(itl="accepted vouched-by-tvs")


@pytest.mark.board
def test_rollback_first(procedure):
    """Moved with rollback prepared first

    The empty ITL lets the new cluster's list in; the old cluster is not needed any more.
    """
    old, new = start(procedure)
    procedure.step('On the old cluster, "Prepare Cluster for Rollback to pre 8.0" is set to True.')
    old.set_rollback(True)
    procedure.boot(**EMPTY)
    procedure.step("The old cluster is switched off.")
    procedure.shut_down(old)
    procedure.point_at(new)
    procedure.boot(AFTER_MOVE, itl="accepted after-rollback")
    procedure.boot(itl="accepted unchanged")


@pytest.mark.board
def test_rollback_first_in_mixed_mode(procedure):
    """Moved with rollback prepared first, with a CTL on the phone

    A rollback does not blank a CTL, and the empty ITL names no TVS to ask.
    """
    old, new = start(procedure, mixed=True)
    procedure.step('On the old cluster, "Prepare Cluster for Rollback to pre 8.0" is set to True.')
    old.set_rollback(True)
    by_ctl = {"itl": "accepted signed-by-ctl", "signed": "accepted signed-by-ctl", "mode": "mixed"}
    procedure.boot(ctl="accepted unchanged", **by_ctl)
    procedure.point_at(new)
    refused = {"itl": "refused unknown-signer", "signed": "refused unknown-signer", "mode": "mixed"}
    procedure.boot(AFTER_MOVE, **refused)
    procedure.erase()
    procedure.boot(itl="accepted first-use")


@pytest.mark.board
def test_bulk_certificates(procedure):
    """Moved with bulk certificate export, old cluster online

    The old cluster's TVS vouches for the new cluster's signer; after that the phone belongs to the new cluster.
    """
    old, new = start(procedure)
    procedure.step("Bulk certificate export on the new cluster, consolidation, import on the old one.")
    exchange(procedure, new, old)
    procedure.point_at(new)
    procedure.boot(AFTER_MOVE, itl="accepted vouched-by-tvs")
    procedure.step("The old cluster is switched off.")
    procedure.shut_down(old)
    procedure.boot(itl="accepted unchanged")


def test_bulk_tftp_only(procedure):
    """Moved with bulk certificates of the type TFTP only

    The guide says so, and it is enough where CallManager signs lists. Where ITLRecovery signs them, its certificate is
    needed, too. By then the phone has believed a configuration that names the new cluster's TVS; it finds the old
    cluster's TVS by its ITL.
    """
    old, new = start(procedure, address=ADDRESS, ports={1: {"tvs": 2445}})
    folder = procedure.folder / "sftp"

    def exchange_types(*types):
        new.bulk_export(folder, PASSPHRASE, types)
        consolidate(folder, PASSPHRASE)
        old.bulk_import(folder, PASSPHRASE, types)

    procedure.step("Bulk certificate export of TFTP on the new cluster, consolidation, import of TFTP on the old one.")
    exchange_types("TFTP")
    procedure.point_at(new)
    procedure.boot(AFTER_MOVE, itl="refused tvs-refused", signed="accepted vouched-by-tvs")
    procedure.step("The same with ITLRecovery.")
    exchange_types("ITLRecovery")
    procedure.boot(itl="accepted vouched-by-tvs")


def test_back_to_the_old_cluster(procedure):
    """Moved back to the old cluster

    A way back must be prepared like the way there, because by now the phone asks the new cluster's TVS.
    """
    old, new = start(procedure)
    procedure.step("Bulk certificate export on the new cluster, consolidation, import on the old one.")
    exchange(procedure, new, old)
    procedure.point_at(new)
    procedure.boot(AFTER_MOVE, itl="accepted vouched-by-tvs")
    procedure.point_at(old)
    procedure.boot("The phone is moved back, and restarts.", **REFUSED)
    procedure.step("Bulk certificate export on the old cluster, consolidation, import on the new one.")
    exchange(procedure, old, new)
    procedure.boot(itl="accepted vouched-by-tvs")


def test_back_after_rollback(procedure):
    """Moved with rollback, and back"""
    old, new = start(procedure)
    procedure.step('On the old cluster, "Prepare Cluster for Rollback to pre 8.0" is set to True.')
    old.set_rollback(True)
    procedure.boot(**EMPTY)
    procedure.point_at(new)
    procedure.boot(AFTER_MOVE, itl="accepted after-rollback")
    procedure.step("On the old cluster, it is set to False.")
    old.set_rollback(False)
    procedure.point_at(old)
    procedure.boot("The phone is moved back, and restarts.", **REFUSED)
    procedure.point_at(new)
    procedure.step('On the new cluster, "Prepare Cluster for Rollback to pre 8.0" is set to True.')
    new.set_rollback(True)
    procedure.boot("The phone is in the new place and restarts.", **EMPTY)
    procedure.point_at(old)
    procedure.boot("The phone is moved back, and restarts.", itl="accepted after-rollback")


def test_centralized_tftp(procedure):
    """Centralized TFTP, nothing prepared

    Another cluster's TFTP server hands out its own ITL, which is refused, and the phone's configuration, which is signed
    by the home cluster.
    """
    home, central = procedure.start(name="home"), procedure.cluster(name="central", phone=None)
    central.set_centralized_tftp(home.path)
    procedure.point_at(central)
    procedure.boot("The phone gets the central TFTP server, and restarts.", itl="refused tvs-refused")


def test_centralized_tftp_prepared(procedure):
    """Centralized TFTP, the home cluster's ITL emptied first

    The central cluster's ITL is taken. The home cluster's files need the central cluster's TVS, which the phone finds by
    the ITL; it must have the home cluster's certificates.
    """
    home = procedure.start(name="home")
    central = procedure.cluster(name="central", phone=None, address=ADDRESS, ports={1: {"tvs": 2445}})
    central.set_centralized_tftp(home.path)
    procedure.step('On the home cluster, "Prepare Cluster for Rollback to pre 8.0" is set to True.')
    home.set_rollback(True)
    procedure.boot(**EMPTY)
    procedure.point_at(central)
    procedure.boot(
        "The phone gets the central TFTP server, and restarts.",
        itl="accepted after-rollback",
        signed="refused tvs-refused",
    )
    procedure.step("Bulk certificate export on the home cluster, consolidation, import on the central one.")
    exchange(procedure, home, central)
    procedure.boot(itl="accepted unchanged", signed="accepted vouched-by-tvs")
