# SPDX-License-Identifier: MIT
"""The rooms and their floors (docs/architecture.md): the direction of imports, rooms that may wait, and no circles."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
#: From the ground. A file imports from its own room and from lower floors; rooms of one floor do not know each other.
FLOORS = (
    {"agent", "agent.errors"},
    {"agent.formats"},
    {"agent.trust", "agent.flash"},
    {"agent.servers"},
    {"agent.fetch"},
    {"agent.settings"},
    {"agent.boot"},
    {"agent.local"},
    {"agent.main"},
)
#: Rooms that decide or read bytes: they neither wait nor store nor talk to the network.
QUIET = ("agent.trust", "agent.formats")
LOUD_MODULES = {"asyncio", "socket", "select", "time", "os", "sys"}
#: The model and the servers know each other: a forecast asks the lab's own TVS, a server reads the cluster.
LAB_FLOORS = ({"errors"}, {"writers"}, {"model", "servers"}, {"commands"})


#: Whole tests that run once more elsewhere: procedures on the booted board.
PLAYED_AGAIN = {
    ("test_procedures.py", f"tests.scenarios.{path.stem}") for path in (ROOT / "tests/scenarios").glob("test_*.py")
}


def module(path):
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


def sources(*folders):
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def imported(path):
    """(line, module) of each import of a file, wherever it stands; `from package import module` names the module."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, each.name) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            for each in node.names:
                inner = ROOT / Path(*node.module.split("."), each.name)
                is_module = inner.with_suffix(".py").exists() or (inner / "__init__.py").exists()
                yield node.lineno, f"{node.module}.{each.name}" if is_module else node.module


def room(name):
    """The room of a module of agent: its folder, or itself at the top."""
    return ".".join(name.split(".")[:2])


def floor(name):
    for number, rooms in enumerate(FLOORS):
        if room(name) in rooms:
            return number
    raise AssertionError(f"{name} is in a room that has no floor yet")


def shown(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", sources("agent"), ids=shown)
def test_imports_run_downward(path):
    own = module(path)
    wrong = [
        f"line {line}: {found}"
        for line, found in imported(path)
        if found.split(".")[0] == "agent" and room(found) != room(own) and floor(found) >= floor(own)
    ]
    assert not wrong, f"{own} is on floor {floor(own)} and may not import these: {wrong}"


@pytest.mark.parametrize("path", [path for path in sources("agent") if room(module(path)) in QUIET], ids=shown)
def test_what_decides_and_what_reads_neither_waits_nor_stores_nor_talks(path):
    wrong = [f"line {line}: {found}" for line, found in imported(path) if found.split(".")[0] in LOUD_MODULES]
    waits = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.AsyncFunctionDef | ast.Await)
    ]
    assert not wrong and not waits, f"imports {wrong}, waits in lines {waits}"


def graph(*folders):
    known = {module(path): path for path in sources(*folders)}
    return {
        name: {found for _, found in imported(path) if found in known and found != name} for name, path in known.items()
    }


def circle(arrows):
    """Modules that import each other in a circle, or None."""
    done, path = set(), []

    def visit(name):
        if name in path:
            return path[path.index(name) :] + [name]
        if name in done:
            return None
        path.append(name)
        for other in sorted(arrows[name]):
            found = visit(other)
            if found:
                return found
        path.pop()
        done.add(name)
        return None

    for name in sorted(arrows):
        found = visit(name)
        if found:
            return found
    return None


@pytest.mark.parametrize("folder", ["agent", "hal", "host_tools"])
def test_no_files_import_each_other_in_a_circle(folder):
    assert circle(graph(folder)) is None


def test_no_part_of_the_phone_is_given_the_object_that_owns_it():
    """Only agent/main.py makes parts of others; what it makes never holds the phone, nor does a part hold its holder."""
    import sys

    sys.path.insert(0, str(ROOT))
    from hal.fake import Hal
    from tests.helpers.agent.building import library
    from tests.helpers.agent.phone_world import TestedPhone, World

    world = World({})
    phone = world.phone
    assert isinstance(phone.hal, Hal) and library() is not None
    found = object_circle(phone, (TestedPhone,))
    assert found is None, " -> ".join(found)


def object_circle(start, owners):
    """The way from an object of the agent through attributes back to one that holds it, as names; None where there is none.
    Bound methods count as holding their object, but for what main gives as callbacks: those of `owners`."""
    path, done = [], set()

    def parts(thing):
        values = vars(thing).values() if hasattr(thing, "__dict__") else ()
        for value in values:
            for each in value if isinstance(value, list | tuple) else [value]:
                each = getattr(each, "__self__", each)
                if type(each).__module__.startswith("agent.") and not isinstance(each, owners):
                    yield each

    def visit(thing):
        if any(thing is other for other in path):
            return [type(each).__name__ for each in path] + [type(thing).__name__]
        if id(thing) in done:
            return None
        path.append(thing)
        for part in parts(thing):
            found = visit(part)
            if found:
                return found
        path.pop()
        done.add(id(thing))
        return None

    return visit(start)


def lab_room(name):
    return name.split(".")[2] if name.count(".") > 1 else ""


@pytest.mark.parametrize("path", sources("host_tools/lab"), ids=shown)
def test_the_rooms_of_the_lab_know_what_is_below_them(path):
    floors = {each: number for number, rooms in enumerate(LAB_FLOORS) for each in rooms}
    own = lab_room(module(path))
    if own not in floors:
        return
    wrong = [
        f"line {line}: {found}"
        for line, found in imported(path)
        if found.startswith("host_tools.lab.") and floors.get(lab_room(found), 0) > floors[own]
    ]
    assert not wrong, wrong


def test_helpers_are_not_imported_from_tests():
    wrong = [
        f"{shown(path)}:{line}: {found}"
        for path in sources("tests")
        for line, found in imported(path)
        if found.startswith("tests.")
        and (".conftest" in found or found.split(".")[-1].startswith("test_"))
        and (path.name, found) not in PLAYED_AGAIN
    ]
    assert not wrong, wrong
