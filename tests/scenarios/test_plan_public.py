# SPDX-License-Identifier: MIT
"""Plans from public files: a lab's folder without private keys and a folder of `phonetrust fetch` have the same verdicts."""

import random
import re
import shutil

import pytest

from host_tools.lab.model.keys import Identity
from host_tools.plan.document import Plan, parse_step
from host_tools.plan.errors import PlanError
from host_tools.plan.fleet import Lists
from host_tools.plan.groups import Fleet
from host_tools.plan.paper import World
from host_tools.plan.result import compute
from tests.helpers.lab.key_pool import PooledKeys
from tests.helpers.lab.plan_walks import KINDS, random_steps

_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----\n?", re.DOTALL)


def verdicts(folder, texts, others=()):
    """[(problem?, outcome, [(outcome, reason)])] by step, of one phone that holds the cluster's lists."""
    fleet = folder.parent / "fleet.csv"
    fleet.write_text("device\nSEP00270DC01C92\n")
    world = World(folder, dict(others), PooledKeys())
    result = compute(
        Plan("public", list(map(parse_step, texts)), {}, folder), world, Fleet(fleet, Lists(None, folder), world), False
    )
    found = []
    for step in result["steps"]:
        cell = step["groups"][0]
        reasons = [(each["outcome"], each["reason"]) for each in result["decisions"][cell["decisions"]]]
        found.append((step["step"], step["problem"] is not None, cell["outcome"], reasons))
    return found


def without_keys(cluster, to):
    """A copy of a lab cluster's folder without a private key in it."""
    shutil.copytree(cluster.path, to, symlinks=True)
    for path in to.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.write_bytes(_KEY.sub(b"", path.read_bytes()))
            assert b"PRIVATE KEY" not in path.read_bytes()
    return to


def handed_out(cluster, to):
    """The files that the publisher hands out, as `phonetrust fetch --phone` brings them."""
    to.mkdir()
    for name, content in cluster.state.published[cluster.data["nodes"][0]["name"]].items():
        (to / name).write_bytes(content)
    return to


def refuse(*_, **__):
    raise AssertionError("a plan read a private key")


@pytest.mark.parametrize("kind", KINDS)
def test_a_plan_needs_no_private_key(new_cluster, tmp_path, monkeypatch, kind):
    rng = random.Random(f"public {kind}")
    for number in range(4):
        cluster = new_cluster(**KINDS[kind])
        for node in range(1, len(cluster.data["nodes"]) + 1):
            cluster.set_address(f"192.0.2.{node}", node)
        bare, fetched = (
            without_keys(cluster, tmp_path / f"bare-{number}"),
            handed_out(cluster, tmp_path / f"got-{number}"),
        )
        with monkeypatch.context() as patch:
            texts = random_steps(rng, kind)
            patch.setattr(Identity, "from_pem", refuse)
            said = verdicts(cluster.path, texts)
            assert verdicts(bare, texts) == said
        if kind != "old":  # the release before 8.0 and its certificates are in no file
            assert verdicts(fetched, texts) == said


def test_prepared_files_are_handed_out_and_judged(new_cluster, tmp_path):
    cluster = new_cluster(kind="classic")
    now = handed_out(cluster, tmp_path / "now")
    cluster.regenerate("tftp")
    handed_out(cluster, tmp_path / "prepared")
    found = verdicts(now, ["hand out prepared", "stop tvs", "hand out missing"])
    assert [each[2] for each in found] == ["unchanged", "accepted", "locked-out", "locked-out"]
    assert found[1][3][0] == ("accepted", "vouched-by-tvs") and found[2][3][0] == ("refused", "tvs-unreachable")
    assert [each[1] for each in found] == [False, False, False, True]


def test_the_folder_tvs_says_what_was_imported(new_cluster, tmp_path):
    old, new = new_cluster(name="old"), new_cluster(name="new", address="127.0.0.2")
    now, there = handed_out(old, tmp_path / "now"), handed_out(new, tmp_path / "there")
    move = ["move all phones to cluster B"]
    assert verdicts(now, move, {"B": there})[1][3][0] == ("refused", "tvs-refused")
    (now / "tvs").mkdir()
    (now / "tvs" / "signer.pem").write_bytes(without_key(new.identity("itlrecovery")))
    (now / "tvs" / "roles.json").write_text('{"signer.pem": ["SAST"]}')
    assert verdicts(now, move, {"B": there})[1][3][0] == ("accepted", "vouched-by-tvs")


def without_key(identity):
    return _KEY.sub(b"", identity.pem())


@pytest.mark.parametrize("name, words", [("ITLFile.tlv", "ITLFile.tlv: "), ("CTLFile.tlv", "CTLFile.tlv: ")])
def test_a_damaged_list_of_the_cluster_is_one_sentence(new_cluster, tmp_path, name, words):
    now = handed_out(new_cluster(mixed=True), tmp_path / "now")
    (now / name).write_bytes((now / name).read_bytes()[:-3])
    with pytest.raises(PlanError, match=words):
        verdicts(now, ["back up"])


def test_a_folder_that_is_no_cluster_is_one_sentence(tmp_path):
    (tmp_path / "now").mkdir()
    (tmp_path / "now" / "readme.txt").write_text("x")
    with pytest.raises(PlanError, match="neither a lab cluster nor a folder of files"):
        verdicts(tmp_path / "now", ["back up"])


def test_records_that_a_plan_does_not_know_are_told(new_cluster, tmp_path):
    cluster = new_cluster()
    cluster.add_certificates(2)
    now = handed_out(cluster, tmp_path / "now")
    world = World(now, {}, PooledKeys())
    assert [note for note in world.notes if "2 records of the ITL" in note]
