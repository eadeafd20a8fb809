# SPDX-License-Identifier: MIT
"""Rollback to a release before 8.0, and upgrades from there"""

import pytest

EMPTY = {"itl": "accepted signed-by-itl", "plain": "accepted after-rollback", "state": "rolled-back"}
BEFORE_8 = {"itl": "accepted not-found", "plain": "accepted after-rollback", "state": "rolled-back"}


@pytest.mark.board
def test_rollback(procedure):
    """Prepared for rollback, then a release before 8.0

    The empty ITL lets unsigned configuration in.
    """
    cluster = procedure.start()
    procedure.step('"Prepare Cluster for Rollback to pre 8.0" is set to True.')
    cluster.set_rollback(True)
    procedure.boot(**EMPTY)
    procedure.step("The cluster runs the old release.")
    cluster.set_pre8(True)
    procedure.boot(**BEFORE_8)


def test_https_after_rollback(procedure):
    """HTTPS services of a phone with an empty ITL"""
    cluster = procedure.start()
    tomcat, capf = cluster.certificate("tomcat"), cluster.certificate("capf")
    procedure.step('"Prepare Cluster for Rollback to pre 8.0" is set to True.')
    cluster.set_rollback(True)
    procedure.boot(**EMPTY)
    procedure.judge("The directory service connects.", "application", tomcat, "refused after-rollback")
    procedure.judge("The phone is to enrol.", "capf", capf, "refused after-rollback")


@pytest.mark.board
def test_before_8_without_preparation(procedure):
    """A release before 8.0 without preparation"""
    cluster = procedure.start()
    procedure.step("The cluster runs the old release at once.")
    cluster.set_pre8(True)
    procedure.boot(itl="accepted not-found", plain="refused unsigned")
    procedure.step("The cluster runs the new release again. It makes an ITL anew.")
    cluster.set_pre8(False)
    cluster.regenerate("capf")  # so that it is another one even within the second
    procedure.boot(itl="accepted signed-by-itl")


@pytest.mark.board
def test_switched_back(procedure):
    """Switched back, rollback set to False

    The empty ITL still has the signers as SAST.
    """
    cluster = procedure.start()
    procedure.step('"Prepare Cluster for Rollback to pre 8.0" is set to True.')
    cluster.set_rollback(True)
    procedure.boot(**EMPTY)
    procedure.step("It is set to False.")
    cluster.set_rollback(False)
    procedure.boot(itl="accepted signed-by-itl")


def test_switched_back_with_a_new_signer(procedure):
    """Switched back, with a CallManager certificate that was regenerated meanwhile

    The empty ITL does not have the new signer and names no TVS, but it lets any list in.
    """
    cluster = procedure.start(kind="classic")
    procedure.step('"Prepare Cluster for Rollback to pre 8.0" is set to True.')
    cluster.set_rollback(True)
    procedure.boot(**EMPTY)
    procedure.step("The CallManager certificate is regenerated, and the parameter set to False.")
    cluster.regenerate("tftp")
    cluster.set_rollback(False)
    procedure.boot(itl="accepted after-rollback")


def test_rollback_in_mixed_mode(procedure):
    """Prepared for rollback in mixed mode

    A CTL is not blanked by rollback: the phone takes the empty ITL and goes on to insist on signatures.
    """
    cluster = procedure.start(mixed=True)
    procedure.step('"Prepare Cluster for Rollback to pre 8.0" is set to True.')
    cluster.set_rollback(True)
    procedure.boot(
        ctl="accepted unchanged", itl="accepted signed-by-ctl", signed="accepted signed-by-ctl", mode="mixed"
    )
    procedure.step("The cluster runs the old release, without a CTL.")
    cluster.ctl_delete()
    cluster.set_pre8(True)
    procedure.boot(itl="accepted not-found", plain="refused unsigned", mode="mixed")


@pytest.mark.board
def test_refresh_upgrade(procedure):
    """Refresh upgrade from 7.x

    A phone without any list takes unsigned configuration, until the cluster has an ITL.
    """
    cluster = procedure.cluster(digest="sha1", change=lambda cluster: cluster.set_pre8(True))
    procedure.point_at(cluster)
    procedure.boot(
        "The phone starts, fresh from the factory.",
        itl="accepted not-found",
        plain="accepted no-trust-list",
        state="no-trust",
    )
    procedure.step("The cluster is upgraded to 8.0.")
    cluster.upgrade()
    procedure.boot(itl="accepted first-use")
    procedure.step("The call records are migrated.")
    cluster.finish_upgrade()
    procedure.step("The cluster is upgraded to a release that signs with SHA-512.")
    cluster.upgrade()
    procedure.boot(itl="accepted signed-by-itl")
