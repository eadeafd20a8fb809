# SPDX-License-Identifier: MIT
"""Whole boots over the fake network: what is fetched, decided, stored (docs/spec/rules.md, B1 to B6)."""

from agent.fetch.errors import FetchError
from agent.formats import names
from tests.helpers.agent import hostile_servers
from tests.helpers.agent.both import raises, run, vector
from tests.helpers.agent.building import der, record, signed_file, trust_list
from tests.helpers.agent.clusters import DEFAULT, NO_CTL, OWN, SIGNED, body, cluster
from tests.helpers.agent.phone_world import SECOND, SERVER, TftpServer, World

HEAP = "8m"  # for the copies of flash that these tests keep; tests/unit/test_memory.py is about memory


def test_first_boot():
    world = World(cluster())
    assert world.boot() is True
    assert world.reasons() == [NO_CTL, "itl first-use", SIGNED + " signed-by-itl"]
    assert world.server.asked == [
        "CTLSEP00270DC01C92.tlv",
        "CTLFile.tlv",
        "ITLSEP00270DC01C92.tlv",
        "ITLFile.tlv",
        SIGNED,
    ]
    assert world.stored() == (None, vector("itl-base.tlv"), SIGNED.encode(), body("cfg-sha512.cnf.xml.sgn"))
    assert world.configuration.tvs == [("127.0.0.1", 2445)] and world.phone.tvs.servers == [("127.0.0.1", 2445)]
    assert world.phone.fetcher.server == (SERVER, 69)


def test_second_boot_writes_nothing():
    world = World(cluster(ctl="ctl-mixed.tlv"))
    assert world.boot()
    assert world.reasons() == ["ctl first-use", "itl signed-by-ctl", SIGNED + " signed-by-ctl"]
    before, writes = bytes(world.hal.flash.data), world.hal.flash.writes
    for _ in range(2):
        assert world.restart()
        assert world.reasons() == ["ctl unchanged", "itl unchanged", SIGNED + " signed-by-ctl"]
    assert world.boot(), "and without a restart"
    assert world.hal.flash.writes == writes and bytes(world.hal.flash.data) == before


def test_a_list_of_its_own_goes_first():
    own = {"CTLSEP00270DC01C92.tlv": vector("ctl-mixed.tlv"), "ITLSEP00270DC01C92.tlv": vector("itl-base.tlv")}
    world = World(own)
    world.files["ITLFile.tlv"] = vector("bad-truncated.tlv")
    world.boot()
    assert world.reasons()[:2] == ["ctl first-use", "itl signed-by-ctl"]
    assert "ITLFile.tlv" not in world.server.asked and "CTLFile.tlv" not in world.server.asked


def test_a_refused_list_of_its_own_is_not_replaced_by_the_clusters():
    world = World(cluster())
    world.files["ITLSEP00270DC01C92.tlv"] = vector("bad-truncated.tlv")
    assert world.boot() is False
    assert world.reasons()[1] == "itl !malformed"
    assert world.stored()[1] is None


def test_no_lists_at_all():
    world = World({OWN: vector(OWN)})
    assert world.boot() is True
    assert world.reasons() == [NO_CTL, "itl not-found", OWN + " no-trust-list"]
    assert SIGNED not in world.server.asked
    assert world.stored() == (None, None, OWN.encode(), vector(OWN))


def test_lists_that_vanish_from_the_server_stay_on_the_phone():
    world = World(cluster(ctl="ctl-mixed.tlv"))
    world.boot()
    del world.files["CTLFile.tlv"], world.files["ITLFile.tlv"]
    assert world.restart() is True
    assert world.reasons() == [NO_CTL, "itl not-found", SIGNED + " signed-by-ctl"]
    assert world.reported[0].text.endswith("The phone keeps the one it has.")
    assert world.stored()[:2] == (vector("ctl-mixed.tlv"), vector("itl-base.tlv"))
    assert world.trust.mode == "mixed"


def test_unsigned_configuration_is_refused_also_where_the_signed_one_is_missing():
    world = World(cluster(configuration=None))
    world.files[OWN] = vector(OWN)
    assert world.boot() is False
    assert world.reasons()[2] == OWN + " !unsigned"
    assert world.stored()[2:] == (None, None)
    assert DEFAULT + ".sgn" not in world.server.asked


def test_configuration_after_rollback():
    world = World(cluster(None, configuration=None))
    world.files["ITLFile.tlv"] = vector("blank.tlv", "vectors-clusters")
    world.files[OWN] = vector(OWN)
    assert world.boot() is True
    assert world.reasons() == [NO_CTL, "itl first-use", OWN + " after-rollback"]
    world.files["ITLFile.tlv"] = vector("itl-othercluster.tlv")
    world.restart()
    assert world.reasons()[1] == "itl after-rollback"
    assert world.stored()[1] == vector("itl-othercluster.tlv")


def test_autoregistration_nonsecure():
    world = World({DEFAULT: vector(OWN)})
    assert world.boot() is True
    assert world.reasons()[2] == DEFAULT + " no-trust-list"
    itl = trust_list([record(names.SAST, "sast.cert.pem"), record(names.TFTP, "cucm.cert.pem")], "sast.cert.pem")
    world = World({})
    world.store.load()
    world.store.save({"itl": itl})
    world.files[DEFAULT + ".sgn"] = vector("cfg-sha512.cnf.xml.sgn")
    assert world.restart() is False
    assert world.reasons()[2] == DEFAULT + ".sgn !wrong-file", "it was asked for, and is not what it says"
    world.files[DEFAULT + ".sgn"] = signed_file(DEFAULT + ".sgn", b"<device/>")
    world.restart()
    assert world.reasons()[2] == DEFAULT + ".sgn !unknown-signer"


def test_autoregistration_mixed():
    world = World(cluster(ctl="ctl-mixed.tlv", configuration=None))
    world.files[DEFAULT] = world.files[DEFAULT + ".sgn"] = vector(OWN)
    assert world.boot() is False
    assert world.reasons()[2] == DEFAULT + " !mixed-mode"
    assert not [name for name in world.server.asked if name.startswith(DEFAULT)]
    assert world.stored()[2] is None


def test_no_configuration_at_all():
    world = World({})
    assert world.boot() is False
    assert world.reasons() == [NO_CTL, "itl not-found", OWN + " !not-found"]
    assert world.server.asked[-2:] == [OWN, DEFAULT]


def test_no_server_answers():
    world = World(cluster())
    world.boot()
    before = world.stored()
    world.hal.net.silent.add(SERVER)
    assert world.restart() is False
    assert world.reasons() == ["ctl !no-server"], "the others would only wait as long"
    assert SERVER in world.reported[0].text
    assert world.stored() == before and world.trust.itl.count == 5
    assert world.configuration.tvs == [("127.0.0.1", 2445)], "the last verified configuration"


def test_servers_that_drip_cost_the_time_of_one_boot_and_no_more():
    world = World(cluster(), boot_budget=60, tftp=[SERVER, SECOND])
    world.boot()
    before, begun = world.stored(), world.hal.clock.now
    for host in (SERVER, SECOND):
        world.hal.net.serve_udp(host, 69, hostile_servers.drip)
    assert world.boot() is False
    assert world.hal.clock.now - begun == 60000
    assert world.reported[-1].reason == "out-of-time" and "60 s" in world.reported[-1].text
    assert world.stored() == before


def test_no_server_is_known():
    world = World(cluster(), tftp=[])
    assert world.boot() is False
    assert world.reasons() == ["tftp !no-server"] and "option 150" in world.reported[0].text


def test_servers_of_dhcp_count_where_none_are_set_by_hand():
    world = World(cluster(), tftp=[])
    world.make_phone([(SERVER, 69)])
    assert world.boot() is True
    world = World(cluster())
    world.make_phone([(SECOND, 69)])
    assert world.phone.fetcher.servers == [(SERVER, 69)]


def test_the_second_server_is_asked_and_then_kept():
    world = World(cluster(), tftp=[SECOND, SERVER], tftp_timeout=50, tftp_attempts=2)
    world.hal.net.silent.add(SECOND)
    assert world.boot() is True
    assert world.phone.fetcher.server == (SERVER, 69)
    asked = [address for _, address, _ in world.hal.net.sent if address == SECOND + ":69"]
    assert len(asked) == 2, "only for the first file"


def test_not_found_on_the_first_server_is_an_answer():
    world = World({}, tftp=[SERVER, SECOND])
    world.hal.net.serve_udp(SECOND, 69, TftpServer(cluster()))
    world.boot()
    assert world.reasons()[1] == "itl not-found"


def test_too_large_is_said_and_nothing_changes():
    world = World(cluster())
    world.boot()
    before = bytes(world.hal.flash.data)
    world.files["ITLFile.tlv"] = vector("itl-over64k.tlv")
    assert world.restart() is False
    assert world.reasons()[1] == "itl !too-large"
    assert "65536" in world.reported[1].text
    assert bytes(world.hal.flash.data) == before


def test_refused_lists_change_nothing():
    world = World(cluster())
    world.boot()
    before, writes = bytes(world.hal.flash.data), world.hal.flash.writes
    for candidate, reason in (
        ("bad-signature-bit.tlv", "bad-signature"),
        ("bad-truncated.tlv", "malformed"),
        ("bad-body-bit.tlv", "record-mismatch"),
        ("bad-empty.tlv", "malformed"),
        ("ctl-mixed.tlv", "wrong-file"),
        ("itl-othercluster.tlv", "tvs-unreachable"),
    ):
        world.files["ITLFile.tlv"] = vector(candidate)
        assert world.restart() is False
        assert world.reasons() == [NO_CTL, "itl !" + reason, SIGNED + " signed-by-itl"], candidate
    assert bytes(world.hal.flash.data) == before and world.hal.flash.writes == writes


def test_refused_configurations_change_nothing():
    world = World(cluster())
    world.boot()
    before = bytes(world.hal.flash.data)
    for candidate, reason in (
        ("bad-cfg-body.cnf.xml.sgn", "bad-signature"),
        ("cfg-other.cnf.xml.sgn", "tvs-unreachable"),
        ("load.bin.sgn", "too-large"),
        (OWN, "malformed"),
    ):
        world.files[SIGNED] = vector(candidate)
        assert world.restart() is False
        assert world.reasons()[2] == SIGNED + " !" + reason, candidate
    assert bytes(world.hal.flash.data) == before
    assert world.configuration.tvs == [("127.0.0.1", 2445)]


def test_tvs_vouches_for_a_new_signer():
    world = World(cluster())
    tvs = world.tvs({"cucmnew.cert.pem": [names.SAST, names.TFTP]})
    world.boot()
    assert tvs.asked == []
    world.files.update(cluster("itl-tftpregen-selfsigned.tlv", None, "cfg-new.cnf.xml.sgn"))
    assert world.restart() is True
    assert world.reasons()[1:] == ["itl vouched-by-tvs", SIGNED + " signed-by-itl"]
    assert tvs.asked == [3] and world.stored()[1] == vector("itl-tftpregen-selfsigned.tlv")


def test_tvs_with_a_certificate_that_is_not_installed():
    world = World(cluster())
    tvs = world.tvs({"cucmnew.cert.pem": [names.SAST, names.TFTP]}, certificate="tvs2.cert.pem")
    world.boot()
    world.files.update(cluster("itl-tftpregen-selfsigned.tlv", None, "cfg-new.cnf.xml.sgn"))
    assert world.restart() is False
    assert world.reasons()[1:] == ["itl !tvs-untrusted", SIGNED + " !tvs-untrusted"]
    assert tvs.asked == [], "nothing is said to it"


def test_tvs_cache_is_empty_after_a_new_itl():
    world = World(cluster(configuration="cfg-new.cnf.xml.sgn"))
    tvs = world.tvs({"cucmnew.cert.pem": [names.SAST, names.TFTP]}, host="192.0.2.9")
    itl = vector("itl-base.tlv")
    world.boot()
    world.phone.tvs.set_servers([("192.0.2.9", 2445)])
    assert world.fetch_configuration().reason == "vouched-by-tvs"
    world.phone.tvs.set_servers([("192.0.2.9", 2445)])
    assert world.fetch_configuration().reason == "vouched-by-tvs"
    assert tvs.asked == [3], "remembered"
    world.files["ITLFile.tlv"] = vector("itl-sha512.tlv")
    assert world.fetch_list("itl").reason == "signed-by-itl"
    world.files["ITLFile.tlv"] = itl
    world.phone.tvs.set_servers([("192.0.2.9", 2445)])
    assert world.fetch_configuration().reason == "vouched-by-tvs"
    assert tvs.asked == [3, 3], "asked anew"


def test_a_signed_file_that_is_no_configuration():
    world = World({OWN: b"<device><TVS></device>"})
    assert world.boot() is False
    assert world.reasons()[2] == OWN + " !bad-configuration" and "offset 13" in world.reported[2].text
    assert world.stored()[2] is None
    world.files[OWN] = b"<device><capfAuthMode>9</capfAuthMode></device>"
    assert world.restart() is True
    assert "capfAuthMode" in world.reported[2].warnings[0]


def test_servers_are_judged_with_tvs():
    world = World(cluster())
    world.tvs({"tomcat.cert.pem": [names.APP_SERVER]})
    world.boot()
    assert world.judge_server("application", der("tomcat.cert.pem")).reason == "vouched-by-tvs"
    assert world.judge_server("application", der("other.cert.pem")).reason == "tvs-refused"
    assert world.judge_server("tvs", der("tvs.cert.pem")).reason == "listed-in-itl"


def test_policy_provisioned_only():
    world = World(cluster(), policy="provisioned-only")
    assert world.boot() is False
    assert world.reasons()[1] == "itl !not-provisioned" and world.stored()[1] is None


def test_decisions_that_are_kept_have_an_end():
    world = World(cluster())
    for _ in range(15):
        world.boot()
    assert len(world.phone.history.decisions) == 16
    assert [one for one in world.phone.history.decisions if one.trust_list is not None] == [], (
        "no list is kept alive by them"
    )


def test_a_name_that_cannot_be_asked_for():
    world = World(cluster())
    for name in ("x" * 600, "a\0b", ""):
        assert raises(FetchError, run, world.phone.fetcher.fetch(name, None, 100)).reason == "bad-name"
    assert world.server.asked == []


def test_no_memory_for_a_file_is_a_refusal_and_the_boot_goes_on():
    world = World(cluster())
    world.boot()
    before = bytes(world.hal.flash.data)

    def decide_list(kind, data):
        raise MemoryError()

    world.make_phone()
    load = world.phone.installed.run

    def load_and_replace():
        load()
        world.trust.decide_list = decide_list

    world.phone.installed.run = load_and_replace
    assert world.boot() is False
    assert world.reasons() == [NO_CTL, "itl !no-memory", SIGNED + " signed-by-itl"]
    assert bytes(world.hal.flash.data) == before
