# SPDX-License-Identifier: MIT
"""Certificates regenerated

A certificate that is regenerated is gone from the cluster at once: TVS vouches for the new one only.
"""

import pytest

BOTH_UNTRUSTED = {"itl": "refused tvs-untrusted", "signed": "refused tvs-untrusted"}


def test_capf(procedure):
    """CAPF certificate regenerated"""
    cluster = procedure.start()
    procedure.step("The CAPF certificate is regenerated.")
    old = cluster.certificate("capf")
    cluster.regenerate("capf")
    procedure.boot(itl="accepted signed-by-itl")
    procedure.judge("The phone is to enrol.", "capf", cluster.certificate("capf"), "accepted listed-in-itl")
    procedure.judge("It is to enrol with a server that shows the old one.", "capf", old, "refused tvs-refused")


def test_tomcat(procedure):
    """Tomcat certificate regenerated

    No list has the application server: TVS answers for it, and no list changes.
    """
    cluster = procedure.start()
    old = cluster.certificate("tomcat")
    procedure.step("The Tomcat certificate is regenerated.")
    cluster.regenerate("tomcat")
    procedure.judge(
        "The phone's directory service connects, without a restart.",
        "application",
        cluster.certificate("tomcat"),
        "accepted vouched-by-tvs",
    )
    procedure.judge("It connects to a server that shows the old one.", "application", old, "refused tvs-refused")
    procedure.boot(itl="accepted unchanged")


def test_tvs(procedure):
    """TVS certificate regenerated, phones restart

    The ITL with the new TVS certificate is signed by a key that the phone knows; from then on it talks to the new TVS.
    """
    cluster = procedure.start()
    old = cluster.certificate("tvs")
    procedure.step("The TVS certificate is regenerated.")
    cluster.regenerate("tvs")
    procedure.judge(
        "Before its restart, the phone asks TVS about the application server.",
        "application",
        cluster.certificate("tomcat"),
        "refused tvs-untrusted",
    )
    procedure.boot(itl="accepted signed-by-itl")
    procedure.judge("It asks again.", "application", cluster.certificate("tomcat"), "accepted vouched-by-tvs")
    procedure.judge("A server shows the old TVS certificate.", "tvs", old, "refused tvs-untrusted")


@pytest.mark.board
def test_tftp(procedure):
    """TFTP (CallManager) certificate regenerated, TVS untouched

    The signer of the new ITL is unknown to the phone, so it asks TVS.
    """
    cluster = procedure.start(kind="classic")
    procedure.step("The CallManager certificate is regenerated.")
    cluster.regenerate("tftp")
    procedure.boot(itl="accepted vouched-by-tvs")
    procedure.boot(itl="accepted unchanged")


def test_tftp_where_itlrecovery_signs(procedure):
    """TFTP (CallManager) certificate regenerated where ITLRecovery signs

    All nodes hand out the same ITL, signed by a key that did not change: TVS is not needed.
    """
    cluster = procedure.start(nodes=2)
    procedure.step("TVS is down on both nodes. The CallManager certificates are regenerated.")
    for node in (1, 2):
        procedure.clusters[cluster].stop_tvs(node)
        cluster.regenerate("tftp", node)
    procedure.boot(itl="accepted signed-by-itl")
    procedure.point_at((cluster, 2))
    procedure.boot("The phone restarts at the other node.", itl="accepted unchanged")


@pytest.mark.board
def test_tvs_and_tftp_together(procedure):
    """TVS and TFTP certificates regenerated together, phones not restarted in between

    The documented lockout: the phone must ask TVS about the new signer, and does not know the TVS that answers. It keeps
    working with what it has.
    """
    cluster = procedure.start(kind="classic")
    procedure.step("The TVS certificate is regenerated, and at once the CallManager certificate.")
    cluster.regenerate("tvs")
    cluster.regenerate("tftp")
    procedure.boot(**BOTH_UNTRUSTED)
    procedure.boot("It restarts again.", **BOTH_UNTRUSTED)
    procedure.erase()
    procedure.boot(itl="accepted first-use")


@pytest.mark.board
def test_tvs_then_tftp(procedure):
    """TVS certificate first, restart, then TFTP"""
    cluster = procedure.start(kind="classic")
    procedure.step("The TVS certificate is regenerated.")
    cluster.regenerate("tvs")
    procedure.boot(itl="accepted signed-by-itl")
    procedure.step("The CallManager certificate is regenerated.")
    cluster.regenerate("tftp")
    procedure.boot(itl="accepted vouched-by-tvs")


def test_tftp_while_tvs_is_down(procedure):
    """TFTP certificate regenerated while TVS is down"""
    cluster = procedure.start(kind="classic")
    serving = procedure.clusters[cluster]
    procedure.step("TVS is stopped, and the CallManager certificate is regenerated.")
    serving.stop_tvs()
    cluster.regenerate("tftp")
    procedure.boot(itl="refused tvs-unreachable", signed="refused tvs-unreachable")
    procedure.step("TVS is started.")
    serving.start_tvs()
    procedure.boot(itl="accepted vouched-by-tvs")


def test_third_party_authority(procedure):
    """CallManager and TVS certificates issued by a third-party CA

    Nothing is different for the phone: it compares certificates and builds no chain.
    """
    cluster = procedure.start(kind="classic")
    procedure.step("A CA's certificate for TVS is installed.")
    cluster.regenerate("tvs", ca=True)
    procedure.boot(itl="accepted signed-by-itl")
    procedure.step("A CA's certificate for CallManager is installed.")
    cluster.regenerate("tftp", ca=True)
    procedure.boot(itl="accepted vouched-by-tvs")


@pytest.mark.board
def test_tvs_of_one_node_of_two(procedure):
    """TVS regenerated on one node and not on the other, then TFTP, without a restart

    The phone does not believe the first node's TVS. It believes the second node's, which vouches for the whole cluster.
    """
    cluster = procedure.start(kind="classic", nodes=2)
    procedure.step("On the publisher, the TVS and the CallManager certificate are regenerated.")
    cluster.regenerate("tvs", 1)
    cluster.regenerate("tftp", 1)
    procedure.step("TVS of the subscriber is down.")
    procedure.clusters[cluster].stop_tvs(2)
    procedure.boot(**BOTH_UNTRUSTED)
    procedure.step("TVS of the subscriber, regenerated never, is back.")
    procedure.clusters[cluster].start_tvs(2)
    procedure.boot(itl="accepted vouched-by-tvs")


def test_switched_off_for_two_generations(procedure):
    """A phone that was switched off for the whole procedure, two generations of TVS and TFTP long

    The other phones were restarted in between, as they should be. This phone knows neither the signer nor the TVS.
    """
    cluster = procedure.start(kind="classic")
    other = procedure.another_phone("001122334455")
    cluster.add_phone(other.mac)
    procedure.point_at(cluster, phone=other)
    procedure.boot(itl="accepted first-use", phone=other, documented=False)
    procedure.step(
        "This phone is switched off. Twice: TVS regenerated, the others restart, TFTP regenerated, they restart."
    )
    for _generation in range(2):
        cluster.regenerate("tvs")
        procedure.boot(itl="accepted signed-by-itl", phone=other, documented=False)
        cluster.regenerate("tftp")
        procedure.boot(itl="accepted vouched-by-tvs", phone=other, documented=False)
    procedure.boot("The phone is switched on.", **BOTH_UNTRUSTED)
    procedure.step("`utils itl reset localkey`: the ITL is signed by ITLRecovery, which the phone has.")
    cluster.itl_reset("localkey")
    procedure.boot(itl="accepted signed-by-itl")


def test_switched_off_where_itlrecovery_signs(procedure):
    """A phone that was switched off for two generations where ITLRecovery signs"""
    cluster = procedure.start()
    procedure.step("The phone is switched off. Twice, the TVS and the CallManager certificate are regenerated.")
    for _generation in range(2):
        cluster.regenerate("tvs")
        cluster.regenerate("tftp")
    procedure.boot("The phone is switched on.", itl="accepted signed-by-itl")


def test_waves_overtaken(procedure):
    """Restart waves, and the next certificate regenerated before the last wave

    Phones are restarted in waves of ten minutes; the administrator goes on after the first one.
    """
    cluster, waves = start_waves(procedure)
    procedure.step("The TVS certificate is regenerated; all phones are to restart, in waves.")
    cluster.regenerate("tvs")
    procedure.boot("The first wave restarts.", itl="accepted signed-by-itl", phone=waves[0])
    procedure.step("The CallManager certificate is regenerated, too early.")
    cluster.regenerate("tftp")
    for name, phone in zip(("second", "third"), waves[1:], strict=True):
        procedure.boot(f"The {name} wave restarts.", **BOTH_UNTRUSTED, phone=phone)
    procedure.boot("The first wave restarts.", itl="accepted vouched-by-tvs", phone=waves[0])
    procedure.step("`utils itl reset localkey`.")
    cluster.itl_reset("localkey")
    for name, phone in zip(("first", "second", "third"), waves, strict=True):
        procedure.boot(f"The {name} wave restarts.", itl="accepted signed-by-itl", phone=phone)


def test_waves_awaited(procedure):
    """Restart waves, awaited"""
    cluster, waves = start_waves(procedure)
    for kind, title, decision in (
        ("tvs", "TVS", "accepted signed-by-itl"),
        ("tftp", "CallManager", "accepted vouched-by-tvs"),
    ):
        procedure.step(f"The {title} certificate is regenerated; all phones restart, in waves of ten minutes.")
        cluster.regenerate(kind)
        for name, phone in zip(("first", "second", "third"), waves, strict=True):
            procedure.boot(f"The {name} wave restarts.", itl=decision, phone=phone)


def start_waves(procedure):
    """(cluster, three phones that have its lists)."""
    cluster = procedure.start(kind="classic")
    waves = [procedure.phone]
    for mac in ("001122334401", "001122334402"):
        phone = procedure.another_phone(mac)
        cluster.add_phone(mac)
        procedure.point_at(cluster, phone=phone)
        procedure.boot(itl="accepted first-use", phone=phone, documented=False)
        waves.append(phone)
    return cluster, waves
