# SPDX-License-Identifier: MIT
"""Test collection: every tests/unit/test_*.py runs under CPython and again inside MicroPython, as items of its own.

host_tools/setup/micropython starts MicroPython once for each file, when the session first needs it, or once for each test of a
file that says ALONE = True. Its report about a test is the outcome of `test_name[micropython-ARCHITECTURE]`.
"""

import ast
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent
UNIT = ROOT / "tests" / "unit"
MARK = "##result "

# Time limits belong to whole tests, not to single examples; CI repeats the same examples each time.
hypothesis.settings.register_profile("local", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_addoption(parser):
    parser.addoption(
        "--micropython",
        default="aarch64",
        metavar="ARCHITECTURES",
        help="where unit tests run besides CPython: aarch64 (default), x86_64, both with a comma, or none",
    )


def pytest_configure(config):
    # The TFTP servers are unpacked, not installed; dnsmasq lives in sbin.
    servers = ROOT / "build" / "servers" / "bin"
    os.environ["PATH"] = os.pathsep.join([str(servers), os.environ["PATH"], "/usr/local/sbin", "/usr/sbin"])


def pytest_sessionstart(session):
    # Where tests.helpers.agent.both.temporary_path() makes its files, on both Pythons.
    os.environ["PHONETRUST_TEST_FOLDER"] = tempfile.mkdtemp(prefix="phonetrust-unit-")


def pytest_sessionfinish(session):
    shutil.rmtree(os.environ.pop("PHONETRUST_TEST_FOLDER"), ignore_errors=True)


class Settings:
    """The module constants of a unit test file and the names of its tests, read without importing it."""

    def __init__(self, path):
        self.heap, self.timeout, self.alone, self.image = None, 120, False, False
        self.pythons = ("cpython", "micropython")
        self.tests = []
        for node in ast.parse(path.read_text(), str(path)).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                self.tests.append((node.name, node.lineno))
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                name = node.targets[0].id
                if name in ("HEAP", "TIMEOUT", "ALONE", "IMAGE", "PYTHONS"):
                    setattr(self, name.lower(), ast.literal_eval(node.value))


def is_unit_file(path):
    return path.parent == UNIT and path.name.startswith("test_") and path.suffix == ".py"


def pytest_collect_file(file_path, parent):
    if is_unit_file(file_path) and "micropython" in Settings(file_path).pythons:
        return MicroPythonFile.from_parent(parent, path=file_path, name=file_path.name)
    return None


def pytest_pycollect_makemodule(module_path, parent):
    if is_unit_file(module_path) and "cpython" not in Settings(module_path).pythons:
        return NotForThisPython.from_parent(parent, path=module_path, name=module_path.name)
    return None


class NotForThisPython(pytest.File):
    def collect(self):
        return []


def software():
    """The file with agent/ and hal/ as an image has them, and the fake HAL; made when the session first needs it."""
    path = Path(os.environ["PHONETRUST_TEST_FOLDER"]) / "software.romfs"
    if not path.exists():
        from host_tools.image.software import modules

        path.write_bytes(modules(ROOT, more=["hal/fake/*.py"]))
    return path


class MicroPythonFile(pytest.File):
    """A unit test file as MicroPython runs it."""

    def collect(self):
        settings = Settings(self.path)
        for architecture in self.config.getoption("--micropython").split(","):
            if architecture == "none":
                continue
            run = MicroPythonRun(self.path.stem, settings, architecture)
            for name, line in settings.tests:
                if settings.alone:
                    run = MicroPythonRun(self.path.stem, settings, architecture)
                yield MicroPythonItem.from_parent(
                    self, name=f"{name}[micropython-{architecture}]", test=name, line=line, run=run
                )


class MicroPythonRun:
    """One interpreter of one architecture, running the selected tests of one file. Results by test name."""

    def __init__(self, module, settings, architecture):
        self.module, self.settings, self.architecture = module, settings, architecture
        self.results = None
        self.ending = ""

    def start(self, tests):
        """Run these tests to the end; keep the report of each, and how the interpreter ended."""
        heap = ["-X", f"heapsize={self.settings.heap}"] if self.settings.heap else []
        command = [str(ROOT / "host_tools/setup/micropython"), self.architecture, *heap]
        environment = {**os.environ, "MICROPYPATH": str(ROOT)}
        if self.settings.image:
            environment["PHONETRUST_TEST_SOFTWARE"] = str(software())
            environment["PHONETRUST_LIBRARY"] = str(ROOT / "build/native" / self.architecture / "libphonetrust.so")
        try:
            done = subprocess.run(
                [*command, str(UNIT / "run_micropython.py"), self.module, *tests],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=self.settings.timeout,
            )
            output, end = done.stdout, f"MicroPython ended with status {done.returncode}"
        except subprocess.TimeoutExpired as stopped:
            output, end = stopped.stdout or b"", f"MicroPython did not end in {self.settings.timeout} s"
        self.results, printed = {}, []
        for line in output.decode(errors="replace").splitlines():
            if line.startswith(MARK):
                result = json.loads(line[len(MARK) :])
                self.results[result["name"]] = dict(result, printed="\n".join(printed))
                printed = []
            else:
                printed.append(line)
        self.ending = "\n".join([*printed, end])


class MicroPythonItem(pytest.Item):
    fixturenames = ()  # labgrid's plugin asks every item for them

    def __init__(self, *, test, line, run, **kw):
        super().__init__(**kw)
        self.test, self.line, self.run = test, line, run

    def runtest(self):
        if self.run.results is None:
            self.run.start([item.test for item in self.session.items if getattr(item, "run", None) is self.run])
        result = self.run.results.get(self.test)
        if result is None:
            raise MicroPythonFailure(f"no result of this test; the last that was heard:\n{self.run.ending}")
        if result["printed"]:
            self.add_report_section("call", "stdout", result["printed"])
        if not result["ok"]:
            last = result["text"].rstrip().rsplit("\n", 1)[-1]
            raise MicroPythonFailure(f"{last}\n{result['text']}")

    def repr_failure(self, excinfo, style=None):
        if isinstance(excinfo.value, MicroPythonFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self):
        return self.path, self.line - 1, self.name


class MicroPythonFailure(Exception):
    """A test failed inside MicroPython; the text is its traceback there."""
