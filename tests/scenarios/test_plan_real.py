# SPDX-License-Identifier: MIT
"""A plan's verdicts against what real phones of the host kind decide at a served lab cluster, step by step."""

import random

import pytest

from host_tools.cli.parts import host_crypto
from host_tools.plan.document import Plan, parse_step
from host_tools.plan.fleet import Lists
from host_tools.plan.groups import Fleet
from host_tools.plan.paper import World
from host_tools.plan.result import compute
from tests.helpers.lab.key_pool import PooledKeys
from tests.helpers.lab.phones import HostPhone
from tests.helpers.lab.procedure import MAC

COMMON = ("regenerate tvs", "regenerate tftp", "regenerate tomcat", "regenerate capf", "back up", "restore", "rollback on",
          "rollback off", "stop tvs", "start tvs", "cluster mode mixed", "cluster mode nonsecure", "ctl update")  # fmt: skip
STEPS = {
    "modern": (*COMMON, "regenerate itlrecovery", "itl reset localkey", "itl sign callmanager", "itl sign itlrecovery"),
    "classic": (*COMMON, "regenerate itlrecovery", "itl reset localkey"),
    "tokens": (*COMMON, "ctl sign token-2", "ctl sign token-1"),
    "open": ("regenerate sast-1", "cluster mode mixed", "cluster mode nonsecure", "ctl update"),
}
SEED, PLANS, LONGEST = 15, 50, 4  # PLANS for each kind of cluster


def real_step(cluster, serving, step, saved):
    """The step on the real cluster. LabError as on paper."""
    actions = {
        "regenerate": lambda: cluster.regenerate(step["kind"], step.node),
        "rollback": lambda: cluster.set_rollback(step["state"] == "on"),
        "service": serving.stop_tvs if step["do"] == "stop" else serving.start_tvs,
        "mode": lambda: cluster.set_cluster_mode(step["mode"]),
        "ctl-update": cluster.ctl_update,
        "ctl-sign": lambda: cluster.ctl_sign(step["key"]),
        "itl-sign": lambda: cluster.itl_sign(step["key"]),
        "itl-reset": lambda: cluster.itl_reset("localkey"),
        "backup": lambda: cluster.backup(saved, "plan"),
        "restore": lambda: cluster.restore(saved, "plan"),
    }
    actions[step.word]()


def random_steps(rng, kind):
    """Texts of steps, with a restart of the phones behind most of them."""
    steps = []
    for _ in range(rng.randint(2, LONGEST)):
        steps.append(rng.choice([each for each in STEPS[kind] if each != "restore" or "back up" in steps]))
        if rng.random() < 0.7:
            steps.append("restart all phones")
    return [*steps, "restart all phones"]


def planned(cluster, texts, folder, number):
    fleet = folder / f"fleet-{number}.csv"
    fleet.write_text(f"device\nSEP{MAC}\n")
    world = World(cluster.path, {}, host_crypto(), PooledKeys())
    plan = Plan("random", [parse_step(text) for text in texts], {}, folder)
    return compute(plan, world, Fleet(fleet, Lists(None, folder), world), search=False)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", STEPS)
def test_real_phones_decide_what_the_plan_said(new_cluster, tmp_path, kind):
    rng = random.Random(SEED)
    for number in range(PLANS):
        cluster = new_cluster(kind=kind, **({"tvs": True} if kind == "open" else {}))
        saved = tmp_path / f"backup-{number}"
        with cluster.serve() as serving:
            phone = HostPhone(MAC)
            try:
                phone.point_at([f"127.0.0.1:{serving.tftp_port()}"])
                phone.boot()
                texts = random_steps(rng, kind)
                result = planned(cluster, texts, tmp_path, number)
                follow(cluster, serving, phone, texts, result, saved)
            finally:
                phone.close()


def follow(cluster, serving, phone, texts, result, saved):
    """Carry the steps out for real, and compare each restart of the phone with what the plan said."""
    for step, said in zip([parse_step(text) for text in texts], result["steps"][1:], strict=True):
        if step.word != "restart-phones":
            if said["problem"] is None:
                real_step(cluster, serving, step, saved)
            continue
        real = [each for each in phone.boot() if each["kind"] != "trusted" and each["reason"] != "not-found"]
        found = [
            (each["outcome"], each["reason"])
            for each in real
            if each["kind"] in ("itl", "ctl") or "cnf" in each["kind"]
        ]
        cell = said["groups"][0]
        expected = [(each["outcome"], each["reason"]) for each in result["decisions"][cell["decisions"]]]
        assert found == expected, (texts, said["step"], said["number"])
