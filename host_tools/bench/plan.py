# SPDX-License-Identifier: MIT
"""Plans for large fleets: 100,000 phones against 1,000 phones in the same 500 states, 12 steps, one core."""

import hashlib
import tempfile
import time
import tracemalloc
from pathlib import Path

from host_tools.bench.measure import Line
from host_tools.lab.model.cluster import Cluster
from host_tools.plan.document import Plan, parse_step
from host_tools.plan.fleet import Lists
from host_tools.plan.groups import Fleet
from host_tools.plan.paper import World
from host_tools.plan.result import compute

STATES, FEW, MANY = 500, 1_000, 100_000
STEPS = (
    *("back up", "regenerate tvs", "restart all phones", "regenerate tftp", "restart all phones", "regenerate capf"),
    *(
        "restart batch b1",
        "regenerate tomcat",
        "restart all phones",
        "itl reset localkey",
        "restart all phones",
        "back up",
    ),
)


def lines():
    """Time and memory of the whole answer: fleet read, plan carried out, visits written."""
    with tempfile.TemporaryDirectory(prefix="phonetrust-bench-") as name:
        folder = Path(name)
        cluster = Cluster.create(folder / "cluster", kind="classic")
        (folder / "lists").mkdir()
        sums = []
        for number in range(STATES):
            content = cluster.published("ITLFile.tlv")
            (folder / "lists" / f"{number}.tlv").write_bytes(content)
            sums.append(hashlib.sha256(content).hexdigest())
            with cluster.change() as draft:  # another list: its server has another address
                draft.data["nodes"][0]["address"] = f"192.0.{number // 200}.{number % 200 + 1}"
        few, many = (_measure(folder, sums, count) for count in (FEW, MANY))
    yield Line("plan for 100,000 phones in 500 states, 12 steps", many[0], "s", few[0], 20, "theirs: for 1,000 phones")
    yield Line("memory of that plan", many[1] / 1e6, "MB", few[1] / 1e6, 1.1, "theirs: for 1,000 phones")


def _measure(folder, sums, count):
    """(seconds of this core, most bytes of Python's memory)"""
    fleet = folder / f"fleet-{count}.csv"
    with open(fleet, "w", encoding="utf-8") as file:
        file.write("device,itl,batch\n")
        file.writelines(f"SEP{n:012X},{sums[n % STATES]},b{n % STATES % 10}\n" for n in range(count))
    start = time.process_time()
    world = World(folder / "cluster", {})
    phones = Fleet(fleet, Lists(folder / "lists", folder), world)
    plan = Plan("bench", [parse_step(text) for text in STEPS], {}, folder)
    result = compute(plan, world, phones, search=False)
    phones.write_visits(folder / "visits.csv", result["visits"])
    seconds = time.process_time() - start
    tracemalloc.start()  # of what goes through all phones; the rest goes through states
    try:
        Fleet(fleet, Lists(folder / "lists", folder), world).write_visits(folder / "visits.csv", result["visits"])
        return seconds, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
