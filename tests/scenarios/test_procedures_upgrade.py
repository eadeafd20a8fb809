# SPDX-License-Identifier: MIT
"""Upgrade from 7.x in mixed mode, and the way back

Some old releases need the CTL client to be run once more. Here their upgrade makes the CallManager certificate anew
[inferred], so that the CTL lacks it.
"""

import pytest

OLD = "007.001(002.30016.001)"
BY_CTL = {"signed": "accepted signed-by-ctl", "mode": "mixed"}
REFUSED = {"signed": "refused unknown-signer", "mode": "mixed"}


def start(procedure, build=OLD):
    """A mixed cluster of an old release with hardware tokens, and the phone that has its CTL and configuration."""
    cluster = procedure.cluster(kind="tokens", old_release=build)
    procedure.point_at(cluster)
    procedure.boot(
        "The phone starts, fresh from the factory.", ctl="accepted first-use", itl="accepted not-found", **BY_CTL
    )
    return cluster


@pytest.mark.board
def test_upgrade_in_mixed_mode(procedure):
    """Upgrade from 7.1(2) in mixed mode, the CTL client run once more"""
    cluster = start(procedure)
    procedure.step("The cluster is upgraded.")
    cluster.upgrade()
    procedure.step("The CTL client is run once more.")
    cluster.ctl_update()
    procedure.boot(ctl="accepted signed-by-ctl", itl="accepted signed-by-ctl", **BY_CTL)
    procedure.step("The call records are migrated.")
    cluster.finish_upgrade()
    procedure.boot(ctl="accepted unchanged", itl="accepted unchanged", **BY_CTL)


def test_upgrade_in_mixed_mode_without_the_ctl_client(procedure):
    """Upgrade from 7.1(2) in mixed mode, the CTL client forgotten"""
    cluster = start(procedure)
    procedure.step("The cluster is upgraded.")
    cluster.upgrade()
    procedure.boot(ctl="accepted unchanged", itl="refused unknown-signer", **REFUSED)
    procedure.step("The CTL client is run once more.")
    cluster.ctl_update()
    procedure.boot(ctl="accepted signed-by-ctl", itl="accepted signed-by-ctl", **BY_CTL)


def test_upgrade_in_mixed_mode_from_a_later_release(procedure):
    """Upgrade from 7.1(3a)su1a in mixed mode

    It needs no CTL client.
    """
    cluster = start(procedure, "007.001(003.21900.003)")
    procedure.step("The cluster is upgraded.")
    cluster.upgrade()
    procedure.boot(ctl="accepted unchanged", itl="accepted signed-by-ctl", **BY_CTL)


@pytest.mark.board
def test_back_to_the_inactive_version(procedure):
    """Switched back to the inactive version, and forth again, in mixed mode

    The parameter comes first, and the CTL client after each switch, because the old release needs it.
    """
    cluster = start(procedure)
    procedure.step("The cluster is upgraded, and the CTL client run.")
    cluster.upgrade()
    cluster.ctl_update()
    cluster.finish_upgrade()
    procedure.boot(ctl="accepted signed-by-ctl", itl="accepted signed-by-ctl", **BY_CTL)
    procedure.step('"Prepare Cluster for Rollback to pre 8.0" is set to True.')
    cluster.set_rollback(True)
    procedure.boot(ctl="accepted unchanged", itl="accepted signed-by-ctl", **BY_CTL)
    procedure.step("The cluster is switched to the inactive version.")
    cluster.switch_version()
    procedure.boot(ctl="accepted unchanged", itl="accepted not-found", **REFUSED)
    procedure.step("The CTL client is run.")
    cluster.ctl_update()
    procedure.boot(ctl="accepted signed-by-ctl", itl="accepted not-found", **BY_CTL)
    procedure.step("The cluster is switched to the new version again, the CTL client run, the parameter set to False.")
    cluster.switch_version()
    cluster.ctl_update()
    cluster.set_rollback(False)
    procedure.boot(ctl="accepted signed-by-ctl", itl="accepted signed-by-ctl", **BY_CTL)


def test_to_the_newest_release(procedure):
    """Upgrade from 11.5 to 12.0

    From now on ITLRecovery signs lists; phones have it as SAST.
    """
    cluster = procedure.start(kind="classic")
    procedure.step("The cluster is upgraded.")
    cluster.upgrade()
    procedure.boot(itl="accepted signed-by-itl")
