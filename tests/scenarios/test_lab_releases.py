# SPDX-License-Identifier: MIT
"""Rollback server by server, the release before 8.0 and its URLs, the upgrade from 7.x and the way back."""

import http.client
import json

import pytest

from host_tools.lab.errors import LabError
from host_tools.lab.model import advice, releases
from tests.helpers.lab.independent_reader import File
from tests.helpers.lab.procedure import MAC

OWN = f"SEP{MAC}.cnf.xml"
SGN = OWN + ".sgn"
PASSPHRASE = "seven bananas"
OLD = "007.001(002.30016.001)"


def reasons(cluster, node=1):
    return {item["kind"]: f"{item['outcome']} {item['reason']}" for item in cluster.forecast() if item["node"] == node}


def blank(cluster, node):
    return [role for role, der in File(cluster.published("ITLFile.tlv", node)).roles() if der is None]


def told(cluster, word):
    return [text for text in advice.warnings(cluster.state) if word in text]


def test_rollback_is_set_server_by_server_and_a_forgotten_one_is_named(new_cluster):
    cluster = new_cluster(nodes=3)
    cluster.set_rollback(True, 1)
    cluster.set_rollback(True, 3)
    assert [blank(cluster, node) for node in (1, 2, 3)] == [[3, 21], [], [3, 21]]
    assert told(cluster, "parameter of the rollback is True on") == [
        "The parameter of the rollback is True on node 1 and 3 and False on node 2: phones that ask the latter get a full ITL."
    ]
    assert reasons(cluster, 1) == {"itl": "accepted signed-by-itl", OWN: "accepted after-rollback"}
    assert reasons(cluster, 2) == {"itl": "accepted unchanged", SGN: "accepted signed-by-itl"}
    cluster.set_rollback(True, 2)
    assert told(cluster, "True on") == [] and blank(cluster, 2) == [3, 21]
    cluster.phones_restarted()
    cluster.set_pre8(True)
    assert reasons(cluster) == {OWN: "accepted after-rollback"}


def test_while_it_is_on_https_services_do_not_work(cluster):
    from host_tools.lab.model.forecast import services

    cluster.set_rollback(True)
    assert "HTTPS services of phones do not work; plain calls do" in told(cluster, "HTTPS services")[0]
    assert {(item["kind"], item["reason"]) for item in services(cluster)} == {
        ("application", "after-rollback"),
        ("capf", "after-rollback"),
    }


def test_the_directories_of_a_release_before_8(cluster):
    with cluster.serve() as serving:
        port = serving.port("directory")
        cluster.set_pre8(True)
        plain = cluster.directory_url("corporate")
        assert plain == f"http://127.0.0.1:{port}/ccmcip/xmldirectoryinput.jsp"
        assert [text.partition(":")[0] for text in told(cluster, "directory")] == [
            "The corporate directory is still the phones' built-in application, which needs HTTPS",
            "The personal directory is still the phones' built-in application, which needs HTTPS",
        ]
        assert b"<url>Application:Cisco/CorporateDirectory</url>" in cluster.published(OWN)
        for which in ("corporate", "personal"):
            cluster.set_directory(which, cluster.directory_url(which))
        assert told(cluster, "directory") == []
        assert f"<url>{plain}</url>".encode() in cluster.published(OWN)
        assert b"/ccmpd/pdCheckLogin.do?name=undefined</url>" in cluster.published(OWN)
        for path in ("/ccmcip/xmldirectoryinput.jsp", "/ccmpd/pdCheckLogin.do?name=undefined"):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", path)
            answer = connection.getresponse()
            assert answer.status == 200 and b"<CiscoIPPhoneDirectory>" in answer.read()
            connection.close()
        cluster.set_directory("corporate", "Application:Cisco/CorporateDirectory")
        assert b"<url>Application:Cisco/CorporateDirectory</url>" in cluster.published(OWN)


def test_default_port_of_the_plain_directory(cluster):
    assert cluster.directory_url("personal") == "http://127.0.0.1:8080/ccmpd/pdCheckLogin.do?name=undefined"


def test_secure_urls_by_http(cluster):
    with cluster.serve() as serving:
        secure = (
            f"<secureDirectoryURL>https://127.0.0.1:{serving.port('application')}/directory.xml</secureDirectoryURL>"
        )
        assert secure.encode() in File(cluster.published(SGN)).body
        cluster.set_secure_urls("http")
        plain = f"<secureDirectoryURL>http://127.0.0.1:{serving.port('directory')}/directory.xml</secureDirectoryURL>"
        assert plain.encode() in File(cluster.published(SGN)).body
        cluster.set_secure_urls("https")
        assert secure.encode() in File(cluster.published(SGN)).body


@pytest.mark.parametrize(
    "build, engineering, release",
    [
        ("007.001(002.20000.002)", False, "7.1(2)"),
        ("007.001(002.99999.999)", False, "7.1(2)"),
        ("007.001(002.32016.000)", True, "7.1(2)"),
        ("007.001(002.32016.001)", True, None),
        ("007.001(003.10000.011)", False, "7.1(3)"),
        ("007.001(003.21900.002)", False, "7.1(3)"),
        ("007.001(003.21900.003)", False, None),
        ("007.001(003.21004.999)", True, "7.1(3)"),
        ("007.001(003.21005.001)", True, None),
        ("007.001(005.10000.012)", False, None),
        ("007.000(002.20000.005)", False, None),
    ],
)
def test_which_releases_need_the_ctl_client_once_more(build, engineering, release):
    said = releases.needs_ctl_client(build, engineering)
    assert (said and said.split(",")[0]) == release


def test_the_list_of_releases_is_data(tmp_path):
    table = tmp_path / "table.json"
    table.write_text(json.dumps([{"release": "x", "builds": "007.000(", "regular": "all", "engineering": "all"}]))
    assert releases.needs_ctl_client("007.000(002.20000.005)", False, table).startswith("x, ")


@pytest.fixture
def old_mixed(new_cluster):
    """A cluster of 7.1(2) in mixed mode with its tokens, whose phones have the CTL."""
    return new_cluster(kind="tokens", old_release=OLD)


def test_upgrade_from_7_in_mixed_mode_without_the_ctl_client_locks_phones_out(old_mixed):
    cluster = old_mixed
    assert reasons(cluster) == {"ctl": "accepted unchanged", SGN: "accepted signed-by-ctl"}
    notes = cluster.upgrade()
    assert notes[-2] == f"Run the CTL client once more (`ctl update`): the other release is 7.1(2), {OLD}."
    assert told(cluster, "CTL client") == [notes[-2]]
    cluster.finish_upgrade()
    assert {reason for kind, reason in reasons(cluster).items() if kind != "ctl"} == {"refused unknown-signer"}
    cluster.ctl_update()
    assert told(cluster, "CTL client") == []
    assert reasons(cluster) == {
        "ctl": "accepted signed-by-ctl", "itl": "accepted signed-by-ctl", SGN: "accepted signed-by-ctl",
    }  # fmt: skip


def test_releases_that_do_not_need_it(new_cluster):
    cluster = new_cluster(kind="tokens", old_release="007.001(002.32016.001)", engineering=True)
    assert not any("CTL client" in note for note in cluster.upgrade())
    assert reasons(cluster) == {
        "ctl": "accepted unchanged", "itl": "accepted signed-by-ctl", SGN: "accepted signed-by-ctl",
    }  # fmt: skip


def test_nothing_is_restarted_switched_or_saved_while_call_records_are_migrated(old_mixed, tmp_path):
    cluster = old_mixed
    assert "Phones restart by themselves within ten minutes" in cluster.upgrade()[1]
    before = cluster.state.number
    for call in (
        lambda: cluster.restart("tvs"),
        cluster.switch_version,
        lambda: cluster.backup(tmp_path / "backup", PASSPHRASE),
        cluster.upgrade,
    ):
        with pytest.raises(LabError, match="the publisher migrates call records after the upgrade"):
            call()
    assert cluster.state.number == before and not (tmp_path / "backup").exists()
    assert told(cluster, "migrates call records")
    cluster.finish_upgrade()
    cluster.backup(tmp_path / "backup", PASSPHRASE)
    assert told(cluster, "backup") == [] and told(cluster, "migrates") == []
    with pytest.raises(LabError, match="no call records"):
        cluster.finish_upgrade()


def test_switching_back_to_the_inactive_version_and_forth(old_mixed):
    cluster = old_mixed
    old = cluster.certificate("tftp")
    cluster.upgrade()
    cluster.finish_upgrade()
    cluster.ctl_update()
    new = cluster.certificate("tftp")
    cluster.phones_restarted()
    cluster.set_rollback(True)
    cluster.phones_restarted()
    notes = cluster.switch_version()
    assert notes[0] == "The cluster runs a release before 8.0." and "CTL client" in notes[-1]
    assert cluster.certificate("tftp") == old != new
    assert reasons(cluster)[SGN] == "refused unknown-signer"
    cluster.ctl_update()
    assert reasons(cluster) == {"ctl": "accepted signed-by-ctl", SGN: "accepted signed-by-ctl"}
    notes = cluster.switch_version()
    assert notes[0] == "The cluster runs the release with Security by Default." and "CTL client" in notes[-1]
    assert cluster.certificate("tftp") == new
    cluster.ctl_update()
    cluster.set_rollback(False)
    assert set(reasons(cluster).values()) == {"accepted signed-by-ctl"}


def test_there_must_be_an_inactive_version(cluster):
    with pytest.raises(LabError, match="no inactive version"):
        cluster.switch_version()


def test_a_classic_cluster_becomes_a_modern_one(classic):
    assert "ITLRecovery" in classic.upgrade()[0]
    assert classic.data["kind"] == "modern"
    assert reasons(classic) == {"itl": "accepted signed-by-itl", SGN: "accepted signed-by-itl"}


@pytest.mark.parametrize(
    "call, problem",
    [
        (lambda c: c.set_directory("public", "http://x/"), "'public' is no directory"),
        (
            lambda c: c.set_directory("personal", "Application:Cisco/CorporateDirectory"),
            "neither Application:Cisco/Personal",
        ),
        (lambda c: c.set_directory("personal", "http://<x>/"), "nor an http URL"),
        (lambda c: c.set_directory("personal", "ftp://x/"), "nor an http URL"),
        (lambda c: c.set_secure_urls("ftp"), "https or http"),
        (lambda c: c.set_pre8(True, "7.1(2)"), "no build"),
        (lambda c: c.set_rollback(True, 2), "node 2 does not exist"),
    ],
)
def test_what_cannot_be_set_is_said_and_changes_nothing(cluster, call, problem):
    before = cluster.state.number
    with pytest.raises(LabError, match=problem):
        call(cluster)
    assert cluster.state.number == before
