# SPDX-License-Identifier: MIT
"""Services restarted by hand

A regenerated certificate is on disk; the service that uses it shows and signs with the old one until it is restarted.
"""


def start(procedure, **options):
    """A classic cluster whose services are restarted by hand, and the phone that has its lists."""
    cluster = procedure.start(kind="classic", **options)
    cluster.set_restarts("by-hand")
    return cluster


def test_tftp_restarted_by_hand(procedure):
    """CallManager certificate regenerated, TFTP restarted by hand"""
    cluster = start(procedure)
    procedure.step("The CallManager certificate is regenerated.")
    cluster.regenerate("tftp")
    procedure.boot(itl="accepted unchanged")
    procedure.step("TFTP is restarted.")
    cluster.restart("tftp")
    procedure.boot(itl="accepted vouched-by-tvs")


def test_tvs_forgotten(procedure):
    """TVS certificate regenerated, TVS not restarted

    The ITL has the new certificate at once, and the phone takes it; the TVS that runs still shows the old one.
    """
    cluster = start(procedure)
    tomcat = cluster.certificate("tomcat")
    procedure.step("The TVS certificate is regenerated.")
    cluster.regenerate("tvs")
    procedure.boot(itl="accepted signed-by-itl")
    procedure.judge("The directory service connects.", "application", tomcat, "refused tvs-untrusted")
    procedure.step("TVS is restarted.")
    cluster.restart("tvs")
    procedure.judge("It connects again.", "application", tomcat, "accepted vouched-by-tvs")


def test_tvs_then_tftp_by_hand(procedure):
    """TVS certificate first, then TFTP, each restarted, but the phones not in between

    As long as TVS is not restarted, it vouches for the new signer; the restart locks the phone out.
    """
    cluster = start(procedure)
    procedure.step("The TVS and the CallManager certificate are regenerated; TFTP is restarted.")
    cluster.regenerate("tvs")
    cluster.regenerate("tftp")
    cluster.restart("tftp")
    other = procedure.another_phone("001122334455")
    cluster.add_phone(other.mac)
    procedure.point_at(cluster, phone=other)
    procedure.boot("A new phone starts.", itl="accepted first-use", phone=other)
    procedure.step("TVS is restarted.")
    cluster.restart("tvs")
    procedure.boot(itl="refused tvs-untrusted", signed="refused tvs-untrusted")
    procedure.boot("The new phone restarts.", itl="accepted unchanged", phone=other)


def test_tomcat_by_hand(procedure):
    """Tomcat certificate regenerated, Tomcat restarted by hand

    TVS knows the certificates on disk, so it does not vouch for the old certificate that Tomcat still shows.
    """
    cluster = start(procedure)
    procedure.step("The Tomcat certificate is regenerated.")
    cluster.regenerate("tomcat")
    running = cluster.state.loaded("tomcat", 1, "tomcat-1").der
    procedure.judge("The directory service connects.", "application", running, "refused tvs-refused")
    procedure.step("Tomcat is restarted.")
    cluster.restart("tomcat")
    shown = cluster.state.loaded("tomcat", 1, "tomcat-1").der
    procedure.judge("It connects again.", "application", shown, "accepted vouched-by-tvs")


def test_capf_by_hand_in_mixed_mode(procedure):
    """CAPF certificate regenerated in mixed mode: CTL, then CAPF restarted

    The phone that has the new lists does not believe the CAPF that still shows the old certificate.
    """
    cluster = procedure.start(mixed=True)
    cluster.set_restarts("by-hand")
    procedure.step("The CAPF certificate is regenerated, and the CTL updated.")
    cluster.regenerate("capf")
    cluster.ctl_update()
    procedure.boot(
        ctl="accepted signed-by-ctl", itl="accepted signed-by-ctl", signed="accepted signed-by-ctl", mode="mixed"
    )
    running = cluster.state.loaded("capf", 1, "capf").der
    procedure.judge("The phone is to enrol.", "capf", running, "refused tvs-refused")
    procedure.step("CAPF is restarted.")
    cluster.restart("capf")
    shown = cluster.state.loaded("capf", 1, "capf").der
    procedure.judge("It is to enrol again.", "capf", shown, "accepted listed-in-ctl")


def test_rollback_by_hand(procedure):
    """Rollback prepared, TFTP restarted by hand on one node of two"""
    cluster = start(procedure, nodes=2)
    procedure.step('"Prepare Cluster for Rollback to pre 8.0" is set to True on both nodes.')
    cluster.set_rollback(True)
    procedure.boot(itl="accepted unchanged")
    procedure.step("TFTP is restarted on the publisher.")
    cluster.restart("tftp", 1)
    procedure.boot(itl="accepted signed-by-itl", plain="accepted after-rollback", state="rolled-back")
    procedure.point_at((cluster, 2))
    procedure.boot("The phone restarts at the subscriber, where TFTP was not restarted.", itl="accepted after-rollback")
