# SPDX-License-Identifier: MIT
"""Extension mobility across clusters

A user of cluster `home` logs in at a phone of cluster `here`; the phone gets its configuration from `home` and asks the
TVS of its own cluster about the signer.
"""

import pytest

from host_tools.lab.errors import LabError
from host_tools.lab.model.bulk import consolidate

PASSPHRASE = "seven bananas"
VISITING = {"itl": "accepted unchanged", "signed": "accepted vouched-by-tvs"}
REFUSED = {"itl": "accepted unchanged", "signed": "refused tvs-refused"}


def start(procedure):
    """(here, with the phone; home)."""
    return procedure.start(name="here"), procedure.cluster(name="home", phone=None)


def exchange(procedure, here, home):
    """Both export, one consolidates, both import."""
    procedure.step("Both clusters export their certificates; these are consolidated, and both import them.")
    folder = procedure.folder / "sftp"
    for cluster in (here, home):
        cluster.bulk_export(folder, PASSPHRASE)
    consolidate(folder, PASSPHRASE)
    for cluster in (here, home):
        cluster.bulk_import(folder, PASSPHRASE)


@pytest.mark.board
def test_visitor(procedure):
    """A user logs in at a phone of another cluster, and out"""
    here, home = start(procedure)
    exchange(procedure, here, home)
    procedure.step("A user of `home` logs in at the phone.")
    here.emcc_login(procedure.phone.mac, home.path)
    procedure.boot(**VISITING)
    procedure.step("The user logs out.")
    here.emcc_logout(procedure.phone.mac)
    procedure.boot(itl="accepted unchanged")


@pytest.mark.board
def test_visitor_after_a_certificate_changed(procedure):
    """The user's own cluster regenerates its CallManager certificate

    Export, consolidation and import have to be repeated.
    """
    here, home = start(procedure)
    exchange(procedure, here, home)
    procedure.step("A user of `home` logs in at the phone.")
    here.emcc_login(procedure.phone.mac, home.path)
    procedure.boot(**VISITING)
    procedure.step("On `home`, the CallManager certificate is regenerated.")
    home.regenerate("tftp")
    procedure.boot(**REFUSED)
    exchange(procedure, here, home)
    procedure.boot(**VISITING)


def test_visitor_after_tomcat_changed(procedure):
    """The user's own cluster regenerates its Tomcat certificate

    This affects HTTPS services and the next login, but not the configuration.
    """
    here, home = start(procedure)
    exchange(procedure, here, home)
    procedure.step("A user of `home` logs in at the phone.")
    here.emcc_login(procedure.phone.mac, home.path)
    procedure.boot(**VISITING)
    tomcat = home.certificate("tomcat")
    procedure.judge("The directory service connects to `home`.", "application", tomcat, "accepted vouched-by-tvs")
    procedure.step("On `home`, the Tomcat certificate is regenerated.")
    home.regenerate("tomcat")
    procedure.boot(**VISITING)
    tomcat = home.certificate("tomcat")
    procedure.judge("It connects again.", "application", tomcat, "refused tvs-refused")
    here.emcc_logout(procedure.phone.mac)
    with pytest.raises(LabError, match="does not have the tomcat certificate of cluster home"):
        here.emcc_login(procedure.phone.mac, home.path)
    exchange(procedure, here, home)
    here.emcc_login(procedure.phone.mac, home.path)
    procedure.judge("It connects again.", "application", tomcat, "accepted vouched-by-tvs")


def test_nothing_exchanged(procedure):
    """Certificates were not exchanged: the login is refused by the cluster"""
    here, home = start(procedure)
    with pytest.raises(LabError, match="export, consolidate and import"):
        here.emcc_login(procedure.phone.mac, home.path)
    procedure.step("A user of `home` wants to log in at the phone; the cluster refuses.")
    procedure.boot(itl="accepted unchanged")
