# SPDX-License-Identifier: MIT
"""The procedures of tests/scenarios that are marked `board`, word for word, on a booted board.

The board is powered on once, and again when it has written its flash often. Between the procedures a person erases its
trust at the console, and `restart` makes it fetch everything anew, from flash on. Its settings name one TFTP server, which
hands out the files of whichever node of whichever cluster the procedure wants.
"""

import inspect

import pytest

from agent.flash.writes import WRITES_AN_HOUR
from host_tools.board import card as cards
from host_tools.hil.phone import DECISION, BoardPhone
from host_tools.hil.strategy import State
from host_tools.lab.servers.tftp import TftpServer

pytest.register_assert_rewrite("tests.helpers.lab.procedure", "tests.helpers.lab.phones")

from tests.helpers.lab import phones  # noqa: E402
from tests.helpers.lab.procedure import MAC, Procedure  # noqa: E402
from tests.scenarios import test_procedures_certificates as certificates  # noqa: E402
from tests.scenarios import test_procedures_migration as migration  # noqa: E402
from tests.scenarios import test_procedures_mixed_mode as mixed_mode  # noqa: E402
from tests.scenarios import test_procedures_open as open_tools  # noqa: E402
from tests.scenarios import test_procedures_restarts as restarts  # noqa: E402
from tests.scenarios import test_procedures_rollback as rollback  # noqa: E402
from tests.scenarios import test_procedures_servers as servers  # noqa: E402
from tests.scenarios import test_procedures_signers as signers  # noqa: E402
from tests.scenarios import test_procedures_upgrade as upgrade  # noqa: E402
from tests.scenarios import test_procedures_visitors as visitors  # noqa: E402

WAITS = {"tftp_timeout": 500, "tftp_attempts": 3, "tvs_timeout": 5000}

MODULES = (certificates, signers, rollback, migration, mixed_mode, servers, restarts, upgrade, visitors, open_tools)

for module in MODULES:
    for name, function in inspect.getmembers(module, inspect.isfunction):
        if any(mark.name == "board" for mark in getattr(function, "pytestmark", ())):
            assert name not in globals(), f"two procedures for the board are named {name}"
            globals()[name] = function


class Front:
    """One TFTP server of the lab that hands out the files of `place`, a (cluster, node) or None."""

    def __init__(self, listen):
        self.place = None
        self._server = TftpServer(listen, 0, self._find, lambda *request: None)
        self.port = self._server.port
        self.close = self._server.close

    def _find(self, name):
        if self.place is None:
            return None
        cluster, node = self.place
        return cluster.handed_out(name, node)


class BootedPhone(phones.Phone):
    """The phone of a board that runs, as procedures use it."""

    kind = "board"

    def __init__(self, machine):
        super().__init__(MAC)
        self.machine = machine
        self.erase()

    def boot(self):
        self.machine.restart()
        return [
            {name: value.strip() for name, value in found.groupdict().items()}
            for found in DECISION.finditer(self.machine.heard)
        ]

    def status(self):
        return self.machine.status()

    def erase(self):
        """A person at the phone erases everything."""
        self.machine.type("erase all yes yes")
        self.machine.expect("flash accepted erased")

    def stored(self):
        """What is on the card of an emulated board, a file that can be read while the board runs; a real one's cannot."""
        file = getattr(self.machine.card, "file", None)
        return None if file is None else phones.sections(cards.read_store(file))

    def close(self):
        """The board runs on for the next procedure."""


class BoardProcedure(Procedure):
    """A procedure whose phone has one TFTP server, the front."""

    def __init__(self, front, **options):
        self.front = front
        super().__init__(**options)

    def _tftp(self, cluster, node):
        self.front.place = cluster, node
        return f"{self.address}:{self.front.port}"


@pytest.fixture(scope="module")
def front(environment):
    """The TFTP server of the board's settings."""
    found = Front(environment.config.get_option("listen"))
    yield found
    found.close()


def start(machine):
    """Power on, to the end of the start scripts: their last line may come in the middle of an answer."""
    state = machine.boot()
    if "memory: " not in machine.heard:
        machine.expect("memory: ")
    return state


@pytest.fixture(scope="module")
def machine(board_strategy, environment, front):
    """The board, booted once, of which no trust is left from before."""
    board_strategy.target.activate(board_strategy.console)
    found = BoardPhone(board_strategy)
    server = f"{environment.config.get_option('address')}:{front.port}"
    found.new(mac=MAC, model="8861", tftp=[server], **WAITS)
    assert start(found) == ("no-trust", "nonsecure", False)
    yield found
    if not board_strategy.broken:
        board_strategy.transition(State.off)


@pytest.fixture
def procedure(request, machine, front, environment, tmp_path):
    """A Procedure on the board."""
    machine.console.note(request.node.nodeid)
    address, listen = (environment.config.get_option(name) for name in ("address", "listen"))
    front.place = None
    if machine.status()["flash_writes"] > WRITES_AN_HOUR // 2:
        start(
            machine
        )  # a board writes its flash so often in an hour, counted since power-on; no procedure does it by half
    found = BoardProcedure(
        front, folder=tmp_path, make_phone=lambda mac: BootedPhone(machine), address=address, listen=listen
    )
    yield found
    found.close()
