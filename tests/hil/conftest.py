# SPDX-License-Identifier: MIT
"""The phone under test: the emulated Raspberry Pi 3, or what --lg-env says (boards/*/*.yaml).

A harness that breaks fails every test that needs it; labgrid's plugin would skip them.
"""

import fcntl
import json
import os

import pytest

from host_tools.hil import environment as environments
from host_tools.hil import record
from host_tools.hil.phone import BoardPhone
from host_tools.hil.strategy import State
from host_tools.image import board as boards
from host_tools.lab.model.cluster import Cluster
from tests.helpers.board.images import build_image

DEFAULT = boards.BOARDS / "rpi3/emulated.yaml"
MAC = "00270DC01C92"


def pytest_addoption(parser):
    parser.addoption(
        "--board",
        choices=("all", "shared", "own"),
        default="all",
        help="only the tests that take turns with the one board under test (shared), or only the others (own): "
        "these two can run beside each other",
    )


def pytest_collection_modifyitems(config, items):
    wanted = config.getoption("--board", "all")
    if wanted == "all":
        return
    chosen = [item for item in items if ("board_strategy" in item.fixturenames) == (wanted == "shared")]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


def pytest_configure(config):
    config.addinivalue_line("markers", "needs(feature, ...): features of the target in its labgrid environment")
    config.addinivalue_line("markers", "board: a procedure of tests/scenarios that is also played on a booted board")


@pytest.fixture(scope="session")
def environment(request):
    """The labgrid environment, checked key by key."""
    path = request.config.getoption("lg_env", None) or os.environ.get("LG_ENV") or DEFAULT
    found = environments.load(path)
    if request.config.getoption("lg_coordinator", None):
        found.config.set_option("coordinator_address", request.config.getoption("lg_coordinator"))
    yield found
    found.cleanup()


@pytest.fixture(scope="session")
def image(environment):
    """The image of the board under test, built of this source tree."""
    return build_image(environment.config.get_option("board"), environment.config.get_image_path("card"))


@pytest.fixture(scope="session")
def board_strategy(environment, image):
    """The board's strategy; power is off at the end."""
    target = environment.get_target()
    for stale in record.FOLDER.glob(f"console-{target.name}.log"):
        stale.unlink()
    found = target.get_driver("PhoneStrategy")
    yield found
    if not found.broken:
        found.transition(State.off)


@pytest.fixture
def phone(request, board_strategy):
    """The phone; its console goes to build/hil/console-TARGET.log, with the tests' names in between."""
    strategy = board_strategy  # a fixture of the name "strategy" would be skipped by labgrid when broken
    features = strategy.target.env.get_target_features()
    for mark in request.node.iter_markers("needs"):
        for feature in set(mark.args) - features:
            pytest.skip(f"this target has no '{feature}' (its features: {', '.join(sorted(features))})")
    if strategy.broken:
        pytest.fail(f"the harness is broken since an earlier test: {strategy.broken}")
    strategy.target.activate(strategy.console)
    strategy.console.note(request.node.nodeid)
    yield BoardPhone(strategy)
    if not strategy.broken:
        strategy.transition(State.off)


@pytest.fixture
def cluster(tmp_path, environment):
    """A lab cluster that knows the phone, with fresh keys."""
    found = Cluster.create(tmp_path / "cluster", kind="classic", address=environment.config.get_option("address"))
    found.add_phone(MAC)
    return found


@pytest.fixture
def serving(cluster, environment):
    """The cluster's servers, running."""
    with cluster.serve(environment.config.get_option("listen")) as running:
        yield running


@pytest.fixture
def settings(serving, environment):
    """phone.json for a phone of this cluster; short waits, as the network is one PC's."""
    server = f"{environment.config.get_option('address')}:{serving.tftp_port()}"
    return {"mac": MAC, "tftp": [server], "tftp_timeout": 500, "tftp_attempts": 3}


@pytest.fixture
def measured(request):
    """measured(name, value): kept in build/hil/measured.json, for people who follow the numbers."""

    def keep(name, value):
        record.FOLDER.mkdir(parents=True, exist_ok=True)
        with open(record.FOLDER / "measured.json", "a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # two runs can be at it
            file.seek(0)
            found = json.loads(file.read() or "{}")
            found[f"{request.node.name}: {name}"] = value
            file.truncate(0)
            file.write(json.dumps(found, indent=2, sort_keys=True) + "\n")

    return keep
