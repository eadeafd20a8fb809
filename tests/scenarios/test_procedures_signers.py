# SPDX-License-Identifier: MIT
"""The keys that sign lists: reset, renewed, lost, restored"""

import pytest

from host_tools.lab.model.transfer import read_recovery

PASSPHRASE = "seven bananas"


def lock_out(procedure, cluster):
    """TVS and TFTP regenerated together."""
    cluster.regenerate("tvs")
    cluster.regenerate("tftp")
    procedure.boot(itl="refused tvs-untrusted", signed="refused tvs-untrusted")


@pytest.mark.board
def test_reset_localkey(procedure):
    """`utils itl reset localkey`, after a lockout

    The same ITL, signed by the ITLRecovery key, which every phone of the cluster has as SAST.
    """
    cluster = procedure.start(kind="classic")
    procedure.step("The TVS and the CallManager certificate are regenerated together.")
    lock_out(procedure, cluster)
    procedure.step("`utils itl reset localkey`.")
    cluster.itl_reset("localkey")
    procedure.boot(itl="accepted signed-by-itl")
    procedure.step("The next change of a certificate: the CallManager key signs again.")
    cluster.regenerate("capf")
    procedure.boot(itl="accepted signed-by-itl")


def test_reset_remotekey(procedure):
    """`utils itl reset remotekey`, after the cluster lost its ITLRecovery key

    The exported key of the old ITLRecovery certificate signs a list that phones take.
    """
    cluster = procedure.start(kind="classic")
    file = procedure.folder / "recovery.p12"
    procedure.step("The ITLRecovery certificate is exported with its key.")
    cluster.export_recovery(file, PASSPHRASE)
    procedure.step("The ITLRecovery, the TVS and the CallManager certificate are regenerated.")
    cluster.regenerate("itlrecovery")
    lock_out(procedure, cluster)
    procedure.step("`utils itl reset localkey`: the phone does not have the new ITLRecovery certificate.")
    cluster.itl_reset("localkey")
    procedure.boot(itl="refused tvs-untrusted", signed="refused tvs-untrusted")
    procedure.step("`utils itl reset remotekey` with the exported one.")
    cluster.itl_reset("remotekey", read_recovery(file, PASSPHRASE))
    procedure.boot(itl="accepted signed-by-itl")


@pytest.mark.board
def test_itlrecovery_the_documented_way(procedure):
    """ITLRecovery regenerated the documented way

    TVS is down all the time: at each step the phone knows the signer.
    """
    cluster = procedure.start()
    procedure.clusters[cluster].stop_tvs()
    procedure.step("The ITL is signed with the CallManager key.")
    cluster.itl_sign("callmanager")
    procedure.boot("The phones are reset.", itl="accepted signed-by-itl")
    procedure.step("The ITLRecovery certificate is regenerated.")
    cluster.regenerate("itlrecovery")
    procedure.boot("The phones are reset.", itl="accepted signed-by-itl")
    procedure.step("The ITL is signed with the new ITLRecovery key.")
    cluster.itl_sign("itlrecovery")
    procedure.boot("The phones are reset.", itl="accepted signed-by-itl")


def test_itlrecovery_without_the_first_signing(procedure):
    """ITLRecovery regenerated without signing with the CallManager key first

    Now TVS decides.
    """
    cluster = procedure.start()
    serving = procedure.clusters[cluster]
    procedure.step("The ITLRecovery certificate is regenerated; TVS is down.")
    serving.stop_tvs()
    cluster.regenerate("itlrecovery")
    procedure.boot(itl="refused tvs-unreachable")
    procedure.step("TVS is started.")
    serving.start_tvs()
    procedure.boot(itl="accepted vouched-by-tvs")


def test_key_lost_and_restored(procedure):
    """TFTP key lost, cluster restored from a backup"""
    cluster = procedure.start()
    backup = procedure.folder / "backup"
    cluster.backup(backup, PASSPHRASE)
    procedure.step("The server is lost. It is installed anew, with new certificates.")
    new = procedure.rebuild(cluster)
    procedure.boot(itl="refused tvs-untrusted", signed="refused tvs-untrusted")
    procedure.step("The backup is restored.")
    new.restore(backup, PASSPHRASE)
    procedure.boot(itl="accepted unchanged")
    procedure.step("The CAPF certificate is regenerated.")
    new.regenerate("capf")
    procedure.boot(itl="accepted signed-by-itl")


def test_key_lost_without_backup(procedure):
    """TFTP key lost, no backup, a subscriber survives

    The publisher is installed anew as a cluster of its own; the subscriber's TVS still answers, and does not know it.
    """
    cluster = procedure.start(nodes=2)
    procedure.step("The publisher is lost and installed anew, with new certificates.")
    procedure.clusters[cluster].stop_tvs(1)
    new = procedure.cluster("rebuilt")
    procedure.point_at(new)
    procedure.boot(itl="refused tvs-refused", signed="refused tvs-refused")
    procedure.erase()
    procedure.boot(itl="accepted first-use")


def test_restored_to_an_earlier_state(procedure):
    """A backup restored that is older than the phone's ITL

    The phone does not know the old signer any more, but the TVS certificate is the same, and TVS knows the old signer
    again.
    """
    cluster = procedure.start(kind="classic")
    backup = procedure.folder / "backup"
    procedure.step("A backup is made. Then the CallManager certificate is regenerated.")
    cluster.backup(backup, PASSPHRASE)
    cluster.regenerate("tftp")
    procedure.boot(itl="accepted vouched-by-tvs")
    procedure.step("The backup is restored.")
    cluster.restore(backup, PASSPHRASE)
    procedure.boot(itl="accepted vouched-by-tvs")
