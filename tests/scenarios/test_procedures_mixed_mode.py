# SPDX-License-Identifier: MIT
"""Mixed mode, the CTL, autoregistration"""

import pytest

from host_tools.lab.errors import LabError

BY_CTL = {"itl": "accepted signed-by-ctl", "signed": "accepted signed-by-ctl"}
UNCHANGED = {"ctl": "accepted unchanged", "itl": "accepted unchanged", "signed": "accepted signed-by-ctl"}


@pytest.mark.board
def test_on_and_off(procedure):
    """Mixed mode switched on, and off"""
    cluster = procedure.start()
    procedure.step("`utils ctl set-cluster mixed-mode`.")
    cluster.set_cluster_mode("mixed")
    procedure.boot(ctl="accepted signed-by-itl", **BY_CTL, mode="mixed")
    procedure.step("`utils ctl set-cluster non-secure-mode`.")
    cluster.set_cluster_mode("nonsecure")
    procedure.boot(ctl="accepted signed-by-ctl", **BY_CTL)


@pytest.mark.board
def test_on_with_tokens(procedure):
    """Mixed mode switched on and the CTL updated with hardware tokens

    The phone knows no token: TVS vouches for it. ITLs are signed by the CallManager key, which stands in the CTL as
    CCM+TFTP only.
    """
    cluster = procedure.start(kind="tokens", mixed=False)
    procedure.step("The CTL client makes a CTL, signed by the first token.")
    cluster.set_cluster_mode("mixed")
    procedure.boot(ctl="accepted vouched-by-tvs", **BY_CTL, mode="mixed")
    procedure.step("The CTL is signed by the second token.")
    cluster.ctl_sign("token-2")
    procedure.boot(
        ctl="accepted signed-by-ctl",
        itl="accepted unchanged",
        signed="accepted signed-by-ctl",
        mode="mixed",
    )


def test_update_without_tokens(procedure):
    """CallManager certificate regenerated in mixed mode, CTL updated after the phones have restarted"""
    cluster = procedure.start(kind="classic", mixed=True)
    procedure.step("The CallManager certificate is regenerated.")
    cluster.regenerate("tftp")
    procedure.boot(ctl="accepted unchanged", itl="accepted vouched-by-tvs", mode="mixed")
    procedure.step("`utils ctl update CTLFile`.")
    cluster.ctl_update()
    procedure.boot(
        ctl="accepted signed-by-itl", itl="accepted unchanged", signed="accepted signed-by-ctl", mode="mixed"
    )


def test_update_at_once(procedure):
    """CallManager certificate regenerated in mixed mode, CTL updated at once"""
    cluster = procedure.start(kind="classic", mixed=True)
    procedure.step("The CallManager certificate is regenerated, and `utils ctl update CTLFile`.")
    cluster.regenerate("tftp")
    cluster.ctl_update()
    procedure.boot(ctl="accepted vouched-by-tvs", **BY_CTL, mode="mixed")


@pytest.mark.board
def test_deleted(procedure):
    """CTL deleted from the server

    The phone keeps its CTL, and with it the mode.
    """
    cluster = procedure.start(mixed=True)
    procedure.step("`file delete tftp CTLFile.tlv` on all nodes.")
    cluster.ctl_delete()
    procedure.boot(itl="accepted unchanged", signed="accepted signed-by-ctl", mode="mixed")


def test_left_with_the_ctl_on_the_phone(procedure):
    """Mixed mode left, and the CTL still on the phone

    The CTL was deleted before the phone had fetched the CTL for nonsecure mode. For the phone, the cluster is in mixed
    mode.
    """
    cluster = procedure.start(kind="classic", mixed=True)
    procedure.step("`utils ctl set-cluster non-secure-mode`, and at once `file delete tftp CTLFile.tlv`.")
    cluster.set_cluster_mode("nonsecure")
    cluster.ctl_delete()
    procedure.boot(**BY_CTL, mode="mixed")
    procedure.step("The CallManager certificate is regenerated: the CTL does not have it, nor has the ITL.")
    cluster.regenerate("tftp")
    procedure.boot(itl="accepted vouched-by-tvs", mode="mixed")
    procedure.step("A CTL for nonsecure mode is made again.")
    cluster.set_cluster_mode("nonsecure")
    procedure.boot(ctl="accepted signed-by-itl", itl="accepted unchanged", signed="accepted signed-by-ctl")


def unknown_phone(procedure, mixed):
    """A cluster that does not know the phone, with autoregistration on where the mode allows it."""

    def change(cluster):
        if mixed:
            with pytest.raises(LabError, match="in mixed mode does not autoregister"):
                cluster.set_autoregistration(True)
        else:
            cluster.set_autoregistration(True)

    cluster = procedure.cluster(phone=None, mixed=mixed, change=change)
    procedure.point_at(cluster)
    return cluster


@pytest.mark.board
def test_autoregistration(procedure):
    """Autoregistration in a nonsecure cluster"""
    cluster = unknown_phone(procedure, mixed=False)
    procedure.boot(
        "An unknown phone starts, fresh from the factory.",
        itl="accepted first-use",
        default="accepted signed-by-itl",
    )
    procedure.step("The phone is added to the cluster.")
    cluster.add_phone(procedure.phone.mac)
    procedure.boot(itl="accepted unchanged")


@pytest.mark.board
def test_autoregistration_in_mixed_mode(procedure):
    """Autoregistration in a mixed cluster

    The cluster does not switch it on, and the phone does not ask for a default configuration.
    """
    cluster = unknown_phone(procedure, mixed=True)
    procedure.boot(
        "An unknown phone starts, fresh from the factory.",
        ctl="accepted first-use",
        itl="accepted signed-by-ctl",
        default="refused mixed-mode",
        mode="mixed",
    )
    procedure.step("The phone is added to the cluster.")
    cluster.add_phone(procedure.phone.mac)
    procedure.boot(**UNCHANGED, mode="mixed")
