# SPDX-License-Identifier: MIT
"""Fixtures for tests that need lab clusters, and for the procedures that are played against a phone.

A procedure (test_procedures_*.py) is written once and runs on each kind of phone of KINDS; those marked `board` run on a
booted image, too, in tests/hil/test_procedures.py.
"""

import functools
import itertools

import pytest

pytest.register_assert_rewrite("tests.helpers.lab.procedure", "tests.helpers.lab.plays", "tests.helpers.lab.phones")

from host_tools.lab.model.cluster import Cluster  # noqa: E402
from tests.helpers.lab import document  # noqa: E402
from tests.helpers.lab.guide_plays import PLAYS  # noqa: E402
from tests.helpers.lab.key_pool import PooledKeys  # noqa: E402
from tests.helpers.lab.phones import HostPhone, MicroPythonPhone, unpack_software  # noqa: E402
from tests.helpers.lab.procedure import MAC, Procedure  # noqa: E402

PROCEDURE_FILES = [f"test_procedures_{name}" for name in document.ORDER]
KINDS = ("host", "micropython")


def pytest_configure(config):
    config.addinivalue_line("markers", "board: a procedure that is also played on a booted board (tests/hil)")


@pytest.fixture
def new_cluster(tmp_path):
    """make(nodes=..., mixed=..., kind=...) -> a Cluster in a folder of its own, keys from the pool, one phone."""
    numbers = itertools.count(1)

    def make(phone=MAC, **options):
        cluster = Cluster.create(tmp_path / f"cluster-{next(numbers)}", key_maker=PooledKeys(), **options)
        if phone:
            cluster.add_phone(phone)
        return cluster

    return make


@pytest.fixture
def cluster(new_cluster):
    """A nonsecure cluster of one node with one phone, of the default kind: ITLRecovery signs lists."""
    return new_cluster()


@pytest.fixture
def classic(new_cluster):
    """A nonsecure cluster of one node with one phone, whose CallManager certificate signs lists."""
    return new_cluster(kind="classic")


@pytest.fixture(scope="session")
def software(tmp_path_factory):
    """The phone's software as the image has it."""
    return unpack_software(tmp_path_factory.mktemp("software"))


@pytest.fixture(params=KINDS)
def procedure(request, tmp_path):
    """A procedure.Procedure on each kind of phone."""
    if request.param == "host":
        make_phone = HostPhone
    else:
        make_phone = functools.partial(MicroPythonPhone, software=request.getfixturevalue("software"))
    found = Procedure(tmp_path, make_phone)
    yield found
    found.close()


_written = {}


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    """After a procedure on the host: its section of the document is what it did."""
    result = yield
    procedure = pyfuncitem.funcargs.get("procedure")
    if procedure is not None and procedure.phone.kind == "host":
        function = pyfuncitem.function
        if function.__module__.rpartition(".")[2] not in PROCEDURE_FILES:
            return result
        section = document.section(function, procedure.steps, procedure.kinds)
        if document.writing():
            _written[document.title(function)] = section
        else:
            told = document.sections(document.FILE.read_text()).get(document.title(function))
            assert told == section, f"{document.FILE.name} tells another story; `make docs` writes it anew"
    return result


def pytest_sessionfinish(session, exitstatus):
    if document.writing() and exitstatus == 0 and (_written or document.noted):
        found = document.sections(document.FILE.read_text()) if document.FILE.exists() else {}
        found |= _written
        for play in PLAYS:
            rows = {**document.play_rows(found.get(play.title, "")), **document.noted.get(play.title, {})}
            found[play.title] = document.play_section(play, rows)
        document.FILE.write_text(document.document(document.procedure_modules(), found, PLAYS))
