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


@pytest.mark.board
def test_rollback_of_one_node_of_two(procedure):
    """Prepared for rollback on one node of two

    The parameter is set on each server. A forgotten server still hands out a full ITL, which a phone with an empty ITL
    takes.
    """
    cluster = procedure.start(nodes=2)
    procedure.step('"Prepare Cluster for Rollback to pre 8.0" is set to True on the publisher.')
    cluster.set_rollback(True, 1)
    procedure.boot(**EMPTY)
    procedure.point_at((cluster, 2))
    procedure.boot("The phone restarts at the subscriber.", itl="accepted signed-by-itl")
    procedure.step("The cluster runs the old release.")
    cluster.set_pre8(True)
    procedure.boot(itl="accepted not-found", plain="refused unsigned")


def test_directories(procedure):
    """Directories of a release before 8.0

    The phone's built-in application needs HTTPS, which an empty ITL forbids; a plain URL needs no decision.
    """
    cluster = procedure.start()
    tomcat = cluster.certificate("tomcat")
    procedure.step('"Prepare Cluster for Rollback to pre 8.0" is set to True, and the cluster runs the old release.')
    cluster.set_rollback(True)
    procedure.boot(**EMPTY)
    cluster.set_pre8(True)
    procedure.boot(**BEFORE_8)
    procedure.judge("The built-in directory connects by HTTPS.", "application", tomcat, "refused after-rollback")
    procedure.step("The directories get their plain URLs on port 8080.")
    for which in ("corporate", "personal"):
        cluster.set_directory(which, cluster.directory_url(which))
    procedure.boot("The phone restarts; its directories go to these URLs.", **BEFORE_8)
    assert cluster.directory_url("corporate").encode() in procedure.phone.stored()["configuration"]


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

    A rollback does not blank a CTL: the phone takes the empty ITL and still insists on signatures.
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
