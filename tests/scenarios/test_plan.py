# SPDX-License-Identifier: MIT
"""`phonetrust plan`: what it says about plans, fleets and mistakes in them; the ready plans of docs/plans."""

import csv
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from host_tools.cli.main import app
from host_tools.plan.document import GRAMMAR, parse_step, read_plan
from host_tools.plan.errors import PlanError
from host_tools.plan.fleet import Lists
from host_tools.plan.groups import Fleet
from host_tools.plan.paper import World
from host_tools.plan.result import compute
from tests.helpers.lab.key_pool import PooledKeys

PLANS = Path(__file__).resolve().parents[2] / "docs" / "plans"
FLEET = "device,batch,online\nSEP001122334401,first,yes\nSEP001122334402,second,yes\nSEP001122334403,second,no\n"


def run(*arguments):
    result = CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "80"})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


@pytest.fixture
def planned(tmp_path):
    """planned(cluster, steps, fleet, clusters) -> the result of a plan, keys from the pool."""

    def compute_plan(cluster, steps, fleet=FLEET, clusters=(), search=True, lists=None):
        (tmp_path / "fleet.csv").write_text(fleet)
        named = "".join(f'{name} = "{other.path}"\n' for name, other in dict(clusters).items())
        (tmp_path / "plan.toml").write_text(f"steps = {json.dumps(steps)}\n[clusters]\n{named}")
        plan, wrong = read_plan(tmp_path / "plan.toml")
        assert wrong == []
        world = World(cluster.path, plan.clusters, PooledKeys())
        return compute(plan, world, Fleet(tmp_path / "fleet.csv", Lists(lists, tmp_path), world), search)

    return compute_plan


def outcomes(result, step):
    return [cell["outcome"] for cell in result["steps"][step]["groups"]]


def test_a_wrong_order_is_told_with_its_first_lockout_and_a_safe_order(planned, classic):
    before = (classic.state.number, classic.state.published)
    result = planned(classic, ["regenerate tvs on node 1", "regenerate tftp on node 1", "restart all phones"])
    assert result["first_lockout"] == 2 and not result["safe"] and result["visit_count"] == 3
    cell = result["steps"][3]["groups"][0]
    assert cell["restarted"] and result["decisions"][cell["decisions"]][0]["reason"] == "tvs-untrusted"
    assert result["safe_order"]["steps"] == [
        "regenerate tvs on node 1",
        "restart all phones",
        "regenerate tftp on node 1",
        "restart all phones",
    ]
    assert (classic.state.number, classic.state.published) == before, "a plan changes nothing"


def test_the_safe_order_is_safe_when_it_is_planned(planned, classic):
    steps = planned(classic, ["regenerate tvs", "regenerate tftp", "restart all phones"])["safe_order"]["steps"]
    online = FLEET.replace("no", "yes")
    assert planned(classic, steps, online)["safe"]


def test_a_search_ends_and_says_that_it_did_not_try_everything(planned, classic, monkeypatch):
    monkeypatch.setattr("host_tools.plan.run.MOST_BOOTS", 1)
    monkeypatch.setattr("host_tools.plan.run.MOST_ADDED", 0)
    safe = planned(classic, ["regenerate tvs", "regenerate tftp", "restart all phones"])["safe_order"]
    assert safe["steps"] is None and not safe["complete"] and "not all were tried" in safe["text"]


def test_phones_that_are_off_keep_their_lists_and_need_a_visit(planned, classic):
    steps = ["regenerate tvs", "restart all phones", "regenerate tftp", "restart all phones"]
    result = planned(classic, steps)
    assert outcomes(result, 4) == ["accepted", "accepted", "locked-out"]
    assert result["visit_count"] == 1 and list(result["visits"]) == [2]


def test_a_batch_restarts_alone(planned, classic):
    result = planned(classic, ["regenerate tvs", "restart batch first"])
    assert [cell["restarted"] for cell in result["steps"][2]["groups"]] == [True, False, False]


def test_a_move_without_the_old_servers_locks_out_and_one_with_bulk_certificates_does_not(planned, new_cluster):
    old, new = new_cluster(name="old"), new_cluster(name="new", address="127.0.0.2")
    bulk = "import certificates of cluster B"
    good = planned(old, [bulk, "move all phones to cluster B"], clusters={"B": new})
    alone = planned(
        old, [bulk, "move all phones to cluster B without the old servers"], clusters={"B": new}, search=False
    )
    hard = planned(old, ["move all phones to cluster B"], clusters={"B": new}, search=False)
    assert [each["first_lockout"] for each in (alone, hard)] == [2, 1]
    assert good["safe"], good["first_lockout"]
    assert good["decisions"][good["steps"][2]["groups"][0]["decisions"]][0]["reason"] == "vouched-by-tvs"


def test_two_clusters_of_one_address_are_no_plan(planned, new_cluster):
    with pytest.raises(PlanError, match="the same TVS 127.0.0.1:2445"):
        planned(new_cluster(name="old"), ["move all phones to cluster B"], clusters={"B": new_cluster(name="new")})


def test_a_step_that_cannot_be_done_is_told_and_the_rest_is_answered(planned, cluster):
    result = planned(cluster, ["switch version", "regenerate tvs", "restart all phones"], search=False)
    assert result["impossible"] == [1] and "no inactive version" in result["steps"][1]["problem"]
    assert outcomes(result, 2)[0] == "accepted" and not result["safe"]


def test_a_fleet_names_lists_by_file_and_checksum(planned, classic, tmp_path):
    import hashlib

    old = classic.published("ITLFile.tlv")
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "old.tlv").write_bytes(old)
    (lists / "broken.tlv").write_bytes(old[:-3])
    digest = hashlib.sha1(old).hexdigest()
    rows = ["device,itl", f"SEP001122334401,{digest}", "SEP001122334402,lists/old.tlv", f"SEP001122334403,{'0' * 40}"]
    rows += ["SEP001122334404,", "SEP001122334405,lists/broken.tlv", "SEP001122334401,", "SEP001122334406,no.tlv"]
    result = planned(classic, ["restart all phones"], "\n".join(rows), lists=lists)
    assert outcomes(result, 1) == ["unchanged", "unchanged", "accepted"]
    assert [
        (row["line"], re.search("no known|no phone can|already|cannot be read", row["text"])[0])
        for row in result["bad_rows"]
    ] == [
        (4, "no known"),
        (6, "no phone can"),
        (7, "already"),
        (8, "cannot be read"),
    ]


def test_many_phones_cost_no_more_boots_than_few(planned, classic, monkeypatch):
    boots = []
    whole = World._boot
    monkeypatch.setattr(World, "_boot", lambda self, held: boots.append(held) or whole(self, held))

    def fleet(count):
        return "device,batch,servers\n" + "".join(f"SEP{n:012X},b{n % 20},{1 + n % 2}\n" for n in range(count))

    counts = []
    for count in (1000, 20000):
        boots.clear()
        result = planned(classic, ["regenerate tvs", "restart all phones"], fleet(count), search=False)
        assert result["phones"] == count and len(result["groups"]) == 20
        counts.append(len(boots))
    assert counts[0] == counts[1]


def test_the_command_prints_a_table_json_a_page_and_the_visits(classic, tmp_path):
    (tmp_path / "fleet.csv").write_text(FLEET)
    common = ["--cluster", classic.path, "--fleet", tmp_path / "fleet.csv", "--no-search"]
    visits, page = tmp_path / "visits.csv", tmp_path / "plan.html"
    result = run("plan", PLANS / "renew-too-fast.toml", *common, "--visits", visits, "--html", page)
    assert result.exit_code == 1 and "locks phones out" in result.stdout and "tvs-untrusted" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
    found = list(csv.DictReader(visits.open()))
    assert [row["device"][-1] for row in found] == ["1", "2", "3"] and "tvs-untrusted" in found[0]["reason"]
    assert 'id="timeline"' in page.read_text()
    assert json.loads(run("plan", PLANS / "renew-too-fast.toml", *common, "--json").stdout)["first_lockout"] == 2


def test_check_names_every_mistake_before_anything_is_computed(classic, tmp_path):
    (tmp_path / "fleet.csv").write_text(FLEET + "phone,first,yes\n")
    (tmp_path / "plan.toml").write_text('steps = ["regenrate tvs", "move all phones to cluster X"]')
    common = ["--cluster", classic.path, "--fleet", tmp_path / "fleet.csv"]
    result = run("plan", "check", tmp_path / "plan.toml", *common)
    assert result.exit_code == 1
    for words in ("step 1: 'regenrate tvs' is no step", "step 2: cluster X is not in", "line 5: 'phone' is no device"):
        assert words in result.stdout
    assert run("plan", tmp_path / "plan.toml", *common).exit_code == 2


@pytest.mark.parametrize(
    "content, words",
    [
        ("steps = [", "no TOML"),
        ("name = 1", "needs steps"),
        ("steps = []", "needs steps"),
        (f"steps = {['back up'] * 101}", "at most 100"),
    ],
)
def test_a_plan_that_cannot_be_read_is_one_sentence(classic, tmp_path, content, words):
    (tmp_path / "fleet.csv").write_text(FLEET)
    (tmp_path / "plan.toml").write_text(content)
    result = run("plan", tmp_path / "plan.toml", "--cluster", classic.path, "--fleet", tmp_path / "fleet.csv")
    assert result.exit_code == 2 and words in result.stderr and len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "content", ["", "name\nx\n", "device,device\n", "device,colour\n", "device\n", "device\n" + "x" * 5000]
)
def test_a_fleet_that_cannot_be_read_is_one_sentence(classic, tmp_path, content):
    (tmp_path / "fleet.csv").write_text(content)
    result = run("plan", PLANS / "renew.toml", "--cluster", classic.path, "--fleet", tmp_path / "fleet.csv")
    assert result.exit_code == 2 and len(result.stderr.splitlines()) == 1 and "fleet.csv" in result.stderr


def test_a_batch_without_phones_is_a_mistake_of_the_plan(classic, tmp_path):
    (tmp_path / "fleet.csv").write_text(FLEET)
    (tmp_path / "plan.toml").write_text('steps = ["restart batch frist"]')
    result = run("plan", "check", tmp_path / "plan.toml", "--cluster", classic.path, "--fleet", tmp_path / "fleet.csv")
    assert result.exit_code == 1 and "step 1: no phone of the fleet is in batch frist" in result.stdout


def test_a_list_without_end_is_a_bad_row(planned, classic):
    result = planned(classic, ["restart all phones"], "device,itl\nSEP001122334401,/dev/zero\nSEP001122334402,\n")
    assert [(row["line"], "more than" in row["text"]) for row in result["bad_rows"]] == [(2, True)]
    assert result["phones"] == 1


def test_a_cell_is_no_formula_in_the_list_of_visits(classic, tmp_path):
    (tmp_path / "fleet.csv").write_text("device,model,batch\nSEP001122334401,=1+1,@x\n")
    common = ["--cluster", classic.path, "--fleet", tmp_path / "fleet.csv", "--no-search"]
    run("plan", PLANS / "renew-too-fast.toml", *common, "--visits", tmp_path / "v.csv")
    found = next(csv.DictReader((tmp_path / "v.csv").open()))
    assert (found["model"], found["batch"]) == ("'=1+1", "'@x")


def test_every_word_of_the_grammar_reads_its_own_examples():
    for word, (_, examples) in GRAMMAR.items():
        for example in examples.split(", "):
            assert parse_step(example).word == word
    with pytest.raises(PlanError, match="no step"):
        parse_step("make it so")


READY = {
    "renew": ({"kind": "classic"}, True),
    "renew-too-fast": ({"kind": "classic"}, False),
    "move": ({"kind": "classic"}, True),
    "leave-mixed-mode": ({"kind": "tokens"}, True),
    "restore-tftp-key": ({"kind": "classic"}, False),
    "upgrade": ({"kind": "classic", "old_release": "007.001(003.21900.003)"}, True),
}


def test_every_ready_plan_is_tried():
    assert {path.stem for path in PLANS.glob("*.toml")} == set(READY)


@pytest.mark.parametrize("name", READY)
def test_the_ready_plans_say_what_they_are_there_to_show(planned, new_cluster, name):
    options, safe = READY[name]
    plan, wrong = read_plan(PLANS / f"{name}.toml")
    clusters = {other: new_cluster(name=other, address="127.0.0.2") for other in plan.clusters}
    result = planned(
        new_cluster(**options), [step.text for step in plan.steps], FLEET.replace("no", "yes"), clusters, False
    )
    assert wrong == [] and result["impossible"] == []
    assert result["safe"] is safe, result["first_lockout"]
    assert result["visit_count"] == (3 if name == "renew-too-fast" else 0)


@pytest.mark.parametrize("name", [name for name, (_, safe) in READY.items() if safe])
def test_a_ready_plan_without_its_restarts_is_safe_or_a_safe_order_is_found(planned, new_cluster, name):
    """All restarts but the last are left out. Where that locks phones out, the search puts restarts back."""
    plan, _ = read_plan(PLANS / f"{name}.toml")
    clusters = {other: new_cluster(name=other, address="127.0.0.2") for other in plan.clusters}
    texts = [step.text for step in plan.steps if step.word != "restart-phones"] + ["restart all phones"]
    fleet = FLEET.replace("no", "yes")
    result = planned(new_cluster(**READY[name][0]), texts, fleet, clusters)
    assert result["safe"] is (name != "renew"), "the hurry locks phones out where TVS and signer change"
    if not result["safe"]:
        steps = result["safe_order"]["steps"]
        assert steps and sorted({*steps}) == sorted({*texts})


def test_no_order_is_safe_where_keys_are_lost_and_the_search_says_that_it_tried_all(planned, classic):
    plan, _ = read_plan(PLANS / "restore-tftp-key.toml")
    result = planned(classic, [step.text for step in plan.steps])
    assert result["safe_order"]["steps"] is None and result["safe_order"]["complete"]
