# SPDX-License-Identifier: MIT
"""Restarts by hand: the certificates on disk, those that services use until they are restarted, and the lab's forecast."""

import pytest

from host_tools.lab.errors import LabError
from host_tools.lab.model import advice, forecast
from host_tools.lab.model.certificates import after_restarts, pending
from tests.helpers.lab.independent_reader import File
from tests.helpers.lab.procedure import MAC
from tests.helpers.lab.raw_clients import ask, element, query, tls

SGN = f"SEP{MAC}.cnf.xml.sgn"


def shown(port):
    with tls(port) as stream:
        return stream.getpeercert(True)


def itl(cluster, node=1):
    return File(cluster.published("ITLFile.tlv", node))


def expected(found, node=1):
    return {item["kind"]: f"{item['outcome']} {item['reason']}" for item in found if item["node"] == node}


@pytest.fixture
def by_hand(new_cluster):
    """A classic cluster of two nodes whose services are restarted by hand."""
    cluster = new_cluster(kind="classic", nodes=2)
    cluster.set_restarts("by-hand")
    return cluster


def test_services_show_and_sign_with_the_old_certificate_until_they_are_restarted(by_hand):
    with by_hand.serve() as serving:
        old = {kind: by_hand.certificate(kind) for kind in ("tvs", "tomcat", "capf", "tftp", "callmanager-ec")}
        for kind in ("tvs", "tomcat", "capf", "tftp"):
            by_hand.regenerate(kind)
        ports = {"tvs": "tvs", "tomcat": "application", "capf": "capf", "callmanager-ec": "https"}
        for kind, service in ports.items():
            assert shown(serving.port(service)) == old[kind] != by_hand.certificate(kind)
        itl(by_hand).verify(old["tftp"])
        File(by_hand.published(SGN)).verify(old["tftp"])
        for service in ("tvs", "tomcat", "capf", "tftp"):
            by_hand.restart(service, 1)
        for kind, service in ports.items():
            assert shown(serving.port(service)) == by_hand.certificate(kind)
        itl(by_hand).verify(by_hand.certificate("tftp"))
        File(by_hand.published(SGN)).verify(by_hand.certificate("tftp"))
    assert pending(by_hand.state) == [{"service": "capf", "node": 2, "waiting": ["capf"]}], "node 1 alone was restarted"


def test_the_other_node_goes_on(by_hand):
    by_hand.regenerate("tftp", 2)
    before = by_hand.published("ITLFile.tlv", 1)
    assert [(item["service"], item["node"]) for item in pending(by_hand.state)] == [("tftp", 2)]
    by_hand.restart("tftp", 1)
    assert by_hand.published("ITLFile.tlv", 1) == before
    assert pending(by_hand.state)[0]["waiting"] == ["callmanager-2", "callmanager-ec-2"]
    by_hand.restart("tftp")
    itl(by_hand, 2).verify(by_hand.certificate("tftp", 2))
    assert pending(by_hand.state) == []
    assert [name for name in by_hand.state.identities if name.startswith("old-")] == []


def test_regenerated_twice_it_is_the_running_one_that_goes_on(by_hand):
    running = by_hand.certificate("tvs")
    by_hand.regenerate("tvs")
    by_hand.regenerate("tvs")
    with by_hand.serve() as serving:
        assert shown(serving.tvs_port()) == running
        by_hand.set_restarts("automatic")
        assert shown(serving.tvs_port()) == by_hand.certificate("tvs")
    assert pending(by_hand.state) == []


def test_tvs_knows_what_is_on_disk(by_hand):
    by_hand.regenerate("tomcat")
    with by_hand.serve() as serving:
        port = serving.tvs_port()
        assert ask(port, 1, element(2, by_hand.certificate("tomcat")))[2][7] == b"\0"
        assert ask(port, 1, element(2, shown(serving.port("application"))))[2][7] == b"\1"
        assert ask(port, 3, query(itl(by_hand).fields))[2][7] == b"\0"


def test_the_forecast_tells_now_and_after_the_restart(by_hand):
    by_hand.regenerate("tvs")
    now, later = by_hand.forecast(), forecast.forecast(by_hand, after_restarts(by_hand.state))
    assert expected(now) == expected(later) == {"itl": "accepted signed-by-itl", SGN: "accepted signed-by-itl"}
    servers = expected(forecast.services(by_hand), 2)
    assert servers == {"application": "accepted vouched-by-tvs"}, "TVS of node 2 is believed"
    by_hand.stop("tvs", 2)
    assert expected(forecast.services(by_hand)) == {
        "application": "refused tvs-untrusted",
        "capf": "accepted listed-in-itl",
    }
    assert (
        expected(forecast.services(by_hand, after_restarts(by_hand.state)))["application"] == "accepted vouched-by-tvs"
    )
    by_hand.regenerate("tftp")
    assert expected(by_hand.forecast())["itl"] == "accepted signed-by-itl", "TFTP signs with the old key"
    later = expected(forecast.forecast(by_hand, after_restarts(by_hand.state)))
    assert later["itl"] == "refused tvs-untrusted"


def test_a_directory_is_refused_until_tomcat_is_restarted(by_hand):
    by_hand.regenerate("tomcat")
    assert expected(forecast.services(by_hand))["application"] == "refused tvs-refused"
    by_hand.restart("tomcat")
    assert expected(forecast.services(by_hand))["application"] == "accepted vouched-by-tvs"


def test_lockouts_are_told_when_regenerating_and_when_restarting(classic):
    classic.set_restarts("by-hand")
    classic.regenerate("tvs")
    with classic.proposal() as step:
        classic.regenerate("tftp")
    assert classic.state.number == step.base.number, "a proposal changes nothing"
    found = advice.lockouts(classic, step.base, step.state)
    assert [(item["kind"], item["node"], item["reason"]) for item in found] == [
        ("itl", 1, "tvs-untrusted"),
        (SGN, 1, "tvs-untrusted"),
    ]
    classic.accept(step)
    with classic.proposal() as other:
        classic.restart("tftp", 1)
    assert advice.lockouts(classic, other.base, other.state) == [], "TVS still shows what phones have"
    with classic.proposal() as step:
        classic.restart("tvs")
    assert advice.lockouts(classic, step.base, step.state) == [], "TFTP still signs with what phones have"
    classic.accept(step)
    with classic.proposal() as step:
        classic.restart("tftp", 1)
    assert {item["reason"] for item in advice.lockouts(classic, step.base, step.state)} == {"tvs-untrusted"}
    classic.accept(step)
    with pytest.raises(LabError, match="another process changed the cluster meanwhile"):
        classic.accept(other)


def test_warnings_name_what_waits(by_hand):
    by_hand.regenerate("tftp", 2)
    by_hand.set_rollback(True, 1)
    told = [text for text in advice.warnings(by_hand.state) if "restart" in text]
    assert told == [
        "On node 1, tftp was not restarted since the parameter of the rollback changed; it goes on with the old: "
        "`service restart tftp --node 1`.",
        "On node 2, tftp was not restarted since callmanager-2 and callmanager-ec-2 changed; it goes on with the old: "
        "`service restart tftp --node 2`.",
    ]
    assert [role for role, der in itl(by_hand).roles() if der is None] == []
    by_hand.restart("tftp")
    assert [role for role, der in itl(by_hand, 1).roles() if der is None] == [3, 21]
    assert [role for role, der in itl(by_hand, 2).roles() if der is None] == []


def test_certificates_that_the_ctl_does_not_have_yet_are_named_until_its_update(new_cluster):
    cluster = new_cluster(mixed=True, nodes=2)

    def missing():
        return [text for text in advice.warnings(cluster.state) if "CTL" in text]

    assert missing() == []
    cluster.regenerate("capf")
    cluster.regenerate("tftp", 2)
    assert missing() == ["The CTL does not have capf, callmanager-2 yet: `ctl update`."]
    cluster.ctl_update()
    assert missing() == []


def test_regenerating_tells_that_a_third_partys_certificate_is_overwritten(cluster):
    assert cluster.regenerate("tftp", ca=True) == []
    assert cluster.regenerate("tftp") == [
        "The certificate callmanager-1, issued by CN=lab-Root-CA, a third party, is overwritten.",
        "The certificate callmanager-ec-1, issued by CN=lab-Root-CA, a third party, is overwritten.",
    ]
    assert cluster.regenerate("tftp") == []


@pytest.mark.parametrize(
    "call, problem",
    [
        (lambda c: c.set_restarts("never"), "restarts are automatic or by-hand"),
        (lambda c: c.restart("https"), "not restarted by hand"),
        (lambda c: c.restart("tvs", 7), "node 7 does not exist"),
    ],
)
def test_what_cannot_be_restarted_is_said(by_hand, call, problem):
    with pytest.raises(LabError, match=problem):
        call(by_hand)
