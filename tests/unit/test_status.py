# SPDX-License-Identifier: MIT
import hashlib
import json

from agent.formats import names
from hal.fake import FakeFlash
from tests.helpers.agent.both import vector
from tests.helpers.agent.building import record, trust_list
from tests.helpers.agent.clusters import OWN, SIGNED, cluster
from tests.helpers.agent.phone_world import FLASH, SERVER, World


def now(world):
    """The status, through JSON and back."""
    found = json.loads(json.dumps(world.phone.view.status()))
    assert found["locked_out"] == (found["advice"] is not None)
    return found


def booted(*args, **settings):
    world = World(cluster(*args), **settings)
    world.boot()
    return world


def test_who_it_is():
    found = now(booted(model="7960"))
    assert (found["device"], found["mac"], found["model"]) == ("SEP00270DC01C92", "00270DC01C92", "7960")
    assert found["policy"] == "first-use" and found["version"]
    assert found["supports"][:2] == ["security-by-default", "tvs"]
    assert found["tftp_servers"] == [SERVER + ":69"] and found["tvs_servers"] == ["127.0.0.1:2445"]
    assert found["configuration"] == SIGNED


def test_before_anything_was_fetched():
    world = World({})
    world.load()
    found = now(world)
    assert (found["state"], found["mode"], found["locked_out"]) == ("no-trust", "nonsecure", False)
    assert found["installed"] == {"ctl": None, "itl": None}
    assert found["configuration"] is None and found["decisions"] == [] and found["tvs_servers"] == []


def test_an_installed_list():
    data = vector("itl-base.tlv")
    found = now(booted())
    assert (found["state"], found["mode"]) == ("trusted", "mixed")
    assert found["installed"]["ctl"] is None
    itl = found["installed"]["itl"]
    assert itl["filename"] == "ITLFile.tlv" and itl["bytes"] == len(data) and itl["empty"] is False
    assert itl["signer"]["serial"] == "618866fb0d47ff0e318793e454bacac7ad828fbd"
    assert "ITLRECOVERY_lab" in itl["signer"]["subject"] and itl["timestamp"] > 1500000000
    assert itl["sha1"] == hashlib.sha1(data).digest().hex()
    assert itl["sha256"] == hashlib.sha256(data).digest().hex()
    assert sorted(itl["records"]) == ["CAPF", "CCM+TFTP", "SAST", "TVS"]
    assert len(itl["records"]["SAST"]) == 2 and itl["records"]["TVS"] == ["CN=lab-TVS-pub,OU=Voice,O=Lab"]


def test_records_of_every_kind():
    records = [
        record(names.SAST, "sast.cert.pem"),
        record(None, "cucm.cert.pem"),
        record(99, "cucm.cert.pem"),
        record(3),
    ]
    world = World({})
    world.store.load()
    world.store.save({"itl": trust_list(records, "sast.cert.pem")})
    world.load()
    found = now(world)["installed"]["itl"]["records"]
    assert sorted(found) == ["SAST", "empty", "no role", "role 99"] and found["empty"] == [""]


def test_decisions():
    found = now(booted())["decisions"]
    assert [one["kind"] for one in found] == ["ctl", "itl", SIGNED]
    assert [one["reason"] for one in found] == ["not-found", "first-use", "signed-by-itl"]
    assert found[1]["evidence"]["records"] == 5 and found[1]["warnings"]


def test_a_good_boot_is_not_locked_out():
    rollback = {"ITLFile.tlv": vector("blank.tlv", "vectors-clusters"), OWN: vector(OWN)}
    for files in (cluster(), cluster("itl-base.tlv", "ctl-mixed.tlv"), rollback):
        world = World(files)
        world.boot()
        world.restart()
        assert now(world)["locked_out"] is False, sorted(files)


def locked_out(world, reason, advice):
    """Boot again: locked out for this reason, with this in the advice."""
    world.restart()
    found = now(world)
    first = [one for one in found["decisions"] if one["outcome"] == "refused"][0]
    assert first["reason"] == reason, found["decisions"]
    assert found["locked_out"] is True and advice in found["advice"], found["advice"]
    assert found["advice"] == first["text"], "the first refusal is the cause"
    return found


def test_locked_out_by_a_list():
    world = booted()
    for file, reason, advice in (
        ("itl-othercluster.tlv", "tvs-unreachable", "Start the Trust Verification Service"),
        ("bad-signature-bit.tlv", "bad-signature", "Restart TFTP"),
        ("bad-truncated.tlv", "malformed", "damaged file"),
        ("bad-body-bit.tlv", "record-mismatch", "damaged file"),
        ("itl-over64k.tlv", "too-large", "65536"),
        ("ctl-mixed.tlv", "wrong-file", "header says CTLFile.tlv"),
    ):
        world.files["ITLFile.tlv"] = vector(file)
        assert locked_out(world, reason, advice)["state"] == "trusted"
    world.files["ITLFile.tlv"] = vector("itl-base.tlv")
    world.restart()
    assert now(world)["locked_out"] is False


def test_locked_out_by_tvs():
    world = booted()
    world.files["ITLFile.tlv"] = vector("itl-tftpregen-selfsigned.tlv")
    world.tvs({})
    locked_out(world, "tvs-refused", "right cluster")
    world.tvs({"cucmnew.cert.pem": [names.TFTP]})
    locked_out(world, "tvs-wrong-role", "not for this use")
    world.tvs({"cucmnew.cert.pem": [names.SAST]}, certificate="tvs2.cert.pem")
    locked_out(world, "tvs-untrusted", "erase the trust lists at the phone")


def test_locked_out_by_the_configuration():
    world = booted()
    world.files[SIGNED] = vector("bad-cfg-body.cnf.xml.sgn")
    locked_out(world, "bad-signature", SIGNED)
    del world.files[SIGNED]
    world.files[OWN] = vector(OWN)
    locked_out(world, "unsigned", "not signed")


def test_locked_out_in_mixed_mode_without_a_configuration():
    locked_out(World(cluster(ctl="ctl-mixed.tlv", configuration=None)), "mixed-mode", "Add the phone first")


def test_locked_out_by_policy():
    assert locked_out(World(cluster(), policy="provisioned-only"), "not-provisioned", "image")["state"] == "no-trust"
    locked_out(World(cluster(), refuse_weak=True), "weak-key", "Regenerate")


def test_locked_out_by_a_ctl_of_another_cluster():
    world = booted("itl-base.tlv", "ctl-mixed.tlv")
    world.files["ITLFile.tlv"] = vector("itl-othercluster.tlv")
    found = locked_out(world, "tvs-unreachable", "")
    assert found["mode"] == "mixed"
    world = World({"CTLFile.tlv": vector("ctl-mixed.tlv"), "ITLFile.tlv": vector("itl-othercluster.tlv")})
    locked_out(world, "unknown-signer", "No TVS certificate")


def test_a_silent_server_is_no_lockout():
    world = booted()
    world.hal.net.silent.add(SERVER)
    world.restart()
    found = now(world)
    assert found["locked_out"] is False and found["state"] == "trusted"
    assert found["decisions"][-1]["reason"] == "no-server"


def test_a_missing_configuration_is_no_lockout():
    world = World({})
    world.boot()
    assert now(world)["locked_out"] is False


def test_a_later_decision_about_the_same_thing_counts():
    world = booted()
    world.files["ITLFile.tlv"] = vector("bad-truncated.tlv")
    assert world.fetch_list("itl").accepted is False
    assert now(world)["locked_out"] is True
    world.files["ITLFile.tlv"] = vector("itl-base.tlv")
    assert world.fetch_list("itl").accepted is True
    assert now(world)["locked_out"] is False


def test_a_refused_server_of_another_program_is_no_lockout():
    world = booted()
    assert world.judge_server("tvs", b"?").reason == "tvs-untrusted"
    assert now(world)["locked_out"] is False


def test_rolled_back():
    world = World({"ITLFile.tlv": vector("blank.tlv", "vectors-clusters")})
    world.boot()
    found = now(world)
    assert found["state"] == "rolled-back" and found["mode"] == "nonsecure"
    assert found["installed"]["itl"]["empty"] is True


def test_trust_lost_and_erased():
    flash = FakeFlash(FLASH)
    world = World(cluster(), flash)
    world.boot()
    for at in range(1000, FLASH):
        flash.data[at] ^= 0x55
    world.restart()
    found = now(world)
    assert found["state"] == "trust-lost" and found["locked_out"] is True and "erase" in found["advice"]
    assert found["installed"] == {"ctl": None, "itl": None}
    world.erase("all")
    found = now(world)
    assert (found["state"], found["locked_out"]) == ("no-trust", False)


def test_erasing_settles_earlier_refusals():
    world = booted()
    world.files["ITLFile.tlv"] = vector("itl-othercluster.tlv")
    world.restart()
    assert now(world)["locked_out"] is True
    world.erase("all")
    assert now(world)["locked_out"] is False
