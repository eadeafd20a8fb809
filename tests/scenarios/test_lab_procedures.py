# SPDX-License-Identifier: MIT
"""What each procedure does to the cluster, and what the lab says it will do to phones."""

import pytest

from host_tools.lab.errors import LabError
from host_tools.lab.model import forecast
from host_tools.lab.model.cluster import Cluster
from host_tools.lab.writers import files
from tests.helpers.lab.independent_reader import File
from tests.helpers.lab.procedure import MAC

SGN = f"SEP{MAC}.cnf.xml.sgn"


def itl(cluster, node=1):
    return File(cluster.published("ITLFile.tlv", node))


def roles(file, role):
    return [der for number, der in file.roles() if number == role]


def outcomes(cluster, node=1):
    """{kind: reason} of what the lab expects of phones that ask this node."""
    return {item["kind"]: (item["outcome"], item["reason"]) for item in cluster.forecast() if item["node"] == node}


def test_tftp_regenerated_is_vouched_by_tvs(classic):
    classic.regenerate("tftp")
    itl(classic).verify(classic.certificate("tftp"))
    assert outcomes(classic) == {"itl": ("accepted", "vouched-by-tvs"), SGN: ("accepted", "signed-by-itl")}


def test_tftp_regenerated_where_itlrecovery_signs(new_cluster):
    cluster = new_cluster(nodes=2)
    assert cluster.published("ITLFile.tlv", 1) == cluster.published("ITLFile.tlv", 2)
    cluster.regenerate("tftp", node=2)
    assert outcomes(cluster, 2) == {"itl": ("accepted", "signed-by-itl"), SGN: ("accepted", "signed-by-itl")}
    itl(cluster, 2).verify(cluster.certificate("itlrecovery"))


def test_tvs_and_tftp_together_lock_phones_out_and_the_lab_says_so(classic):
    classic.regenerate("tvs")
    assert outcomes(classic)["itl"] == ("accepted", "signed-by-itl")
    classic.regenerate("tftp")
    assert outcomes(classic) == {"itl": ("refused", "tvs-untrusted"), SGN: ("refused", "tvs-untrusted")}
    warnings = [text for warning, text in forecast.sentences(classic.forecast()) if warning]
    assert len(warnings) == 2 and "tvs-untrusted" in warnings[0]


def test_tvs_then_restart_then_tftp_is_accepted(classic):
    classic.regenerate("tvs")
    classic.phones_restarted()
    assert outcomes(classic)["itl"] == ("accepted", "unchanged")
    classic.regenerate("tftp")
    assert outcomes(classic)["itl"] == ("accepted", "vouched-by-tvs")


def test_itl_reset_brings_locked_out_phones_back_until_the_next_change(classic):
    classic.regenerate("tvs")
    classic.regenerate("tftp")
    classic.itl_reset("localkey")
    itl(classic).verify(classic.certificate("itlrecovery"))
    assert outcomes(classic) == {"itl": ("accepted", "signed-by-itl"), SGN: ("accepted", "signed-by-itl")}
    classic.phones_restarted()
    classic.regenerate("capf")
    itl(classic).verify(classic.certificate("tftp"))
    assert outcomes(classic)["itl"] == ("accepted", "signed-by-itl")


def test_itlrecovery_regenerated_the_documented_way(new_cluster):
    cluster = new_cluster()
    for step in (
        lambda: cluster.itl_sign("callmanager"),
        lambda: cluster.regenerate("itlrecovery"),
        lambda: cluster.itl_sign("itlrecovery"),
    ):
        step()
        assert outcomes(cluster)["itl"] == ("accepted", "signed-by-itl")
        cluster.phones_restarted()


def test_itlrecovery_regenerated_without_the_first_step_needs_tvs(new_cluster):
    cluster = new_cluster()
    cluster.regenerate("itlrecovery")
    assert outcomes(cluster)["itl"] == ("accepted", "vouched-by-tvs")
    cluster.stop("tvs")
    assert outcomes(cluster)["itl"] == ("refused", "tvs-unreachable")
    cluster.start("tvs")
    assert outcomes(cluster)["itl"] == ("accepted", "vouched-by-tvs")


def test_rollback_empties_the_itl_and_back(cluster):
    before = cluster.published("ITLFile.tlv")
    cluster.set_rollback(True)
    empty = itl(cluster)
    assert roles(empty, files.TFTP) == roles(empty, files.TVS) == [None]
    assert cluster.certificate("tftp") in roles(empty, files.SAST)
    assert cluster.published(f"SEP{MAC}.cnf.xml") == File(cluster.published(SGN)).body
    assert outcomes(cluster) == {
        "itl": ("accepted", "signed-by-itl"),
        f"SEP{MAC}.cnf.xml": ("accepted", "after-rollback"),
    }
    cluster.phones_restarted()
    cluster.set_pre8(True)
    assert outcomes(cluster) == {f"SEP{MAC}.cnf.xml": ("accepted", "after-rollback")}
    cluster.set_pre8(False)
    cluster.set_rollback(False)
    assert outcomes(cluster)["itl"] == ("accepted", "signed-by-itl")
    assert itl(cluster).records() == File(before).records()


def test_mixed_mode_on_and_off(cluster):
    assert cluster.published("CTLFile.tlv") is None
    cluster.set_cluster_mode("mixed")
    assert roles(itl(cluster), files.CCM_TFTP) == [cluster.certificate("tftp")]
    assert outcomes(cluster)["ctl"] == ("accepted", "signed-by-itl")
    cluster.phones_restarted()
    cluster.set_cluster_mode("nonsecure")
    ctl = File(cluster.published("CTLFile.tlv"))
    assert roles(ctl, files.CCM_TFTP) == [] and roles(ctl, files.TFTP) == [cluster.certificate("tftp")]
    assert outcomes(cluster)["ctl"] == ("accepted", "signed-by-ctl")
    cluster.ctl_delete()
    assert cluster.published("CTLFile.tlv") is None
    with pytest.raises(LabError, match="no CTL"):
        cluster.ctl_update()


def test_the_ctl_is_made_anew_only_by_its_update(new_cluster):
    cluster = new_cluster(mixed=True)
    before = cluster.published("CTLFile.tlv")
    cluster.regenerate("tftp")
    assert cluster.published("CTLFile.tlv") == before
    cluster.ctl_update()
    assert roles(File(cluster.published("CTLFile.tlv")), files.CCM_TFTP) == [cluster.certificate("tftp")]


def test_ctl_signed_by_another_token(new_cluster):
    cluster = new_cluster(mixed=True, kind="tokens")
    cluster.ctl_sign("token-2")
    File(cluster.published("CTLFile.tlv")).verify(cluster.certificate("token-2"))
    assert outcomes(cluster)["ctl"] == ("accepted", "signed-by-ctl")
    with pytest.raises(LabError, match="no key 'token-3'"):
        cluster.ctl_sign("token-3")


def test_a_cluster_before_8_and_its_upgrades(new_cluster):
    cluster = new_cluster(digest="sha1")
    cluster.set_pre8(True)
    assert sorted(cluster.state.published["lab-pub"]) == [f"SEP{MAC}.cnf.xml"]
    assert b"<TVS>" not in cluster.published(f"SEP{MAC}.cnf.xml")
    assert "SHA-1" in cluster.upgrade()[0]
    assert itl(cluster).fields[8] == b"\1"
    cluster.finish_upgrade()
    assert "SHA-512" in cluster.upgrade()[0]
    assert itl(cluster).fields[8] == b"\3"
    assert cluster.certificate("callmanager-ec") in roles(itl(cluster), files.TFTP)
    with pytest.raises(LabError, match="newest"):
        cluster.upgrade()


def test_certificates_until_the_list_is_too_large(cluster):
    cluster.add_certificates(10)
    assert outcomes(cluster)["itl"] == ("accepted", "signed-by-itl")
    cluster.add_certificates(30)
    assert len(itl(cluster).data) > 65536
    assert outcomes(cluster)["itl"] == ("refused", "too-large")
    assert len({der for _role, der in itl(cluster).roles()}) > 40


def test_autoregistration(cluster):
    assert cluster.published("XMLDefault.cnf.xml.sgn") is None
    cluster.set_autoregistration(True)
    File(cluster.published("XMLDefault.cnf.xml.sgn")).verify(cluster.certificate("tftp"))


def test_centralized_tftp_hands_out_the_other_clusters_files_but_its_own_itl(new_cluster):
    central, other = new_cluster(phone=None, name="central"), new_cluster(name="other")
    central.set_centralized_tftp(other.path)
    assert central.handed_out(SGN) == other.published(SGN)
    assert central.handed_out("ITLFile.tlv") == central.published("ITLFile.tlv")
    central.set_centralized_tftp(None)
    assert central.handed_out(SGN) is None
    with pytest.raises(LabError, match="no lab cluster"):
        central.set_centralized_tftp(other.path / "nowhere")


def test_a_new_address_is_in_lists_and_configuration(cluster):
    cluster.set_address("192.0.2.9")
    records = [record for record in itl(cluster).records() if record[4] == b"\0\x15"]
    assert [(record[2], record[10]) for record in records] == [(b"192.0.2.9\0", bytes([192, 0, 2, 9]))]
    cluster.set_address("lab.example", node=1)
    records = [record for record in itl(cluster).records() if record[4] == b"\0\x15"]
    assert [(record[2], record.get(10)) for record in records] == [(b"lab.example\0", None)]
    assert b"lab.example" in File(cluster.published(SGN)).body


@pytest.mark.parametrize(
    "call, problem",
    [
        (lambda c: c.regenerate("everything"), "cannot be regenerated"),
        (lambda c: c.regenerate("capf", node=2), "only the publisher has"),
        (lambda c: c.regenerate("tvs", node=2), "node 2 does not exist"),
        (lambda c: c.set_cluster_mode("secure"), "no cluster mode"),
        (lambda c: c.itl_reset("remotekey"), "exported"),
        (lambda c: c.itl_sign("etoken"), "does not sign ITLs"),
        (lambda c: c.add_certificates(0), "1 to 200"),
        (lambda c: c.stop("tftp"), "cannot be stopped"),
        (lambda c: c.add_phone("xyz"), "is not a MAC address"),
        (lambda c: c.set_capf("001122334455", "install"), "does not know the phone"),
        (lambda c: c.set_capf(MAC, "install", "string"), "4 to 10 digits"),
        (lambda c: c.set_capf(MAC, "install", key="rsa-512"), "not one of"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(cluster, call, problem):
    before = cluster.state.number
    with pytest.raises(LabError, match=problem):
        call(cluster)
    assert Cluster(cluster.path).state.number == before
